"""What may be typed into the questions of the screen."""

from __future__ import annotations

import pytest

from memtop.errors import UsageError
from memtop.tui.dialogs.dialog import whole_number


@pytest.mark.parametrize(("text", "number"), [("-20", -20), ("0", 0), ("19", 19), ("007", 7)])
def test_a_whole_number_is_understood(text: str, number: int) -> None:
    assert whole_number(text, -20, 19) == number


@pytest.mark.parametrize("text", ["", "-", "--5", "5-", "9" * 4400, "20", "-21", "1.5", "\u0665", "\u00b2", "1\n"])
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(UsageError, match="from -20 to 19"):
        whole_number(text, -20, 19)
