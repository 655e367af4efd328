"""The signal (kill) dialog: the signals to choose from, and the process that receives the chosen one."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from memtop import units
from memtop.tui.dialogs.dialog import Choice, Menu

if TYPE_CHECKING:
    from memtop.process_control import Target

SIGNALS: Final[tuple[tuple[signal.Signals, str], ...]] = (
    (signal.SIGTERM, "ask it to end"),
    (signal.SIGINT, "interrupt, as ctrl+c does"),
    (signal.SIGHUP, "hang up; many servers reload their configuration"),
    (signal.SIGQUIT, "end with a core dump; a JVM prints its threads, Go its goroutines"),
    (signal.SIGUSR1, "whatever the program has made of it"),
    (signal.SIGUSR2, "whatever the program has made of it"),
    (signal.SIGSTOP, "freeze it"),
    (signal.SIGCONT, "let it go on"),
    (signal.SIGABRT, "end at once with a core dump"),
    (signal.SIGKILL, "end at once; it cannot clean up"),
)
"""Signals and their effects. The first is under the cursor when the dialog opens, so it is the safest."""


class SignalDialog(Menu[signal.Signals]):
    """Asks which signal to send to a process. The answer is the signal, or None after Esc. It sends nothing itself.

    ``target`` is held by pidfd while the dialog is open; :func:`memtop.process_control.send` takes both.
    """

    def __init__(self, target: Target) -> None:
        choices = [Choice(f"{number.name:<8} {int(number):>2}  {effect}", number) for number, effect in SIGNALS]
        about = f"{target.key.pid}  RES {units.long_size(target.rss_bytes)}\n{target.command[:200]}"
        super().__init__(f"Send a signal to {target.name}?", choices, about)
