"""Follows the rises of all processes. It visits only those whose memory has changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from operator import itemgetter
from typing import Final, NamedTuple

from memtop.analysis.incidents.machine import LEAST_GAIN_BYTES
from memtop.analysis.trend.rising import QUIET_S, Rise, Teeth, follow_rise, most_quiet_s, teeth_after
from memtop.engine.assessment.step_input import StepInput
from memtop.history.rings import History
from memtop.process_key import ProcessKey

LEAST_S: Final = 2.0
"""A rise is a fact from its third sample on, and after at least this time."""
MOST: Final = 8
"""Rises that are kept ready for those who look at all processes ..."""
LOOKED_AT: Final = 24
"""... out of so many that have gained most."""
MOST_TEETH: Final = 256
"""Processes whose lost rises are remembered."""
_LEAST_BYTES: Final = 1 << 20
_LEAST_SHARE: Final = 0.005
"""Share of the size at its beginning."""
_SIZE: Final = itemgetter(0)


class RiseFact(NamedTuple):
    """Growth of a process since its RES began to rise."""

    rise: Rise
    """The rise of RES."""
    anon_bytes: int
    """The part of it that is anonymous: RES without SHR."""


class RiseTracker:
    """The rises of RES that continue. Call :meth:`take` once a tick."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._rises: dict[ProcessKey, Rise] = {}
        self._teeth: dict[ProcessKey, Teeth] = {}
        """Of processes that have lost rises."""
        self._now_s, self._quiet_s = 0.0, QUIET_S
        """As of the latest sample."""
        self.largest: dict[ProcessKey, RiseFact] = {}
        """The processes that have gained most at the latest tick, most of it anonymous; the largest gain first."""
        self.lost: set[ProcessKey] = set()
        """The processes that have lost most of a rise at the latest tick."""
        self.risen: list[int] = []
        """PIDs of the processes that came at the latest tick, or whose RES was larger than at the one before, and that
        have enough to explain a fall of the machine's available memory."""

    def forget(self, key: ProcessKey) -> None:
        """Drop a process that has ended or become another program."""
        self._rises.pop(key, None)
        self._teeth.pop(key, None)
        self.largest.pop(key, None)

    def take(self, step: StepInput) -> None:
        """Take the next sample."""
        now_s, rises, quiet_s = step.now_s, self._rises, most_quiet_s(step.plan.interval_s)
        self._now_s, self._quiet_s = now_s, quiet_s
        self._follow(step)
        # Hundreds may rise: what is known of most by their fields calls no function.
        resting = [key for key, rise in rises.items() if now_s - rise.high_s > quiet_s]
        left_out = {key for key in self._teeth.keys() & rises.keys() if self._is_usual(key, rises[key])}
        for key in resting:
            if not rises[key].may_go_on(now_s, quiet_s):
                del rises[key]
            elif not rises[key].goes_on(now_s, quiet_s):
                left_out.add(key)
        notable = [
            (high_bytes - from_bytes, key)
            for key, (_, from_bytes, high_bytes, _, steps) in rises.items()
            if steps >= 2 and high_bytes - from_bytes >= _LEAST_BYTES
        ]
        if left_out:
            notable = [one for one in notable if one[1] not in left_out]
        notable.sort(key=_SIZE, reverse=True)  # a tenth of what it takes to find the largest in bytecode
        risen = ((key, rises[key]) for _, key in notable[:LOOKED_AT])
        facts = ((key, rise, self._fact(key, rise)) for key, rise in risen)
        anonymous = (
            (key, fact) for key, rise, fact in facts if fact is not None and 2 * fact.anon_bytes > rise.size_bytes
        )
        self.largest = dict(islice(anonymous, MOST))

    def _follow(self, step: StepInput) -> None:
        risen = self.risen = []
        lost = self.lost = set()
        if step.before is None:
            return
        now_s, rises, quiet_s = self._now_s, self._rises, self._quiet_s
        before_s, before = step.before.mono_s, step.before.processes
        for pid, seen in step.changed:
            old, key, statm = before.get(pid), seen.key, seen.statm
            old_statm = old.statm if old is not None and old.key == key else None
            if statm is old_statm or statm is None:
                continue
            rss_bytes, before_bytes = statm.rss_bytes, old_statm.rss_bytes if old_statm is not None else 0
            if rss_bytes > before_bytes and rss_bytes >= LEAST_GAIN_BYTES:
                risen.append(pid)
            if rss_bytes == before_bytes or old_statm is None:
                continue
            known = rises.get(key)
            if (
                known is not None
                and now_s - known.high_s > quiet_s  # hundreds may rise: only what has rested is asked
                and not known.continues_with(now_s, rss_bytes, quiet_s)
            ):
                known = None
            rise = follow_rise(known, before_s, before_bytes, now_s, rss_bytes)
            if rise is not None:
                if rise is not known:
                    rises[key] = rise
            else:
                if known is not None:
                    lost.add(key)
                    self._note_loss(key, known)
                rises.pop(key, None)

    def _note_loss(self, key: ProcessKey, rise: Rise) -> None:
        if (teeth := teeth_after(self._teeth.pop(key, None), rise)) is not None:
            self._teeth[key] = teeth  # the latest last
            if len(self._teeth) > MOST_TEETH:
                del self._teeth[next(iter(self._teeth))]

    def _is_usual(self, key: ProcessKey, rise: Rise) -> bool:
        """Whether a process is on its way to where it has given memory back again and again."""
        teeth = self._teeth.get(key)
        return teeth is not None and teeth.explains(rise)

    def fastest_in(
        self, cgroups: Collection[str], chains: Mapping[ProcessKey, tuple[str, ...]]
    ) -> dict[str, ProcessKey]:
        """The process that rises fastest in each of these cgroups. ``chains`` are the cgroups of each process."""
        fastest: dict[str, tuple[float, ProcessKey]] = {}
        for key, rise in self._rises.items() if cgroups else ():
            if self._is_usual(key, rise):
                continue
            for path in chains.get(key, ()):
                if path in cgroups and rise.bytes_per_s > fastest.get(path, (0.0, key))[0]:
                    fastest[path] = rise.bytes_per_s, key
        return {path: key for path, (_, key) in fastest.items()}

    def of(self, key: ProcessKey) -> RiseFact | None:
        """The rise of this process, after it is a notable fact; None too while it only comes back to a usual height."""
        rise = self._rises.get(key)
        return self._fact(key, rise) if rise is not None and not self._is_usual(key, rise) else None

    def whole_of(self, key: ProcessKey) -> RiseFact | None:
        """The same at a quarter of the cost, without what of it is anonymous: as if nothing were."""
        rise = self._rises.get(key)
        return RiseFact(rise, 0) if rise is not None and self._is_notable(rise) else None

    def _is_notable(self, rise: Rise) -> bool:
        if rise.steps < 2 or rise.span_s < LEAST_S or not rise.goes_on(self._now_s, self._quiet_s):
            return False
        return rise.size_bytes >= max(_LEAST_BYTES, _LEAST_SHARE * rise.from_bytes)

    def _fact(self, key: ProcessKey, rise: Rise) -> RiseFact | None:
        if not self._is_notable(rise):
            return None
        track = self._history.tracks.get(key)
        then = track.at(rise.since_s) if track is not None else None
        high = track.at(rise.high_s) if track is not None else None
        if then is None or high is None:
            return None
        anon_bytes = (high.rss_bytes - high.shr_bytes) - (then.rss_bytes - then.shr_bytes)
        return RiseFact(rise, min(max(0, anon_bytes), rise.size_bytes))
