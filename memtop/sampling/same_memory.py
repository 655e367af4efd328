"""Finds processes that have one address space with their parent: children of vfork, and threads made as processes.

Both report all of it as theirs, so a sum would count it twice. Only a child that looks like its parent is compared. If
it turns out to have memory of its own, as after a fork, that stays so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from memtop.errors import MemtopError
from memtop.procfs.stat import PidStat, parse_stat
from memtop.sampling.process_record import ProcessRecord
from memtop.sources.protocol import SAME_MEMORY, Source

MOST_A_TICK: Final = 256
"""Comparisons at one instant."""
_WAITS: Final = "D"
"""The state of a parent that waits for its child of vfork to execute or end."""


class SameMemory:
    """Compares children with their parents through a Source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: set[int] = set()
        self._put_off: set[int] = set()
        """Those that were too many at an instant, for the next."""
        self._waiting: dict[int, bool] = {}
        """Whether a parent waits for its child of vfork, as read at this instant."""

    def look(self, changed: Iterable[int], records: Mapping[int, ProcessRecord]) -> list[int]:
        """Compare those that have changed, or that had the memory of their parent before. Returns those whose answer
        is another now."""
        self._waiting.clear()
        other, left = [], MOST_A_TICK
        due, self._put_off = {*changed, *self._found, *self._put_off}, set()
        for pid in due:
            record = records.get(pid)
            if record is None:
                self._found.discard(pid)
                continue
            if record.own_memory or record.stat is None:
                continue
            if left <= 0:
                self._put_off.add(pid)
                continue
            parent = records.get(record.stat.ppid)
            shares = None
            if parent is not None and _look_alike(record, parent):
                left -= 1
                shares = self._shares(record, parent)
            before, record.same_memory_as = record.same_memory_as, parent.key.pid if shares and parent else None
            record.own_memory = shares is False
            if record.same_memory_as is None:
                self._found.discard(pid)
            else:
                self._found.add(pid)
            if record.same_memory_as != before:
                other.append(pid)
        return other

    def _shares(self, record: ProcessRecord, parent: ProcessRecord) -> bool:
        """Whether both have one address space."""
        try:
            return self._source.read(f"proc/{record.key.pid}{SAME_MEMORY}{parent.key.pid}", 8).strip() == b"1"
        except MemtopError:  # not permitted, mostly: then what it looks like decides
            return record.statm_raw == parent.statm_raw and self._waits(parent.key.pid)

    def _waits(self, pid: int) -> bool:
        if pid not in self._waiting:
            try:
                self._waiting[pid] = parse_stat(self._source.read(f"proc/{pid}/stat")).state == _WAITS
            except MemtopError:
                self._waiting[pid] = False
        return self._waiting[pid]


def _look_alike(one: ProcessRecord, other: ProcessRecord) -> bool:
    """Whether both run the same program in as much memory."""
    if one.statm is None or other.statm is None or one.stat is None or other.stat is None:
        return False
    return one.statm.virt_bytes == other.statm.virt_bytes and _program(one.stat) == _program(other.stat)


def _program(stat: PidStat) -> tuple[int, int]:
    return stat.start_code, stat.arg_start
