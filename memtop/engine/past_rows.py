"""Rows of an earlier instant, from the history, for looking back while paused or by the chart's cursor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from memtop.engine.row_builder import growth, percent, trend
from memtop.history.process_history import point_at
from memtop.history.rates import per_s
from memtop.history.rings import History
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey

_HOLD: Final = (
    *("key", "pid", "ppid", "uid", "user", "name", "command", "name_raw", "command_raw", "started_s", "names"),
    "same_memory_as",
)
"""Fields whose latest value is shown of an earlier instant too. All others are unknown unless they were kept."""
_UNKNOWN: Final[dict[str, Any]] = {
    **dict.fromkeys(name for name in ProcessRow._fields if name not in _HOLD),
    "verdict": "",
}


def rows_at(
    history: History, rows: Iterable[ProcessRow], when_s: float, *, boot_wall_s: float, total_bytes: int | None
) -> list[ProcessRow]:
    """The rows at an earlier instant.

    Values that were not kept are unknown. Processes that have ended since were alive then.
    """
    found = []
    for row in rows:
        if row.started_s is not None and row.started_s - boot_wall_s > when_s:
            continue
        lived = row.gone_s is not None and row.gone_s - boot_wall_s > when_s
        point = point_at(history, row.key, when_s)
        known: dict[str, Any] = {
            "note": Note.NONE if lived else row.note,
            "gone_s": None if lived else row.gone_s,
            "state": "?" if lived or row.gone_s is None else row.state,
            "virt_bytes": point and point.virt_bytes,
            "rss_bytes": point and point.rss_bytes,
            "shr_bytes": point and point.shr_bytes,
            "anon_bytes": point and max(0, point.rss_bytes - point.shr_bytes),
            "shmem_bytes": point and point.shmem_bytes,
            "file_bytes": point.shr_bytes - point.shmem_bytes if point and point.shmem_bytes is not None else None,
            "mem_percent": percent(point and point.rss_bytes, total_bytes),
            "minflt": point and point.minflt,
            "majflt": point and point.majflt,
            "growth_bytes_per_min": growth(history.tracks.get(row.key), point and point.rss_bytes, when_s),
            "minflt_per_s": _rate_at(history, row.key, when_s, "minflt"),
            "majflt_per_s": _rate_at(history, row.key, when_s, "majflt"),
            "trend": trend(history.tracks.get(row.key), point and point.rss_bytes, when_s),
        }
        found.append(row._replace(**(_UNKNOWN | known)))
    return found


def _rate_at(history: History, key: ProcessKey, when_s: float, counter: str) -> float | None:
    detailed = history.detailed_tracks.get(key)
    index = detailed.index_at(when_s) if detailed is not None else 0
    if detailed is None or index < 1:
        return None
    now, before = detailed.point(index), detailed.point(index - 1)
    return per_s(getattr(now, counter), getattr(before, counter), now.at_s - before.at_s)
