"""While a filter is typed it is said what its last word is, and names of columns are completed."""

from __future__ import annotations

from string import ascii_lowercase

import pytest

from memtop.filter_hint import completion, filter_hint, unknown_columns


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", ""),  # what may be typed is in the empty line itself
        ("rss>1g ", "another term: all must match"),
        ("!^python", "regular expression, to the end of the line"),
        ("rss>", "rss: a size such as 500m or 1.5g; > < ="),
        ("nginx user=a", "user: the whole word; = or !="),
        ("majflt>1", "majflt: a number; > < ="),
        ("namespace=shop", "no column namespace: searched as text; a column is name"),
        ("zzz", "text"),
    ],
)
def test_the_last_word_is_explained(typed: str, says: str) -> None:
    assert filter_hint(typed) == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("uesr=app rss>1m", ["uesr=app: no column uesr: searched as text; a column is user"]),
        ("env=prod", ["env=prod: no column env: searched as text"]),
        ("!env=prod", []),
        ("nginx --port=80 user=app", []),
    ],
)
def test_a_term_of_no_column_is_said_to_be_searched_as_text(text: str, says: list[str]) -> None:
    assert unknown_columns(text) == says


def test_the_beginning_of_a_column_names_the_columns_that_it_may_be() -> None:
    assert filter_hint("api us").startswith("text; or a column: us")
    assert "user=" in filter_hint("us")


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("majf", "majflt>"),
        ("api use", "api user="),
        ("r", None),
        ("rss>5", None),
        ("!maj", None),
        ("zzz", None),
        ("", None),
    ],
)
def test_a_column_is_completed_from_two_letters_on(typed: str, whole: str | None) -> None:
    assert completion(typed) == whole


@pytest.mark.parametrize("letter", ascii_lowercase)
def test_of_many_columns_that_begin_so_some_are_named(letter: str) -> None:
    for groups in (False, True):
        assert filter_hint(letter, groups=groups).count(", ") < 6
