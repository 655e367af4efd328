"""What is said below the list of processes that have ended: ends that were not seen are not said to be none."""

from __future__ import annotations

import pytest

from memtop.tui.dialogs.ended_list import words_below


@pytest.mark.parametrize(
    ("only", "kills", "words"),
    [
        (None, 0, ""),
        (None, 2, "OOM kills that the kernel has counted: 2; of 2 no end was seen."),
        (None, None, "does not say how many processes the OOM killer has ended"),
        (3, 0, "Only the 3 that were asked for are read"),
    ],
)
def test_kills_that_were_not_seen_are_counted(only: int | None, kills: int | None, words: str) -> None:
    said = words_below((), only, kills)
    assert words in said
    assert ("OOM kill" in said) is (kills != 0)
