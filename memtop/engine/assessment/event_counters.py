"""Event counters of memory cgroups and the machine: OOM kills, limits reached, refaults; as counts and rates."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from memtop.engine.assessment.step_input import StepInput
from memtop.history.rates import per_s
from memtop.model.assessment import Events
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED
from memtop.sampling.cgroup_reading import CgroupReading, CgroupSample
from memtop.sampling.sample import Sample

KILL_S: Final = 10.0
"""An increase of a count of kills is evidence for an end that was seen up to this long after."""
_START_S: Final = 5.0
"""A cgroup whose first reading came so soon after the first sample was read from the start."""
_MOST_DEAD_CHAINS: Final = 64


class _Rise(NamedTuple):
    at_s: float
    path: str
    """Empty for the machine."""
    kills: int


class _Pair(NamedTuple):
    """The two latest readings of a cgroup."""

    before: CgroupReading
    before_s: float
    now: CgroupReading
    now_s: float


class Counters:
    """Takes every tick. It keeps the first reading, the two latest, and the times of kills."""

    def __init__(self) -> None:
        self._chains: dict[ProcessKey, tuple[str, ...]] = {}
        self._rises: deque[_Rise] = deque(maxlen=256)
        self._kills: dict[str, int] = {}
        self._earlier: dict[str, int] = {}
        self._machine_kills: int | None = None
        self._machine_first: int | None = None
        """The machine's count at the first sample."""
        self._began_s: float | None = None
        self._first: dict[str, tuple[CgroupReading, float]] = {}
        """The first reading of a cgroup that has counters, and its time."""
        self._pairs: dict[str, _Pair] = {}
        self._before: Sample | None = None
        self._now: Sample | None = None

    def note(self, step: StepInput) -> None:
        """One tick. The first takes the sample before it too: what both count may have risen between them."""
        if self._now is None and step.before is not None:
            self._take(step.before, step.before.cgroups or CgroupSample())
        self._before, self._now = step.before, step.sample
        self._take(step.sample, step.cgroups)

    def _take(self, sample: Sample, cgroups: CgroupSample) -> None:
        now_s = sample.mono_s
        if self._began_s is None:
            self._began_s = now_s
        for path, known in cgroups.remade.items():
            self._first.pop(path, None)
            self._pairs.pop(path, None)
            self._earlier.pop(path, None)
            if path in self._kills:
                self._kills[path] = known
                if not known:
                    self._earlier[path] = 0
        for path, reading in cgroups.readings.items():
            first = self._first.get(path)
            if first is None or (first[0].oom_kill is None and first[0].max_events is None):
                self._first[path] = reading, now_s
            old = self._pairs.get(path)
            self._pairs[path] = _Pair(*(old[2:] if old else (reading, now_s)), reading, now_s)
        for path, count in cgroups.kills.items():
            if (rise := count - self._kills.get(path, count)) > 0:
                self._rises.append(_Rise(now_s, path, rise))
        vmstat = sample.system.vmstat
        self._note_earlier(cgroups.kills, vmstat.oom_kill if vmstat is not None else None)
        self._kills = dict(cgroups.kills)
        if vmstat is not None and (machine := vmstat.oom_kill) is not None:
            if self._machine_kills is not None and machine > self._machine_kills:
                self._rises.append(_Rise(now_s, "", machine - self._machine_kills))
            self._machine_kills = machine
        self._chains.update(cgroups.chains)
        if len(self._chains) > 2 * len(cgroups.chains) + _MOST_DEAD_CHAINS:
            self._chains = dict(cgroups.chains)
            used = {path for chain in self._chains.values() for path in chain}
            for path in self._first.keys() - used:
                self._first.pop(path)
                self._pairs.pop(path, None)

    def chain(self, key: ProcessKey) -> tuple[str, ...]:
        """The chain as last known, even of a process that has ended."""
        return self._chains.get(key, ())

    # -- kills

    def _note_earlier(self, kills: Mapping[str, int], machine_kills: int | None) -> None:
        if self._before is None:
            self._machine_first = machine_kills
        none_yet = self._before is None or (machine_kills is not None and machine_kills == self._machine_first)
        for path in kills.keys() - self._kills.keys() - self._earlier.keys():
            if none_yet or not kills[path]:
                self._earlier[path] = kills[path]
        if len(self._earlier) > len(kills):
            self._earlier = {path: count for path, count in self._earlier.items() if path in kills}

    @property
    def earlier_kills(self) -> dict[str, int]:
        """OOM kills that cgroups had counted before memtop started. One whose count was read first after the machine
        has counted another kill is left out: nothing says which came first."""
        return {path: count for path, count in self._earlier.items() if count}

    def cgroup_kills(self, path: str) -> int | None:
        """OOM kills counted in exactly this cgroup around now; None if it has no readable count."""
        return self._risen(path) if path in self._kills else None

    @property
    def machine_kills(self) -> int | None:
        """OOM kills that the machine has counted around now; None if it does not report them."""
        return None if self._machine_kills is None else self._risen("")

    @property
    def counted_kills(self) -> int:
        """OOM kills that all cgroups have counted around now."""
        now_s = self._now.mono_s if self._now is not None else 0.0
        return sum(rise.kills for rise in self._rises if rise.path and now_s - rise.at_s <= KILL_S)

    def _risen(self, path: str) -> int:
        now_s = self._now.mono_s if self._now is not None else 0.0
        return sum(rise.kills for rise in self._rises if rise.path == path and now_s - rise.at_s <= KILL_S)

    # -- readings

    def now(self, path: str) -> CgroupReading | None:
        """The cgroup as last read, whenever that was; None if it was not."""
        pair = self._pairs.get(path)
        return pair.now if pair is not None else None

    def before(self, path: str) -> CgroupReading | None:
        """The reading before that; None if there is none."""
        pair = self._pairs.get(path)
        return pair.before if pair is not None else None

    def events(self, path: str) -> Events:
        """Events of a cgroup since memtop started to read it, and OOM kills since memtop started.

        A counter that went back counts as no event.
        """
        now, (first, first_s) = self.now(path), self._first.get(path, (None, 0.0))
        if now is None or first is None or self._now is None:
            return Events()

        def since(new: int | None, old: int | None) -> int | None:
            return None if new is None or old is None else max(0, new - old)

        # The kills of all cgroups are counted; what else happens in one is read while it is shown or near its limit.
        kills = since(self._kills.get(path), self._earlier.get(path))
        from_start = first_s - (self._began_s or first_s) <= _START_S
        seen = since(now.oom_kill, first.oom_kill) or (0 if from_start and now.oom_kill is not None else None)
        return Events(
            since(now.oom, first.oom),
            seen if kills is None else max(kills, seen or 0),
            since(now.max_events, first.max_events),
            since(now.high_events, first.high_events),
            None if from_start else self._now.mono_s - first_s,
        )

    # -- rates

    def cgroup_rate(self, reading: CgroupReading | None, counter: str) -> float | None:
        """Rate of a counter of CgroupReading; None if unknown."""
        pair = self._pairs.get(reading.path) if reading is not None else None
        if pair is None:
            return None
        return per_s(getattr(pair.now, counter), getattr(pair.before, counter), pair.now_s - pair.before_s)

    def brake(self, readings: Iterable[CgroupReading]) -> tuple[CgroupReading, float] | None:
        """The nearest cgroup of a chain whose memory.high slows its tasks down now, and how often per second; or None.

        Events also count in the ancestors, so the nearest cgroup that counts and has a memory.high is the one.
        """
        for one in readings:
            rate = self.cgroup_rate(one, "high_events") if one.high_bytes not in (None, UNLIMITED) else None
            if rate:
                return one, rate
        return None

    def machine_rate(self, counter: str) -> float | None:
        """Rate of a counter of vmstat; None if unknown."""
        if self._before is None or self._now is None:
            return None
        old, new = self._before.system.vmstat, self._now.system.vmstat
        if old is None or new is None:
            return None
        return per_s(getattr(new, counter), getattr(old, counter), self._now.mono_s - self._before.mono_s)

    def refaults(self, leaf: CgroupReading | None) -> float | None:
        """Evicted pages read back a second: of the cgroup if it reports them, else of the machine; None if unknown."""
        pair = self._pairs.get(leaf.path) if leaf is not None else None
        if pair is not None and pair.before.stat is not None and pair.now.stat is not None:
            old, new, elapsed_s = pair.before.stat, pair.now.stat, pair.now_s - pair.before_s
            own = _known_sum(
                per_s(new.refault_anon, old.refault_anon, elapsed_s),
                per_s(new.refault_file, old.refault_file, elapsed_s),
            )
            if own is not None:
                return own
        return _known_sum(self.machine_rate("refault_anon"), self.machine_rate("refault_file"))


def _known_sum(*rates: float | None) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None
