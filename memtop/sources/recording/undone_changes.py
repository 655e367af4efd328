"""Changes of files that are left undone on the way to an instant of a recording, and done there together."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from memtop.sources.protocol import pid_of
from memtop.sources.recording.checked_values import integer
from memtop.sources.recording.format import Outcome
from memtop.sources.recording.number_changes import decode_several_changes
from memtop.sources.recording.tick import Recorded

UNDONE_LIMIT: Final = 16 << 20
"""Most bytes of changes that are kept."""
ENTRY_BYTES: Final = 160
"""What one answer costs in memory, in addition to its bytes."""


class UndoneChanges:
    """Changes of numbers of the answers ``reads``, by process and path. Each method raises errors of damaged bytes."""

    def __init__(self, reads: dict[int | None, dict[str, Recorded]]) -> None:
        self._reads = reads
        self._changes: defaultdict[int | None, dict[str, list[bytes]]] = defaultdict(dict)
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._changes)

    def add(self, path: str, status: object, changes: bytes) -> bool:
        """Keep the changes of a file that was read before. Returns whether that was possible."""
        pid = pid_of(path)
        known = self._reads[pid].get(path) if pid in self._reads else None
        if known is None:
            return False
        self._reads[pid][path] = Outcome(integer(status)), known[1]
        self._changes[pid].setdefault(path, []).append(changes)
        self._bytes += ENTRY_BYTES + len(changes)
        if self._bytes > UNDONE_LIMIT:
            self.settle()
        return True

    def forget(self, pid: int) -> None:
        """Drop those of a process that has left."""
        self._changes.pop(pid, None)

    def settle(self) -> None:
        """Do all that was left undone."""
        for pid in list(self._changes):
            for path in list(self._changes[pid]):
                self.settle_file(pid, path)
        self._changes.clear()
        self._bytes = 0

    def settle_file(self, pid: int | None, path: str) -> None:
        """Do what was left undone of one file."""
        changes = self._changes[pid].pop(path, None) if pid in self._changes else None
        if changes is not None:
            outcome, data = self._reads[pid][path]
            self._reads[pid][path] = outcome, decode_several_changes(changes, data)
