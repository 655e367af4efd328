"""What faults were for."""

from __future__ import annotations

import pytest

from memtop.analysis.fault_causes import Cause, major_cause, minor_cause
from memtop.procfs.statm import OWN_PAGE_BYTES


@pytest.mark.parametrize(
    ("minflt", "grown_pages", "unshared_pages", "says"),
    [
        (2000.0, 1500.0, None, Cause.FIRST_TOUCH),
        (2000.0, 0.0, None, Cause.CHURN),
        (2000.0, -50.0, None, Cause.CHURN),
        (2000.0, 600.0, None, None),
        (2000.0, 0.0, 1500.0, Cause.COPY_ON_WRITE),
        (999.0, 999.0, None, None),
        (None, 0.0, None, None),
        (2000.0, None, None, None),
    ],
)
def test_minor_faults(
    minflt: float | None, grown_pages: float | None, unshared_pages: float | None, says: Cause | None
) -> None:
    grown = None if grown_pages is None else grown_pages * OWN_PAGE_BYTES
    unshared = None if unshared_pages is None else unshared_pages * OWN_PAGE_BYTES
    assert minor_cause(minflt, grown, unshared) is says


@pytest.mark.parametrize(
    ("majflt", "swap_in", "refaults", "swapped", "says"),
    [
        (20.0, 60.0, 0.0, 1 << 20, Cause.SWAP_IN),
        (20.0, 60.0, 0.0, 0, Cause.COLD_FILES),
        (0.0, 0.0, 268_000.0, 0, Cause.REFAULT),
        (9.0, 0.0, 999.0, 0, None),
        (None, None, None, None, None),
    ],
)
def test_major_faults(
    majflt: float | None, swap_in: float | None, refaults: float | None, swapped: int | None, says: Cause | None
) -> None:
    assert major_cause(majflt, swap_in, refaults, swapped) is says
