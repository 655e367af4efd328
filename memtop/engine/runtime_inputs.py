"""Inputs from the engine to the analysis of a runtime: the kernel's figures of a row, the kinds of its mappings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from memtop.model.frame import ProcessRow
from memtop.runtimes.view import Arena, KernelFigures
from memtop.sampling.sample import Sample

if TYPE_CHECKING:
    from memtop.sampling.smaps.smaps_view import Reading

_CORES: Final = os.cpu_count()


def kernel_figures(row: ProcessRow, lazy_free_bytes: int | None, sample: Sample | None) -> KernelFigures:
    """The kernel's figures of a row. ``sample`` is the last one, whatever instant is shown."""
    return KernelFigures(
        pid=row.pid,
        rss_bytes=row.rss_bytes,
        anon_bytes=row.anon_bytes,
        shmem_bytes=row.shmem_bytes,
        virt_bytes=row.virt_bytes,
        peak_rss_bytes=row.peak_rss_bytes,
        minflt_per_s=row.minflt_per_s,
        lazy_free_bytes=lazy_free_bytes,
        flat_s=_flat_s(row, sample),
        cores=_CORES,
        ended=row.gone_s is not None,
    )


def arenas_of(reading: Reading | None) -> tuple[Arena, ...]:
    """The kinds of mappings that have RAM behind them."""
    if reading is None:
        return ()
    return tuple(
        Arena(each.kind.key, each.kind.title, each.sizes.size_bytes, each.sizes.rss_bytes, each.sizes.pss_bytes)
        for each in reading.kinds
        if each.sizes.rss_bytes
    )


def _flat_s(row: ProcessRow, sample: Sample | None) -> float | None:
    """How long RES has been flat: at least the whole of its trend; None if it moves."""
    levels = [level for level in row.trend if level is not None]
    flat = len(levels) == len(row.trend) and len(set(levels)) <= 1
    if not flat or sample is None or row.started_s is None:
        return None
    return sample.wall_s - row.started_s if (row.growth_bytes_per_min or 0) == 0 else None
