"""Rows of ended processes that were watched or ended by the OOM killer, until too many others have ended."""

from __future__ import annotations

from collections.abc import Collection, Container
from typing import Final

from memtop.engine.row_builder import gone_row
from memtop.model.frame import Note, ProcessRow
from memtop.process_key import ProcessKey

DEPARTED: Final = 64
"""Ended processes whose rows and history are kept."""


class Departed:
    """A bounded collection. The oldest are dropped first, those that are still watched last."""

    def __init__(self) -> None:
        self._rows: dict[ProcessKey, ProcessRow] = {}

    def add(self, row: ProcessRow, wall_s: float, watched: Container[ProcessKey] = ()) -> ProcessKey | None:
        """Add a process that ended at ``wall_s`` with its last ``row``. Returns the process that was dropped for it."""
        self._rows[row.key] = gone_row(row, wall_s)
        if len(self._rows) <= DEPARTED:
            return None
        oldest = next((key for key in self._rows if key not in watched), next(iter(self._rows)))
        del self._rows[oldest]
        return oldest

    def note_kill(self, key: ProcessKey) -> None:
        """Note that the OOM killer ended this process."""
        if key in self._rows:
            self._rows[key] = self._rows[key]._replace(note=Note.OOM_KILLED)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    @property
    def keys(self) -> Collection[ProcessKey]:
        """Keys, the oldest first."""
        return self._rows.keys()

    @property
    def rows(self) -> Collection[ProcessRow]:
        """The last row of each."""
        return self._rows.values()
