"""The machine's row, at the last sample and in the history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from memtop.engine.row_builder import system_row
from memtop.history.rings import MachinePast
from memtop.model.row import ProcessRow, SystemRow
from memtop.sampling.sample import Sample

if TYPE_CHECKING:
    from memtop.engine.machine_view import LedgerPast
    from memtop.model.machine import MachineView


class Machine:
    """The machine's row.

    Its rates are computed between two readings of its files, which may be further apart than samples.
    """

    def __init__(self) -> None:
        self.row: SystemRow | None = None
        """None before the first sample."""
        self._past = MachinePast()
        self._read: Sample | None = None
        """The last sample for which its files were read."""
        self._oom_kills_at_start: int | None = None
        self._before: Sample | None = None
        """The sample before the last."""
        self._ledgers: LedgerPast | None = None
        """None before the second sample: a run of one sample does without."""
        self._view: tuple[tuple[Sample, float | None, float | None], MachineView | None] | None = None
        """The last view, and what it was made of."""

    def take(self, sample: Sample, *, everybody: bool) -> bool:
        """Take the next sample.

        Returns whether it has a new reading of the machine. ``everybody``: all processes were read.
        """
        before = self._read
        if before is not None and sample.system is before.system:
            return False
        if self._oom_kills_at_start is None and sample.system.vmstat is not None:
            self._oom_kills_at_start = sample.system.vmstat.oom_kill
        self.row = system_row(sample, before, everybody=everybody, oom_kills_at_start=self._oom_kills_at_start)
        self._past.add(sample.mono_s, self.row)
        if before is not None:
            self._note_ledgers([sample] if self._ledgers is not None else [before, sample])
        self._before, self._read = before, sample
        return True

    def prepare(self) -> None:
        """Import what the second sample needs, which would make that sample late."""
        import memtop.engine.machine_view  # noqa: F401, PLC0415 (6 ms; one sample does without)

    def _note_ledgers(self, samples: Iterable[Sample]) -> None:
        from memtop.engine.machine_view import LedgerPast, ledger_of  # noqa: PLC0415 (7 ms; one sample does without)

        if self._ledgers is None:
            self._ledgers = LedgerPast()
        for sample in samples:
            ledger = ledger_of(sample)
            if ledger is not None:
                self._ledgers.add(sample.mono_s, ledger)

    def view(
        self, sample: Sample, rows: Iterable[ProcessRow], mark_s: float | None, past_s: float | None
    ) -> MachineView | None:
        """What the Machine panel shows of a sample, or of the instant ``past_s``. The same sample gives the same view.

        ``mark_s`` is the instant of the user's mark. None where MemTotal is unknown.
        """
        from memtop.engine.machine_view import LedgerPast, machine_view  # noqa: PLC0415 (7 ms; few runs want it)

        if self._view is None or not (self._view[0][0] is sample and self._view[0][1:] == (mark_s, past_s)):
            ledgers = self._ledgers or LedgerPast()
            view = machine_view(sample, self._before, ledgers, rows, mark_s=mark_s, past_s=past_s)
            self._view = (sample, mark_s, past_s), view
        return self._view[1]

    def at(self, when_s: float) -> SystemRow | None:
        """The row at an earlier instant; None if it was not kept."""
        return self._past.at(when_s)
