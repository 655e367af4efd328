"""Signals restore the terminal and end with their code: a few of the table. ``python -m tests.signals`` tries all."""

from __future__ import annotations

import signal

from tests.signals import faults


def test_every_mode_ends_by_a_signal_with_its_code() -> None:
    assert (
        faults(
            [
                ("screen", signal.SIGALRM),
                ("command", signal.SIGXCPU),
                ("json", signal.SIGUSR1),
                ("batch", signal.SIGUSR2),
                ("record", signal.SIGPIPE),
                ("json of a command", signal.SIGQUIT),
            ],
            at_once=3,
        )
        == []
    )
