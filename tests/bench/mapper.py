"""The watched side of --latency: a process of a given size that measures its own mmap and munmap."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from tests.bench.percentiles import Calls


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of time, as the process saw it. It maps without a rest, so nearly all the time is in a call."""

    seconds: float
    calls: Calls
    """Those that no other thread took the processor from."""
    waits_ns: tuple[int, ...]
    """Of them those that slept in the kernel, as for the mmap lock."""
    preempted: int
    """Calls left out, because the processor was taken from them."""

    @classmethod
    def parse(cls, line: str, seconds: float, *, keep_preempted: bool) -> Self:
        """From what ``mapper.c`` prints. Raises ValueError or KeyError for anything else."""
        found = json.loads(line)
        counts = Counter({int(ns): count for ns, count in found["counts"].items()})
        counts.update(found["ran"])
        counts.update(found["waited"])
        if keep_preempted:
            counts.update(found["preempted"])
        preempted = 0 if keep_preempted else len(found["preempted"])
        return cls(seconds, Calls(counts), tuple(found["waited"]), preempted)


class Mapper:
    """A running one."""

    def __init__(self, program: Path, resident_mib: int) -> None:
        """Returns once its memory is resident. Raises RuntimeError where there is no room for it."""
        self._process = subprocess.Popen(
            [program, str(resident_mib)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        if self._stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError(f"no room for {resident_mib} MiB")

    @property
    def pid(self) -> int:
        """Whom to watch."""
        return self._process.pid

    def measure(self, seconds: float, *, keep_preempted: bool) -> Window:
        """Let it measure itself for so long."""
        self._stdin.write(f"{seconds}\n")
        self._stdin.flush()
        return Window.parse(self._stdout.readline(), seconds, keep_preempted=keep_preempted)

    def close(self) -> None:
        """End it."""
        self._stdin.close()
        self._process.wait()
        self._stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def compiled() -> Iterator[Path]:
    """Its program, made by gcc. Raises FileNotFoundError without one."""
    with TemporaryDirectory(prefix="memtop-bench-") as folder:
        program = Path(folder, "mapper")
        subprocess.run(["gcc", "-O2", "-o", program, Path(__file__).with_suffix(".c")], check=True)
        yield program
