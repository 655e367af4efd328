"""Base class of the readers of limits that are read of each assessed process, and again after some ticks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar

from memtop.errors import NotRecorded
from memtop.process_key import ProcessKey
from memtop.procfs.mountinfo import Mount
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source

EVERY_TICKS: Final = 5
"""Ticks after which the limits are read again."""

Limits = TypeVar("Limits")


class PeriodicLimits(Generic[Limits]):
    """Reads through a Source, and keeps for some ticks what was read.

    ``replaying``: it is read at the instants at which it was recorded, and holds until the next of them.
    """

    def __init__(self, source: Source, *, replaying: bool = False) -> None:
        self.source = source
        self._replaying = replaying
        self._tick = -1
        self._known: dict[ProcessKey, Limits] = {}

    def read(
        self,
        assessed: Iterable[ProcessKey],
        processes: Mapping[int, ProcessSample],
        mounts: tuple[Mount, ...],
        v2_controllers: bytes | None,
    ) -> Mapping[ProcessKey, Limits]:
        """One tick: the limits over each of ``assessed`` that they concern."""
        self._tick += 1
        due = self._replaying or self._tick % EVERY_TICKS == 0
        if due:
            self.begin()
        before, self._known = self._known, {}
        for key in assessed:
            seen, known = processes.get(key.pid), before.get(key)
            if seen is None or seen.key != key or not self.concern(seen):
                continue
            if known is None or due:
                try:
                    known = self.read_one(seen, mounts, v2_controllers)
                except NotRecorded:
                    known = self.unread() if known is None else known
            self._known[key] = known
        return self._known

    def begin(self) -> None:
        """Read what is the same for all processes."""

    def concern(self, seen: ProcessSample) -> bool:
        """Whether the limits are read of this process."""
        return True

    def read_one(self, seen: ProcessSample, mounts: tuple[Mount, ...], v2_controllers: bytes | None) -> Limits:
        """The limits over one process. Raises NotRecorded."""
        raise NotImplementedError

    def unread(self) -> Limits:
        """What stands for limits that were not recorded."""
        raise NotImplementedError
