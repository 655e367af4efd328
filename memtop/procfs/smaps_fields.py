"""Lines of smaps and smaps_rollup: the header of a mapping, and a field with its value; proc_pid_smaps(5)."""

from __future__ import annotations

import re

HEADER = re.compile(
    rb"([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([^ ]{4,8}) ([0-9a-f]{1,16}) ([0-9a-f]+:[0-9a-f]+) (\d{1,20})(?: +(.*))?\Z",
    re.S,
)
FIELD = re.compile(rb"([A-Za-z][A-Za-z0-9_]*):[ \t]*(.*?)[ \t]*\Z", re.S)
_NUMBER = re.compile(rb"(\d{1,20})( kB)?\Z")

Value = int | str | frozenset[str] | None
"""Bytes for fields in kB, a number for fields without a unit, the set of VmFlags, text for anything else."""


def value_of(name: bytes, text: bytes) -> Value:
    """The value of a field from its text."""
    if name == b"VmFlags":
        return frozenset(text.decode("ascii", "replace").split())
    number = _NUMBER.match(text)
    if number is None:
        return text.decode("utf-8", "backslashreplace")
    return int(number[1]) * (1024 if number[2] else 1)
