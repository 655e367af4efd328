"""The rule on GOMEMLIMIT, at each of its bounds."""

from __future__ import annotations

import math

import pytest

from memtop.analysis.limits.gomemlimit import LimitFit, goal_is_near, limit_fit

MIB = 1 << 20
FULL = 90 * MIB


@pytest.mark.parametrize(
    ("held", "gc_per_s", "minflt_per_s", "fit"),
    [
        (FULL, 10.1, 10_001.0, LimitFit.BELOW_NEED),
        (FULL, 10.0, 10_001.0, LimitFit.FITS),
        (FULL, 10.1, 10_000.0, LimitFit.FITS),
        (FULL - 1, 10.1, 10_001.0, LimitFit.FITS),
        (FULL, 10.1, None, LimitFit.BELOW_NEED),
        (None, 10.1, 10_001.0, LimitFit.BELOW_NEED),
        (None, 10.1, None, LimitFit.FITS),
        (FULL, None, 10_001.0, LimitFit.FITS),
    ],
)
def test_a_limit_is_too_low_where_all_that_is_known_says_so(
    held: int | None, gc_per_s: float | None, minflt_per_s: float | None, fit: LimitFit
) -> None:
    assert limit_fit(100.0 * MIB, None, held_bytes=held, gc_per_s=gc_per_s, minflt_per_s=minflt_per_s) is fit


def test_a_limit_that_is_too_low_is_not_also_too_high() -> None:
    found = limit_fit(100.0 * MIB, 50 * MIB, held_bytes=FULL, gc_per_s=11.0, minflt_per_s=20_000.0)
    assert found is LimitFit.BELOW_NEED


@pytest.mark.parametrize(
    ("limit", "goal", "container", "near"),
    [
        (math.inf, 82.0, 100, True),
        (math.inf, 81.0, 100, False),
        (1000.0, 82.0, 100, False),
        (None, 82.0, 100, False),
        (math.inf, None, 100, False),
        (math.inf, 82.0, None, False),
    ],
)
def test_a_goal_is_near_where_no_limit_of_go_keeps_it_away(
    limit: float | None, goal: float | None, container: int | None, near: bool
) -> None:
    assert goal_is_near(limit, goal, container) is near
