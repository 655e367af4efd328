"""Numbers of mappings and threads that rise steadily toward their limit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from memtop.analysis.limits.count_rise import find_rise


@pytest.mark.parametrize(
    ("numbers", "step_s", "full_s"),
    [
        ([100, 200, 300], 30.0, 210.0),
        ([100, 200, 300, 400], 30.0, 180.0),
        ([300, 310, 298, 420, 415, 430, 540, 545, 560], 10.0, 80 * 440 / 260),
        ([100, 300, 500, 1000], 30.0, 0.0),
        ([100, 200], 60.0, None),
        ([100, 200, 300], 20.0, None),
        ([100, 130, 160, 190], 30.0, None),
        ([100, 900, 905, 910], 30.0, None),
        ([500, 500, 500, 500], 30.0, None),
        ([500, 400, 300, 200], 30.0, None),
        ([100, 400, 100, 400, 100, 400], 30.0, None),
    ],
    ids=["first", "even", "jitter", "full", "two", "short", "small", "a start", "same", "falls", "swings"],
)
def test_a_steady_rise_has_the_time_that_is_left(numbers: Sequence[int], step_s: float, full_s: float | None) -> None:
    readings = [(1000.0 + step_s * place, number) for place, number in enumerate(numbers)]
    found = find_rise(readings, "pids of app", 1000, "no thread starts")
    assert (found.full_s if found is not None else None) == pytest.approx(full_s)
    if found is not None:
        assert (found.used, found.size) == (numbers[-1], numbers[-1] - numbers[0])


def test_a_limit_of_0_has_no_rise() -> None:
    assert find_rise([(0.0, 0), (50.0, 0), (100.0, 0)], "pids of app", 0, "no thread starts") is None
