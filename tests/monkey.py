"""A monkey at the keyboard of a real terminal: random keys, clicks, pastes and sizes, which the seed decides.

``python -m tests.monkey --events 750 --seeds 10`` lets it loose on the live machine, on one process, on a recording, on
``memtop -- COMMAND``, on groups, on the demo, and on a light and an ASCII screen, so many events in each run. It prints
what fell. The suite runs a short one.
As root everything happens in a pid namespace of its own, so that signals reach nobody else; other users get
``--read-only``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from memtop.tui.terminal.key_parser import PASTE_LIMIT_S
from tests.tui.terminal.pty_run import PtyRun

WORLDS: Final = ("live", "pid", "replay", "command", "groups", "demo", "light", "ascii")
BURST: Final = 60
"""Events between two looks at whether keys still do what they should."""
ANSWER_S: Final = 60.0
"""Longest that a key may take, in time in which memtop had the processor: there may be much to draw first."""
CHOSEN_S: Final = 0.5
"""Time for the palette to find what is typed."""
STARVED_S: Final = 900.0
"""A machine on which an answer takes longer than this has no processor to test with."""
ESCAPE: Final = b"\x1b[27u"
"""As terminals with the kitty protocol send it, so that it needs no pause."""
QUITTING: Final = b"q\x03\x11\x1a\x1b\x1c"
"""q, ctrl+c, ctrl+q; ctrl+z, after which no shell continues it; ctrl+\\, a signal until the terminal's modes are set;
and escape, which is sent in other ways."""
PLAIN: Final = [bytes([code]) for code in range(128) if code not in QUITTING]
SPECIAL: Final = [
    *(b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[H", b"\x1b[F", b"\x1b[5~", b"\x1b[6~", b"\x1b[Z", b"\x1b[3~"),
    *(b"\x1bOP", b"\x1bOQ", b"\x1bOR", b"\x1bOS", b"\x1b[15~", b"\x1b[17~", b"\x1b[18~", b"\x1b[20~", b"\x1b[24~"),
    *(ESCAPE, b"\r", b"\r", b"\x10", b"\x7f", b"\t", b"\x1bx", b"\x1b[I", b"\x1b[O"),
]
STRANGE: Final = [
    "é".encode(),
    "漢".encode(),
    b"\xff",
    b"\x9b",
    b"\x1b[999999999u",
    b"\x1b[48;9999;9999;1;1t",
    b"\x1b[1;5C",
]
PASTES: Final = [
    *(b"", b"rss>1g", b"--5", b"9" * 5000, b"[/]\x1b[31m", "\u202e\n".encode(), b"1e999", b"!(", b"user=", b"\x00"),
    *(b"-20", b"\x1b]0;x\x07", b"http://127.0.0.1:1/", b"0.1", "漢".encode() * 50),
]
LIGHT: Final = b"\x10", b"theme", b"\r", b"textual-light", b"\r"
"""Keys that choose the light theme from the palette."""
SLEEPERS: Final = 'for i in 1 2 3 4; do sleep 1000 & done; "$@"'
"""What a world has beside memtop. The shell is the first process of its namespace, the sleepers come next."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run."""

    events: int
    starts: int
    """How often memtop was started: a click or the palette may quit it."""
    fault: str
    """What fell; empty for nothing."""


class ProcessorTime:
    """A clock that stands still while memtop is ready to run but waits for a processor.

    What it measures is the slowness of memtop itself, and not that of a machine on which others compute.
    """

    def __init__(self, run: PtyRun) -> None:
        self._run = run
        self._began_s = self._seen_s = time.monotonic()
        self._delays_s: dict[Path, float] = {}
        self._passed_s = 0.0

    def passed_s(self) -> float:
        """Seconds since the clock was created."""
        now_s = time.monotonic()
        waited_s = 0.0
        for thread in self._threads():
            with contextlib.suppress(OSError, ValueError):
                delay_s = int((thread / "schedstat").read_text().split()[1]) / 1e9
                waited_s += delay_s - self._delays_s.get(thread, delay_s)
                self._delays_s[thread] = delay_s
        self._passed_s += max(0.0, now_s - self._seen_s - waited_s)
        self._seen_s = now_s
        assert now_s < self._began_s + STARVED_S, "memtop had hardly any processor time"
        return self._passed_s

    def _threads(self) -> list[Path]:
        """The threads of memtop, which is a descendant of what was started; none before it is there."""
        pids, python = [self._run.process.pid], os.fsencode(sys.executable)
        while pids:
            pid = pids.pop(0)
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(python + b"\0-m\0memtop"):
                    return list(Path(f"/proc/{pid}/task").iterdir())
                pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return []


class Monkey:
    """One run of one world."""

    def __init__(self, world: str, seed: int, recording: Path, state: Path) -> None:
        self._world, self._dice = world, random.Random(f"{world} {seed}")
        self._recording, self._state = recording, state
        self._events = self._starts = 0
        self._last: list[bytes] = []
        """The events since the last look, for the report."""

    def run(self, count: int) -> Outcome:
        """Do ``count`` things, looking in between whether memtop is well."""
        fault = ""
        while not fault and self._events < count:
            fault = self._life(count)
        return Outcome(self._events, self._starts, fault)

    def _life(self, count: int) -> str:
        """From one start to its end; what fell."""
        self._starts += 1
        private = os.geteuid() == 0
        namespace = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child") if private else ()
        options = self._arguments(() if private else ("--read-only",))
        env = {
            "XDG_STATE_HOME": str(self._state),
            "TMPDIR": str(self._state),
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        with PtyRun(
            "memtop",
            *options,
            wrapper=(*namespace, "sh", "-c", SLEEPERS, "sh"),
            env=env,
            kept_bytes=20_000,
            cwd=self._state,
        ) as run:
            self._last.clear()
            if self._world == "light":
                self._choose(run, LIGHT)
            while self._events < count:
                for _ in range(min(BURST, count - self._events)):
                    self._events += 1
                    if not self._act(run):
                        return self._judge(run, "no key is read")
                if run.process.poll() is not None or not self._well(run):
                    return self._judge(run, "the filter does not open")
                self._last.clear()
            return self._quit(run)

    def _arguments(self, more: Sequence[str]) -> Sequence[str]:
        fast = ("-d", "0.2", *more)
        return {
            "live": fast,
            "pid": (*fast, "2" if os.geteuid() == 0 else str(os.getpid())),
            "replay": ("replay", *fast, str(self._recording)),
            # It ends at once where it gets a processor; where it does not, memtop would say that it runs on.
            "command": (*fast, "--kill-after", "60", "--", "sh", "-c", "while sleep 0.05; do echo words; done"),
            "groups": (*fast, "--by", "unit"),
            "demo": ("demo", *more),
            "light": fast,
            "ascii": (*fast, "--ascii", "--no-color"),
        }[self._world]

    def _choose(self, run: PtyRun, keys: Sequence[bytes]) -> None:
        """Press these keys, with a person's pauses, as soon as there is a screen."""
        clock = ProcessorTime(run)
        while b"Help" not in run.output and run.process.poll() is None and clock.passed_s() < ANSWER_S:
            time.sleep(0.02)  # between two looks
        for key in keys:
            self._send(run, key)
            answered_s = clock.passed_s() + CHOSEN_S
            while run.process.poll() is None and clock.passed_s() < answered_s:
                time.sleep(0.02)  # between two looks

    def _act(self, run: PtyRun) -> bool:
        """Do one thing; whether the terminal took it."""
        dice, kind = self._dice, self._dice.random()
        if kind < 0.08:
            self._last.append(b"<size>")
            small = dice.random() < 0.5
            size = (dice.randint(1, 12), dice.randint(1, 8)) if small else (dice.randint(1, 300), dice.randint(1, 100))
            run.resize(*size)
        elif not self._send(run, self._bytes(kind)):
            return False
        if dice.random() < 0.3:
            time.sleep(dice.choice((0.001, 0.005, 0.03)))  # a person's pauses: some keys come in bursts, some alone
        return True

    def _bytes(self, kind: float) -> bytes:
        dice = self._dice
        if kind < 0.45:
            return dice.choice(PLAIN)
        if kind < 0.75:
            return dice.choice(SPECIAL)
        if kind < 0.9:
            button, at = dice.choice((0, 0, 0, 2, 64, 65, 35, 32)), (dice.randint(1, 120), dice.randint(1, 40))
            return b"\x1b[<%d;%d;%dM\x1b[<%d;%d;%dm" % (button, *at, button, *at)
        if kind < 0.97:
            return b"\x1b[200~" + dice.choice(PASTES) + (b"\x1b[201~" if dice.random() < 0.9 else b"")
        return dice.choice(STRANGE)

    def _well(self, run: PtyRun) -> bool:
        """Whether Esc leads back to the list, and the filter opens from there and shows what is typed.

        What is typed is different each time: nothing that was typed before, and is answered only now, can look like it.
        """
        run.resize(120, 40)
        clock = ProcessorTime(run)
        tokens: list[bytes] = []
        while clock.passed_s() < ANSWER_S:
            with contextlib.suppress(ProcessLookupError):  # the palette and the help can suspend it, as ctrl+z does
                os.killpg(run.process.pid, signal.SIGCONT)
            tokens.append("".join(self._dice.choices("abcdef", k=10)).encode())
            self._send(run, ESCAPE * 8 + b"/" + tokens[-1])
            # A paste without an end may take the first one for its own. An escape that comes too early would close the
            # filter before it is drawn.
            tried_s = clock.passed_s() + PASTE_LIMIT_S
            while run.process.poll() is None:
                if any(token in run.output for token in tokens):
                    self._send(run, ESCAPE * 2)
                    return True
                if clock.passed_s() >= tried_s:
                    break
                time.sleep(0.02)  # between two looks
            if run.process.poll() is not None:
                return False
        return False

    def _quit(self, run: PtyRun) -> str:
        """End it by q; what fell."""
        clock = ProcessorTime(run)
        while clock.passed_s() < ANSWER_S:
            self._send(run, ESCAPE * 2 + b"q")
            with contextlib.suppress(AssertionError):
                run.end(2.5)
                break
        return self._judge(run, "q does not end it")

    def _send(self, run: PtyRun, data: bytes) -> bool:
        self._last.append(data)
        clock = ProcessorTime(run)
        for at in range(0, len(data), 64):
            while not select.select([], [run.master], [], 1.0)[1]:
                if run.process.poll() is not None or clock.passed_s() >= ANSWER_S:
                    return run.process.poll() is not None
            run.press(data[at : at + 64])
        return True

    def _judge(self, run: PtyRun, complaint: str) -> str:
        """What fell: nothing where memtop has ended in an orderly way."""
        try:
            code = run.end(1.0)
        except AssertionError:
            return self._report(run, complaint)
        fine = code in (0, 3) or (code > 128 and self._world == "command")  # the signal dialog may have ended it
        if not fine or b"Traceback" in run.output or b"internal error" in run.output:
            return self._report(run, f"exit code {code}")
        return ""

    def _report(self, run: PtyRun, complaint: str) -> str:
        reports = [path.read_text() for path in sorted(self._state.glob("memtop/crash-*"))]
        return "\n".join(
            [complaint, *reports, repr([event[:60] for event in self._last[-80:]]), repr(run.output[-1500:])]
        )


def record(path: Path) -> None:
    """A short recording for the replay."""
    options = ["--json", "-n", "20", "-d", "0.1", "--record", str(path), str(os.getpid())]
    subprocess.run([sys.executable, "-m", "memtop", *options], check=True, stdout=subprocess.DEVNULL)


def trial(world: str, seed: int, count: int) -> Outcome:
    """One run in directories of its own."""
    with tempfile.TemporaryDirectory(prefix="memtop-monkey-") as directory:
        recording = Path(directory, "recording")
        if world == "replay":
            record(recording)
        return Monkey(world, seed, recording, Path(directory)).run(count)


def main() -> int:
    """Run every world with every seed, two at a time; 1 where something fell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=750, help="in each run")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--world", choices=WORLDS, action="append")
    given = parser.parse_args()
    runs = [(world, seed) for seed in range(given.first, given.first + given.seeds) for world in given.world or WORLDS]
    totals: Counter[str] = Counter()
    with ThreadPoolExecutor(2) as pool:
        for (world, seed), outcome in zip(
            runs, pool.map(lambda run: trial(run[0], run[1], given.events), runs), strict=True
        ):
            totals += Counter(events=outcome.events, starts=outcome.starts, fallen=bool(outcome.fault))
            if outcome.fault:
                print(f"--- {world}, seed {seed}, after {outcome.events} events: {outcome.fault}", flush=True)
    print(f"{len(runs)} runs, {totals['events']} events, {totals['starts']} starts, {totals['fallen']} fell")
    return int(totals["fallen"] > 0)


if __name__ == "__main__":
    sys.exit(main())
