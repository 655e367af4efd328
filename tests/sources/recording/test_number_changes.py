"""A text coded by the numbers that changed in it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.errors import RecordingError
from memtop.sources.recording.number_changes import decode_changes_of, encode_changes_of

TEXT = b"MemFree:        1234 kB\nMemAvailable:   9999 kB\nnr_free 007\nnr 0\n"


@pytest.mark.parametrize(
    ("data", "most"),
    [
        (TEXT, 0),
        (TEXT.replace(b"1234", b"1235"), 2),
        (TEXT.replace(b"9999", b"0") + b"", 5),
        (TEXT.replace(b"   9999", b"  10001"), 3),  # aligned to the right
        (TEXT.replace(b"nr 0", b"nr 18446744073709551615"), 12),
        (TEXT.replace(b"1234", b"99").replace(b"9999", b"1"), 8),
    ],
)
def test_numbers_that_changed_are_few_bytes(data: bytes, most: int) -> None:
    coded = encode_changes_of(data, TEXT)
    assert coded is not None and len(coded) <= most
    assert decode_changes_of(coded, TEXT) == data


@pytest.mark.parametrize("data", [b"", TEXT + b"more", TEXT.replace(b"kB", b"KB"), TEXT.replace(b"007", b"008")])
def test_other_changes_are_left_to_others(data: bytes) -> None:
    assert encode_changes_of(data, TEXT) is None


NUMBERS = st.lists(
    st.sampled_from([b"0", b"7", b" 7", b"10", b"  10", b"99", b"-3", b"x", b"08", b"1" * 25, b"9" * 30])
)


@given(NUMBERS, NUMBERS)
def test_whatever_is_coded_is_given_back(old: list[bytes], new: list[bytes]) -> None:
    basis, data = b"|".join(old), b"|".join(new)
    coded = encode_changes_of(data, basis)
    assert coded is None or decode_changes_of(coded, basis) == data


@given(st.binary(max_size=30), st.binary(max_size=60))
def test_hostile_codes_are_bytes_or_one_of_two_errors(coded: bytes, basis: bytes) -> None:
    with suppress(RecordingError, IndexError):
        assert len(decode_changes_of(coded, basis)) <= len(basis) + 45 * len(coded)
