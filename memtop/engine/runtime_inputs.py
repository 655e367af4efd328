"""Inputs from the engine to the analysis of a runtime: the kernel's figures of a row, the kinds of its mappings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from memtop.model.row import ProcessRow
from memtop.runtimes.view import Arena, KernelFigures

if TYPE_CHECKING:
    from memtop.sampling.smaps.smaps_view import Reading

_CORES: Final = os.cpu_count()


def kernel_figures(row: ProcessRow, lazy_free_bytes: int | None, flat_s: float | None) -> KernelFigures:
    """The kernel's figures of a row. ``flat_s`` is for how long RES has been flat; None if that is unknown."""
    return KernelFigures(
        pid=row.pid,
        rss_bytes=row.rss_bytes,
        anon_bytes=row.anon_bytes,
        shmem_bytes=row.shmem_bytes,
        virt_bytes=row.virt_bytes,
        peak_rss_bytes=row.peak_rss_bytes,
        minflt_per_s=row.minflt_per_s,
        lazy_free_bytes=lazy_free_bytes,
        flat_s=flat_s,
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
