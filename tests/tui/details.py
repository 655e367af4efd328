"""A process to draw in tests of the charts."""

from __future__ import annotations

from typing import Any

from memtop.frame import Detail, Note, ProcRow, Series
from memtop.sample import ProcKey

MIB = 1024**2
GIB = 1024**3
EDGE_S = 1_763_700_000.0


def make_row(**changes: Any) -> ProcRow:
    """``api-server`` with 212 MiB resident."""
    fields: dict[str, Any] = {
        "key": ProcKey(4242, 1000),
        "pid": 4242,
        "ppid": 1,
        "uid": 1000,
        "user": "app",
        "state": "S",
        "name": "api-server",
        "command": "api-server --port 80",
        "name_raw": b"api-server",
        "command_raw": b"api-server\0--port\x0080",
        "virt_bytes": int(1.24 * GIB),
        "rss_bytes": 212 * MIB,
        "anon_bytes": 190 * MIB,
        "file_bytes": 22 * MIB,
        "shmem_bytes": 0,
        "shr_bytes": 22 * MIB,
        "swap_bytes": 0,
        "peak_rss_bytes": 212 * MIB,
        "page_tables_bytes": MIB,
        "mem_percent": 0.9,
        "growth_bytes_per_min": 12.0 * MIB,
        "minflt": 1000,
        "majflt": 0,
        "minflt_per_s": 3100.0,
        "majflt_per_s": 0.0,
        "cpu_percent": 2.0,
        "threads": 9,
        "oom_score": 671,
        "oom_score_adj": 0,
        "trend": (),
        "started_s": EDGE_S - 10_800,
        "note": Note.NONE,
    }
    return ProcRow(**(fields | changes))


def make_series(
    points: int = 187,
    window_s: float = 300.0,
    *,
    virt: float = 500 * MIB,
    anon: float = 190 * MIB,
    file: float = 22 * MIB,
    shmem: float = 0,
    known_points: int | None = None,
) -> Series:
    """A flat past; only the newest ``known_points`` are known."""
    unknown = 0 if known_points is None else points - known_points

    def flat(value: float) -> tuple[float | None, ...]:
        return (None,) * unknown + (value,) * (points - unknown)

    return Series(
        tuple(-window_s + window_s * number / (points - 1) for number in range(points)),
        flat(virt),
        flat(anon + file + shmem),
        flat(anon),
        flat(file),
        flat(shmem),
        flat(3100.0),
        flat(0.0),
    )


def make_detail(
    points: int = 187, *, known_points: int | None = None, gone: bool = False, gone_s: float | None = None
) -> Detail:
    """What the charts are given of ``api-server``."""
    return Detail(
        row=make_row(gone_s=gone_s, note=Note.GONE if gone else Note.NONE),
        status=None,
        series=make_series(points, known_points=known_points),
        window_s=300.0,
        right_edge_s=EDGE_S,
        cursor_s=None,
        marks=(),
        gone=gone,
        slope_bytes_per_min=None,
        why_unknown={},
    )
