"""What is said below the list of processes that have ended: ends that were not seen are not said to be none."""

from __future__ import annotations

import pytest

from memtop.tui.dialogs.ended_list import words_below

EARLIER = "2 OOM kills before memtop started: see dmesg -T"


@pytest.mark.parametrize(
    ("only", "kills", "words"),
    [
        (None, 0, ""),
        (None, 2, "The kernel counted 2 OOM kills; memtop saw no end for 2."),
        (None, None, "does not say how many processes the OOM killer has ended"),
        (3, 0, "Only the 3 processes that you asked for are read; a reads all."),
    ],
)
def test_kills_that_were_not_seen_are_counted(only: int | None, kills: int | None, words: str) -> None:
    said = words_below((), only, kills)
    assert words in said
    assert ("OOM kill" in said) is (kills != 0)


def test_kills_before_memtop_started_are_said_below_the_list() -> None:
    assert "2 OOM kills before memtop started: see dmesg -T.\n" in words_below((), None, 0, EARLIER)
    assert "before" not in words_below((), None, 0)
