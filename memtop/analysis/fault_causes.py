"""Infers the likely cause of minor and major page faults from related rates.

Minor faults are first touches, copies and pages mapped again. Major faults waited for storage, or were retried. No rate
of faults is an allocation rate.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from memtop.procfs.statm import page_bytes

MANY_MINOR_PER_S: Final = 1000.0
SOME_MAJOR_PER_S: Final = 10.0
MANY_REFAULTS_PER_S: Final = 1000.0
"""Rate of evicted pages that come back. Below it a cache may just be cold."""
_SWAP_IN_PAGES_PER_S: Final = 50.0
_FIRST_TOUCH_SHARE: Final = 0.5
_CHURN_SHARE: Final = 0.1


class Cause(Enum):
    """The cause of most faults of a process, by evidence."""

    FIRST_TOUCH = "first_touch"
    """Its memory grew by about as many pages."""
    COPY_ON_WRITE = "copy_on_write"
    """Memory that it shared with its parent was copied."""
    CHURN = "churn"
    """Pages came and its memory did not grow: given back and allocated again, copies, or files mapped again."""
    SWAP_IN = "swap_in"
    REFAULT = "refault"
    """Pages of files were evicted and are read again."""
    COLD_FILES = "cold_files"
    """Pages are read from storage, without any sign that they were in memory before."""


def minor_cause(
    minflt_per_s: float | None, grown_bytes_per_s: float | None, unshared_bytes_per_s: float | None = None
) -> Cause | None:
    """The cause of the minor faults; None if they are few, or if the cause is unclear.

    ``grown_bytes_per_s`` is the change of anonymous and shared memory. ``unshared_bytes_per_s`` is the rate at which
    shared dirty memory becomes private, if smaps was read.
    """
    if minflt_per_s is None or minflt_per_s < MANY_MINOR_PER_S or grown_bytes_per_s is None:
        return None
    faulted_bytes_per_s = minflt_per_s * page_bytes()
    if unshared_bytes_per_s is not None and unshared_bytes_per_s > _FIRST_TOUCH_SHARE * faulted_bytes_per_s:
        return Cause.COPY_ON_WRITE
    if grown_bytes_per_s > _FIRST_TOUCH_SHARE * faulted_bytes_per_s:
        return Cause.FIRST_TOUCH
    return Cause.CHURN if grown_bytes_per_s < _CHURN_SHARE * faulted_bytes_per_s else None


def major_cause(
    majflt_per_s: float | None,
    swap_in_pages_per_s: float | None,
    refault_per_s: float | None,
    swapped_bytes: int | None,
) -> Cause | None:
    """The cause of the major faults; None if they are few. ``refault_per_s`` is of its cgroup, or of the machine.

    A large number of refaults is enough evidence, because read-ahead hides most of them from the fault counters.
    """
    swaps = (swap_in_pages_per_s or 0.0) >= _SWAP_IN_PAGES_PER_S
    if swapped_bytes and swaps and (majflt_per_s or 0.0) >= SOME_MAJOR_PER_S:
        return Cause.SWAP_IN
    if refault_per_s is not None and refault_per_s >= MANY_REFAULTS_PER_S:
        return Cause.REFAULT
    if majflt_per_s is not None and majflt_per_s >= SOME_MAJOR_PER_S:
        return Cause.COLD_FILES
    return None
