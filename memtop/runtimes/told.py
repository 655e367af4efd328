"""What the slow threads hand over about a runtime, as small JSON: all that is known of it, and all that is recorded.

Environments, command lines and a program's own metrics hold secrets, and a JVM's counters hold paths. So they are read
and understood where they are met, and only the figures named here go on. Whoever decodes them trusts nothing: a
recording may have been made by anybody. What only one kind of runtime needs is imported with the first of that kind.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtop.errors import ParseError
from memtop.sanitize import clean

if TYPE_CHECKING:
    from typing import TypeVar

    from memtop.runtimes.go.buildinfo import GoBuild
    from memtop.runtimes.go.heap import GoHeap
    from memtop.runtimes.jvm.heap import JvmHeap
    from memtop.runtimes.native.recognition import Arenas, Native

    Kind = TypeVar("Kind", bound=Enum)

_COUNTERS: Final = (
    r"sun\.gc\.(?:generation\.\d\.(?:capacity|maxCapacity|space\.\d\.(?:used|name))"
    r"|collector\.\d\.(?:invocations|time|lastExitTime)"
    r"|metaspace\.(?:used|capacity|maxCapacity)|policy\.name|lastCause)"
    r"|sun\.os\.hrt\.(?:frequency|ticks)|sun\.rt\.createVmBeginTime"
    r"|java\.(?:threads\.live|cls\.(?:loadedClasses|sharedLoadedClasses)|property\.java\.vm\.version)"
)
_ARGUMENTS: Final = "java.rt.vmArgs"
_LONGEST: Final = 400
_MOST_COUNTERS: Final = 500
_LARGEST: Final = 1 << 57


class Identity(NamedTuple):
    """Which runtime a process has."""

    build: GoBuild | None
    """None where it was not built by Go, or where that cannot be told."""
    native: Native
    arenas: Arenas | None
    """Of glibc's malloc."""
    trouble: str
    """Why the executable or its mappings could not be read; empty where both could."""


class Container(NamedTuple):
    """The memory limit around a process."""

    limit_bytes: int | None
    """None for no limit, or where it cannot be told."""
    anon_bytes: int | None
    """Anonymous memory of all in the cgroup."""


class Told(NamedTuple):
    """A program's metrics, and who gave them."""

    url: str
    """Without its query."""
    heap: GoHeap


def encode_identity(build: bytes, native: Native, arenas: Arenas | None, trouble: str) -> bytes:
    """The identity of a process; ``build`` as extract_build_info gives it."""
    return _dumps(
        {
            "build": build.decode("utf-8", "replace"),
            "runtime": native.runtime and native.runtime.value,
            "version": native.version,
            "allocator": native.allocator and native.allocator.value,
            "arenas": arenas and [arenas.number, arenas.reserved_bytes, arenas.usable_bytes],
            "trouble": trouble,
        }
    )


def decode_identity(data: bytes) -> Identity:
    """The inverse of :func:`encode_identity`. Raises ParseError."""
    from memtop.runtimes.native.recognition import Allocator, Arenas, Native, Runtime

    found, build = _loads(data), None
    if text := _text(found, "build", 4096):
        from memtop.runtimes.go.buildinfo import parse_build_info

        build = parse_build_info(text.encode())
    runtime, allocator = _member(Runtime, found.get("runtime")), _member(Allocator, found.get("allocator"))
    if build is not None:
        runtime = Runtime.GO
    numbers = found.get("arenas")
    arenas = None
    if isinstance(numbers, list) and len(numbers) == 3 and all(_whole(number) for number in numbers):
        arenas = Arenas(*numbers)
    native = Native(runtime, _text(found, "version") or None, allocator)
    return Identity(build, native, arenas, _text(found, "trouble"))


def encode_told(url: str, heap: GoHeap) -> bytes:
    """The figures of a Go program and the address they came from."""
    from memtop.runtimes.go.heap import FIGURES

    figures = {name: value for name in FIGURES if (value := getattr(heap, name)) is not None}
    shape = {"url": url, "format": heap.format.value, "version": heap.version, "rounding": heap.rounding_bytes}
    return _dumps(shape | {"figures": figures})


def decode_told(data: bytes) -> Told:
    """The inverse of :func:`encode_told`. Raises ParseError."""
    from memtop.runtimes.go.heap import FIGURES, MetricsFormat, go_heap

    found = _loads(data)
    figures, form, rounding = found.get("figures"), _member(MetricsFormat, found.get("format")), found.get("rounding")
    if not isinstance(figures, dict) or form is None:
        raise ParseError("metrics", "not what was recorded")
    numbers = {name: value for name, value in figures.items() if name in FIGURES and _number(value)}
    digits = rounding if isinstance(rounding, int) and _whole(rounding) else 0
    heap = go_heap(numbers, form, _text(found, "version") or None, digits)
    return Told(_text(found, "url"), heap)


def encode_counters(counters: Mapping[str, int | str]) -> bytes:
    """The memory counters of a JVM, and of its arguments those that speak of memory."""
    from memtop.runtimes.jvm.flags import kept_flags

    kept = {name: value for name, value in counters.items() if re.fullmatch(_COUNTERS, name)}
    arguments = counters.get(_ARGUMENTS)
    if isinstance(arguments, str):
        kept[_ARGUMENTS] = " ".join(kept_flags(arguments.split(" ")))
    return _dumps(kept)


def decode_counters(data: bytes) -> JvmHeap:
    """The heap in what :func:`encode_counters` gave. Raises ParseError."""
    from memtop.runtimes.jvm.heap import jvm_heap

    found = _loads(data)
    counters: dict[str, int | str] = {}
    for name, value in [*found.items()][:_MOST_COUNTERS]:
        if isinstance(value, str):
            counters[name] = clean(value)[:_LONGEST]
        elif isinstance(value, int) and abs(value) < 1 << 64:
            counters[name] = value
    return jvm_heap(counters)


def encode_container(container: Container) -> bytes:
    """The limit around a process."""
    return _dumps(container._asdict())


def decode_container(data: bytes) -> Container:
    """The inverse of :func:`encode_container`. Raises ParseError."""
    found = _loads(data)
    limit, anon = found.get("limit_bytes"), found.get("anon_bytes")
    return Container(limit if _whole(limit) else None, anon if _whole(anon) else None)


def _dumps(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _loads(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ParseError("runtime", "not what was recorded") from error
    if not isinstance(found, dict):
        raise ParseError("runtime", "not what was recorded")
    return found


def _text(found: Mapping[str, Any], key: str, longest: int = _LONGEST) -> str:
    value = found.get(key)
    if not isinstance(value, str):
        return ""
    return "\n".join("\t".join(map(clean, line.split("\t"))) for line in value[:longest].split("\n"))


def _member(kind: type[Kind], value: object) -> Kind | None:
    return next((member for member in kind if member.value == value), None)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
