"""One tick of a recording: all answers of the Source at one instant, before they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from memtop.sources.protocol import Exit, Instant, NotedEvent, pid_of
from memtop.sources.recording.format import Outcome

Recorded = tuple[Outcome, bytes]
"""The outcome of a reading, and its bytes or the error's text."""
FileAnswer = bytes | Recorded
"""The bytes of a file, or why it could not be read. A pair for each of a thousand files would take more memory, and
would be work for the garbage collector."""


class Block(NamedTuple):
    """One instant, encoded: what differs from the one before, or all that is known."""

    instant: Instant
    key: bool
    """Whether it is a keyframe: a reader may begin with it."""
    rows: bytes
    """See :func:`memtop.sources.recording.format.encode_rows`."""


class Tick:
    """One instant. It has all answers; the encoder leaves out what is known already."""

    __slots__ = ("asks", "events", "exits", "instant", "lost", "pids", "reads", "sweeps", "waiting")

    def __init__(
        self,
        instant: Instant,
        pids: Sequence[int] | None = None,
        *,
        sweeps: dict[str, dict[int, bytes | None]] | None = None,
        asks: Iterable[tuple[str, Recorded, float]] = (),
    ) -> None:
        self.instant = instant
        self.pids = pids
        self.sweeps = {} if sweeps is None else sweeps
        self.reads: dict[str, FileAnswer] = {}
        self.asks = [*asks]
        """Readings that may block: path, outcome, seconds that it took."""
        self.waiting: set[str] = set()
        self.exits: list[Exit] = []
        self.events: list[NotedEvent] = []
        self.lost = 0
        """Instants before this one that could not be written."""

    def size_bytes(self) -> int:
        """Estimate of the memory that it uses."""
        swept = sum(map(len, self.sweeps.values()))
        asked_bytes = sum([len(recorded[1]) for _, recorded, _ in self.asks])
        return 4096 + 300 * (swept + len(self.reads)) + sum(map(len, self.reads.values())) + asked_bytes

    def after(self, earlier: Tick) -> Tick:
        """This tick, combined with an earlier one that is not written.

        So only the earlier instant is lost. A command line, which is requested only once, would otherwise be missing
        for the rest of the recording.
        """
        pids = self.pids if self.pids is not None else earlier.pids
        alive = None if pids is None else frozenset(pids)
        ended = {pid for swept in self.sweeps.values() for pid, answer in swept.items() if answer is None}

        def matters(pid: int | None) -> bool:  # one that was listed may have ended before it was read
            return pid is None or (pid not in ended and (alive is None or pid in alive))

        sweeps = dict(self.sweeps)
        for name, before in earlier.sweeps.items():
            now = self.sweeps.get(name, {})
            if older := before.keys() - now.keys() - ended:
                sweeps[name] = {pid: before[pid] for pid in older if matters(pid)} | now
        asks = {ask[0]: ask for ask in (*(ask for ask in earlier.asks if matters(pid_of(ask[0]))), *self.asks)}
        both = Tick(self.instant, pids, sweeps=sweeps, asks=asks.values())
        both.reads = {path: answer for path, answer in earlier.reads.items() if matters(pid_of(path))} | self.reads
        both.waiting = self.waiting
        both.exits, both.events = [*earlier.exits, *self.exits], [*earlier.events, *self.events]
        both.lost = self.lost + earlier.lost
        return both
