"""How often text is written again: text that changes twice a second cannot be read."""

from __future__ import annotations

from typing import Final

from memtop.model.frame import Frame

WORDS_EVERY_S: Final = 0.9
"""Least time between two wordings, a little less than the default delay."""


class WordPace:
    """Decides whether only memory and table are redrawn for now."""

    def __init__(self) -> None:
        self.worded: Frame | None = None
        """The frame that header, sentences and panels describe."""

    def can_wait(self, frame: Frame) -> bool:
        """Whether the text of the frame before may stay.

        The time counts from when that frame was due, so that after a late sample, too, all of the screen is of one
        instant.
        """
        before = self.worded
        if before is None or before.detail is None or frame.detail is None:
            return False
        news = [(one.row.key, one.gone, one.window.cursor_s) for one in (before.detail, frame.detail)]
        since_s = frame.at_s - before.at_s + before.late_s  # negative if the clock was set back
        return frame.tick > before.tick and 0 < since_s < WORDS_EVERY_S and news[0] == news[1]
