"""How memtop ends, in every way that a test can ask for."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal, until
from tests.e2e.worker import Worker


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=str
)
def test_a_signal_ends_it_with_its_own_code_and_a_clean_screen(
    worker: Worker, number: signal.Signals, code: int
) -> None:
    with Terminal(str(worker.pid)) as terminal:
        terminal.wait_for("VIRT")
        terminal.signal(number)
        assert terminal.wait_end() == code
        assert "VIRT" not in terminal.screen(), "the alternate screen has been left"


@pytest.mark.parametrize("key", ["q", "C-c", "F10"])
def test_quitting_ends_with_0(worker: Worker, key: str) -> None:
    with Terminal("--readonly", str(worker.pid)) as terminal:
        terminal.wait_for("? Help")
        terminal.send(key)
        assert terminal.wait_end() == 0
        assert terminal.screen().strip() == ""


def test_the_demo_speaks_and_leaves_nothing_behind() -> None:
    with Terminal("demo") as terminal:
        terminal.wait_for(re.compile(r"1/\d"))
        terminal.wait_for("? Help")
        me = terminal.pid
        children = Path(f"/proc/{me}/task/{me}/children").read_text().split()
        assert children
        terminal.wait_for(re.compile(r"VIRT 5\d\dM"))
        terminal.send("q")
        assert terminal.wait_end() == 0
        until(lambda: not any(Path("/proc", child).exists() for child in children), lambda: f"the end of {children}")
