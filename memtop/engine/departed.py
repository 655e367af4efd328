"""Rows of processes that have ended and were watched or taken by the OOM killer, until too many others have ended."""

from __future__ import annotations

from collections.abc import Collection, Container
from typing import Final

from memtop.engine.row_builder import gone_row
from memtop.model.frame import Note, ProcessRow
from memtop.process_key import ProcessKey

DEPARTED: Final = 64
"""Ended processes whose rows and history are kept."""


class Departed:
    """Bounded; the longest departed go first, those that are still watched last."""

    def __init__(self) -> None:
        self._rows: dict[ProcessKey, ProcessRow] = {}

    def add(self, row: ProcessRow, wall_s: float, watched: Container[ProcessKey] = ()) -> ProcessKey | None:
        """A process has ended at ``wall_s``, with ``row`` as its last one; the process that is forgotten for it."""
        self._rows[row.key] = gone_row(row, wall_s)
        if len(self._rows) <= DEPARTED:
            return None
        oldest = next((key for key in self._rows if key not in watched), next(iter(self._rows)))
        del self._rows[oldest]
        return oldest

    def note_kill(self, key: ProcessKey) -> None:
        """The OOM killer has taken this one, which has departed."""
        if key in self._rows:
            self._rows[key] = self._rows[key]._replace(note=Note.OOM_KILLED)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    @property
    def keys(self) -> Collection[ProcessKey]:
        """Longest departed first."""
        return self._rows.keys()

    @property
    def rows(self) -> Collection[ProcessRow]:
        """The last row of each."""
        return self._rows.values()
