"""Values of recorded JSON, which may be anything."""

from __future__ import annotations

from memtop.runtimes.small_json import LONGEST, text


def test_of_a_very_long_text_the_beginning_is_taken() -> None:
    assert text({"version": "x" * 10_000}, "version") == "x" * LONGEST
    assert text({"version": "x" * 10_000}, "version", 7) == "x" * 7
    assert text({"version": 7}, "version") == ""
