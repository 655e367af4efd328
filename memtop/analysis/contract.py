"""When smaps and smaps_rollup may be read: the observer's contract.

Both walk the target's page tables under its mmap lock: for as long as the walk takes, the target's own mmap, munmap
and brk wait. So a reading is rare (at most 1 % of the time, never faster than once a second) and short (what would
stall the target for more than 20 ms is read only when the user asks). Keep one :class:`Contract` for each process.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

DEFAULT_S_PER_GIB: Final = 0.012
"""Walk of 4 KiB pages: 12 ms for each GiB resident, 14 to 20 seen."""
S_PER_MAPPING: Final = 3.5e-6
"""smaps only: text for one mapping."""
REST_FACTOR: Final = 100
"""After a reading that took t, none for 100 t: at most 1 % of the time."""
REST_MIN_S: Final = 1.0
STALL_MAX_S: Final = 0.020
"""Longest stall that nobody asked for: about 1.6 GiB at the default rate."""
LEARN_MIN_BYTES: Final = 64 << 20
"""Below this much RES the fixed costs of a reading hide its rate."""
_GIB: Final = 1 << 30


class Why(Enum):
    """The reason for the answer."""

    ALLOWED = "allowed"
    FORBIDDEN = "--no-smaps was given"
    NOT_SHOWN = "nothing on screen needs it"
    UNDER_WAY = "a reading has not come back yet"
    RESTING = "the last reading was too recent for its cost"
    TOO_DEAR = "it would stall the process for too long; R reads once"
    UNKNOWN_COST = "RES is not known, so neither is the cost; R reads once"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to read now."""

    why: Why
    stall_s: float | None
    """How long the target would be stalled at worst; None where RES is not known."""
    wait_s: float = 0.0
    """Until it may be asked again, for RESTING."""

    @property
    def allowed(self) -> bool:
        """Whether to read now."""
        return self.why is Why.ALLOWED


@dataclass(frozen=True, slots=True)
class Contract:
    """What is known of the cost of reading one process. Times in seconds on one monotonic clock."""

    s_per_gib: float = DEFAULT_S_PER_GIB
    """Learned from the last reading: far less where huge pages are used."""
    last_cost_s: float | None = None
    """What the last reading took; None before the first."""
    last_mappings: int = 0
    """Mappings in the last smaps, 0 where it was a rollup."""
    free_from_s: float = float("-inf")
    """End of the rest after the last reading."""
    under_way: bool = False

    def stall_s(self, rss_bytes: int) -> float:
        """The predicted time under the target's lock, for this RES."""
        return self.s_per_gib * rss_bytes / _GIB + S_PER_MAPPING * self.last_mappings

    def begun(self) -> Contract:
        """After a reading was started."""
        return replace(self, under_way=True)

    def ended(self, now_s: float, took_s: float, rss_bytes: int | None = None, mappings: int = 0) -> Contract:
        """After a reading came back, however it ended; with what it cost, and RES, where it succeeded."""
        rate = self.s_per_gib
        if rss_bytes is not None and rss_bytes >= LEARN_MIN_BYTES:
            rate = max(0.0, took_s - S_PER_MAPPING * mappings) * _GIB / rss_bytes
        return Contract(
            s_per_gib=rate,
            last_cost_s=took_s,
            last_mappings=mappings,
            free_from_s=now_s + max(REST_MIN_S, REST_FACTOR * took_s),
            under_way=False,
        )

    def may_read(
        self, now_s: float, rss_bytes: int | None, *, shown: bool, asked: bool = False, forbidden: bool = False
    ) -> Verdict:
        """Whether to read now; ``asked`` is the user's R, which lifts the limit of the stall but not the rest."""
        stall_s = None if rss_bytes is None else self.stall_s(rss_bytes)
        if forbidden:
            return Verdict(Why.FORBIDDEN, stall_s)
        if self.under_way:
            return Verdict(Why.UNDER_WAY, stall_s)
        if not (shown or asked):
            return Verdict(Why.NOT_SHOWN, stall_s)
        if now_s < self.free_from_s:
            return Verdict(Why.RESTING, stall_s, self.free_from_s - now_s)
        if not asked and stall_s is None:
            return Verdict(Why.UNKNOWN_COST, stall_s)
        if not asked and stall_s is not None and stall_s > STALL_MAX_S:
            return Verdict(Why.TOO_DEAR, stall_s)
        return Verdict(Why.ALLOWED, stall_s)
