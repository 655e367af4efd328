"""The machine's row, at the last sample and in the history."""

from __future__ import annotations

from memtop.engine.row_builder import system_row
from memtop.history.rings import MachinePast
from memtop.model.frame import SystemRow
from memtop.sampling.sample import Sample


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
        self._read = sample
        return True

    def at(self, when_s: float) -> SystemRow | None:
        """The row at an earlier instant; None if it was not kept."""
        return self._past.at(when_s)
