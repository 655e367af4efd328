"""A small application that the tests of life and death run as a process of its own: ``python -m tests.tui.small_app``.

Options say what goes wrong. It ticks into a file by a Pump, so that a test can see that sampling goes on.
"""

from __future__ import annotations

import argparse
import ctypes
import signal
import subprocess
import sys
import termios
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from memtop.engine.sampler_thread import SamplerThread
from memtop.errors import UsageError
from memtop.model.frame import Frame
from memtop.tui.terminal import lifecycle
from memtop.tui.terminal.lifecycle import Life

if TYPE_CHECKING:
    from memtop.tui.terminal.safe_app import SafeApp


def _fail() -> None:
    secret = "-".join(("planted", "secret", "7f3a"))  # put together here, so that no source line contains it
    raise ValueError(f"bo\x1bom {len(secret)}")


def _make(life: Life, options: argparse.Namespace) -> SafeApp:
    if options.paint:
        life.terminal.show("\x1b[2Jearly picture")
        if options.paint == "deaf":  # as in a call that no signal interrupts: other threads get it
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            life.terminal.show("deaf")
        if options.paint in ("hang", "deaf"):
            time.sleep(30)  # it hangs until the test ends it
        if options.paint == "fail":
            _fail()
        if options.paint == "usage":
            raise UsageError("no such thing")
    from textual.app import ComposeResult  # noqa: PLC0415
    from textual.events import Resize  # noqa: PLC0415
    from textual.widgets import Static  # noqa: PLC0415

    from memtop.tui.terminal.safe_app import SafeApp  # noqa: PLC0415

    if options.end in ("made", "slowly made"):
        life.end(143)
        time.sleep(0.5 if options.end == "slowly made" else 0)

    class SmallApp(SafeApp):
        BINDINGS: ClassVar = [("q", "quit"), ("ctrl+c", "quit"), ("ctrl+z", "suspend_process")]

        def on_load(self) -> None:
            if options.end == "loaded":
                life.end(143)

        def compose(self) -> ComposeResult:
            if options.resize:  # while Textual's first report of the size waits for its turn
                termios.tcsetwinsize(0, (options.resize, options.resize))
            yield Static("ready", id="text")
            yield Static("stays the same")

        def on_mount(self) -> None:
            if not options.quiet:
                self.set_interval(0.05, self.draw)
            self.set_timer(0.2, self.go_wrong)

        def on_resize(self, event: Resize) -> None:
            (Path(options.state) / "size").write_text(f"{event.size.width} x {event.size.height}")

        def draw(self) -> None:
            wide = "x" * (200 if options.chatty else 1)
            self.query_one("#text", Static).update(f"now {time.monotonic()} {wide * 20}")

        def go_wrong(self) -> None:
            if options.error == "ui":
                _fail()
            if options.error == "thread":
                threading.Thread(target=_fail).start()
            if options.error == "worker":
                self.run_worker(_fail, thread=True)
            if options.error == "hang":
                self.call_later(lambda: time.sleep(30))
            if options.talk:
                ctypes.CDLL(None).puts(b"\n".join(b"line %d" % number for number in range(100)))
                ctypes.CDLL(None).puts(b"said by a library \x1b[31m")
                ctypes.CDLL(None).fflush(None)
                subprocess.run(["sh", "-c", "echo said by a child >&2"], check=True)
                (Path(options.state) / "talked").touch()

    return SmallApp(life)


def _begin(life: Life, options: argparse.Namespace) -> SafeApp:
    state = Path(options.state)
    sampler_thread = SamplerThread(
        lambda ask, commands, late_s: _tick(state),
        lambda ask, commands: None,
        lambda frame: None,
        0.1,
        lambda: None,
        take=lambda ask, commands, late_s: bool(_tick(state)),
        deliver_problem=lambda text: None,
    )
    life.at_end.callback(lambda: (state / "closed").write_text("yes"))
    life.at_end.callback(sampler_thread.stop)
    if options.child:
        child = subprocess.Popen(["sleep", "60"])
        (state / "child").write_text(str(child.pid))
        life.at_end.callback(child.wait)
        life.at_end.callback(child.kill)
    sampler_thread.start()
    return _make(life, options)


class _Program:
    """A program that was started with the application; to end it takes a while."""

    conclude_s = 1.0
    running = True
    exit_code = None

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def ask_to_end(self) -> str | None:
        return None

    def conclude(self, code: int, *, failed: bool) -> int:
        with self._lock:
            time.sleep(0.4)
            print(f"concluded {code}", flush=True)
            return 77


def _tick(state: Path) -> Frame:
    with open(state / "ticks", "a") as file:
        file.write("x")
    return cast(Frame, object())  # nobody looks into it


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", required=True)
    parser.add_argument("--error", default="")
    parser.add_argument("--paint", default="")
    parser.add_argument("--resize", type=int)
    parser.add_argument("--end", default="")
    for flag in ("--chatty", "--talk", "--child", "--quiet"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    try:
        supervised = _Program() if options.end else None
        sys.exit(lifecycle.run(partial(_begin, options=options), mouse=True, supervised=supervised))
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
