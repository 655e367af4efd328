"""Everything that was asked and answered at one instant, on its way to the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from memtop.recording.facts import Outcome
from memtop.source import Exit, Instant, pid_of

Answer = tuple[Outcome, bytes]
"""What became of a reading, and its bytes or the error's text."""


@dataclass(slots=True)
class Tick:
    """One instant. Its answers are kept whole: the encoder leaves out what is known already."""

    instant: Instant
    pids: Sequence[int] | None = None
    sweeps: dict[str, dict[int, bytes | None]] = field(default_factory=dict)
    reads: dict[str, Answer] = field(default_factory=dict)
    asks: list[tuple[str, Answer]] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    exits: list[Exit] = field(default_factory=list)

    def size_bytes(self) -> int:
        """About how much memory it holds."""
        swept = sum(map(len, self.sweeps.values()))
        return 4096 + 300 * swept + sum(len(answer[1]) for _, answer in (*self.reads.items(), *self.asks))

    def after(self, lost: Tick) -> Tick:
        """Itself, with what was learnt at an earlier instant that could not be written.

        Only that instant is lost then: a command line is asked for once, and would be missing for ever.
        """
        pids = self.pids if self.pids is not None else lost.pids
        alive = None if pids is None else frozenset(pids)

        def matters(pid: int | None) -> bool:
            return alive is None or pid is None or pid in alive

        sweeps = {
            name: {pid: data for pid, data in lost.sweeps.get(name, {}).items() if matters(pid)}
            | self.sweeps.get(name, {})
            for name in lost.sweeps | self.sweeps
        }
        reads = {path: answer for path, answer in lost.reads.items() if matters(pid_of(path))} | self.reads
        asks = {path: answer for path, answer in lost.asks if matters(pid_of(path))} | dict(self.asks)
        return Tick(self.instant, pids, sweeps, reads, [*asks.items()], self.waiting, [*lost.exits, *self.exits])
