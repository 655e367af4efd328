"""Rows of ended processes that were watched, large or killed, until too many others have ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from memtop.engine.row_builder import gone_row
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey

DEPARTED: Final = 192
"""Ended processes whose rows and history are kept."""


class Departed:
    """A bounded collection. Those that are worth least are dropped first, of these the oldest."""

    def __init__(self) -> None:
        self._rows: dict[ProcessKey, ProcessRow] = {}

    def add(self, row: ProcessRow, wall_s: float) -> None:
        """Add a process that ended at ``wall_s`` with its last ``row``."""
        self._rows[row.key] = gone_row(row, wall_s)

    def shed(self, worth: Callable[[ProcessKey], int]) -> Sequence[ProcessKey]:
        """Drop those beyond the bound, and return them; ``worth`` says how much is lost with the row of a process."""
        surplus = len(self._rows) - DEPARTED
        dropped = sorted(self._rows, key=worth)[:surplus] if surplus > 0 else []
        for key in dropped:
            del self._rows[key]
        return dropped

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
