"""Small JSON values between the blocking thread, recordings and decoders. The decoders trust nothing in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, TypeVar

from memtop.errors import ParseError
from memtop.sanitize import clean

LONGEST: Final = 400
"""Most characters of a text."""
_LARGEST: Final = 1 << 57

Kind = TypeVar("Kind", bound=Enum)


def dumps(value: object) -> bytes:
    """A value as compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def loads(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises ParseError."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ParseError("runtime", "not what was recorded") from error
    if not isinstance(found, dict):
        raise ParseError("runtime", "not what was recorded")
    return found


def text(found: Mapping[str, Any], key: str, longest: int = LONGEST) -> str:
    """A cleaned text; empty if there is none."""
    value = found.get(key)
    if not isinstance(value, str):
        return ""
    return "\n".join("\t".join(map(clean, line.split("\t"))) for line in value[:longest].split("\n"))


def member(kind: type[Kind], value: object) -> Kind | None:
    """The member of an enum with this value; None if there is none."""
    return next((each for each in kind if each.value == value), None)


def whole(value: object) -> bool:
    """Whether this is a possible number of bytes."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def number(value: object) -> bool:
    """Whether this is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def json_number(value: float | str | None) -> float | str | None:
    """A figure for memtop's own JSON: null for infinite; an integer if it has no fraction."""
    if isinstance(value, float):
        return None if abs(value) == float("inf") else int(value) if value == int(value) else round(value, 6)
    return value
