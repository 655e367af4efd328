"""ctrl+z gives the terminal back to the shell, and memtop goes on where it was."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.tui.terminal.pty_run import PtyRun, wait_for
from tests.tui.terminal.restored import modes_on


def test_ctrl_z_stops_memtop_also_from_a_dialog_until_it_continues(tmp_path: Path) -> None:
    with PtyRun("memtop", str(os.getpid()), env={"XDG_STATE_HOME": str(tmp_path)}) as run:
        run.wait_output(b"Help")
        run.press(b"s")
        run.wait_output(b"Sort by")
        run.press(b"\x1a")
        wait_for(lambda: run.state() == "T", "memtop to stop")
        wait_for(lambda: modes_on(run.output) == [], "the terminal as it was")  # another thread reads what was written
        drawn = run.drawn_bytes
        run.send(signal.SIGCONT)
        wait_for(lambda: run.drawn_bytes > drawn + 1000, "the screen again")
        run.press(b"\x1b[27uq")
        assert run.end() == 0
