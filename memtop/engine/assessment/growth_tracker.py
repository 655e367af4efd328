"""Tracks the growth verdict of every process from its history, classifying a few processes at each tick.

The process in focus is classified every few seconds. The others take turns. Processes whose memory does not change cost
nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from memtop.analysis.trend.classify import LEAST_SPAN_S, Growth, Shape, judge
from memtop.analysis.trend.forecast import Room, settled
from memtop.analysis.trend.hysteresis import Confirmation, agree
from memtop.analysis.trend.soon import is_soon
from memtop.engine.assessment.lazy_free import LazyFreeSeries
from memtop.engine.assessment.verdict_time import WINDOW_S, even_step_s, window_s
from memtop.history.process_history import used_memory
from memtop.history.rings import History, Track
from memtop.process_key import ProcessKey

POINTS: Final = 240
OTHERS_POINTS: Final = 120
LOOK_EVERY_S: Final = 3.0
NEAR_S: Final = 60.0
"""A time to the limit that is shorter gives way as soon as growth rests for longer than it usually does."""
"""Interval for the process in focus, and for those whose alarm is on or is being confirmed."""
ALWAYS: Final = 20
"""So many of the first are looked at as often, however many there are ..."""
MANY: Final = 50
"""... while of more than these, those that stay level are looked at less often ..."""
CALM_MOST: Final = 5.0
"""... by this factor at most."""
OTHERS_A_TICK: Final = 2
"""Classifications of processes out of focus at one tick. Each takes 0.4 ms."""
TURN_TICKS: Final = 8
"""Number of ticks in which every process has a turn, unless too many change."""
LAZY_FREE_EVERY_S: Final = 5.0
"""How often LazyFree of the process in focus is needed while its memory rises ..."""
LAZY_FREE_AGAIN_S: Final = 30.0
"""... and how often if it could not be read the last time."""
LAZY_FREE_RISE_S: Final = 60.0
"""The period over which that rise is measured."""
START_UP_S: Final = 10.0
"""The first seconds of a process are loading, not growth."""
_SMALL_BYTES: Final = 1 << 20
_RISER_BYTES: Final = 32 << 20
_SMALL_SHARE: Final = 0.02
_STALE_S: Final = 60.0
"""How long an alarm, or a verdict from several shapes, keeps the numbers that led to it."""
_CLK_TCK: Final = os.sysconf("SC_CLK_TCK")


class Verdict(NamedTuple):
    """What the memory of one process does."""

    growth: Growth
    """The latest classification, which may differ from the verdict."""
    state: Confirmation
    looked_s: float
    """When it was made, on the clock of Instant.mono_s."""
    standing: Growth
    """The verdict, with the numbers of the last classification that agreed: its kind is that of :attr:`state`."""
    standing_s: float
    """When that classification was made."""
    age_s: float | None
    """Age of the process at that time; None if unknown."""
    lazy_free_bytes: int | None = None
    """Memory given back by MADV_FREE at that time, which does not count; None if it was not read."""
    last_rise_s: float | None = None
    """When a classification last found it rising, by any shape."""

    @property
    def alarm(self) -> bool:
        """Whether growth is confirmed."""
        return self.state.alarm

    @property
    def pauses(self) -> bool:
        """Whether it has been level for longer than it usually rests between its rises."""
        return self.growth.pause is not None and self.growth.pause.unusual


_RISING: Final = frozenset({Shape.LEAK, Shape.LEAK_GC, Shape.STEP, Shape.STAIRS, Shape.WARMUP, Shape.GROWTH})


def rests(track: Track | None, latest: Verdict | None, now_s: float) -> bool:
    """Whether nothing has changed since the latest verdict that could change it."""
    if track is None or now_s - track.first_s < LEAST_SPAN_S:
        return True
    return latest is not None and track.changed_s < now_s - WINDOW_S and latest.growth.kind is Shape.FLAT


def _compact(growth: Growth) -> Growth:
    """The same with one object for equal numbers, which those of a level process mostly are: all processes have one."""
    known: dict[float, float] = {}
    return Growth._make([known.setdefault(value, value) if type(value) is float else value for value in growth])


class GrowthTracker:
    """The latest verdict on each process. :meth:`look` updates some of them."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._known: dict[ProcessKey, Verdict] = {}
        self._alarmed: tuple[ProcessKey, ...] | None = None
        """Those whose growth is confirmed, in the order of the verdicts; None where that has changed."""
        self._turn: list[ProcessKey] = []
        self._lazy_free: dict[ProcessKey, LazyFreeSeries] = {}
        self._lazy_free_wanted: tuple[ProcessKey, float] | None = None
        """The process for which it was last needed, and when."""
        self._rows_lazy_free: dict[ProcessKey, float] = {}
        """Processes out of focus for which it was needed, and when last; those needed last are at the end."""

    def of(self, key: ProcessKey) -> Verdict | None:
        """The latest verdict; None before the first classification."""
        return self._known.get(key)

    def forget(self, key: ProcessKey) -> None:
        """Drop a process after its end or its exec."""
        old = self._known.pop(key, None)
        if old is not None and old.alarm:
            self._alarmed = None
        self._lazy_free.pop(key, None)
        self._rows_lazy_free.pop(key, None)

    def note_lazy_free(self, key: ProcessKey, at_s: float, size_bytes: int) -> None:
        """Take a reading of LazyFree, memory that is given back already."""
        self._lazy_free.setdefault(key, LazyFreeSeries()).add(at_s, size_bytes)

    def wants_lazy_free(self, key: ProcessKey, now_s: float, *, always: bool = False) -> bool:
        """Whether LazyFree should be read now: the memory rises, or seemed to, and that may be no growth at all.

        ``always`` wants it also for memory that does not rise, because the figures of its runtime depend on it.
        """
        is_known = (series := self._lazy_free.get(key)) is not None and series.now(now_s) is not None
        rest_s = LAZY_FREE_EVERY_S if is_known else LAZY_FREE_AGAIN_S
        wanted = self._lazy_free_wanted
        if wanted is not None and wanted[0] == key and now_s - wanted[1] < rest_s:
            return False
        if not always and not self._rises(key, now_s):
            return False
        self._lazy_free_wanted = key, now_s
        return True

    def row_wanting_lazy_free(self, focus: ProcessKey | None, now_s: float) -> ProcessKey | None:
        """A process out of focus whose growth is confirmed or nearly so, if LazyFree should be read of it now.

        It is what may refute that growth. One process at a time is read, and each seldom, unless it frees that way.
        """
        found: tuple[float, ProcessKey] | None = None
        for key, verdict in self._known.items():
            if key == focus or not (verdict.alarm or verdict.state.looks or key in self._rows_lazy_free):
                continue
            tried_s = self._rows_lazy_free.get(key)
            series = self._lazy_free.get(key)
            matters = series is not None and series.matters(now_s - WINDOW_S, verdict.growth.floor_bytes or 0.0)
            if tried_s is not None and now_s - tried_s < (LAZY_FREE_EVERY_S if matters else LAZY_FREE_AGAIN_S):
                continue
            if not (verdict.alarm or verdict.state.looks or matters):
                continue
            if found is None or (tried_s or 0.0) < found[0]:
                found = tried_s or 0.0, key
        if found is None:
            return None
        self._rows_lazy_free.pop(found[1], None)
        self._rows_lazy_free[found[1]] = now_s
        return found[1]

    @property
    def rows_with_lazy_free(self) -> Iterable[ProcessKey]:
        """The processes out of focus for which it was needed."""
        return self._rows_lazy_free

    def _rises(self, key: ProcessKey, now_s: float) -> bool:
        track = self._history.tracks.get(key)
        if track is None or not len(track):
            return False
        last, then = track.point(-1), track.at(now_s - LAZY_FREE_RISE_S) or track.point(0)
        used_bytes, before_bytes = last.rss_bytes - last.shr_bytes, then.rss_bytes - then.shr_bytes
        if used_bytes - before_bytes > max(_SMALL_BYTES, _SMALL_SHARE * used_bytes):
            return True
        known, series = self._known.get(key), self._lazy_free.get(key)
        alarm = known is not None and known.alarm
        return alarm or (series is not None and series.matters(now_s - WINDOW_S, used_bytes))

    def alarmed(self) -> tuple[ProcessKey, ...]:
        """Those whose growth is confirmed. Each process that is judged asks for them, so they are kept."""
        if self._alarmed is None:
            self._alarmed = tuple(key for key, verdict in self._known.items() if verdict.alarm)
        return self._alarmed

    def fastest(self, most: int) -> list[tuple[ProcessKey, Verdict]]:
        """Of those whose growth is confirmed, so many that grow fastest."""
        known = self._known
        slopes = [(known[key].standing.slope_bytes_per_s or 0.0, key) for key in self.alarmed()]
        slopes.sort(key=itemgetter(0), reverse=True)
        return [(key, known[key]) for _, key in slopes[:most]]

    def risers(self) -> list[ProcessKey]:
        """Processes of some size whose memory rises by any shape, or did so within the window; the largest first."""
        sizes = {
            key: verdict.growth.floor_bytes
            for key, verdict in self._known.items()
            if verdict.last_rise_s is not None
            and verdict.looked_s - verdict.last_rise_s < WINDOW_S
            and (verdict.growth.floor_bytes or 0.0) >= _RISER_BYTES
        }
        return sorted(sizes, key=lambda key: sizes[key] or 0.0, reverse=True)

    def look(
        self, now_s: float, delay_s: float, first: Sequence[ProcessKey], room_of: Callable[[ProcessKey], Room | None]
    ) -> list[ProcessKey]:
        """Classify those in ``first`` that are due, and some of the others. Returns those with a new verdict.

        ``room_of`` gives the room under the limits of a process.
        """
        changed = []
        urgent = dict.fromkeys((*first, *(key for key, one in self._known.items() if one.alarm or one.state.looks)))
        calm_s = LOOK_EVERY_S * min(CALM_MOST, max(1.0, len(urgent) / MANY))
        for number, key in enumerate(urgent):
            old = self._known.get(key)
            is_calm = number >= ALWAYS and old is not None and self._is_calm(key, old)
            if old is not None and now_s - old.looked_s < (calm_s if is_calm else LOOK_EVERY_S):
                continue
            if self._judge(key, now_s, delay_s, POINTS, room_of):
                changed.append(key)
        if not self._turn:
            self._turn = list(self._history.tracks)
            # Processes that ended while they were watched are judged until their history goes.
            for key in self._known.keys() - self._history.tracks.keys():
                self.forget(key)
        share, judged = max(1, len(self._history.tracks) // TURN_TICKS), 0
        while self._turn and share and judged < OTHERS_A_TICK:
            share -= 1
            key = self._turn.pop()
            if key in urgent or rests(self._history.tracks.get(key), self._known.get(key), now_s):
                continue
            judged += 1
            if self._judge(key, now_s, delay_s, OTHERS_POINTS, room_of):
                changed.append(key)
        return changed

    def _is_calm(self, key: ProcessKey, old: Verdict) -> bool:
        """Whether it is level and has not changed since it was looked at."""
        if old.alarm or old.state.looks or old.growth.kind is not Shape.FLAT:
            return False
        track = self._history.tracks.get(key)
        return track is None or track.changed_s <= old.looked_s

    def _judge(
        self, key: ProcessKey, now_s: float, delay_s: float, points: int, room_of: Callable[[ProcessKey], Room | None]
    ) -> bool:
        track = self._history.tracks.get(key)
        if track is None:
            return False
        born_s = key.start_ticks / _CLK_TCK
        age_s = now_s - born_s if born_s <= now_s else None
        from_s = max(now_s - window_s(delay_s), track.first_s)
        if age_s is not None:
            from_s = max(from_s, born_s + START_UP_S)
        step_s = max(delay_s, (now_s - from_s) / points) if now_s > from_s else delay_s
        step_s = even_step_s(step_s)
        times_s, used = used_memory(self._history, key, from_s=from_s, now_s=now_s, step_s=step_s)
        lazy_free = self._lazy_free.get(key)
        if lazy_free is not None and used and lazy_free.matters(from_s, used[-1]):
            times_s, used = lazy_free.taken_off(times_s, used, now_s)
        is_long = bool(times_s) and times_s[-1] - times_s[0] >= LEAST_SPAN_S
        room = room_of(key) if is_long else None  # expensive, and of no use before there is a verdict
        end_bytes, speed_bytes = room if room is not None else (None, None)
        growth = _compact(judge(times_s, used, end_bytes, speed_room_bytes=speed_bytes))
        old = self._known.get(key)
        given_back = lazy_free.now(now_s) if lazy_free is not None else None
        new = self._known[key] = after_look(old, growth, now_s, age_s=age_s, lazy_free_bytes=given_back)
        if new.alarm != (old is not None and old.alarm):
            self._alarmed = None
        return looks_different(old, new)


def after_look(
    old: Verdict | None, growth: Growth, now_s: float, *, age_s: float | None = None, lazy_free_bytes: int | None = None
) -> Verdict:
    """The verdict after one more look at a series, ``old`` being the one before it; None before the first look."""
    state = agree(old.state if old is not None else Confirmation(), growth, now_s)
    last_rise_s = now_s if growth.kind in _RISING else old.last_rise_s if old is not None else None
    standing, standing_s = _standing(old, growth, state, now_s)
    was_soon = old is not None and (before := growth_now(old, now_s)) is not None and before.soon
    soon = state.alarm and is_soon(_less(standing.limit_s, now_s - standing_s), was=was_soon)
    standing = standing if standing.soon == soon else standing._replace(soon=soon)
    return Verdict(growth, state, now_s, standing, standing_s, age_s, lazy_free_bytes, last_rise_s)


def looks_different(old: Verdict | None, new: Verdict) -> bool:
    """Whether a row shows another sign after the new verdict."""
    return old is None or old.pauses != new.pauses or _shown(old.state) != _shown(new.state)


def growth_now(verdict: Verdict | None, now_s: float) -> Growth | None:
    """What stands, with the time to the limit counted from now, and the pause that the latest look has found.

    While it pauses for longer than usual there is no time to the limit; one that is near is refuted by seconds.
    """
    if verdict is None:
        return None
    growth, pause = verdict.standing, verdict.growth.pause
    limit_s, slow_s, by_s = growth.limit_s, growth.slow_s, now_s - verdict.standing_s
    # A rest that may end at any moment makes it neither soon nor late: the severity does not change with each.
    soon = verdict.alarm and is_soon(_less(limit_s, by_s), was=growth.soon)
    if pause is not None and pause.unusual:
        limit_s = slow_s = None
    elif limit_s is not None:
        limit_s, slow_s = _less(limit_s, by_s), _less(slow_s, by_s)
        if limit_s is not None and limit_s[0] < NEAR_S and pause is not None and pause.doubtful:
            limit_s = None
    if pause is growth.pause and (limit_s, slow_s, soon) == (growth.limit_s, growth.slow_s, growth.soon):
        return growth
    return growth._replace(pause=pause, limit_s=limit_s, slow_s=slow_s, soon=soon)  # hundreds may grow: once


def _shown(state: Confirmation) -> tuple[object, ...]:
    """The values that a sign is made of."""
    return state.kind, state.evidence, state.changing


def _standing(old: Verdict | None, growth: Growth, state: Confirmation, now_s: float) -> tuple[Growth, float]:
    """The classification whose numbers belong to the verdict, and its time."""
    if growth.kind is state.kind:
        return _with_settled_times(old, growth, now_s), now_s  # the same object: hundreds of processes have one
    if old is None:
        return growth._replace(kind=state.kind), now_s
    fades = state.alarm or state.kind in (Shape.NOISY, Shape.WARMUP, Shape.GROWTH)
    if old.standing.kind is state.kind and not (fades and now_s - old.standing_s > _STALE_S):
        return old.standing, old.standing_s
    return _with_settled_times(old, growth._replace(kind=state.kind), now_s), now_s


def _with_settled_times(old: Verdict | None, growth: Growth, now_s: float) -> Growth:
    """The times to the limit, which do not jump from one look to the next while an alarm stands."""
    if old is None or not old.alarm:
        return growth
    since_s = now_s - old.standing_s
    before = sooner(old.standing, since_s)
    limit_s = growth.limit_s and before.limit_s and settled(before.limit_s, growth.limit_s)
    slow_s = growth.slow_s and before.slow_s and settled(before.slow_s, growth.slow_s)
    return growth._replace(limit_s=limit_s or growth.limit_s, slow_s=slow_s or growth.slow_s)


def sooner(growth: Growth, by_s: float) -> Growth:
    """What a look said so long ago of the times to the limit, counted from now."""
    return growth._replace(limit_s=_less(growth.limit_s, by_s), slow_s=_less(growth.slow_s, by_s))


def _less(span_s: tuple[float, float] | None, by_s: float) -> tuple[float, float] | None:
    return None if span_s is None else (max(0.0, span_s[0] - by_s), max(0.0, span_s[1] - by_s))
