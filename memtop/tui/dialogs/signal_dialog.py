"""The signal (kill) dialog: the signals to choose from, and the process that receives the chosen one."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from memtop import units
from memtop.tui.dialogs.dialog import Choice, Menu

if TYPE_CHECKING:
    from memtop.process_control import Target

SIGNALS: Final[tuple[tuple[signal.Signals, str], ...]] = (
    (signal.SIGTERM, "ask it to exit"),
    (signal.SIGINT, "interrupt it, like Ctrl+C"),
    (signal.SIGHUP, "hang up: ends it, but many servers reload their configuration"),
    (signal.SIGQUIT, "exit with a core dump; a JVM prints its threads, Go its goroutines"),
    (signal.SIGUSR1, "ends it, unless the program uses it for something else"),
    (signal.SIGUSR2, "ends it, unless the program uses it for something else"),
    (signal.SIGSTOP, "freeze it"),
    (signal.SIGCONT, "continue"),
    (signal.SIGABRT, "abort with a core dump, unless the program handles it"),
    (signal.SIGKILL, "kill at once, without cleanup; cannot be refused"),
)
"""Signals and their effects. The first is under the cursor when the dialog opens, so it is the safest."""


class SignalDialog(Menu[signal.Signals]):
    """Asks which signal to send to a process. The answer is the signal, or None after Esc. It sends nothing itself.

    ``target`` is held by pidfd while the dialog is open; :func:`memtop.process_control.send` takes both.
    """

    def __init__(self, target: Target) -> None:
        choices = [Choice(f"{number.name:<8} {int(number):>2}  {effect}", number) for number, effect in SIGNALS]
        about = f"{target.key.pid}  RES {units.long_size(target.rss_bytes)}\n{target.command[:200]}"
        super().__init__(f"Send a signal to {target.name}?", choices, about, verb="send", one_click=False)
