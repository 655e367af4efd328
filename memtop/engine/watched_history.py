"""Detailed history of the watched processes: those named on the command line and those in focus last, 12 at most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from memtop.engine.row_table import RowTable
from memtop.history.rings import Diary, History, Point
from memtop.process_key import ProcessKey
from memtop.sampling.sample import Sample

MOST_WATCHED: Final = 12
"""Most processes whose detailed history is kept."""


class WatchedHistory:
    """The watched processes; adds each of their samples to their diaries in the history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._watched: dict[ProcessKey, None] = {}

    @property
    def watched(self) -> Sequence[ProcessKey]:
        """Keys of the watched processes, the one wanted last first."""
        return tuple(self._watched)

    def __contains__(self, key: object) -> bool:
        return key in self._watched

    def watch(self, wanted: Iterable[ProcessKey]) -> None:
        """Keep diaries of these processes from now on, and drop those that were wanted longest ago."""
        self._watched = dict.fromkeys([*list(wanted)[:MOST_WATCHED], *self._watched])
        for key in list(self._watched)[MOST_WATCHED:]:
            del self._watched[key]
            self._history.diaries.pop(key, None)

    def note(self, table: RowTable, sample: Sample) -> None:
        """Add this sample to the diary of each watched process that lives."""
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
