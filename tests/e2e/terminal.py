"""The installed command in a real terminal: tmux, on a socket of its own, typed at and read like a person does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MEMTOP: Final = str(Path(sysconfig.get_path("scripts")) / "memtop")
DEADLINE_S: Final = 30.0
_POLL_S: Final = 0.03
_FROM_OUTSIDE: Final = ("NO_COLOR", "LINES", "COLUMNS", "TMUX", "TMUX_PANE", "LC_ALL", "LANG", "COLORTERM")
_CONFIG: Final = """\
set -g status off
set -g default-terminal tmux-256color
set -s escape-time 0
run-shell -b "cat '{alive}'; tmux -S '{socket}' kill-server"
"""
"""tmux ends when nobody has ``alive`` open for writing any more: with the tester, whatever that dies of."""
_SCRIPT: Final = """\
read go
sh -c 'echo $$ >"$0.pid"; exec "$@"' "$0" "$@"
printf '\\n=%s=\\n' $?
read ever
"""
"""Waits until the log is in place, runs the command, keeps what it leaves on the screen, and its exit code below it."""
_ENDED: Final = re.compile(r"^ *=(\d+)= *$", re.MULTILINE)
"""That exit code: once tmux has drawn it, it has also drawn all that came before it."""


def until(condition: Callable[[], object], what: Callable[[], str], deadline_s: float = DEADLINE_S) -> None:
    """Wait until ``condition`` holds; fail with ``what`` when it does not."""
    limit_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < limit_s, f"waited {deadline_s:g} s in vain: {what()}"
        time.sleep(_POLL_S)


class Terminal:
    """One terminal with one memtop in it; use it as a context manager.

    ``log`` is a file that gets every byte that memtop sends to the terminal, before tmux has looked at it.
    """

    def __init__(
        self,
        *arguments: str,
        size: tuple[int, int] = (120, 40),
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        command: Sequence[str] = (MEMTOP,),
    ) -> None:
        self._command = [*command, *arguments]
        self._size = size
        self._env = {"LC_ALL": "C.UTF-8", **(env or {})}
        self._log = log
        self._folder = tempfile.TemporaryDirectory(prefix="memtop-e2e-")
        self._socket = Path(self._folder.name) / "tmux"
        self._notes = Path(self._folder.name) / "run"
        self._alive = -1

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Open the terminal and run the command in it, with nothing of the tester's own settings."""
        config = Path(self._folder.name) / "tmux.conf"
        alive = Path(self._folder.name) / "alive"
        os.mkfifo(alive)
        self._alive = os.open(alive, os.O_RDWR)
        config.write_text(_CONFIG.format(alive=alive, socket=self._socket))
        columns, rows = self._size
        unset = [part for name in _FROM_OUTSIDE for part in ("-u", name)]
        settings = [f"{name}={value}" for name, value in self._env.items()]
        self._tmux(
            "-f", str(config), "new-session", "-d", "-x", str(columns), "-y", str(rows),
            "env", *unset, *settings, "sh", "-c", _SCRIPT, str(self._notes), *self._command,
        )  # fmt: skip
        if self._log is not None:
            self._tmux("pipe-pane", f"exec cat > '{self._log}'")
        self._tmux("send-keys", "Enter")

    def close(self) -> None:
        """Close the terminal, whatever still runs in it."""
        self._tmux("kill-server", check=False)
        if self._alive >= 0:
            os.close(self._alive)
            self._alive = -1
        self._folder.cleanup()

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        assert not check or done.returncode == 0, f"tmux {' '.join(arguments)[:200]}: {done.stderr}"
        return done.stdout

    @property
    def pid(self) -> int:
        """memtop's own."""
        until(lambda: self._note("pid"), lambda: "a process")
        return int(self._note("pid"))

    def send(self, *keys: str) -> None:
        """Press keys by tmux's names for them: ``t``, ``Enter``, ``Escape``, ``Left``."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type text, character by character."""
        self._tmux("send-keys", "-l", text)

    def signal(self, number: signal.Signals) -> None:
        """Send memtop a signal."""
        os.kill(self.pid, number)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *, colours: bool = False) -> str:
        """What a person sees now, line by line."""
        return _ENDED.sub("", self._drawn(colours=colours))

    def _drawn(self, *, colours: bool = False) -> str:
        return self._tmux("capture-pane", "-p", *(["-e"] if colours else []))

    def sees(self, expected: str | re.Pattern[str]) -> bool:
        """Whether the text, or a match of the pattern, is on the screen now."""
        screen = self.screen()
        return expected in screen if isinstance(expected, str) else expected.search(screen) is not None

    def wait_for(self, expected: str | re.Pattern[str], deadline_s: float = DEADLINE_S) -> None:
        """Wait until the text, or a match of the pattern, is on the screen."""
        until(lambda: self.sees(expected), lambda: f"{expected!r} on this screen:\n{self.screen()}", deadline_s)

    def wait_until_gone(self, text: str, deadline_s: float = DEADLINE_S) -> None:
        """Wait until the text is on the screen no more."""
        until(lambda: not self.sees(text), lambda: f"{text!r} to go from this screen:\n{self.screen()}", deadline_s)

    def wait_end(self, deadline_s: float = DEADLINE_S) -> int:
        """Wait until memtop has ended and all that it has drawn is on the screen; its exit code."""
        until(lambda: _ENDED.search(self._drawn()), lambda: f"an end; the screen is\n{self.screen()}", deadline_s)
        return int(_ENDED.findall(self._drawn())[-1])

    def _note(self, name: str) -> str:
        note = self._notes.with_suffix(f".{name}")
        return note.read_text().strip() if note.exists() else ""
