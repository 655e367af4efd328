"""Every mode and every signal that ends a program: the terminal is restored, and the exit code is that of the signal.

``python -m tests.signals`` tries the whole table, two at a time, and prints what fell. The suite tries a few of it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from memtop.ending_signals import ENDING
from tests.tui.terminal.pty_run import PtyRun
from tests.tui.terminal.restored import assert_restored

MEMTOP: Final = (sys.executable, "-m", "memtop")
IGNORED: Final = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals after which memtop goes on; a SIGTERM ends it then."""
TERMINATED: Final = 128 + signal.SIGTERM
ON_SCREENS: Final = (signal.SIGUSR1, signal.SIGUSR2)
"""A screen ignores these, too: a person who presses keys is not to lose it to a stray signal."""
LIMIT_S: Final = 60.0

SCREENS: Final[Mapping[str, Sequence[str]]] = {
    "screen": ["{pid}"],
    "replay": ["replay", "{recording}"],
    "command": ["--", "sleep", "1000"],
}
OUTPUTS: Final[Mapping[str, Sequence[str]]] = {
    "json": ["--json", "-d", "60", "{pid}"],
    "batch": ["-b", "-d", "60", "{pid}"],
    "csv": ["--csv", "-d", "60", "{pid}"],
    "record": ["record", "-d", "60", "-o", "{new}", "{pid}"],
    "json of a command": ["--json", "-d", "60", "--", "sh", "-c", "echo words; exec sleep 1000"],
}
_NUMBERS: Final = [number for number in ENDING if not signal.SIGRTMIN < number < signal.SIGRTMAX]
"""Of those of real time, which are handled alike, the first and the last one."""
ALL: Final = [(mode, number) for mode in (*SCREENS, *OUTPUTS) for number in (*_NUMBERS, *IGNORED)]


class Trial(NamedTuple):
    """One mode and one signal."""

    mode: str
    number: int

    def fault(self) -> str:
        """What fell; empty for nothing."""
        with tempfile.TemporaryDirectory(prefix="memtop-signals-") as name:
            try:
                self._check(Path(name))
            except (AssertionError, subprocess.SubprocessError) as error:
                return f"{self.mode}, {_name(self.number)}: {error}"
        return ""

    def _check(self, directory: Path) -> None:
        recording = directory / "recording"
        if self.mode == "replay":
            record(recording)
        options = [
            word.format(pid=os.getpid(), recording=recording, new=directory / "new")
            for word in {**SCREENS, **OUTPUTS}[self.mode]
        ]
        env = {**os.environ, "XDG_STATE_HOME": str(directory), "TMPDIR": str(directory)}
        ignored = self.number in IGNORED or (self.mode in SCREENS and self.number in ON_SCREENS)
        numbers = [self.number, signal.SIGTERM] if ignored else [self.number]
        code = self._on_screen(options, env, numbers) if self.mode in SCREENS else self._output(options, env, numbers)
        wanted = TERMINATED if "command" in self.mode else 128 + numbers[-1]
        assert code == wanted, f"exit code {code}, not {wanted}"
        assert not list(directory.glob("memtop-*.log")), "the output of the command is left behind"
        assert not list(directory.glob("memtop/crash-*")), "there is a report of a crash"

    @staticmethod
    def _on_screen(options: Sequence[str], env: dict[str, str], numbers: Sequence[int]) -> int:
        with PtyRun("memtop", *options, env=env) as run:
            run.wait_output(b"Help")
            for number in numbers:
                run.process.send_signal(number)
            code = run.end(LIMIT_S)
            assert_restored(run)
        return code

    @staticmethod
    def _output(options: Sequence[str], env: dict[str, str], numbers: Sequence[int]) -> int:
        with subprocess.Popen(
            [*MEMTOP, *options], env=env, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as child:  # unbuffered: communicate() reads what follows the first line, which a buffer would have taken
            assert child.stdout is not None
            child.stdout.readline()
            for number in numbers:
                child.send_signal(number)
            said = child.communicate(timeout=LIMIT_S)[0]
        assert b"Traceback" not in said, said
        return child.returncode


def record(path: Path) -> None:
    """A short recording."""
    options = ["--json", "-n", "2", "-d", "0.1", "--record", str(path), str(os.getpid())]
    subprocess.run([*MEMTOP, *options], check=True, stdout=subprocess.DEVNULL, timeout=LIMIT_S)


def faults(trials: Sequence[tuple[str, int]], at_once: int) -> list[str]:
    """What fell."""
    with ThreadPoolExecutor(at_once) as pool:
        return [fault for fault in pool.map(lambda trial: Trial(*trial).fault(), trials) if fault]


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def main() -> int:
    """Try the whole table; 1 where something fell."""
    began_s = time.monotonic()
    found = faults(ALL, 2)
    print(*found, f"{len(ALL)} trials, {len(found)} fell, {time.monotonic() - began_s:.0f} s", sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
