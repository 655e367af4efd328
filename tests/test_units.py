"""Numbers as text, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop import units

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (None, "–"),
        (0, "0"),
        (1, "1B"),
        (999, "999B"),
        (1000, "0.98K"),
        (1024, "1.00K"),
        (4096, "4.00K"),
        (212 * MIB, "212M"),
        (999 * KIB, "999K"),
        (1000 * KIB, "0.98M"),
        (int(1.24 * GIB), "1.24G"),
        (12 << 40, "12.0T"),
        (-3 * MIB, "-3.00M"),
        (-0.4, "0"),
    ],
)
def test_a_size_in_a_cell(size_bytes: float | None, text: str) -> None:
    assert units.size(size_bytes) == text


@given(st.integers(-(2**63), 2**63) | st.floats(-(2.0**63), 2.0**63))
def test_every_size_fits_its_cell_and_says_three_digits_of_the_truth(size_bytes: float) -> None:
    text = units.size(size_bytes)
    assert len(text.lstrip("-")) <= 5
    assert len(units.signed_size(size_bytes)) <= 7
    assert units.parse_size(text.lstrip("-")) == pytest.approx(abs(size_bytes), rel=0.006, abs=1)


@given(st.integers(0, 2**63), st.integers(0, 2**63))
def test_a_larger_size_never_looks_smaller(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert units.parse_size(units.size(low)) <= units.parse_size(units.size(high))


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(None, "–"), (0, "0 B"), (12, "12 B"), (212 * MIB, "212 MiB"), (int(1.24 * GIB), "1.24 GiB"), (-MIB, "-1.00 MiB")],
)
def test_a_size_in_a_sentence(size_bytes: float | None, text: str) -> None:
    assert units.long_size(size_bytes) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(None, "–"), (0, "0"), (12.4 * MIB, "+12.4M"), (-3 * MIB, "-3.00M"), (0.2, "0")]
)
def test_a_change_has_a_sign(size_bytes: float | None, text: str) -> None:
    assert units.signed_size(size_bytes) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0, "0"),
        (12, "12"),
        (0.5, "0.5"),
        (9.97, "10"),
        (3100.4, "3100"),
        (9_999.6, "10.0k"),
        (1.2e6, "1.2M"),
    ],
)
def test_a_count(number: float | None, text: str) -> None:
    assert units.count(number) == text


@given(st.integers(0, 10**20) | st.floats(0, 1e20))
def test_every_count_fits_its_cell(number: float) -> None:
    assert len(units.count(number)) <= 5


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "0.0"), (12.34, "12.3"), (99.96, "100"), (103.0, "103")]
)
def test_a_percentage(value: float | None, text: str) -> None:
    assert units.percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.2, "0 s"),
        (8, "8 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3 * 3600 + 720, "3 h 12 min"),
        (5 * 86_400 + 7200, "5 d 2 h"),
        (5 * 86_400, "5 d"),
    ],
)
def test_a_duration_in_at_most_two_units(seconds: float | None, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("4096", 4096),
        ("500m", 500 * MIB),
        ("1.5G", 1.5 * GIB),
        (" 2 GiB ", 2 * GIB),
        ("3kb", 3 * KIB),
        ("7b", 7),
        (".5m", 512 * KIB),
        ("1E", 2**60),
    ],
)
def test_sizes_that_people_type(text: str, size_bytes: float) -> None:
    assert units.parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "m", "-5", "1e5", "5x", "5 m m", "nan", "inf", "5bb", "5ib", "٣", "1_0"])
def test_what_is_no_size_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0.5", 0.5), (".5", 0.5), ("500ms", 0.5), ("2s", 2), ("5m", 300), ("1H", 3600), ("1min", 60)]
)
def test_durations_that_people_type(text: str, seconds: float) -> None:
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "5x", "nan", "1e3", "5\u017f", "5m\u0131n", "1 2"])
def test_what_is_no_duration_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        units.parse_duration(text)


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "sample", "0 samples"),
        (1, "sample", "1 sample"),
        (1, "process", "1 process"),
        (2, "process", "2 processes"),
        (1234, "OOM kill", "1,234 OOM kills"),
        (None, "thread", "– threads"),
    ],
)
def test_a_count_has_its_noun_in_the_singular_or_plural(number: int | None, noun: str, text: str) -> None:
    assert units.counted(number, noun) == text
