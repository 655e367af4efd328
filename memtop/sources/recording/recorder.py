"""Recorder: a Source that passes on the answers of another Source, keeps the last ones, and records them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from memtop.errors import AccessDenied, Blocked, MemtopError, ProcessGone, Unavailable
from memtop.redaction import scrub
from memtop.sources.protocol import (
    READ_LIMIT,
    Answer,
    Exit,
    Instant,
    NotedEvent,
    RecordingState,
    Source,
    is_runtime,
    without_address,
)
from memtop.sources.recording.about import about_this_machine
from memtop.sources.recording.format import ERRORS, READ_FILE_LIMIT, Outcome
from memtop.sources.recording.ring import Ring
from memtop.sources.recording.sink import Sink
from memtop.sources.recording.tick import Block, FileAnswer, Recorded, Tick
from memtop.sources.recording.writer import Writer

if TYPE_CHECKING:
    from memtop.sources.recording.file import RecordingFile
    from memtop.sources.recording.tables import Bounds

EVENTS_LIMIT: Final = 256
"""Most events of one instant."""
MOST_WHOLE: Final = 1_000
"""Most processes of which every instant is kept in memory while nothing is written. Of more, each would take too much
of it, and the past would be short ..."""
SPARSE_S: Final = 2.0
"""... so one is kept in so many seconds for each MOST_WHOLE processes."""
_EARLY_S: Final = 0.1
"""An instant that is so much too early is on time."""
_MANY_READS: Final = 500
"""An instant with more answers is kept: until the next one they would take memory, as when all is read at the start."""
_TIDS: Final = READ_FILE_LIMIT // len(b"4194304 ")
"""Most threads of one process whose ids are recorded."""
_NEVER_WHOLE: Final = ("/environ", "/cmdline")
"""Files whose answers are recorded with something left out."""


class Recorder:
    """A Source that passes on another Source's answers and writes them to a new file.

    The recording holds what was answered, with two exceptions for people who send recordings to each other. Secrets in
    command lines are replaced by ``***`` (:mod:`memtop.redaction`). Environments are left out. ``command_lines`` False
    leaves out the arguments of all programs.

    ``sink`` takes what is written in place of a file. Without it and ``path`` nothing is written until :meth:`start`.
    With ``looks_back`` the last instants are kept in memory, and a file begins with them. On a machine with more than
    MOST_WHOLE processes they are those at which something happened, and one in some seconds, which has what was read
    since the one before; see :attr:`sparse_s`.

    An instant is passed to the writer by :meth:`pass_on`, or when the next one begins. After it is written, it survives
    the end of memtop. A slow or full disk delays no instant: those that wait for it, and those that cannot be written,
    are counted, see :attr:`behind` and :attr:`problem`. Raises RecordingError if the file exists or cannot be created.
    """

    def __init__(
        self,
        source: Source,
        path: str = "",
        *,
        looks_back: bool = False,
        bounds: Bounds | None = None,
        sink: Sink | None = None,
        asked: str = "",
        command_lines: bool = True,
    ) -> None:
        self._source = source
        self.own_pid: int | None = getattr(source, "own_pid", None)
        """The PID of the memtop that records."""
        self._command_lines = command_lines
        self._sink: Sink | None = None
        self._from_s: float | None = None
        sink = sink or (_new_file(path, bounds) if path else None)
        self._writer = Writer(Ring() if looks_back else None, about_this_machine(asked, self.own_pid))
        self._looks_back = looks_back
        self._began_sparse_s: float | None = None
        """What :attr:`sparse_s` was when the file was started."""
        self._processes = 0
        """Processes at the latest instant."""
        self._kept_s = -math.inf
        """When the instant that was passed to the writer last was, on the clock of Instant.mono_s."""
        if sink is not None:
            self._begin(sink)
        self._tick: Tick | None = None
        """What was answered since the last instant was passed on; None before the first one."""
        self._is_open = False
        """Whether the instant of that tick has begun."""
        self._earlier: Tick | None = None
        """Instants that are not written themselves, combined: what the next one that is written has beside its own."""

    def start(self, path: str) -> None:
        """Begin a new file with what is kept in memory, and go on. Raises RecordingError."""
        self._begin(_new_file(path, None))

    def _begin(self, sink: Sink) -> None:
        self._sink, self._from_s = sink, self._writer.begin(sink)
        self._began_sparse_s = self.sparse_s

    def stop(self) -> str | None:
        """Finish the file. Returns what is wrong with it; None for nothing."""
        complete = self._writer.end()
        problem = self._writer.problem
        self._sink = None
        return problem if complete else problem or "the disk hangs, and the recording is incomplete"

    @property
    def state(self) -> RecordingState | None:
        """The file being written; None for none."""
        sink = self._sink
        if sink is None:
            return None
        halted = "stopped" if self.is_lost else "paused" if self._writer.why_paused else ""
        return RecordingState(sink.path, sink.size_bytes(), self._from_s, halted, self._began_sparse_s)

    @property
    def problem(self) -> str | None:
        """What is wrong with the recording now, as one sentence; None if nothing is."""
        return self._writer.problem if self._sink is not None else None  # what is only in memory is no recording

    @property
    def behind(self) -> str | None:
        """How many instants beside the newest are not in the file yet, as one sentence; None for none.

        Where it is None, memtop may end in any way: no more than the newest instant is lost, or of several instants in
        BEHIND_S the last ones.
        """
        return self._writer.behind(newest=0 if self._is_open else 1) if self._sink is not None else None

    @property
    def is_lost(self) -> bool:
        """Whether the file was removed or replaced, so that nothing is written any longer."""
        return self._writer.removed

    @property
    def write_error(self) -> str:
        """Why the last instant could not be written; empty if it was."""
        return self._writer.failed

    @property
    def first_s(self) -> float | None:
        """Wall time of the first instant that is kept, in memory or in the file; None for none."""
        blocks = self.recent()
        known = [blocks[0].instant.wall_s] if blocks else []
        if self.state is not None and self._from_s is not None:
            known.append(self._from_s)
        return min(known, default=None)

    @property
    def sparse_s(self) -> float | None:
        """Seconds between the instants that memory keeps of many processes; None where it keeps each."""
        if not self._looks_back or self._processes <= MOST_WHOLE:
            return None
        return SPARSE_S * self._processes / MOST_WHOLE

    def recent(self) -> Sequence[Block]:
        """The last instants in memory, the oldest first; not the one under way."""
        return self._writer.recent()

    def begin(self) -> Instant | None:
        """Open a new instant, and pass the previous one to the writer. It has what was answered since then, too."""
        self._hand_over()
        instant = self._source.begin()
        if instant is not None:
            self._tick = self._tick or Tick(instant)
            self._tick.instant, self._is_open = instant, True
            if self._from_s is None:
                self._from_s = instant.wall_s
        return instant

    @property
    def unrecorded(self) -> Source:
        """What is recorded, for readings of processes that a replay is not to list."""
        return getattr(self._source, "unrecorded", self._source)

    def pids(self) -> Sequence[int]:
        """See ``Source.pids``."""
        pids = self._source.pids()
        self._processes = len(pids)
        if self._tick is not None:
            self._tick.pids = pids
        return pids

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        """See ``Source.read``."""
        tick = self._tick
        if tick is None:
            return self._source.read(path, size)
        try:
            data = self._source.read(path, size)
        except (ProcessGone, AccessDenied, Unavailable) as error:
            tick.reads[path] = _recorded(error)
            raise
        # one comparison for most files: they are hundreds
        tick.reads[path] = self._recordable(path, data) if path.endswith(_NEVER_WHOLE) else data
        return data

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
            self._note_answer(written, _recorded(error), 0.0)
            raise
        if answer is not None:
            self._note_answer(written, (Outcome.OK, answer.data), answer.took_s)
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
        try:
            tids = self._source.tids(pid)
        except (ProcessGone, AccessDenied, Unavailable) as error:
            if self._tick is not None:
                self._tick.reads[path] = _recorded(error)
            raise
        if self._tick is not None:
            self._tick.reads[path] = b" ".join(b"%d" % tid for tid in tids[:_TIDS])
        return tids

    def watch(self, pids: Sequence[int]) -> None:
        """See ``Source.watch``."""
        self._source.watch(pids)

    def exits(self) -> list[Exit]:
        """See ``Source.exits``."""
        exits = self._source.exits()
        if self._tick is not None:
            self._tick.exits.extend(exits)
        return exits

    def note(self, event: NotedEvent) -> None:
        """Write an event that was found at the instant under way, or since the last one."""
        if self._tick is not None and len(self._tick.events) < EVENTS_LIMIT:
            self._tick.events.append(event)

    def drop(self) -> None:
        """Do not write the instant under way."""
        self._tick, self._is_open = None, False

    def close(self) -> None:
        """Finish the file, as far as the disk allows within two seconds, and close the other Source."""
        self._hand_over(last=True)
        self._writer.close()
        self._source.close()

    def pass_on(self, wait_s: float = 0.0) -> None:
        """Pass the instant under way to the writer now, and wait until the file has it, for ``wait_s`` at most.

        A disk that was waited for in vain is not waited for again until it has taken all. Answers that come before the
        next instant belong to that one.
        """
        self._hand_over()
        if self._sink is not None and wait_s:
            self._writer.settle(wait_s)

    def _hand_over(self, *, last: bool = False) -> None:
        if not self._is_open and not (last and self._earlier is not None):
            return
        tick, earlier = (self._tick, self._earlier) if self._is_open else (self._earlier, None)
        assert tick is not None
        tick.asks = [(path, self._redacted(path, recorded), took_s) for path, recorded, took_s in tick.asks]
        again = not self._is_open and tick.lost > 0
        tick.lost -= again
        self._tick, self._is_open = None if last else Tick(tick.instant), False
        if earlier is not None:
            tick = tick.after(earlier)
        if not last and not self._is_due(tick):
            self._earlier = tick
        elif self._writer.submit(tick, always=last, again=again):
            self._earlier, self._kept_s = None, tick.instant.mono_s
        else:
            tick.lost += 1
            self._earlier = tick

    def _is_due(self, tick: Tick) -> bool:
        """Whether an instant is written, or kept: without a file not each is, where there are many processes."""
        sparse_s = self.sparse_s
        if self._sink is not None or sparse_s is None or tick.events or len(tick.reads) > _MANY_READS:
            return True
        return not 0.0 <= tick.instant.mono_s - self._kept_s < sparse_s - _EARLY_S

    def _redacted(self, path: str, recorded: Recorded) -> Recorded:
        """What an answer leaves in the recording; only here, because the first picture would wait for the patterns."""
        if recorded[0] is not Outcome.OK:
            return recorded
        kept = self._recordable(path, recorded[1])
        return (Outcome.OK, kept) if isinstance(kept, bytes) else kept

    def _recordable(self, path: str, data: bytes) -> FileAnswer:
        if not path.endswith(_NEVER_WHOLE) or is_runtime(path):
            return data
        if path.endswith("/environ"):
            return Outcome.UNAVAILABLE, b"environments are never recorded"
        return scrub(data) if self._command_lines else data.partition(b"\0")[0]

    def _note_answer(self, path: str, recorded: Recorded, took_s: float) -> None:
        if self._tick is not None:
            self._tick.asks.append((path, recorded, took_s))


def _recorded(error: MemtopError) -> Recorded:
    return next(outcome for outcome, kind in ERRORS.items() if isinstance(error, kind)), os.fsencode(str(error))


def _new_file(path: str, bounds: Bounds | None) -> RecordingFile:
    from memtop.sources.recording.file import RecordingFile  # noqa: PLC0415 (13 ms of SQLite, for a file only)
    from memtop.sources.recording.tables import Bounds  # noqa: PLC0415 (as above)

    return RecordingFile(path, bounds or Bounds())
