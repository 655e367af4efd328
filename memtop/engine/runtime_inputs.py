"""What the runtime of a process has reported, for its panel, the findings and the choice of tools."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from memtop.history.process_history import flat_s
from memtop.history.rings import History
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.runtimes.protocol import Identity
from memtop.runtimes.view import Arena, FindingFacts, KernelFigures, RuntimeView, Shown, ToolTarget
from memtop.sampling.runtimes.runtime_record import argv_of
from memtop.sampling.runtimes.scheduler import RuntimeScheduler
from memtop.sanitize import clean

if TYPE_CHECKING:
    from memtop.sampling.smaps.smaps_view import Reading

_CORES: Final = os.cpu_count()
FRESH_S: Final = 10.0
"""Older figures of a runtime say nothing about now."""


class RuntimeInputs:
    """Reads the records of a scheduler, and the history."""

    def __init__(self, scheduler: RuntimeScheduler, history: History) -> None:
        self._scheduler = scheduler
        self._history = history

    def view(
        self, row: ProcessRow, lazy_free_bytes: int | None, now_s: float, at_s: float, reading: Reading | None
    ) -> RuntimeView:
        """The view for the panel, at the instant shown. ``reading`` has the mappings that were read last."""
        record = self._scheduler.record(row.key)
        kernel, read_s = self._figures(row, lazy_free_bytes, now_s), None if reading is None else reading.at_s
        if record is None or (record.identity is None and not record.unreadable and record.figures_s is None):
            return RuntimeView(waiting=kernel.rss_bytes is not None and not kernel.ended)
        state = (record.version, kernel, at_s, read_s)
        if record.viewed is None or record.viewed[0] != state:
            shown = Shown(
                at_s=at_s,
                kernel=kernel,
                address=record.address.partition("?")[0],
                trouble=record.trouble,
                unreadable=record.unreadable,
                arenas=_arenas_of(reading),
                arenas_age_s=None if read_s is None else max(0.0, at_s - read_s),
            )
            age_s = None if record.figures_s is None else max(0.0, at_s - record.figures_s)
            record.viewed = state, record.tracker.view(shown)._replace(age_s=age_s)
        return record.viewed[1]

    def facts(self, row: ProcessRow, lazy_free_bytes: int | None, now_s: float) -> FindingFacts | None:
        """Inputs for the findings, whatever panel is open; None if its runtime has reported nothing."""
        record = self._scheduler.record(row.key)
        if record is None:
            return None
        if record.unreadable and (record.identity is None or record.identity.runtime is None):
            return FindingFacts(not_looked_at=(f"the limit that its runtime sets, if any ({record.unreadable})",))
        recent = record.figures_s is not None and now_s - record.figures_s <= FRESH_S
        kernel = self._figures(row, lazy_free_bytes, now_s)
        return record.tracker.finding_facts(kernel, now_s, fresh=recent and not record.trouble)

    def tools(self, key: ProcessKey) -> ToolTarget | None:
        """What decides which tools can look into a process; None before its runtime was looked for."""
        record = self._scheduler.record(key)
        if record is None or (record.identity is None and not record.unreadable):
            return None
        identity = record.identity or Identity()
        arguments = tuple(clean(each) for each in argv_of(record.command_raw or b"") if each)
        return ToolTarget(
            key.pid,
            runtime=identity.runtime or (None if record.unreadable else ""),
            version=identity.version,
            allocator=identity.allocator,
            address=record.address.partition("?")[0],
            command=" ".join(arguments),
            arguments=arguments,
        )

    def _figures(self, row: ProcessRow, lazy_free_bytes: int | None, now_s: float) -> KernelFigures:
        return KernelFigures(
            pid=row.pid,
            rss_bytes=row.rss_bytes,
            anon_bytes=row.anon_bytes,
            shmem_bytes=row.shmem_bytes,
            virt_bytes=row.virt_bytes,
            peak_rss_bytes=row.peak_rss_bytes,
            minflt_per_s=row.minflt_per_s,
            lazy_free_bytes=lazy_free_bytes,
            flat_s=flat_s(self._history, row.key, now_s),
            cores=_CORES,
            ended=row.gone_s is not None,
        )


def _arenas_of(reading: Reading | None) -> tuple[Arena, ...]:
    """The kinds of mappings that have RAM behind them."""
    if reading is None:
        return ()
    return tuple(
        Arena(each.kind.key, each.kind.title, each.sizes.size_bytes, each.sizes.rss_bytes, each.sizes.pss_bytes)
        for each in reading.kinds
        if each.sizes.rss_bytes
    )
