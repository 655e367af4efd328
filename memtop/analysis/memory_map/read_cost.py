"""Budget for reading smaps and smaps_rollup, which hold up the process that is read.

Both walk the target's page tables under its mmap lock. For the duration of the walk the target's own mmap, munmap and
brk wait. Therefore a reading is rare (at most 1 % of the time, and less if nothing moves) and short (what would stall
the target for more than 20 ms is read only when the user asks). Keep one :class:`ReadBudget` for each process, and one
:class:`Machine` for all of them.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

_GIB: Final = 1 << 30
S_PER_GIB: Final = 0.025
"""Walk of pages of 4 KiB, for each GiB resident: 12 to 18 ms measured on a quiet machine, for anonymous, shared and
copied memory; 4 to 5 for files, 0.1 if huge pages are mapped. The first reading shows which one holds."""
S_PER_TABLES_GIB: Final = 0.4
"""Walk of page tables that hold almost nothing: 260 ms measured for each GiB of them."""
S_PER_MAPPING: Final = 0.5e-6
"""Going from one mapping to the next: 0.35 us measured."""
S_PER_TEXT: Final = 3.5e-6
"""smaps only: the text of one mapping."""
REST_FACTOR: Final = 100
"""After a reading that took t, none for 100 t: at most 1 % of the time."""
REST_MIN_S: Final = 2.9
"""Rest if something moves: a little less than three seconds, so that every third tick of a second is in time."""
CALM_S: Final = 9.9
"""Rest if neither sizes nor faults of the process have moved since. A reading would show nothing new."""
ASKED_REST_FACTOR: Final = 9
"""The same for the user's R: a key that is held down uses at most a tenth of the time."""
STALL_MAX_S: Final = 0.020
"""Longest stall by a reading that the user did not ask for: about 800 MiB before anything is known, 5,000 mappings."""
LEARN_MIN_S: Final = 0.001
"""A reading with a shorter expected time says nothing about the machine, because fixed costs hide its speed."""
DISTURBED_HALF_S: Final = 30.0
"""Half-life of what a reading took more than usual: it may have been disturbed, and nothing else would refute it."""
SLOWNESS_KEPT: Final = 0.8
"""What each later reading leaves of a slowness that it does not confirm."""


class Load(NamedTuple):
    """What a reading has to walk over and write."""

    rss_bytes: int = 0
    tables_bytes: int = 0
    """Page tables (VmPTE); 0 if unknown."""
    mappings: int = 0
    texts: int = 0
    """Mappings whose text is written: all of them for smaps, none for smaps_rollup."""

    @property
    def usual_s(self) -> float:
        """The time on a machine of the usual speed, with pages of 4 KiB."""
        return (
            S_PER_GIB * self.rss_bytes / _GIB
            + S_PER_TABLES_GIB * self.tables_bytes / _GIB
            + S_PER_MAPPING * self.mappings
            + S_PER_TEXT * self.texts
        )

    def within(self, other: Load) -> Load:
        """The part of it that was there in ``other``."""
        return Load(*map(min, self, other))

    def beyond(self, other: Load) -> Load:
        """The part of it that came after ``other``."""
        return Load(*(max(0, mine - theirs) for mine, theirs in zip(self, other, strict=True)))


_NOTHING: Final = Load()


class Machine(NamedTuple):
    """Speed of this machine, learned from readings of other processes."""

    slowness: float = 1.0
    """Cost relative to the usual, never below 1: one process with huge pages does not make the next one cheap."""

    def rested(self, seconds: float) -> Machine:
        """The state after a time without readings, in which slowness is gradually forgotten."""
        return Machine(1.0 + (self.slowness - 1.0) * 0.5 ** (max(0.0, seconds) / DISTURBED_HALF_S))

    def after(self, load: Load, took_s: float) -> Machine:
        """The state after one more reading: see :func:`believed`. It becomes faster again gradually."""
        if load.usual_s < LEARN_MIN_S:
            return self
        slowness = took_s / load.usual_s
        return Machine(max(1.0, believed(self.slowness, slowness), self.slowness * SLOWNESS_KEPT))


def believed(expected: float, seen: float) -> float:
    """The expected cost after a measurement: the measured one, but only half of an increase.

    An increase may be a disturbance. Otherwise a single reading that was delayed by something else would forbid all
    later ones.
    """
    return min(seen, (expected + seen) / 2)


_USUAL: Final = Machine()


class Why(Enum):
    """The reason for the answer."""

    ALLOWED = "allowed"
    FORBIDDEN = "--no-smaps was given"
    UNDER_WAY = "an earlier reading still hangs"
    RESTING = "the last reading was too recent, given its cost"
    TOO_DEAR = "it would stall the process for too long; R reads once"
    UNKNOWN_COST = "RES is not known, so neither is the cost; R reads once"


class Verdict(NamedTuple):
    """Whether to read now."""

    why: Why
    stall_s: float | None
    """Longest expected stall of the target; None if RES is unknown."""
    wait_s: float = 0.0
    """Time until it may be tried again, for RESTING."""

    @property
    def allowed(self) -> bool:
        """Whether to read now."""
        return self.why is Why.ALLOWED


class ReadBudget(NamedTuple):
    """The cost of reading one process, as learned so far. Times in seconds on one monotonic clock."""

    cost_s: float | None = None
    """Expected time of a reading like the last one; None before the first."""
    last_load: Load = _NOTHING
    """Load of the last reading; None if it failed."""
    free_from_s: float = float("-inf")
    """End of the rest after the last reading, if something moves ..."""
    calm_until_s: float = float("-inf")
    """... if nothing does ..."""
    asked_from_s: float = float("-inf")
    """... and for the user's R."""
    under_way: bool = False
    learned_s: float = float("-inf")
    """Time of the reading that :attr:`cost_s` is from."""

    def stall_s(self, load: Load, machine: Machine, now_s: float = float("-inf")) -> float:
        """The predicted time under the target's lock.

        Memory that was there at the last reading costs the same again (far less with huge pages). Memory that came
        since costs as much as pages of 4 KiB do. What a reading took more than usual is gradually forgotten.
        """
        then = self.last_load
        if self.cost_s is None or not then.usual_s:
            return machine.slowness * load.usual_s
        kept_s = self.cost_s * load.within(then).usual_s / then.usual_s
        usual_s = machine.slowness * load.within(then).usual_s
        if kept_s > usual_s:
            kept_s = usual_s + (kept_s - usual_s) * 0.5 ** (max(0.0, now_s - self.learned_s) / DISTURBED_HALF_S)
        return kept_s + machine.slowness * load.beyond(then).usual_s

    def begun(self) -> ReadBudget:
        """The state after a reading was started."""
        return self._replace(under_way=True)

    def failed(self) -> ReadBudget:
        """The state after a reading was refused before it cost anything."""
        return self._replace(under_way=False)

    def ended(self, now_s: float, took_s: float, load: Load | None = None, machine: Machine = _USUAL) -> ReadBudget:
        """The state after a reading returned, with or without success; ``load`` only with success."""
        rest_s = max(REST_MIN_S, REST_FACTOR * took_s)
        return ReadBudget(
            cost_s=self.cost_s if load is None else believed(self.stall_s(load, machine, now_s), took_s),
            last_load=load if load is not None else self.last_load,
            free_from_s=now_s + rest_s,
            calm_until_s=now_s + max(CALM_S, rest_s),
            asked_from_s=now_s + ASKED_REST_FACTOR * took_s,
            under_way=False,
            learned_s=self.learned_s if load is None else now_s,
        )

    def may_read(
        self,
        now_s: float,
        load: Load | None,
        machine: Machine,
        *,
        asked: bool = False,
        calm: bool = False,
        forbidden: bool = False,
    ) -> Verdict:
        """Whether to read now.

        ``load`` is None if RES is unknown. ``asked`` is the user's R, which lifts the limit of the stall and all but a
        tenth of the rest. ``calm``: nothing has moved since the last reading.
        """
        stall_s = None if load is None else self.stall_s(load, machine, now_s)
        if forbidden:
            return Verdict(Why.FORBIDDEN, stall_s)
        if self.under_way:
            return Verdict(Why.UNDER_WAY, stall_s)
        from_s = self.asked_from_s if asked else self.calm_until_s if calm else self.free_from_s
        if not asked and stall_s is None:
            return Verdict(Why.UNKNOWN_COST, stall_s)
        if not asked and stall_s is not None and stall_s > STALL_MAX_S:
            return Verdict(Why.TOO_DEAR, stall_s)
        if now_s < from_s:
            return Verdict(Why.RESTING, stall_s, from_s - now_s)
        return Verdict(Why.ALLOWED, stall_s)
