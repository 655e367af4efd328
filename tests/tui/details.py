"""A process to draw in tests of the charts."""

from __future__ import annotations

from typing import Any

from memtop.model.detail import Detail, Series, ShownWindow
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey
from tests.rows import GIB, MIB, proc_row

EDGE_S = 1_763_700_000.0
LIVE = ShownWindow(300.0, EDGE_S, cursor_s=None)


def make_row(**changes: Any) -> ProcessRow:
    """``api-server`` with 212 MiB resident."""
    ordinary = proc_row(
        key=ProcessKey(4242, 1000),
        name="api-server",
        command="api-server --port 80",
        name_raw=b"api-server",
        command_raw=b"api-server\0--port\x0080",
        virt_bytes=int(1.24 * GIB),
        growth_bytes_per_min=12.0 * MIB,
        minflt=1000,
        minflt_per_s=3100.0,
        cpu_percent=2.0,
        threads=9,
        trend=(),
        started_s=EDGE_S - 10_800,
    )
    return ordinary._replace(**changes)


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
    points: int = 187,
    *,
    known_points: int | None = None,
    gone: bool = False,
    gone_s: float | None = None,
    window: ShownWindow = LIVE,
) -> Detail:
    """What the charts are given of ``api-server``."""
    return Detail(
        row=make_row(gone_s=gone_s, note=Note.GONE if gone else Note.NONE),
        status=None,
        series=make_series(points, known_points=known_points),
        window=window,
        marks=(),
        gone=gone,
        slope_bytes_per_min=None,
        why_unknown={},
    )
