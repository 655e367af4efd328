"""Text that fills an exact number of cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from memtop.sanitize import clean
from memtop.tui.drawing.cell_text import fit, to_ascii


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
