"""Counts the mappings of processes from /proc/PID/maps, in the background and within a small share of the time.

The kernel shows maps in pieces of a page and holds the lock for one piece at a time: counting holds up no process.
It takes a microsecond for each mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from memtop.errors import AccessDenied, MemtopError, NotRecorded
from memtop.process_key import ProcessKey
from memtop.sampling.cgroup_reading import MappingCount
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source

AGAIN_S: Final = 30.0
"""Seconds after which mappings are counted again ..."""
DUTY: Final = 0.001
"""... or later, so that counting takes at most this share of the time."""
MAPS_LIMIT: Final = 16 << 20
"""Most bytes of maps that are read: 160,000 mappings at least, which is more than the usual limit."""


@dataclass(slots=True)
class _Record:
    found: MappingCount
    execs: int
    next_s: float = 0.0
    asked: str = ""


class MappingCounts:
    """Reads through a Source; used in the sampler's thread."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._records: dict[ProcessKey, _Record] = {}

    def read(
        self, assessed: Iterable[ProcessKey], processes: Mapping[int, ProcessSample], now_s: float, *, allowed: bool
    ) -> dict[ProcessKey, MappingCount]:
        """One tick: what is known of each of ``assessed``; ``allowed`` is whether maps may be read at all."""
        before, self._records = self._records, {}
        for key in assessed:
            seen = processes.get(key.pid)
            if seen is None or seen.key != key or seen.statm is None:
                continue
            record = before.get(key)
            if record is None or record.execs != seen.execs:
                record = _Record(MappingCount(), seen.execs)
            self._records[key] = record
            if not allowed:
                record.found = MappingCount(unread="its mappings are not counted with --no-smaps")
            elif record.asked or now_s >= record.next_s:
                self._ask(record, seen, now_s)
        return {key: record.found for key, record in self._records.items()}

    def _ask(self, record: _Record, seen: ProcessSample, now_s: float) -> None:
        # The path of a thread: the schedule of smaps asks for that of the process, and each answer is given once.
        record.asked = record.asked or f"proc/{seen.key.pid}/task/{seen.living_tid or seen.key.pid}/maps"
        try:
            answer = self._source.ask(record.asked, MAPS_LIMIT)
        except NotRecorded:  # they may have been counted at another instant
            record.asked = ""
            if record.found.number is None:
                record.found = MappingCount(unread="its mappings were not counted around this moment")
            return
        except MemtopError as error:
            denied = isinstance(error, AccessDenied)
            why = "no permission to count its mappings" if denied else "its mappings are unreadable"
            record.found, record.asked, record.next_s = (MappingCount(unread=why), "", now_s + AGAIN_S)
            return
        if answer is None:
            return
        cut = len(answer.data) >= MAPS_LIMIT
        count = answer.data.count(b"\n")
        record.found = MappingCount(unread="it has too many mappings to count") if cut else MappingCount(count)
        record.asked, record.next_s = "", now_s + max(AGAIN_S, answer.took_s / DUTY)
