"""Detailed history of the watched processes: those on the command line and those in focus last, at most 12.

While every process is judged, those with shared or swapped memory have one too, bounded in total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from memtop.engine.row_builder import swap_bytes
from memtop.history.rings import DETAILED_ENTRY_BYTES, DETAILED_MOST, DetailedTrack, History, Point
from memtop.model.row import SystemRow
from memtop.process_key import ProcessKey
from memtop.sampling.sample import Sample

MOST_WATCHED: Final = 12
"""Most processes whose detailed history is kept."""
OTHERS_BUDGET_BYTES: Final = 32 << 20
"""Limit for all detailed tracks beside theirs: the more there are, the more the older part of each is thinned ..."""
OTHERS_LEAST: Final = 64
"""... down to so many entries. Beyond that, those with the least shared and swapped memory have none."""


class WatchedHistory:
    """The watched processes. It adds each of their samples to their detailed tracks in the history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._watched: dict[ProcessKey, None] = {}
        self._others: frozenset[ProcessKey] = frozenset()
        """Processes with detailed tracks beside them; see :meth:`keep_also`."""

    @property
    def watched(self) -> Sequence[ProcessKey]:
        """Keys of the watched processes, the most recent first."""
        return tuple(self._watched)

    def __contains__(self, key: object) -> bool:
        return key in self._watched

    def watch(self, wanted: Iterable[ProcessKey], sample: Sample, system: SystemRow) -> None:
        """Keep detailed tracks of these processes from this sample on, and drop the oldest requests."""
        before = self._watched
        self._watched = dict.fromkeys([*list(wanted)[:MOST_WATCHED], *before])
        for key in list(self._watched)[MOST_WATCHED:]:
            del self._watched[key]
            self._history.detailed_tracks.pop(key, None)
        self._add([key for key in self._watched if key not in before and key not in self._others], sample, system)

    def keep_also(self, sizes: Mapping[ProcessKey, int], sample: Sample, system: SystemRow) -> None:
        """Keep detailed tracks of these processes too, from this sample on, until they end or others displace them.

        ``sizes`` are their shared and swapped memory in bytes; the larger, the more a detailed track is worth.
        """
        before = self._others
        living = {key for key in before if (seen := sample.processes.get(key.pid)) is not None and seen.key == key}
        wanted = (living | sizes.keys()) - self._watched.keys()
        most = OTHERS_BUDGET_BYTES // DETAILED_ENTRY_BYTES // OTHERS_LEAST
        if len(wanted) > most:
            wanted = set(sorted(wanted, key=lambda key: (sizes.get(key, 0), key in before))[-most:])
        for key in living - wanted - self._watched.keys():
            self._history.detailed_tracks.pop(key, None)  # one that does not go on would hide what its track has
        self._others = frozenset(wanted)
        self._add(self._others - before, sample, system, self._most_entries)

    @property
    def _most_entries(self) -> int:
        """Entries of each detailed track beside those of the watched processes."""
        return min(DETAILED_MOST, OTHERS_BUDGET_BYTES // DETAILED_ENTRY_BYTES // max(1, len(self._others)))

    def note(self, sample: Sample, system: SystemRow) -> None:
        """Add this sample to the detailed track of each watched process that lives."""
        self._add(self._watched, sample, system)
        self._add(self._others, sample, system, self._most_entries)

    def _add(self, keys: Iterable[ProcessKey], sample: Sample, system: SystemRow, most: int = DETAILED_MOST) -> None:
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
            self._history.detailed_tracks.setdefault(key, DetailedTrack()).add(point, most)
