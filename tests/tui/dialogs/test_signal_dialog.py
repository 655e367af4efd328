"""The signal dialog: which signals it offers, and in which order."""

from __future__ import annotations

import signal

from memtop.tui.dialogs.signal_dialog import SIGNALS


def test_the_safe_signals_come_first_and_the_deadly_one_last() -> None:
    numbers = [number for number, _ in SIGNALS]
    assert (numbers[0], numbers[-1]) == (signal.SIGTERM, signal.SIGKILL)
    assert len(set(numbers)) == len(numbers)
