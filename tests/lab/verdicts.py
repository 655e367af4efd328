"""What memtop says of real programs, look by look: ``python -m tests.lab.verdicts``; ``--help`` lists the choices.

Each program runs for some minutes and is watched twice, in focus and as one row among others. Printed are, for each,
the shapes that stood and when, the signs of column V, when growth was confirmed, and in what words it ended. What is
not installed here (Go, a JDK, Redis, a C compiler) is left out. The exit code is 1 where a verdict was not the truth.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from memtop.analysis.severity import Severity
from memtop.engine.engine import Engine
from memtop.explain.finding_text import nothing_wrong, sentences_of
from memtop.model.assessment import Assessment
from memtop.runtimes.registry import REGISTRY
from memtop.sampling.request import Need
from memtop.sources.live import LiveSource
from tests.lab.record import HERE, Run, build
from tests.requests import changed, request

_SECONDS: Final = 240.0
"""A JVM that leaks needs some collections of old objects."""
BOUNDED_DICT: Final = """
import time
cache = {}
for n in range(10**9):
    cache[n % 150_000] = "%0400d" % n
    if n % 100 == 0:
        time.sleep(0.05)
"""
REDIS: Final = ("redis-server", "--port", "0", "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction")


@dataclass(frozen=True, slots=True)
class Program:
    """One that runs, and what is true of it."""

    needs: str
    """The command without which it cannot be made here."""
    truth: str
    grows: bool
    """Whether its memory grows without a bound: growth is confirmed at the end then, and not otherwise."""
    command: Callable[[Path], list[str]]
    environ: Mapping[str, str] = field(default_factory=dict)
    load: Callable[[Path], None] | None = None
    """What makes it work, where it does not by itself; ends with the program."""


def _go(name: str) -> Callable[[Path], list[str]]:
    def command(folder: Path) -> list[str]:
        build(Run(name), folder)
        return [str(folder / name)]

    return command


def _java(*arguments: str) -> Callable[[Path], list[str]]:
    def command(folder: Path) -> list[str]:
        build(Run("Shop"), folder)
        return ["java", *(one for one in arguments if one[0] == "-"), "-cp", str(folder), "Shop",
                *(one for one in arguments if one[0] != "-")]  # fmt: skip

    return command


def _c(folder: Path) -> list[str]:
    subprocess.run(["cc", "-O1", "-o", folder / "lazyfree", HERE / "c" / "lazyfree.c"], check=True, timeout=60)
    return [str(folder / "lazyfree")]


def _redis(folder: Path) -> list[str]:
    return [*REDIS, "--unixsocket", str(folder / "redis.sock")]


def _writes(folder: Path) -> None:
    """New keys of 300 bytes, 2000 a second, until nobody listens any more."""
    with socket.socket(socket.AF_UNIX) as line:
        for _ in range(200):
            try:
                line.connect(str(folder / "redis.sock"))
                break
            except OSError:
                time.sleep(0.05)
        number = 0
        value = b"x" * 300
        try:
            while True:
                batch = b"".join(b"SET k%d %b\r\n" % (number + i, value) for i in range(100))
                number += 100
                line.sendall(batch)
                line.recv(65_536)
                time.sleep(0.05)
        except OSError:
            return


PROGRAMS: Final[Mapping[str, Program]] = {
    "go_leak": Program("go", "leaks 4 MiB/s", True, _go("leak")),
    "go_churn": Program("go", "garbage, level", False, _go("churn"), {"RATE": "60"}),
    "go_churn_madvfree": Program(
        "go", "garbage, level", False, _go("churn"), {"RATE": "60", "GODEBUG": "madvdontneed=0"}
    ),
    "python_dict": Program(
        "python3", "fills to a bound", False, lambda folder: [sys.executable, "-S", "-c", BOUNDED_DICT]
    ),
    "jvm_load": Program("javac", "garbage, level", False, _java("-Xmx256m", "200", "0")),
    "jvm_leak": Program("javac", "leaks 1 MiB/s", True, _java("-Xmx256m", "200", "10")),
    "redis_writes": Program("redis-server", "new keys, grows", True, _redis, load=_writes),
    "c_lazyfree": Program("cc", "gives all back (MADV_FREE)", False, _c),
}


@contextmanager
def running(program: Program, folder: Path) -> Iterator[int]:
    """Its pid; it ends with the context."""
    process = subprocess.Popen(
        program.command(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **program.environ},
    )
    try:
        if program.load is not None:
            threading.Thread(target=program.load, args=(folder,), daemon=True).start()
        yield process.pid
    finally:
        process.kill()
        process.wait()


class Watched(NamedTuple):
    """What was said of a program in focus and as a row."""

    confirmed: bool
    """Whether growth was confirmed in focus at the end, its own or that of the program."""
    row_confirmed: bool
    """The same for the row."""
    lines: tuple[str, ...]


def watch(pid: int, seconds: float) -> Watched:
    """What stood and when."""
    engines = Engine(LiveSource(runtimes=REGISTRY.read)), Engine(LiveSource(runtimes=REGISTRY.read))
    ask = request(only=frozenset({pid}), needs_all=Need.STAT | Need.STATUS)
    asks = [ask, ask]
    began_s = time.monotonic()
    shapes: list[str] = []
    signs: tuple[list[str], list[str]] = [], []
    confirmed_s: float | None = None
    outlook: Assessment | None = None
    ticks = 0
    while (now_s := time.monotonic() - began_s) < seconds:
        for number, engine in enumerate(engines):
            frame = engine.step(asks[number])
            if frame is None or not frame.rows:
                continue
            row = frame.rows[0]
            if row.gone_s is not None:
                seconds = 0.0
                break
            if not signs[number] or signs[number][-1].split("@")[0] != row.verdict.strip():
                signs[number].append(f"{row.verdict.strip()}@{now_s:.0f}")
            if number == 0:
                asks[0] = changed(ask, focus=row.key, visible=frozenset({row.key}))
                outlook = frame.detail.outlook if frame.detail is not None else None
        if outlook is not None and outlook.state is not None:
            shape = outlook.state.kind.value
            if not shapes or shapes[-1].split("@")[0] != shape:
                shapes.append(f"{shape}@{now_s:.0f}")
            if outlook.state.alarm and confirmed_s is None:
                confirmed_s = now_s
        ticks += 1
        time.sleep(max(0.0, began_s + ticks - time.monotonic()))
    lines = [
        f"shapes in focus: {' '.join(shapes)}",
        f"V in focus: {' '.join(signs[0])}   V as a row: {' '.join(signs[1])}",
        f"growth confirmed: {'never' if confirmed_s is None else f'after {confirmed_s:.0f} s'}",
    ]
    if outlook is not None:
        bad = [sentences_of(one).says for one in outlook.findings if one.severity > Severity.NOTE]
        lines.append(f"words: {' '.join(bad) or nothing_wrong(outlook)}")
    confirmed = outlook is not None and outlook.state is not None and outlook.state.alarm
    return Watched(confirmed, "↗" in signs[1][-1], tuple(lines))


def main() -> int:
    """Watch those that were named, or all, one after the other; 1 if growth was confirmed of one that is level, or was
    not of one that grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.verdicts", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    parser.add_argument("--seconds", type=float, default=_SECONDS, help=f"for each program (default {_SECONDS:.0f})")
    options = parser.parse_args()
    if unknown := set(options.names) - set(PROGRAMS):
        parser.error(f"no such program: {', '.join(sorted(unknown))}; there are {', '.join(PROGRAMS)}")
    wrong = []
    for name in options.names or PROGRAMS:
        program = PROGRAMS[name]
        if shutil.which(program.needs) is None:
            print(f"{name}: left out, there is no {program.needs} here")
            continue
        with tempfile.TemporaryDirectory(prefix="memtop-lab-") as folder, running(program, Path(folder)) as pid:
            seen = watch(pid, options.seconds)
        if {seen.confirmed, seen.row_confirmed} != {program.grows}:
            wrong.append(name)
        sign = "!" if name in wrong else " "
        print(f"{sign} {name} ({program.truth})", *seen.lines, sep="\n    ", flush=True)
    print(f"not the truth: {', '.join(wrong)}" if wrong else "all as they are", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
