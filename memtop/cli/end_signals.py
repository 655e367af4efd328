"""Handles ending signals (SIGTERM ...) of commands without a screen: they end memtop only while it waits or writes.

An exception that a signal handler raises may be lost: Python drops what is raised in a finalizer or in a callback of an
import, and memtop would sleep on. Therefore a handler raises only while nothing of that kind runs. At other times it
stores the number, and the next wait or write ends memtop. A second signal always raises.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class EndSignals:
    """A context in which a signal ends memtop at once, with exit code 128 + its number.

    It can be entered many times.
    """

    def __init__(self) -> None:
        self._received: int | None = None
        self._may_end = False

    def install(self) -> None:
        """Install handlers for signals that are not ignored.

        nohup(1) and background jobs of shells ignore some on purpose.
        """
        import signal  # noqa: PLC0415 (0.5 ms that one sample does without)

        from memtop.ending_signals import ENDING  # noqa: PLC0415 (as above)

        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def __enter__(self) -> None:
        self._may_end = True
        if self._received is not None:
            sys.exit(128 + self._received)

    def __exit__(self, *_: object) -> None:
        self._may_end = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        repeated, self._received = self._received is not None, number
        if self._may_end or repeated:
            sys.exit(128 + number)
