"""Parses metrics as plain text, as tutorials print them: ``HeapAlloc: 12.34 MB``, ``PauseTotalNs:1.23 ms``.

MB is 1024 * 1024 there. The lines ``# HeapAlloc = 123`` at the end of a heap profile have the same form.
"""

from __future__ import annotations

import re
from typing import Final

from memtop.errors import ParseError
from memtop.runtimes.go.heap import GoHeap, MetricsFormat, go_heap

_SIZES: Final = {
    "alloc": "heap_alloc_bytes",
    "heapalloc": "heap_alloc_bytes",
    "heapsys": "heap_sys_bytes",
    "heapidle": "heap_idle_bytes",
    "heapinuse": "heap_inuse_bytes",
    "heapreleased": "heap_released_bytes",
    "stackinuse": "stack_inuse_bytes",
    "stacksys": "stack_sys_bytes",
    "stack": "stack_inuse_bytes",
    "sys": "sys_bytes",
    "totalalloc": "total_alloc_bytes",
    "nextgc": "next_gc_bytes",
    "gcsys": "gc_sys_bytes",
    "othersys": "other_sys_bytes",
}
_COUNTS: Final = {
    "heapobjects": "heap_objects",
    "mallocs": "mallocs",
    "frees": "frees",
    "numgc": "num_gc",
    "numforcedgc": "num_forced_gc",
    "goroutine": "goroutines",
    "goroutines": "goroutines",
    "goroutinen": "goroutines",
    "numgoroutine": "goroutines",
    "numgoroutines": "goroutines",
}
_TIMES: Final = {"pausetotalns": "pause_total_ns", "pausetotal": "pause_total_ns"}
_FRACTIONS: Final = {"gccpufraction": "gc_cpu_fraction"}
_NAMES: Final = _SIZES | _COUNTS | _TIMES | _FRACTIONS

_BYTES: Final = {"": 1, "b": 1, "byte": 1, "bytes": 1} | {
    f"{letter}{tail}": 1024**power for power, letter in enumerate("kmgt", 1) for tail in ("", "b", "ib")
}
_NS: Final = {"": 1.0, "ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9}
_ENTRY = re.compile(
    r"(?<![A-Za-z0-9_.])([A-Za-z]{3,16}+(?:_[A-Za-z]{1,16}+){0,3}+)[\"']?+[ \t]{0,20}+[:=]?+[ \t]{0,20}+"
    r"([+-]?(?:NaN|Inf|\d{1,3}(?:,\d{3})+(?:\.\d{1,20})?|\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,4})?))"
    r"(?![\d.])[ \t]{0,4}([KMGTkmgt]i?[Bb]?|bytes?|[Bb]|ns|us|µs|μs|ms|s)?(?![A-Za-z0-9])"
)


def parse_plain_text(body: bytes) -> GoHeap:
    """Parse figures that are named like MemStats' fields. The first of two wins.

    Raises ParseError if there is none, or if one is impossible.
    """
    found: dict[str, float] = {}
    rounding = 0.0
    for match in _ENTRY.finditer(body.decode("utf-8", "replace")):
        key, digits, unit = match[1].replace("_", "").lower(), match[2].replace(",", ""), (match[3] or "").lower()
        name = _NAMES.get(key)
        if name is None or name in found:
            continue
        scale = _scale(key, unit)
        if scale is None or (name.endswith("_bytes") and not unit and "." in digits):
            continue  # a unit that does not fit, or a fraction of a byte: the meaning is unknown
        found[name] = _value(match[1], digits) * scale
        if key in _SIZES and name != "total_alloc_bytes":
            rounding = max(rounding, _error(digits) * scale)
    if not found:
        raise ParseError("metrics", "text without any of Go's figures")
    return go_heap(found, MetricsFormat.TEXT, rounding_bytes=int(rounding))


def _scale(key: str, unit: str) -> float | None:
    if key in _SIZES:
        return _BYTES.get(unit)
    if key in _TIMES:
        return _NS.get(unit)
    return None if unit else 1


def _value(name: str, digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ParseError("metrics", f"{name} is infinite")
    return value


def _error(digits: str) -> float:
    """The rounding error of a number with these digits: one unit of its last digit."""
    _, point, decimals = digits.lower().partition("e")[0].partition(".")
    return 10.0 ** -len(decimals) if point else 1.0
