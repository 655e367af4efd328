"""Diaries of a few processes: those asked for, then those that were in focus last, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from memtop.engine.row_table import RowTable
from memtop.history.rings import Diary, History, Point
from memtop.process_key import ProcessKey
from memtop.sampling.sample import Sample

DIARIES: Final = 12
"""Processes whose full detail is kept."""


class DiaryKeeper:
    """Knows which processes are watched, and notes each of their samples in the history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._watched: dict[ProcessKey, None] = {}

    @property
    def watched(self) -> Sequence[ProcessKey]:
        """Those wanted last first."""
        return tuple(self._watched)

    def __contains__(self, key: object) -> bool:
        return key in self._watched

    def watch(self, wanted: Iterable[ProcessKey]) -> None:
        """Keep diaries of these from now on; those that were wanted longest ago give way."""
        self._watched = dict.fromkeys([*list(wanted)[:DIARIES], *self._watched])
        for key in list(self._watched)[DIARIES:]:
            del self._watched[key]
            self._history.diaries.pop(key, None)

    def note(self, table: RowTable, sample: Sample) -> None:
        """Note this instant of each of them that lives."""
        for key in self._watched:
            process, row = table.sample(key), table.row(key)
            if process is None or row is None or process.statm is None:
                continue
            stat = process.stat if key.pid in sample.stat_pids else None
            point = Point(
                sample.mono_s,
                *process.statm,
                process.status.shmem_bytes if process.status is not None else None,
                stat.minflt if stat is not None else None,
                stat.majflt if stat is not None else None,
                row.swap_bytes,
            )
            self._history.diaries.setdefault(key, Diary()).add(point)
