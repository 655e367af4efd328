"""Builds the row of a process or the machine from one sample: sizes, and the rates of page faults and CPU.

Its PSS and USS come from ``sampling/smaps``; ``row_table`` hands them over.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from memtop.columns import TREND_CELLS
from memtop.history.rates import levels, per_s
from memtop.history.rings import CLOSE_S, Track
from memtop.model.row import Note, ProcessRow, SystemRow
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sanitize import clean

if TYPE_CHECKING:
    from memtop.procfs.membership import CgroupNames

CLK_TCK: Final = os.sysconf("SC_CLK_TCK")
GROWTH_S: Final = 60.0
"""The period over which Δ/min is measured ..."""
GROWTH_LEAST_S: Final = 2.0
"""... and the least time for which a process must have been seen, because a change between two samples says little."""
_RATES: Final = ("cpu_percent", "minflt_per_s", "majflt_per_s", "growth_bytes_per_min")
TREND_BUCKET_S: Final = 120.0 / TREND_CELLS
_NO_TREND: Final = (None,) * TREND_CELLS
_LEVEL: Final = tuple(_NO_TREND[known:] + (0,) * known for known in range(TREND_CELLS + 1))
"""Trends of processes that have not changed since they were first seen, by the cells since then."""
TREND_LEVELS: Final = 7
"""Heights of a trend in eighths of a cell: never a full cell, so that trends of neighboring rows stay apart."""


def proc_row(
    seen: ProcessSample,
    old: ProcessRow | None,
    track: Track | None,
    now_s: float,
    *,
    system: SystemRow,
    boot_wall_s: float,
    shares: tuple[int | None, int | None] = (None, None),
    marks: Mapping[str, Any] | None = None,
    names: CgroupNames | None = None,
    has_trend: bool = True,
) -> ProcessRow:
    """Build the row of a process at ``now_s``.

    ``old`` is its previous row, ``shares`` its PSS and USS in bytes, ``marks`` its marks from the assessment, by
    attribute. Without ``has_trend`` the trend is that of the previous row.
    """
    stat, statm, status = seen.stat, seen.statm, seen.status
    assert stat is not None
    elapsed_s = seen.stat_s - seen.stat_before_s
    before = seen.stat_before
    ticks_per_s = per_s(stat.cpu_ticks, before.cpu_ticks, elapsed_s) if before is not None else None
    rss = statm.rss_bytes if statm is not None else None
    if stat.kernel_thread:
        note = Note.KERNEL
    elif seen.leader_gone:
        note = Note.LEADER_GONE
    else:
        note = Note.ZOMBIE if stat.state in "ZX" else Note.NONE
    same_text = old is not None and old.name_raw == seen.name_raw and old.command_raw == seen.command_raw
    name = old.name if same_text and old is not None else clean(seen.name_raw)
    if same_text and old is not None:
        command = old.command
    elif seen.command_raw:
        command = clean(seen.command_raw.rstrip(b"\0").replace(b"\0", b" "))
    else:
        command = f"[{name}]" if stat.kernel_thread else name  # brackets are the sign of kernel threads
    peak = status.peak_rss_bytes if status is not None else None
    return ProcessRow(
        key=seen.key,
        pid=seen.key.pid,
        ppid=stat.ppid,
        uid=seen.uid,
        user=seen.user,
        state=stat.state,
        name=name,
        command=command,
        name_raw=seen.name_raw,
        command_raw=seen.command_raw,
        virt_bytes=statm.virt_bytes if statm is not None else None,
        rss_bytes=rss,
        anon_bytes=statm.anon_bytes if statm is not None else None,
        file_bytes=status.file_bytes if status is not None else None,
        shmem_bytes=status.shmem_bytes if status is not None else None,
        shr_bytes=statm.shr_bytes if statm is not None else None,
        swap_bytes=swap_bytes(seen, system),
        peak_rss_bytes=peak if peak is None or rss is None else max(peak, rss),
        page_tables_bytes=status.page_tables_bytes if status is not None else None,
        hugetlb_bytes=status.hugetlb_bytes if status is not None else None,
        mem_percent=percent(rss, system.mem_total_bytes),
        growth_bytes_per_min=growth(track, rss, now_s),
        minflt=stat.minflt,
        majflt=stat.majflt,
        minflt_per_s=per_s(stat.minflt, before.minflt, elapsed_s) if before is not None else None,
        majflt_per_s=per_s(stat.majflt, before.majflt, elapsed_s) if before is not None else None,
        cpu_percent=None if ticks_per_s is None else 100 * ticks_per_s / CLK_TCK,
        threads=stat.threads,
        oom_score=seen.oom_score,
        oom_score_adj=seen.oom_score_adj,
        trend=trend(track, rss, now_s) if has_trend else old.trend if old is not None else _NO_TREND,
        # A time namespace may put the start before boot. The kernel then shows it far in the future.
        started_s=boot_wall_s + start_s if (start_s := seen.key.start_ticks / CLK_TCK) <= now_s + 1 else None,
        note=note,
        **(marks or {}),
        pss_bytes=shares[0],
        uss_bytes=shares[1],
        names=names,
        same_memory_as=seen.same_memory_as,
    )


def swap_bytes(seen: ProcessSample, system: SystemRow) -> int | None:
    """Swap of a process in bytes; 0 if the machine has none, None if unknown."""
    swap = seen.status.swap_bytes if seen.status is not None else None
    return 0 if swap is None and seen.statm is not None and system.swap_total_bytes == 0 else swap


DEAD: Final = "X"
"""The state of a process that has ended, as the kernel calls it."""


def gone_row(row: ProcessRow, wall_s: float) -> ProcessRow:
    """The last row of a process that ended at ``wall_s``: its sizes stay, its rates are gone, its state is X."""
    rates: dict[str, Any] = dict.fromkeys(_RATES)
    return row._replace(note=Note.GONE, state=DEAD, gone_s=wall_s, **rates)


def system_row(sample: Sample, before: Sample | None, *, everybody: bool, oom_kills_at_start: int | None) -> SystemRow:
    """Build the row of the machine. ``before`` is the sample that rates are computed from."""
    meminfo, vmstat, pressure = sample.system.meminfo, sample.system.vmstat, sample.system.pressure
    elapsed_s = sample.mono_s - before.mono_s if before is not None else None
    earlier = before.system.vmstat if before is not None else None
    oom_kills = vmstat.oom_kill if vmstat is not None else None
    return SystemRow(
        mem_total_bytes=meminfo.total_bytes if meminfo else None,
        mem_available_bytes=meminfo.available_bytes if meminfo else None,
        mem_free_bytes=meminfo.free_bytes if meminfo else None,
        swap_total_bytes=meminfo.swap_total_bytes if meminfo else None,
        swap_free_bytes=meminfo.swap_free_bytes if meminfo else None,
        pgfault_per_s=per_s(vmstat.pgfault, earlier.pgfault, elapsed_s) if vmstat and earlier else None,
        pgmajfault_per_s=per_s(vmstat.pgmajfault, earlier.pgmajfault, elapsed_s) if vmstat and earlier else None,
        oom_kills=None if oom_kills is None or oom_kills_at_start is None else oom_kills - oom_kills_at_start,
        oom_kills_boot=oom_kills,
        psi_memory_some_avg10=pressure.some.avg10_percent if pressure and pressure.some else None,
        psi_memory_full_avg10=pressure.full.avg10_percent if pressure and pressure.full else None,
        processes=len(sample.processes) if everybody else None,
    )


def percent(part_bytes: int | None, total_bytes: int | None) -> float | None:
    """Percentage of the whole, 0 to 100; None if either is unknown or the whole is 0."""
    return 100 * part_bytes / total_bytes if part_bytes is not None and total_bytes else None


def growth(track: Track | None, rss_bytes: int | None, now_s: float) -> float | None:
    """Change of RES over the last minute, in bytes. For a process seen for less than that, the change seen so far; None
    in its first two seconds.

    It is never extrapolated: a program that has loaded 300 MiB in 10 s does not grow by 1.8 GiB a minute.
    """
    if track is None or rss_bytes is None or now_s - track.first_s < GROWTH_LEAST_S:
        return None
    return float(rss_bytes - track.rss_bytes_at(now_s - GROWTH_S))


def trend_edge_s(now_s: float) -> float:
    """The end of the newest bucket of a trend. Until then a trend stays as it is if its process does not change."""
    return (now_s // TREND_BUCKET_S + 1) * TREND_BUCKET_S


def trend(track: Track | None, rss_bytes: int | None, now_s: float) -> tuple[int | None, ...]:
    """RES as levels, in buckets that are aligned to the clock, so that cells do not flicker."""
    if track is None or rss_bytes is None:
        return _NO_TREND
    right_s = trend_edge_s(now_s)
    if len(track) == 1:  # of most processes that is all: thousands of them are drawn level
        cells = 1 + int((right_s - track.changed_s - CLOSE_S) // TREND_BUCKET_S)
        return _LEVEL[min(TREND_CELLS, max(0, cells))]
    edges_s = [right_s - TREND_BUCKET_S * back for back in range(TREND_CELLS, -1, -1)]
    return levels(track.peaks(edges_s), TREND_LEVELS)


def ordered(rows: Iterable[ProcessRow], field: str, descending: bool) -> list[ProcessRow]:
    """By one attribute, unknown last in either direction, then by pid."""
    value = attrgetter(field)
    known, unknown = sorted(rows, key=attrgetter("pid")), []
    if None in map(value, known):
        unknown = [row for row in known if value(row) is None]
        known = [row for row in known if value(row) is not None]
    known.sort(key=value, reverse=descending)
    return known + unknown


def why_unknown(row: ProcessRow, looking_back: bool) -> dict[str, str]:
    """The reason for every number of the row that is unknown."""
    why: dict[str, str] = {}
    for field in ("virt_bytes", "rss_bytes", "anon_bytes", "shr_bytes", "swap_bytes", "peak_rss_bytes", "oom_score"):
        if getattr(row, field) is None:
            if looking_back:
                why[field] = "not kept for this moment in the past"
            else:
                why[field] = row.note.value or "not read yet"
    for field in _RATES:
        if getattr(row, field) is None:
            if row.gone_s is not None and not looking_back:
                why[field] = row.note.value
            elif field == "growth_bytes_per_min":
                why[field] = f"seen for less than {GROWTH_LEAST_S:.0f} s"
            else:
                why[field] = "not kept for this moment in the past" if looking_back else "a rate needs two readings"
    return why
