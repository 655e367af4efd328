"""Growth verdict and findings of a process as JSON objects, as the README describes them."""

from __future__ import annotations

import math
from typing import Any, Final

from memtop.analysis.findings import Finding
from memtop.analysis.trend.forecast import HELD_PERCENT
from memtop.analysis.trend.hysteresis import GREW
from memtop.explain.finding_text import SHAPES, sentences_of
from memtop.model.assessment import Assessment
from memtop.procfs.held_report import HeldKind
from memtop.runtimes.view import ToolTarget

FAMILY_OPEN: Final = "whether its fork family as a whole grows"
"""What is unknown until the sum over the family was judged."""

CHARGE_OPEN: Final = "whether its cgroup as a whole grows"

_UNTOLD: Final = (HeldKind.PIPE, HeldKind.OTHER)
"""Kinds of which the kernel never tells what they keep."""
HELD_OPEN: Final = "whether its memory outside RES grows"


def unknown_object(outlook: Assessment) -> list[str]:
    """The key ``unknown`` of a process that lives: what could not be read, or was not looked at."""
    is_open = {
        CHARGE_OPEN: outlook.charge_open,
        FAMILY_OPEN: outlook.family_open,
        HELD_OPEN: outlook.held_open,
        outlook.held_doubt: bool(outlook.held_doubt),
    }
    return [*outlook.unread, *(name for name, holds in is_open.items() if holds), *outlook.not_looked_at]


def held_object(outlook: Assessment) -> dict[str, int | None] | None:
    """The key ``held`` of a process that lives: what it keeps in memory, mapped or not."""
    held = outlook.held
    if held is None or held.is_cut:
        return None
    sizes = {f"{kind.value}_bytes": held.size_bytes(kind) for kind in HeldKind if kind not in _UNTOLD}
    return {
        **sizes,
        "sockets": held.number(HeldKind.SOCKET),
        "pipes": held.number(HeldKind.PIPE),
        "others": held.number(HeldKind.OTHER),
    }


def findings_object(outlook: Assessment) -> list[dict[str, Any]]:
    """The key ``findings`` of a process that lives."""
    return [_finding(finding, outlook.tools) for finding in outlook.findings]


def _finding(finding: Finding, tools: ToolTarget | None) -> dict[str, Any]:
    words = sentences_of(finding, tools)
    return {
        "id": finding.name,
        "severity": finding.severity.name.lower(),
        "text": words.says,
        "next": words.next or None,
        "command": words.command or None,
    }


def verdict_object(outlook: Assessment) -> dict[str, Any] | None:
    """The key ``verdict`` of a process that lives."""
    growth, state, limit = outlook.growth, outlook.state, outlook.first_met
    if growth is None or state is None:
        return None
    interval = growth.slope_low_bytes_per_s, growth.slope_high_bytes_per_s
    return {
        "of": "heap" if outlook.of_heap else "memory",
        "kind": state.kind.value,
        "words": GREW
        if state.evidence is not None and growth.pause is not None and growth.pause.unusual
        else state.evidence.value
        if state.evidence is not None
        else SHAPES[state.kind],
        "confirmed": state.alarm,
        "changing": state.changing,
        "slope_bytes_per_s": _whole(growth.slope_bytes_per_s),
        "slope_interval_bytes_per_s": None if None in interval else [_whole(end) for end in interval],
        "points": growth.points,
        "span_s": _rounded(growth.span_s),
        "level_s": _rounded(growth.pause.level_s) if growth.pause is not None else None,
        "lazy_free_bytes": outlook.lazy_free_bytes,
        "limit": limit.name if limit is not None else None,
        "limit_bytes": limit.limit_bytes if limit is not None else None,
        "time_to_limit_s": [_rounded(end) for end in growth.limit_s] if growth.limit_s is not None else None,
        "time_to_limit_held_percent": HELD_PERCENT if growth.limit_s is not None else None,
        "time_to_reclaim_s": [_rounded(end) for end in growth.slow_s] if growth.slow_s is not None else None,
    }


def _whole(value: float | None) -> int | None:
    return round(value) if value is not None and math.isfinite(value) else None


def _rounded(value: float) -> float | None:
    return round(value, 1) if math.isfinite(value) else None
