"""Codes a text by the numbers in it that differ from those of an earlier text: most files of /proc change so.

For each number that differs: how many that do not are before it, then its change, both as numbers of 7 bits a byte, the
lowest first. The change is doubled, with the sign in the lowest bit; below it is whether the width is kept in place of
the spaces before the number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import compress, count
from operator import ne
from typing import Final

from memtop.errors import DamagedError

LENGTH_LIMIT: Final = 32_768
"""Longest text that is coded, in bytes."""
_DIGITS_LIMIT: Final = 40
"""Most digits of a number that is coded by its change."""
_CHANGE_LIMIT: Final = 1 << 70
_NUMBER: Final = re.compile(rb"( *[0-9]+)")
_DIGITS: Final = frozenset(b"0123456789")
_SPACE: Final = 0x20
_NUMBERS_ONLY: Final = bytes(byte if byte in _DIGITS else 32 for byte in range(256))
_ZEROS: Final = bytes(48 if byte in _DIGITS else byte for byte in range(256))


def encode_changes_of(data: bytes, basis: bytes) -> bytes | None:
    """What turns ``basis`` into ``data``; None where more than numbers differ."""
    if max(len(data), len(basis)) > LENGTH_LIMIT:
        return None
    has_same_digits = len(data) == len(basis) and data.translate(_ZEROS) == basis.translate(_ZEROS)
    old, new = basis.translate(_NUMBERS_ONLY).split(), data.translate(_NUMBERS_ONLY).split()
    if len(new) != len(old):
        return None
    if not has_same_digits and _without_numbers(basis) != _without_numbers(data):  # or by spaces: 3 times as expensive
        old, new = _NUMBER.split(basis), _NUMBER.split(data)
        if new[::2] != old[::2]:
            return None
        old, new = old[1::2], new[1::2]
    coded, next_place = bytearray(), 0
    for place in compress(count(), map(ne, old, new)):
        before, after = old[place], new[place]
        if len(before) > _DIGITS_LIMIT or len(after) > _DIGITS_LIMIT:
            return None
        number = int(after)
        change = number - int(before)
        if abs(change) >= _CHANGE_LIMIT:
            return None
        size = (change << 2) if change >= 0 else (-change << 2) | 2
        if before[0] == _SPACE or b"%d" % number != after:  # there are spaces or zeros before one of them
            keeps_width = _with(before, change, keeps_width=False) != after
            if keeps_width and _with(before, change, keeps_width=True) != after:
                return None
            size |= keeps_width
        unchanged, next_place = place - next_place, place + 1
        if unchanged < 0x80 and size < 0x4000:
            coded.append(unchanged)
            if size > 0x7F:
                coded.append(0x80 | size & 0x7F)
                size >>= 7
            coded.append(size)
        else:
            _add(coded, unchanged)
            _add(coded, size)
    return bytes(coded)


def decode_changes_of(coded: bytes, basis: bytes) -> bytes:
    """The inverse of :func:`encode_changes_of`. Raises DamagedError or IndexError."""
    if len(basis) > LENGTH_LIMIT:
        raise DamagedError("a value is stored in an unknown way")
    changes = list(_changes(coded))
    if any(keeps_width for _, _, keeps_width in changes):
        parts = _NUMBER.split(basis)
    else:  # the same, apart from spaces before numbers, at a fifth of the cost
        numbers = basis.translate(_NUMBERS_ONLY).split()
        parts = [b""] * (2 * len(numbers) + 1)
        if numbers:
            parts[::2], parts[1::2] = _without_numbers(basis), numbers
    for place, change, keeps_width in changes:
        parts[place] = _with(_checked(parts[place]), change, keeps_width=keeps_width)
    return b"".join(parts) if changes else basis


def decode_several_changes(several: Sequence[bytes], basis: bytes) -> bytes:
    """The last of some texts, each of which is coded by the one before, the first by ``basis``.

    Raises DamagedError or IndexError.
    """
    if len(basis) > LENGTH_LIMIT:
        raise DamagedError("a value is stored in an unknown way")
    parts = _NUMBER.split(basis)
    for coded in several:
        for place, change, keeps_width in _changes(coded):
            parts[place] = _with(_checked(parts[place]), change, keeps_width=keeps_width)
    return b"".join(parts)


def _changes(coded: bytes) -> Iterator[tuple[int, int, bool]]:
    """Which part of a text changes, by how much, and whether its width is kept."""
    at, place = 0, 1
    while at < len(coded):
        unchanged, at = _take(coded, at)
        number, at = _take(coded, at)
        place += 2 * unchanged
        change = number >> 2
        yield place, -change if number & 2 else change, bool(number & 1)
        place += 2


def _without_numbers(text: bytes) -> list[bytes]:
    """What is between the numbers. Empty at the start or the end where a number stands there."""
    parts = text.translate(_ZEROS).split(b"0")
    return [parts[0], *filter(None, parts[1:-1]), parts[-1]]


def _with(before: bytes, change: int, *, keeps_width: bool) -> bytes:
    digits = b"%d" % (int(before) + change)
    if keeps_width:
        return digits.rjust(len(before))
    return before[: before.count(b" ")] + digits


def _checked(number: bytes) -> bytes:
    """A number with the spaces before it. Raises DamagedError if it has too many digits."""
    if len(number) > _DIGITS_LIMIT and len(number.lstrip()) > _DIGITS_LIMIT:
        raise DamagedError("a number is too long")
    return number


def _add(coded: bytearray, number: int) -> None:
    while number > 0x7F:
        coded.append(0x80 | number & 0x7F)
        number >>= 7
    coded.append(number)


def _take(coded: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = coded[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
        if shift > 77:
            raise DamagedError("a number is too long")
