"""A recording made on the live screen, and played on another one."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from memtop import units
from tests.e2e.terminal import Terminal, until
from tests.e2e.worker import Worker


def header(terminal: Terminal) -> str:
    """The line with the instant that is shown. The headline above it may be the same at all instants."""
    return terminal.screen().splitlines()[1]


def test_a_recording_plays_what_was_seen(tmp_path: Path, worker: Worker) -> None:
    file = tmp_path / "seen.memtop"
    with Terminal("-d", "0.2", "--record", str(file), str(worker.pid)) as terminal:
        terminal.wait_for(re.compile(r"REC"))
        worker.take(48)
        terminal.wait_for(f"RES {units.size(worker.rss_bytes)}")
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    seen = units.size(worker.rss_bytes)
    worker.end()
    with Terminal("replay", "-d", "0.1", "-p", str(worker.pid), str(file)) as terminal:
        terminal.wait_for("end of the recording")
        until(lambda: re.search(rf"{worker.pid} .* {re.escape(seen)} ", terminal.screen()), terminal.screen)
        at_the_end = header(terminal)
        terminal.send("Left", "Left", "Left")
        until(lambda: header(terminal) != at_the_end, terminal.screen)
        terminal.send("q")
        assert terminal.wait_end() == 0


def test_a_file_that_is_no_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "no.memtop"
    file.write_text("this is no recording\n" * 100)
    with Terminal("replay", str(file)) as terminal:
        assert terminal.wait_end() == 2
        assert terminal.screen().strip().startswith("memtop: ")
