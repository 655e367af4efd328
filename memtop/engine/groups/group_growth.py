"""Series of groups, and the growth verdict on each: a pool whose members come and go grows as a whole.

The series of a group with a cgroup is the charge of that cgroup; of any other group it is the sum over its members.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Final

from memtop.analysis.limits.heap_use import HeapUse, heaps_end_before
from memtop.analysis.trend.classify import judge
from memtop.engine.assessment.growth_tracker import LOOK_EVERY_S, OTHERS_POINTS, Verdict, after_look, rests
from memtop.engine.assessment.verdict_time import even_step_s, window_s
from memtop.history.process_history import used_memory
from memtop.history.rings import Gap, Track, Tracks
from memtop.model.group import GroupKey

OTHERS_A_TICK: Final = 1
"""Verdicts on groups that are not on screen, at one tick; each takes 0.4 ms."""
STANDING_EVERY_S: Final = 3 * LOOK_EVERY_S
"""How often a standing alarm is looked at that nothing shows or names."""
FORGET_S: Final = 300.0
"""A group of which nothing was noted for so long is forgotten."""


class GroupGrowth:
    """Tracks and verdicts by group."""

    def __init__(self, gaps: deque[Gap]) -> None:
        """``gaps`` are the stretches of time in which nothing was read."""
        self.tracks: Tracks[GroupKey] = Tracks(gaps)
        """VIRT of each entry is the charge (or sum of VIRT), RES the working set (or sum of RES), and RES less SHR
        what is judged."""
        self._noted_s: dict[GroupKey, float] = {}
        self._verdicts: dict[GroupKey, Verdict] = {}
        self._ended_s: dict[GroupKey, float] = {}
        """When the growth of a group was known to be over. It is judged by what came after."""
        self._turn: list[GroupKey] = []

    def note(self, key: GroupKey, now_s: float, whole_bytes: int, level_bytes: int, used_bytes: int) -> None:
        """One reading of a group. Sizes in bytes."""
        self._noted_s[key] = now_s
        track = self.tracks.tracks.get(key)
        last = track.point(-1) if track is not None and len(track) else None
        rest_bytes = level_bytes - used_bytes
        if last is None or (last.virt_bytes, last.rss_bytes, last.shr_bytes) != (whole_bytes, level_bytes, rest_bytes):
            self.tracks.note(key, now_s, whole_bytes, level_bytes, rest_bytes)

    def track(self, key: GroupKey) -> Track | None:
        """The series of a group; None before the first reading."""
        return self.tracks.tracks.get(key)

    def keys(self) -> Collection[GroupKey]:
        """All groups that have a series."""
        return self._noted_s.keys()

    def verdict(self, key: GroupKey) -> Verdict | None:
        """The latest; None before the first look."""
        return self._verdicts.get(key)

    def alarmed(self) -> list[GroupKey]:
        """Those whose growth is confirmed."""
        return [key for key, verdict in self._verdicts.items() if verdict.alarm]

    def look(
        self,
        now_s: float,
        delay_s: float,
        first: Iterable[GroupKey],
        room_of: Callable[[GroupKey], float | None],
        heaps_of: Callable[[GroupKey], Collection[HeapUse]] = lambda _: (),
    ) -> None:
        """Judge those in ``first`` and those whose alarm stands where that is due, and of the others some in turn.

        ``room_of`` gives the bytes that the limit still leaves to a group, ``heaps_of`` the heaps of its members that
        are being used for the first time.
        """
        asked = frozenset(first)
        urgent = dict.fromkeys((*asked, *(key for key, one in self._verdicts.items() if one.alarm or one.state.looks)))
        for key in urgent:
            old = self._verdicts.get(key)
            every_s = LOOK_EVERY_S if old is None or key in asked or not old.alarm else STANDING_EVERY_S
            if old is None or now_s - old.looked_s >= every_s:
                self._judge(key, now_s, delay_s, room_of, heaps_of)
        if not self._turn:
            self._forget(now_s)
            self._turn = list(self.tracks.tracks)
        judged = 0
        while self._turn and judged < OTHERS_A_TICK:
            key = self._turn.pop()
            if key not in urgent and not rests(self.tracks.tracks.get(key), self._verdicts.get(key), now_s):
                judged += 1
                self._judge(key, now_s, delay_s, room_of, heaps_of)

    def _judge(
        self,
        key: GroupKey,
        now_s: float,
        delay_s: float,
        room_of: Callable[[GroupKey], float | None],
        heaps_of: Callable[[GroupKey], Collection[HeapUse]],
    ) -> None:
        track = self.tracks.tracks.get(key)
        if track is None:
            return
        from_s = max(now_s - window_s(delay_s), track.first_s, self._ended_s.get(key, track.first_s))
        step_s = even_step_s(max(delay_s, (now_s - from_s) / OTHERS_POINTS))
        times_s, used = used_memory(self.tracks, key, from_s=from_s, now_s=now_s, step_s=step_s)
        room = room_of(key)
        growth = judge(times_s, used, room)
        if room is not None and heaps_end_before(heaps_of(key), growth.slope_bytes_per_s or 0.0, room):
            growth = growth._replace(limit_s=None, slow_s=None)
        self._verdicts[key] = after_look(self._verdicts.get(key), growth, now_s)

    def end(self, key: GroupKey, now_s: float) -> None:
        """Forget what was found of a group, whose growth is over; its series stays."""
        if key in self._noted_s:
            self._ended_s[key] = now_s
            self._verdicts.pop(key, None)

    def _forget(self, now_s: float) -> None:
        for key in [key for key, noted_s in self._noted_s.items() if now_s - noted_s > FORGET_S]:
            self.forget(key)

    def forget(self, key: GroupKey) -> None:
        """Drop a group that is gone."""
        self._noted_s.pop(key, None)
        self._verdicts.pop(key, None)
        self._ended_s.pop(key, None)
        self.tracks.forget(key)
