"""Text that fills an exact number of cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from memtop.sanitize import clean
from memtop.tui.drawing.cell_text import fit, to_ascii, whole_words


@given(st.text(max_size=60).map(clean), st.integers(0, 30), st.booleans())
def test_any_cleaned_text_fills_exactly_its_cells(text: str, width: int, left: bool) -> None:
    assert cell_len(fit(text, width, left)) == width


def test_a_pile_of_marks_that_take_no_cell_is_cut() -> None:
    assert len(fit("e" + "\u0301" * 50_000, 10)) <= 50


@given(st.text(max_size=60))
def test_ascii_form_of_any_text_is_ascii(text: str) -> None:
    assert to_ascii(text).isascii()


@pytest.mark.parametrize(
    ("text", "width", "left", "expected"),
    [
        ("212M", 6, False, "  212M"),
        ("app", 6, True, "app   "),
        ("postgres", 6, True, "postg…"),
        ("日本語", 6, True, "日本語"),
        ("日本語", 5, True, "日本…"),
        ("日本語", 4, True, "日 …"),
        ("x", 0, True, ""),
        ("xy", 1, True, "…"),
    ],
)
def test_text_is_padded_on_its_free_side_or_cut(text: str, width: int, left: bool, expected: str) -> None:
    assert fit(text, width, left) == expected


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("Set a mark (m) and see which region grows", 60, "Set a mark (m) and see which region grows"),
        ("See which region grows; then compare two profiles", 36, "See which region grows …"),
        ("OOM-killed (certain). Evidence: the signal was SIGKILL.", 40, "OOM-killed (certain). …"),
        ("Unknown whether a limit is near: its cgroup has not been read", 40, "Unknown whether a limit is near …"),
        ("It runs a version of a library that is old", 20, "It runs a version …"),
        ("/a/very/long/path/without/words", 12, "/a/very/lon…"),
        ("日本語 日本語 日本語", 12, "日本語 …"),
        ("a verdict takes about 90 s from the start", 28, "a verdict takes about 90 s …"),
        ("a verdict takes about 90 s from the start", 27, "a verdict takes about …"),
    ],
)  # fmt: skip
def test_prose_is_cut_between_words_and_better_between_sentences(text: str, width: int, expected: str) -> None:
    assert whole_words(text, width) == expected


@given(st.text(max_size=80).map(clean), st.integers(1, 40))
def test_cut_prose_never_leaves_its_line(text: str, width: int) -> None:
    assert cell_len(whole_words(text, width)) <= width


def test_arrow_keys_are_words_in_ascii_since_a_caret_would_be_read_as_ctrl() -> None:
    assert to_ascii("← → Step, ↑ ↓ move") == "Left Right Step, Up Down move"
