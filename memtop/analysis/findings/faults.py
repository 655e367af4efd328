"""Rules about page faults, swap and copy on write: the time that memory costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from memtop.analysis.fault_causes import Cause
from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.findings.rule import DANGER, MIB, NOTE, WARNING, Found, facts, graded

FULL_PERCENT: Final = 5.0
"""Of the last ten seconds all tasks waited for so long."""
WAITS_KEPT: Final = 0.8
"""What has reached a bound of PSI stays beyond it until it is below so much of it ..."""
RATE_KEPT: Final = 0.5
"""... and one of faults per second."""


def thrashing(c: FindingInputs) -> Found:
    """Thrashing: tasks stall because evicted memory is read back from storage."""
    was = c.standing.get("thrashing")
    if c.psi_full_percent is None or graded(c.psi_full_percent, FULL_PERCENT, was=was, kept=WAITS_KEPT) is None:
        return None
    rates = ((c.majflt_per_s, 50), (c.refault_per_s, 1000), (c.swap_in_per_s, 100))
    if not any(rate is not None and graded(rate, least, was=was, kept=RATE_KEPT) is not None for rate, least in rates):
        return None
    return DANGER, facts(
        full_percent=c.psi_full_percent, of=c.psi_of or "this machine", refault_per_s=c.refault_per_s or None
    )


def swap(c: FindingInputs) -> Found:
    """Memory on swap: a warning if it is being read back, a note if it is idle."""
    if c.swap is None or c.swap <= 100 * MIB or c.swap_in_per_s is None:
        return None
    if (c.majflt_per_s or 0) > 10 and c.swap_in_per_s > 50:
        return WARNING, facts(swap_bytes=c.swap, swap_in_per_s=c.swap_in_per_s)
    if c.swap_in_per_s >= 1:
        return None
    return NOTE, facts(swap_bytes=c.swap, **{"uncounted" if c.zswap_uncounted else "idle": "yes"})


def cow_lost(c: FindingInputs) -> Found:
    """Memory shared with parent or siblings that copy on write makes private."""
    if c.unshared is None or c.unshared <= 20 * MIB or (c.minflt_per_s or 0) <= 1000:
        return None
    if c.still_shared is not None and c.unshared <= 0.1 * (c.still_shared + c.unshared):
        return None
    return WARNING, facts(copied_bytes=c.unshared, more_bytes=c.still_shared, past_s=c.unshared_past_s)


def minor(cause: Cause) -> Callable[[FindingInputs], Found]:
    """The finding for one cause of minor faults."""
    return lambda c: (NOTE, facts(minflt_per_s=c.minflt_per_s)) if c.minor_cause is cause else None


def major(cause: Cause) -> Callable[[FindingInputs], Found]:
    """The finding for one cause of major faults."""

    def find(c: FindingInputs) -> Found:
        if c.major_cause is not cause:
            return None
        return NOTE, facts(majflt_per_s=c.majflt_per_s, refault_per_s=c.refault_per_s, swap_in_per_s=c.swap_in_per_s)

    return find
