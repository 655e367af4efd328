"""Answers of many processes, coded by the bits that differ, come back as they were."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.errors import RecordingError
from memtop.sources.recording.bits import decode_bits, decode_bits_of, encode_bits

ANSWERS = st.dictionaries(st.integers(0, 2**32 - 1), st.none() | st.binary(max_size=5), max_size=8)


@given(ANSWERS, ANSWERS)
def test_what_is_decoded_is_what_was_encoded(changes: dict[int, bytes | None], known: dict[int, bytes | None]) -> None:
    assert decode_bits(encode_bits(changes, [*map(known.get, changes)]), known.get) == changes


@given(ANSWERS, ANSWERS)
def test_what_is_fitted_is_decoded_as_it_was(changes: dict[int, bytes | None], known: dict[int, bytes | None]) -> None:
    coded = encode_bits(changes, [*map(known.get, changes)], is_fitted=True)
    assert decode_bits(coded, known.get, is_fitted=True) == changes


def test_what_has_become_longer_or_shorter_is_zeros_as_well_where_it_is_fitted() -> None:
    known: dict[int, bytes | None] = {1: b"switches: 9\n", 2: b"switches: 10\n"}
    changes: dict[int, bytes | None] = {1: b"switches: 10\n", 2: b"switches: 9\n"}
    coded = encode_bits(changes, [*map(known.get, changes)], is_fitted=True)
    payload = coded[4 + 8 * len(changes) :]
    assert payload == bytes(10) + b"\x08:\x0a" + bytes(10) + b"\x08\x3a"


def test_what_stays_is_zeros_where_the_length_is_the_same() -> None:
    known: dict[int, bytes | None] = {1: b"RSS 100 kB", 2: b"RSS 999 kB", 3: None}
    changes: dict[int, bytes | None] = {1: b"RSS 101 kB", 2: b"RSS 1000 kB", 3: b"RSS 7 kB"}
    coded = encode_bits(changes, [*map(known.get, changes)])
    assert coded.endswith(bytes(6) + b"\1" + bytes(3) + b"RSS 1000 kBRSS 7 kB")
    assert decode_bits_of(b"\0\1", b"ab") == b"ac"
    assert decode_bits_of(b"ac", b"abc") == decode_bits_of(b"ac", None) == b"ac"


@pytest.mark.parametrize("cut", [1, 5, 12, 20])
def test_what_is_cut_is_an_error(cut: int) -> None:
    coded = encode_bits({1: b"abc", 2: b"d"}, [None, None])
    with pytest.raises((RecordingError, struct.error)):
        decode_bits(coded[:-cut], lambda pid: None)
