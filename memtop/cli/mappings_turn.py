"""When ``memtop record`` reads the mappings of its process: smaps holds it up, so it is read now and then only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memtop.model.frame import Frame

EVERY_S: Final = 120.0
"""Longest time between two readings: what a replay plays of the past of any instant has at least one."""
AT_LEAST_S: Final = 60.0
"""Shortest time between two, where much has changed."""
MUCH: Final = 1 / 16
"""Share by which RES has changed then."""


class MappingsTurn:
    """Decides at each sample whether the next one asks for them. How they are read is the scheduler's affair."""

    def __init__(self) -> None:
        self._read_s: float | None = None
        """Wall time of the last reading; None before the first one."""
        self._rss_bytes = 0
        """RES then."""

    def is_due(self, frame: Frame) -> bool:
        """Whether the mappings of the process in focus are to be read. A reading may take several samples."""
        detail = frame.detail
        if detail is None:
            return self._read_s is None
        if detail.gone:
            return False
        rss_bytes = detail.row.rss_bytes or 0
        view = detail.regions
        if view is not None and view.reading is not None and view.age_s is not None:
            read_s = frame.at_s - view.age_s
            if self._read_s is None or read_s > self._read_s + 0.5:
                self._read_s, self._rss_bytes = read_s, rss_bytes
        if self._read_s is None:
            return True
        age_s = frame.at_s - self._read_s
        moved = abs(rss_bytes - self._rss_bytes) > MUCH * self._rss_bytes
        return not 0 <= age_s < (AT_LEAST_S if moved else EVERY_S)
