"""Recorder: a Source that passes on the answers of another Source, keeps the last ones, and records them."""

from __future__ import annotations

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
from memtop.sources.recording.tick import Block, Recorded, Tick, Told
from memtop.sources.recording.writer import Sink, Writer

if TYPE_CHECKING:
    from memtop.sources.recording.file import RecordingFile
    from memtop.sources.recording.tables import Bounds

EVENTS_LIMIT: Final = 256
"""Most events of one instant."""
MOST_KEPT: Final = 1_000
"""Most processes whose instants are kept in memory while nothing is written. Of more, the ring would hold some seconds
and cost more than all else."""
KEPT_AGAIN: Final = 800
"""They are kept again when there are at most so many."""
_CATCHING_UP: Final = 10
"""Instants in which everything is read again: names and command lines are read in turn."""
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
    MOST_KEPT processes a file begins when it is started; see :attr:`wants_all`.

    An instant is passed to the writer when the next one begins, or by :meth:`pass_on`. After it is written, it survives
    the end of memtop. A slow or full disk delays nothing: instants that cannot be written are counted, see
    :attr:`problem`. Raises RecordingError if the file exists or cannot be created.
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
        self._began_late = False
        """Whether the file began without a past, because there were too many processes."""
        self._too_many = False
        """Whether there are too many processes to keep instants in memory."""
        self._lacks_past = False
        """Whether answers were not noted that a recording from now on would need."""
        self._catching_up = 0
        if sink is not None:
            self._begin(sink)
        self._tick: Tick | None = None
        self._lost: Tick | None = None

    def start(self, path: str) -> None:
        """Begin a new file with what is kept in memory, and go on. Raises RecordingError."""
        self._begin(_new_file(path, None))

    def _begin(self, sink: Sink) -> None:
        self._sink, self._from_s = sink, self._writer.begin(sink)
        self._began_late = self.kept_to is not None

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
        kept_to = (MOST_KEPT, KEPT_AGAIN) if self._began_late else None
        return RecordingState(sink.path, sink.size_bytes(), self._from_s, kept_to)

    @property
    def problem(self) -> str | None:
        """What is wrong with the recording now, as one sentence; None if nothing is."""
        return self._writer.problem if self._sink is not None else None  # what is only in memory is no recording

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
    def kept_to(self) -> tuple[int, int] | None:
        """Where instants are not kept in memory, because there are too many processes: most processes of which they are
        kept, and from how few on they are kept again. None where they are kept."""
        return (MOST_KEPT, KEPT_AGAIN) if self._looks_back and self._too_many else None

    def recent(self) -> Sequence[Block]:
        """The last instants in memory, the oldest first; not the one under way."""
        return self._writer.recent()

    @property
    def wants_all(self) -> bool:
        """Whether the files that are read once are to be read again, because a recording begins without a past."""
        return self._catching_up > 0

    def begin(self) -> Instant | None:
        """Open a new instant, and pass the previous one to the writer."""
        self._hand_over()
        instant = self._source.begin()
        if instant is not None and self._is_noting():
            self._catching_up = _CATCHING_UP if self._lacks_past else max(self._catching_up - 1, 0)
            self._lacks_past = False
            self._tick = Tick(instant)
            if self._from_s is None:
                self._from_s = instant.wall_s
        elif instant is not None:
            self._forget()
        return instant

    def _is_noting(self) -> bool:
        return self._sink is not None or not self._looks_back or not self._too_many

    def _forget(self) -> None:
        """Keep nothing in memory, until a file is begun."""
        self._tick = self._from_s = None
        if not self._lacks_past:
            self._lacks_past = True
            self._catching_up = 0
            self._writer.forget()

    def pids(self) -> Sequence[int]:
        """See ``Source.pids``."""
        pids = self._source.pids()
        self._too_many = len(pids) > (KEPT_AGAIN if self._too_many else MOST_KEPT)
        if not self._is_noting():
            self._forget()
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
            tick.reads[path] = _told(error)
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
            self._note_answer(written, _told(error), 0.0)
            raise
        if answer is not None:
            told = self._recordable(written, answer.data)
            self._note_answer(written, (Outcome.OK, told) if isinstance(told, bytes) else told, answer.took_s)
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
                self._tick.reads[path] = _told(error)
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
        """Write an event that was found at the instant under way."""
        if self._tick is not None and len(self._tick.events) < EVENTS_LIMIT:
            self._tick.events.append(event)

    def drop(self) -> None:
        """Do not write the instant under way."""
        self._tick = None

    def close(self) -> None:
        """Finish the file, as far as the disk allows within two seconds, and close the other Source."""
        self._hand_over(last=True)
        self._writer.close()
        self._source.close()

    def pass_on(self) -> None:
        """Pass the instant under way to the writer now. Answers that come before the next one are not recorded."""
        self._hand_over()

    def _hand_over(self, *, last: bool = False) -> None:
        tick, self._tick = self._tick, None
        if tick is None:
            return
        if self._lost is not None:
            tick = tick.after(self._lost)
        self._lost = None if self._writer.submit(tick, always=last) else tick

    def _recordable(self, path: str, data: bytes) -> Told:
        if not path.endswith(_NEVER_WHOLE) or is_runtime(path):
            return data
        if path.endswith("/environ"):
            return Outcome.UNAVAILABLE, b"environments are never recorded"
        return scrub(data) if self._command_lines else data.partition(b"\0")[0]

    def _note_answer(self, path: str, told: Recorded, took_s: float) -> None:
        if self._tick is not None:
            self._tick.asks.append((path, told, took_s))


def _told(error: MemtopError) -> Recorded:
    return next(outcome for outcome, kind in ERRORS.items() if isinstance(error, kind)), os.fsencode(str(error))


def _new_file(path: str, bounds: Bounds | None) -> RecordingFile:
    from memtop.sources.recording.file import RecordingFile  # noqa: PLC0415 (13 ms of SQLite, for a file only)
    from memtop.sources.recording.tables import Bounds  # noqa: PLC0415 (as above)

    return RecordingFile(path, bounds or Bounds())
