"""Recorder: a Source that passes on the answers of another Source and records them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from memtop.errors import AccessDenied, Blocked, MemtopError, ProcessGone, Unavailable
from memtop.redaction import scrub
from memtop.sources.protocol import READ_LIMIT, Answer, Exit, Instant, Source, is_runtime, without_address
from memtop.sources.recording.format import ERRORS, Outcome
from memtop.sources.recording.tick import Recorded, Tick
from memtop.sources.recording.writer import Writer

_OUTCOMES = {error: outcome for outcome, error in ERRORS.items()}


class Recorder:
    """A Source that passes on another Source's answers and writes them to a new file.

    The recording holds what was answered, with two exceptions for people who send recordings to each other. Secrets in
    command lines are replaced by ``***`` (:mod:`memtop.redaction`), which also affects the live screen meanwhile.
    Environments are left out.

    An instant is passed to the writer when the next one begins. After it is written, it survives the end of memtop. A
    slow or full disk delays nothing: instants that cannot be written are counted, see :attr:`problem`. Raises
    RecordingError if the file exists or cannot be created.
    """

    def __init__(self, source: Source, path: str) -> None:
        self._source = source
        self._writer = Writer(path)
        self._tick: Tick | None = None
        self._lost: Tick | None = None

    @property
    def problem(self) -> str | None:
        """What is wrong with the recording now, as one sentence; None if nothing is."""
        return self._writer.problem

    def begin(self) -> Instant | None:
        """Open a new instant, and pass the previous one to the writer."""
        self._hand_over()
        instant = self._source.begin()
        if instant is not None:
            self._tick = Tick(instant)
        return instant

    def pids(self) -> Sequence[int]:
        """See ``Source.pids``."""
        pids = self._source.pids()
        if self._tick is not None:
            self._tick.pids = pids
        return pids

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        """See ``Source.read``."""
        return self._noted(path, lambda: self._source.read(path, size))

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        """See ``Source.sweep``."""
        answers = self._source.sweep(name, pids)
        if self._tick is not None:
            self._tick.sweeps.setdefault(name, {}).update(zip(pids, answers, strict=True))
        return answers

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        """See ``Source.ask``."""
        written = without_address(path)
        try:
            answer = self._source.ask(path, size)
        except (ProcessGone, AccessDenied, Unavailable, Blocked) as error:
            self._note_answer(written, _told(error), 0.0)
            raise
        if answer is not None:
            self._note_answer(written, _recordable(written, answer.data), answer.took_s)
        elif self._tick is not None:
            self._tick.waiting.add(written)
        return answer

    def abandon(self, path: str) -> None:
        """See ``Source.abandon``."""
        self._source.abandon(path)

    def settle(self, seconds: float) -> None:
        """See ``Source.settle``."""
        self._source.settle(seconds)

    def tids(self, pid: int) -> Sequence[int]:
        """See ``Source.tids``."""
        path = f"proc/{pid}/task"
        data = self._noted(path, lambda: b" ".join(b"%d" % tid for tid in self._source.tids(pid)))
        return [int(tid) for tid in data.split()]

    def watch(self, pids: Sequence[int]) -> None:
        """See ``Source.watch``."""
        self._source.watch(pids)

    def exits(self) -> list[Exit]:
        """See ``Source.exits``."""
        exits = self._source.exits()
        if self._tick is not None:
            self._tick.exits.extend(exits)
        return exits

    def close(self) -> None:
        """Finish the file, as far as the disk allows within two seconds, and close the other Source."""
        self._hand_over(last=True)
        self._writer.close()
        self._source.close()

    def _hand_over(self, *, last: bool = False) -> None:
        tick, self._tick = self._tick, None
        if tick is None:
            return
        if self._lost is not None:
            tick = tick.after(self._lost)
        self._lost = None if self._writer.submit(tick, always=last) else tick

    def _noted(self, path: str, read: Callable[[], bytes]) -> bytes:
        try:
            data = read()
        except (ProcessGone, AccessDenied, Unavailable) as error:
            if self._tick is not None:
                self._tick.reads[path] = _told(error)
            raise
        if self._tick is not None:
            self._tick.reads[path] = _recordable(path, data)
        return data

    def _note_answer(self, path: str, told: Recorded, took_s: float) -> None:
        if self._tick is not None:
            self._tick.asks.append((path, told, took_s))


def _told(error: MemtopError) -> Recorded:
    return _OUTCOMES[type(error)], os.fsencode(str(error))


def _recordable(path: str, data: bytes) -> Recorded:
    if path.endswith("/environ") and not is_runtime(path):
        return Outcome.UNAVAILABLE, b"environments are never recorded"
    return Outcome.OK, scrub(data) if path.endswith("/cmdline") else data
