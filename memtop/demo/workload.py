"""Starts a demo workload, reads its commentary, and ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from memtop.demo.headroom import Read, read_file, require_room
from memtop.demo.progress import Step, step_from_line
from memtop.demo.scenarios import DEFAULT_SCENARIO, scenario_named

_PACKAGE_ROOT: Final = Path(__file__).parents[2]


class Workload:
    """A running scenario. It ends with :meth:`stop`, and also however this process ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._lifeline = process.stdin
        self._voice = process.stdout
        os.set_blocking(self._voice.fileno(), False)
        self._heard = b""
        self._step: Step | None = None

    @classmethod
    def start(
        cls, name: str = DEFAULT_SCENARIO, *, speed: float = 1.0, hold: bool = False, read: Read = read_file
    ) -> Self:
        """Start a scenario; with ``hold`` it waits for :meth:`proceed` after each step.

        Call it from the main thread: the kernel ends the workload together with the thread that started it. Raises
        UsageError for an unknown scenario, or if there is too little memory for it.
        """
        scenario = scenario_named(name)
        require_room(name, scenario.needs_bytes, read)
        options = [*(["--speed", str(speed)] if speed != 1 else []), *(["--hold"] if hold else [])]
        return cls(
            subprocess.Popen(
                [sys.executable, "-S", "-P", "-m", "memtop.demo", name, *options],
                env={**os.environ, "PYTHONPATH": str(_PACKAGE_ROOT)},
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # the terminal belongs to the screen
                process_group=0,  # keys pressed at the terminal are for memtop
            )
        )

    @property
    def pid(self) -> int:
        """The process to watch. A child that it forks is in :attr:`Step.child_pid`."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def commentary(self) -> Step | None:
        """The latest step; None before the first. Never waits."""
        if not self._voice.closed:
            while chunk := self._voice.read(65_536):
                *lines, self._heard = (self._heard + chunk).split(b"\n")
                if lines:
                    self._step = step_from_line(lines[-1])
        return self._step

    def proceed(self) -> None:
        """Go to the next step. The rest of this one is done without a pause."""
        with suppress(BrokenPipeError, ValueError):  # it has ended or was stopped, so there is nothing to speed up
            self._lifeline.write(b"\n")

    def stop(self) -> None:
        """End the workload and its child, and wait briefly for their ends. It may be called twice."""
        self._lifeline.close()
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:  # it was stopped by a signal, or is in one long call
            self._process.kill()
            self._process.wait()
        self._voice.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
