"""What a program costs while it runs: CPU time, RES and output, over a stretch of time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil

from tests.bench.contestants import Contestant, command
from tests.bench.terminal import Size, Terminal


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one program over one stretch, or the medians of several."""

    cpu_ms_per_s: float
    """User and system time of all its threads and children."""
    rss_bytes: float
    written_bytes_per_s: float
    tasks: float
    """Processes on the machine at the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and in what terminal."""

    size: Size
    warmup_s: float
    seconds: float


def _used(pid: int) -> tuple[float, int]:
    """(CPU seconds so far, RES in bytes) of a process and its descendants."""
    root = psutil.Process(pid)
    times = root.cpu_times()
    cpu_s = times.user + times.system + times.children_user + times.children_system
    rss_bytes = root.memory_info().rss
    for child in _children(pid):
        child_cpu_s, child_rss_bytes = _used(child)
        cpu_s, rss_bytes = cpu_s + child_cpu_s, rss_bytes + child_rss_bytes
    return cpu_s, rss_bytes


def _children(pid: int) -> list[int]:
    """proc_tid_children(5): without a walk over all processes, which would disturb."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def measure(contestant: Contestant, words: tuple[str, ...], plan: Plan) -> Cost:
    """Run one program for one stretch. Raises RuntimeError where it does not stay."""
    with TemporaryDirectory(prefix="memtop-bench-") as folder:
        contestant.prepare(Path(folder))
        with Terminal(command(words), plan.size, Path(folder)) as terminal:
            time.sleep(plan.warmup_s)
            if not terminal.running:
                raise RuntimeError(f"{contestant.name} has ended by itself")
            cpu_s, _ = _used(terminal.pid)
            written_bytes, started_s = terminal.written_bytes, time.perf_counter()
            time.sleep(plan.seconds)
            if not terminal.running:
                raise RuntimeError(f"{contestant.name} has ended by itself")
            elapsed_s = time.perf_counter() - started_s
            cpu_end_s, rss_bytes = _used(terminal.pid)
            return Cost(
                cpu_ms_per_s=(cpu_end_s - cpu_s) * 1000 / elapsed_s,
                rss_bytes=rss_bytes,
                written_bytes_per_s=(terminal.written_bytes - written_bytes) / elapsed_s,
                tasks=len(psutil.pids()),
            )


def medians(costs: Sequence[Cost]) -> Cost:
    """Each figure's median."""
    return Cost(
        cpu_ms_per_s=median(cost.cpu_ms_per_s for cost in costs),
        rss_bytes=median(cost.rss_bytes for cost in costs),
        written_bytes_per_s=median(cost.written_bytes_per_s for cost in costs),
        tasks=median(cost.tasks for cost in costs),
    )
