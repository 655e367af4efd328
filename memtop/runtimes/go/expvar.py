"""Parses /debug/vars of Go's expvar: a JSON object that contains ``memstats``. The key ``cmdline`` is never used."""

from __future__ import annotations

import json
from typing import Any, Final

from memtop.errors import ParseError
from memtop.runtimes.go.heap import GoHeap, MetricsFormat, go_heap

DEEPEST: Final = 32
MOST_VALUES: Final = 100_000
"""A program publishes some hundred. A hostile one could make megabytes of JSON into a hundred megabytes of objects."""
_FIELDS: Final = {
    "HeapAlloc": "heap_alloc_bytes",
    "HeapSys": "heap_sys_bytes",
    "HeapIdle": "heap_idle_bytes",
    "HeapInuse": "heap_inuse_bytes",
    "HeapReleased": "heap_released_bytes",
    "HeapObjects": "heap_objects",
    "StackInuse": "stack_inuse_bytes",
    "StackSys": "stack_sys_bytes",
    "MSpanInuse": "mspan_inuse_bytes",
    "MSpanSys": "mspan_sys_bytes",
    "MCacheInuse": "mcache_inuse_bytes",
    "MCacheSys": "mcache_sys_bytes",
    "BuckHashSys": "buck_hash_sys_bytes",
    "GCSys": "gc_sys_bytes",
    "OtherSys": "other_sys_bytes",
    "Sys": "sys_bytes",
    "TotalAlloc": "total_alloc_bytes",
    "Mallocs": "mallocs",
    "Frees": "frees",
    "NextGC": "next_gc_bytes",
    "NumGC": "num_gc",
    "NumForcedGC": "num_forced_gc",
    "PauseTotalNs": "pause_total_ns",
    "GCCPUFraction": "gc_cpu_fraction",
}
_GOROUTINES: Final = frozenset(("goroutines", "numgoroutine", "num_goroutine", "numgoroutines", "num_goroutines"))
"""Names, in lower case, under which programs publish runtime.NumGoroutine themselves."""


def parse_expvar(body: bytes) -> GoHeap:
    """Parse the memstats of /debug/vars. Raises ParseError, which says what is wrong."""
    whole = _json(body)
    stats = whole.get("memstats") if isinstance(whole, dict) else None
    if not isinstance(stats, dict):
        raise ParseError("metrics", "JSON without memstats, so not from expvar")
    found: dict[str, float] = {}
    for key, name in _FIELDS.items():
        if key in stats:
            found[name] = _number(key, stats[key])
    if "LastGC" in stats:
        found["last_gc_s"] = _number("LastGC", stats["LastGC"]) / 1e9
    pauses = stats.get("PauseNs")
    if isinstance(pauses, list) and len(pauses) <= 256 and found.get("num_gc"):
        known = [_number("PauseNs", pause) for pause in pauses]
        found["pause_max_ns"] = max(known, default=0)
        if len(known) == 256 and found["num_gc"] < 1 << 32:
            found["pause_last_ns"] = known[(int(found["num_gc"]) + 255) % 256]
    for key, value in whole.items():
        if key.lower() in _GOROUTINES and isinstance(value, int | float) and not isinstance(value, bool):
            found["goroutines"] = value
    return go_heap(found, MetricsFormat.EXPVAR)


def _json(body: bytes) -> Any:
    if _too_deep(body):
        raise ParseError("metrics", "JSON that is nested too deeply")
    if body.count(b",") > MOST_VALUES:
        raise ParseError("metrics", "JSON with more values than metrics have")
    try:
        return json.loads(body, parse_constant=_refuse, parse_int=_integer)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise ParseError("metrics", "JSON that is broken or cut short") from error


def _too_deep(body: bytes) -> bool:
    """Whether brackets nest deeper than MemStats ever does. Brackets inside strings count too, which does no harm."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for byte in body.translate(None, delete=_NOT_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        if depth > DEEPEST:
            return True
    return False


_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ParseError("metrics", "a number with more than 20 digits")
    return int(digits)


def _refuse(name: str) -> float:
    raise ParseError("metrics", f"{name} where a number should be")


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParseError("metrics", f"{key} is not a number")
    return value
