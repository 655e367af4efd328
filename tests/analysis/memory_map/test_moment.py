"""Whether a sentence about a reading must speak of then."""

from __future__ import annotations

import pytest

from memtop.analysis.memory_map.moment import NEW_S, Moment


@pytest.mark.parametrize(
    ("then_bytes", "age_s", "now_bytes", "past_s"),
    [
        (100, 300.0, 101, None),
        (100, 300.0, 110, 300.0),
        (100, 300.0, 90, 300.0),
        (100, 0.5, 110, 0.5),
        (100, 300.0, None, None),
        (None, NEW_S, 100, None),
        (None, NEW_S + 0.5, 100, NEW_S + 0.5),
    ],
)
def test_a_reading_is_of_then_if_res_has_moved_or_may_have(
    then_bytes: int | None, age_s: float, now_bytes: int | None, past_s: float | None
) -> None:
    assert Moment(1000.0, then_bytes).past_s(1000.0 + age_s, now_bytes) == past_s
