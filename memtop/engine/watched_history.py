"""Detailed history of the watched processes: those on the command line and those in focus last, at most 12."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from memtop.engine.row_builder import swap_bytes
from memtop.history.rings import Diary, History, Point
from memtop.model.frame import SystemRow
from memtop.process_key import ProcessKey
from memtop.sampling.sample import Sample

MOST_WATCHED: Final = 12
"""Most processes whose detailed history is kept."""


class WatchedHistory:
    """The watched processes. It adds each of their samples to their diaries in the history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._watched: dict[ProcessKey, None] = {}
        self._others: frozenset[ProcessKey] = frozenset()
        """Processes with diaries beside them; see :meth:`keep_also`."""

    @property
    def watched(self) -> Sequence[ProcessKey]:
        """Keys of the watched processes, the most recent first."""
        return tuple(self._watched)

    def __contains__(self, key: object) -> bool:
        return key in self._watched

    def watch(self, wanted: Iterable[ProcessKey], sample: Sample, system: SystemRow) -> None:
        """Keep diaries of these processes from this sample on, and drop the oldest requests."""
        before = self._watched
        self._watched = dict.fromkeys([*list(wanted)[:MOST_WATCHED], *before])
        for key in list(self._watched)[MOST_WATCHED:]:
            del self._watched[key]
            self._history.diaries.pop(key, None)
        self._add([key for key in self._watched if key not in before], sample, system)

    def keep_also(self, keys: Iterable[ProcessKey], sample: Sample, system: SystemRow) -> None:
        """Keep diaries of these processes too, however many they are, from this sample on."""
        before, self._others = self._others, frozenset(keys) - self._watched.keys()
        self._add(self._others - before, sample, system)

    def note(self, sample: Sample, system: SystemRow) -> None:
        """Add this sample to the diary of each watched process that lives."""
        self._add([*self._watched, *self._others], sample, system)

    def _add(self, keys: Iterable[ProcessKey], sample: Sample, system: SystemRow) -> None:
        for key in keys:
            process = sample.processes.get(key.pid)
            if process is None or process.key != key or process.statm is None:
                continue
            stat = process.stat if key.pid in sample.stat_pids else None
            point = Point(
                sample.mono_s,
                *process.statm,
                process.status.shmem_bytes if process.status is not None else None,
                stat.minflt if stat is not None else None,
                stat.majflt if stat is not None else None,
                swap_bytes(process, system),
            )
            self._history.diaries.setdefault(key, Diary()).add(point)
