"""The times at which the application tends its own memory: first picture, second sample, then every ten seconds."""

from __future__ import annotations

from typing import Final

from textual.app import App

from memtop.explain.finding_text import finding_texts
from memtop.explain.incident_text import incident_texts
from memtop.tui.terminal import memory_tuning

SETTLE_AGAIN_S: Final = 2.5
"""When the modules of the second sample are loaded."""
TRIM_EVERY_S: Final = 10.0
"""How often freed memory is returned to the kernel, which takes 0.4 ms and after some minutes saves 2 MB."""
TRIMS_A_SEARCH: Final = 3
"""After so many, garbage is searched for, and what Python keeps in reserve is freed."""


class Upkeep:
    """The times at which :mod:`memtop.tui.terminal.memory_tuning` acts while the screen is up."""

    def __init__(self) -> None:
        self.has_closed = False
        """Whether a dialog or the past was closed since memory was trimmed: what they leave refers to itself."""
        self._trims = 0

    def begin(self, app: App[None]) -> None:
        """Plan it, when all widgets are there."""
        app.call_after_refresh(memory_tuning.settle)
        app.set_timer(SETTLE_AGAIN_S, self.settle_again)
        app.set_interval(TRIM_EVERY_S, self.trim)

    def settle_again(self) -> None:
        """Settle with the words of findings and incidents, whose 40 ms the first of them would otherwise wait for."""
        finding_texts()
        incident_texts()
        memory_tuning.settle_again()

    def trim(self) -> None:
        """Return freed memory to the kernel; search for more of it now and then, and after something was closed."""
        memory_tuning.shrink_caches()
        self._trims += 1
        is_due = self._trims % TRIMS_A_SEARCH == 0
        (memory_tuning.let_go if is_due or self.has_closed else memory_tuning.trim)()
        self.has_closed = False
