"""The signal (kill) dialog: the signals to choose from, and the process that receives the chosen one."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, ClassVar, Final

from textual.content import Content
from textual.widgets import Label

from memtop import units
from memtop.explain.sharing_sentences import READING_FREED, kill_sentences
from memtop.process_control import masks_of
from memtop.sampling.request import Need
from memtop.tui.dialogs.dialog import Choice, Menu

if TYPE_CHECKING:
    from memtop.model.frame import Frame
    from memtop.process_control import Target
    from memtop.procfs.signal_masks import SignalMasks

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
    (signal.SIGKILL, "kill at once, without cleanup; cannot be caught or ignored"),
)
"""Signals and their effects. The first is under the cursor when the dialog opens, so it is the safest."""


class SignalDialog(Menu[signal.Signals]):
    """Asks which signal to send to a process. The answer is the signal, or None after Esc. It sends nothing itself.

    RES counts shared pages in full, so the dialog says what ending the process would free.

    ``target`` is held by pidfd while the dialog is open; :func:`memtop.process_control.send` takes both.
    """

    needs: ClassVar[Need] = Need.MAPPINGS | Need.FAMILY | Need.FAMILY_SOON
    """Readings of the process in focus while the dialog is open: what ending it, or its family, would free."""

    def __init__(self, target: Target, *, past: bool = False) -> None:
        """``past``: its numbers are those of an earlier moment."""
        masks = masks_of(target)
        choices = [
            Choice(f"{number.name:<8} {int(number):>2}  ", number, says=_without_effect(number, masks) or effect)
            for number, effect in SIGNALS
        ]
        self._target = target
        about = f"{self._about(target.rss_bytes, past=past)}\n{READING_FREED}"
        super().__init__(
            f"Send a signal to {target.name} ({target.key.pid})?", choices, about, verb="send", one_click=False
        )

    def show(self, frame: Frame) -> None:
        """Take a newer frame. What it does not say of the process, the dialog goes on to show."""
        detail = frame.detail
        if detail is not None and detail.row.key == self._target.key and not detail.gone:
            for about in self.query(".dialog-about").results(Label):
                subject = self._about(detail.row.rss_bytes, past=detail.paused or detail.window.cursor_s is not None)
                about.update(Content("\n".join([subject, *kill_sentences(detail)])))

    def _about(self, rss_bytes: int | None, *, past: bool) -> str:
        return f"RES {'was ' if past else ''}{units.long_size(rss_bytes)}  {self._target.command[:120]}"


def _without_effect(number: signal.Signals, masks: SignalMasks | None) -> str:
    """That the process ignores or blocks a signal, and what to do instead; empty if it is not known to."""
    instead = ": use SIGKILL" if number is signal.SIGTERM else ""
    if masks is not None and masks.ignores(number):
        return f"it ignores {number.name}{instead}"
    if masks is not None and masks.blocks(number):
        return f"it blocks {number.name}: the signal stays pending until it unblocks it{instead}"
    return ""
