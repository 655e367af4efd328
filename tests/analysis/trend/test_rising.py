"""A rise that is followed from sample to sample."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from memtop.analysis.trend.rising import QUIET_S, Rise, follow_rise, most_quiet_s

MIB = 1 << 20


def followed(*sizes_mib: float, step_s: float = 1.0) -> Rise | None:
    """What stands after these sizes, ``step_s`` apart, from 100 s on."""
    rise: Rise | None = None
    sizes = [round(size * MIB) for size in sizes_mib]
    for number in range(1, len(sizes)):
        at_s = 100.0 + number * step_s
        rise = follow_rise(rise, at_s - step_s, sizes[number - 1], at_s, sizes[number])
    return rise


def test_it_begins_at_the_last_sample_before_and_counts_new_highs() -> None:
    assert followed(10, 10, 11, 11, 13) == Rise(101.0, 10 * MIB, 13 * MIB, 104.0, 2)


def test_its_pace_is_that_of_what_was_seen() -> None:
    rise = followed(10, 12, 14)
    assert rise is not None and (rise.size_bytes, rise.span_s, rise.bytes_per_s) == (4 * MIB, 2.0, 2 * MIB)


@pytest.mark.parametrize("sizes", [(10,), (10, 10), (10, 8), (10, 20, 14), (10, 20, 5)])
def test_what_is_level_falls_or_has_lost_most_of_its_gain_is_no_rise(sizes: Sequence[float]) -> None:
    assert followed(*sizes) is None


def test_a_small_drop_ends_nothing() -> None:
    rise = followed(10, 20, 18, 21)
    assert rise is not None and rise.size_bytes == 11 * MIB


def test_without_a_new_high_it_is_over_after_a_while_which_is_longer_between_samples_far_apart() -> None:
    assert (most_quiet_s(1.0), most_quiet_s(10.0)) == (QUIET_S, 25.0)
