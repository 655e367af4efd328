"""What the screen says of the end of a recording that is still being written."""

from __future__ import annotations

import pytest

from memtop.sources.protocol import Growth
from memtop.tui.app.tail import tail_state, tail_words


@pytest.mark.parametrize(
    ("growth", "says"),
    [
        (None, ""),
        (Growth(True, 2.9, 0.5), ""),
        (Growth(True, 3.5, 0.5), "NO SAMPLE FOR 4 s"),
        (Growth(True, 100.0, 60.0), ""),  # it comes once a minute
        (Growth(True, 200.0, 60.0), "NO SAMPLE FOR 3 min"),
        (Growth(True, 5.0, None), ""),  # it is not known how often it comes
        (Growth(False, 500.0, 1.0, "the end of the stream"), ""),
        (Growth(False, 5.0, 1.0, "the stream broke off", is_broken=True), "the stream broke off. The last sample came"),
    ],
)
def test_a_stall_and_a_break_are_said(growth: Growth | None, says: str) -> None:
    words = tail_words(growth)
    assert says in words and bool(says) == bool(words)


def test_the_header_says_whether_new_samples_are_shown() -> None:
    assert tail_state(None, follows=True) == ""
    assert tail_state(Growth(True, 0.0, 1.0), follows=True) == "FOLLOWING"
    assert tail_state(Growth(True, 0.0, 1.0), follows=False) == "BEING WRITTEN"
    assert tail_state(Growth(False, 0.0, 1.0, "the end"), follows=True) == "ENDED"
