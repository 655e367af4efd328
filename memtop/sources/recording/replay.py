"""Replay: a Source that plays a recording."""

from __future__ import annotations

import math
import os
import sqlite3
import struct
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from memtop.errors import NotRecorded, RecordingError
from memtop.sanitize import clean
from memtop.sources.protocol import READ_LIMIT, Answer, Exit, Instant, pid_of
from memtop.sources.recording.about import page_size_problem
from memtop.sources.recording.checked_values import blob, integer, mono_time_s, path_set, wall_time_s
from memtop.sources.recording.format import (
    ERRORS,
    PROCESS_LIMIT,
    Outcome,
    RecordKind,
    decode_changes,
    decode_pids,
    decode_rows,
    decode_took,
    has_basis,
    is_kept,
    unpack,
)
from memtop.sources.recording.opening import format_of, is_unfinished, open_recording
from memtop.sources.recording.tick import Recorded

COUNT_LIMIT: Final = 1 << 40
"""Most missing samples that are counted at once: a number in the file may be anything."""
DEADLINE_S: Final = 2.0
"""Longest time of one query of the file."""
TICK_LIMIT: Final = 256 << 20
"""Most bytes unpacked for one tick."""
MEMORY_LIMIT: Final = 256 << 20
"""Most bytes kept from one tick to the next."""
KEY_LIMIT: Final = 256 << 20
"""Most bytes of a keyframe."""
WARM_TICKS: Final = 2
"""Instants at which a viewer that has just begun asks for everything."""
ENTRY_BYTES: Final = 160
"""What one answer costs in memory, in addition to its bytes."""


class Replay:
    """A Source that returns what a Recorder has written.

    What was not requested during the recording is unknown: read raises NotRecorded, a sweep gives None. Raises
    RecordingError, with one sentence, for anything that is wrong with the file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._next = 0
        self._warm_until = 0
        """Up to this instant what was not asked for at an instant is answered with what is known; see :meth:`seek`."""
        self._mono_s = -math.inf
        self._deadline_s = math.inf
        self._budget = 0
        self._learnt_bytes = 0
        self._pids: tuple[int, ...] | None = None
        """The last list; None before the first request for one."""
        self._listed: frozenset[int] = frozenset()
        self._left: frozenset[int] = frozenset()
        self._swept: dict[str, frozenset[int] | None] = {}
        self._values: dict[str, dict[int, bytes | None]] = defaultdict(dict)
        self._reads: dict[int | None, dict[str, tuple[Outcome, bytes]]] = defaultdict(dict)
        self._sets: dict[RecordKind, frozenset[str]] = {
            RecordKind.READ_SET: frozenset(),
            RecordKind.WAITING: frozenset(),
        }
        self._asks: dict[str, list[tuple[Recorded, float]]] = {}
        self._kept: dict[int | None, dict[str, Recorded]] = defaultdict(dict)
        """Readings that are made once: a viewer may open its process later than the user who recorded it."""
        self._exits: list[Exit] = []
        self._lost = 0
        self._about: dict[str, bytes] = {}
        self._bases: dict[tuple[int, str], bytes] = {}
        self._learners: dict[RecordKind, Callable[[str, object, bytes], None]] = {
            RecordKind.PIDS: self._learn_pids,
            RecordKind.SWEPT: self._learn_swept,
            RecordKind.SWEEP: self._learn_sweep,
            RecordKind.READ: self._learn_read,
            RecordKind.READ_SET: self._learn_read_set,
            RecordKind.ASK: self._learn_ask,
            RecordKind.WAITING: self._learn_waiting,
            RecordKind.KEPT: self._learn_kept,
            RecordKind.ABOUT: self._learn_about,
        }
        with self._one_sentence():
            self._connection = open_recording(path)
            self._unfinished = is_unfinished(path)
        self._connection.set_progress_handler(lambda: time.monotonic() > self._deadline_s, 10_000)
        try:
            with self._one_sentence():
                first, last = self._connection.execute("SELECT min(n), max(n) FROM tick").fetchone()
                if last is None:
                    raise RecordingError("it has no samples: memtop was ended before the first one was written")
                self._first, self._end = integer(first), integer(last) + 1
                self._next = self._first
                self._has_keys = format_of(path) > 1
        except RecordingError:
            self._connection.close()
            raise

    @property
    def _is_warm(self) -> bool:
        return self._next <= self._warm_until

    def position(self) -> tuple[int, int]:
        """(instants played so far, total instants)."""
        return self._next - self._first, self._end - self._first

    @property
    def span(self) -> tuple[float, float]:
        """Wall times of the first and the last instant, in seconds since 1970. Raises RecordingError."""
        with self._one_sentence():
            first, last = (
                self._connection.execute("SELECT wall_s FROM tick WHERE n = ?", (number,)).fetchone()
                for number in (self._first, self._end - 1)
            )
            return wall_time_s(first[0]), wall_time_s(last[0])

    def position_at(self, wall_s: float) -> int:
        """How many instants there are up to a wall time, that one included; at least 1. Raises RecordingError."""
        with self._one_sentence():
            (last,) = self._connection.execute("SELECT max(n) FROM tick WHERE wall_s <= ?", (wall_s,)).fetchone()
            return 1 if last is None else integer(last) - self._first + 1

    def event_before(self, position: int) -> int | None:
        """The position of the last end of a process, or loss of samples, before a position; None for none."""
        with self._one_sentence():
            before = self._first + position - 1
            (last,) = self._connection.execute(
                "SELECT max(tick) FROM fact WHERE tick < ? AND kind IN (8, 9)", (before,)
            ).fetchone()
            return None if last is None else integer(last) - self._first + 1

    def seek(self, position: int) -> None:
        """Continue after so many instants, from the keyframe before them. Raises RecordingError.

        A viewer that begins there has no past. So at the next two instants it is also answered what had been asked for
        earlier and was not asked for again because it holds.
        """
        target = min(self._first + max(0, position), self._end)
        with self._one_sentence():
            key = None
            if self._has_keys:
                (key,) = self._connection.execute("SELECT max(n) FROM tick WHERE key AND n <= ?", (target,)).fetchone()
        start = self._first if key is None else integer(key)
        self._forget_all()
        self._mono_s = -math.inf
        self._next, self._warm_until = start, target + WARM_TICKS
        while self._next < target and self.begin() is not None:
            pass

    @property
    def incomplete(self) -> str | None:
        """What the recording lacks, as far as it was played, in one sentence; None if nothing."""
        said = []
        if self._lost:
            said.append(f"{self._lost} samples could not be written up to here")
        if self._unfinished:
            said.append("it was not finished, so its last samples may be missing")
        return f"the recording is not complete: {'; '.join(said)}" if said else None

    def begin(self) -> Instant | None:
        """Open the next instant; None at the end."""
        if self._next >= self._end:
            return None
        with self._one_sentence():
            found = self._connection.execute("SELECT wall_s, mono_s FROM tick WHERE n = ?", (self._next,)).fetchone()
            if found is None:
                raise RecordingError("an instant is missing")
            mono_s = mono_time_s(found[1])  # the clock of a process that was restored elsewhere has gone back
            instant = Instant(wall_time_s(found[0]), max(mono_s, self._mono_s))
            self._forget_those_who_left()
            self._budget = TICK_LIMIT
            facts = self._connection.execute(
                "SELECT kind, path, status, data FROM fact WHERE tick = ? ORDER BY rowid", (self._next,)
            )
            for kind, path, status, data in facts:
                self._learn(integer(kind), os.fsdecode(blob(path)), status, blob(data))
            self._check_memory()
        self._mono_s = instant.mono_s
        self._next += 1
        return instant

    def pids(self) -> Sequence[int]:
        """See ``Source.pids``. Without a recorded list, the processes whose statm was read."""
        return tuple(sorted(self._swept.get("statm") or ())) if self._pids is None else self._pids

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        """See ``Source.read``."""
        known = self._is_warm or path in self._sets[RecordKind.READ_SET]
        answer = self._reads[pid_of(path)].get(path) if known else None
        if answer is None:
            raise NotRecorded(f"{path}: not in the recording")
        return _given(answer)[:size]

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        """See ``Source.sweep``."""
        if name not in self._swept:
            return [None] * len(pids)
        swept = self._swept[name]
        asked = self._listed if swept is None or self._is_warm else swept
        values = self._values[name]
        return [values.get(pid) if pid in asked else None for pid in pids]

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        """See ``Source.ask``. The answer comes at the instant at which it came during the recording."""
        if answers := self._asks.get(path):
            told, took_s = answers.pop(0)
            return Answer(_given(told)[:size], took_s)
        if path in self._asks or path in self._sets[RecordKind.WAITING]:
            return None
        if kept := self._kept[pid_of(path)].get(path):
            return Answer(_given(kept)[:size], 0.0)
        raise NotRecorded(f"{path}: not in the recording")

    def abandon(self, path: str) -> None:
        """Nothing is ever under way."""

    def settle(self, seconds: float) -> None:
        """Return at once: a replay never waits."""

    def tids(self, pid: int) -> Sequence[int]:
        """See ``Source.tids``."""
        with self._one_sentence():
            return [int(tid) for tid in self.read(f"proc/{pid}/task").split()]

    def watch(self, pids: Sequence[int]) -> None:
        """Do nothing: only the processes that were watched during the recording can be reported."""

    def exits(self) -> list[Exit]:
        """See ``Source.exits``."""
        exits, self._exits = self._exits, []
        return exits

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _forget_those_who_left(self) -> None:
        """Drop processes that have left, at the same point as the encoder does."""
        for pid in self._left:
            self._reads.pop(pid, None)
            self._kept.pop(pid, None)
            for values in self._values.values():
                values.pop(pid, None)
        self._left = frozenset()
        self._asks = {}
        self._exits = []

    def _learn(self, kind: int, path: str, status: object, stored: bytes) -> None:
        """Take one row. Raises the errors that :meth:`_one_sentence` converts."""
        if kind == RecordKind.EXIT:
            (wall_s,) = struct.unpack("<d", stored)
            self._exits.append(Exit(int(path), wall_time_s(wall_s), None if status is None else integer(status)))
            return
        if kind == RecordKind.LOST:
            self._lost += max(0, min(integer(status), COUNT_LIMIT))
            return
        if kind == RecordKind.KEY:
            self._learn_all(stored)
            return
        data = unpack(stored, self._basis(kind, path))
        if has_basis(kind) and kind != RecordKind.READ:
            self._bases[kind, path] = data
        size = ENTRY_BYTES + len(path) + len(data)
        self._budget -= size
        self._learnt_bytes += size
        if self._budget < 0:
            raise RecordingError("one instant holds too much")
        self._learners[RecordKind(kind)](path, status, data)

    def _learn_swept(self, name: str, status: object, data: bytes) -> None:
        self._swept[name] = None if status else frozenset(decode_pids(data))

    def _learn_sweep(self, name: str, status: object, data: bytes) -> None:
        self._values[name].update(decode_changes(data))

    def _learn_read(self, path: str, status: object, data: bytes) -> None:
        self._reads[pid_of(path)][path] = Outcome(integer(status)), data

    def _learn_ask(self, path: str, status: object, data: bytes) -> None:
        took_s, data = decode_took(data)
        told = Outcome(integer(status)), data
        self._asks.setdefault(path, []).append((told, took_s))
        if is_kept(path):
            self._kept[pid_of(path)][path] = told

    def _learn_kept(self, path: str, status: object, data: bytes) -> None:
        self._kept[pid_of(path)][path] = Outcome(integer(status)), decode_took(data)[1]

    def _learn_about(self, name: str, status: object, data: bytes) -> None:
        self._about[name] = data
        if problem := page_size_problem(self._about):
            raise RecordingError(problem)

    def _learn_read_set(self, path: str, status: object, data: bytes) -> None:
        self._sets[RecordKind.READ_SET] = path_set(data)

    def _learn_waiting(self, path: str, status: object, data: bytes) -> None:
        self._sets[RecordKind.WAITING] = path_set(data)

    def _basis(self, kind: int, path: str) -> bytes:
        if kind == RecordKind.READ:
            known = self._reads[pid_of(path)].get(path)
            return known[1] if known is not None else b""
        return self._bases.get((kind, path), b"") if has_basis(kind) else b""

    def _learn_all(self, stored: bytes) -> None:
        """Take a keyframe in place of everything known before."""
        data = unpack(stored, limit_bytes=KEY_LIMIT)
        self._forget_all()
        for kind, path, status, value in decode_rows(data):
            if kind in (RecordKind.KEY, RecordKind.EXIT):
                raise RecordingError("a keyframe is damaged")
            self._learn(kind, os.fsdecode(path), status, blob(value))

    def _forget_all(self) -> None:
        """Begin as with a new file."""
        self._pids, self._listed, self._left = None, frozenset(), frozenset()
        self._swept, self._bases = {}, {}
        self._values, self._reads, self._kept = defaultdict(dict), defaultdict(dict), defaultdict(dict)
        self._sets = {RecordKind.READ_SET: frozenset(), RecordKind.WAITING: frozenset()}

    def _check_memory(self) -> None:
        """Measure the memory in use, after enough new data that it may be too much. Raises RecordingError."""
        if self._learnt_bytes < MEMORY_LIMIT // 4:
            return
        self._learnt_bytes = 0
        reads = [
            (path, told[1])
            for answers in (*self._reads.values(), *self._kept.values())
            for path, told in answers.items()
        ]
        values = [data or b"" for by_pid in self._values.values() for data in by_pid.values()]
        kept = sum(ENTRY_BYTES + len(path) + len(data) for path, data in reads)
        kept += sum(ENTRY_BYTES + len(data) for data in values)
        kept += sum(ENTRY_BYTES + len(path) + len(data) for (_, path), data in self._bases.items())
        if kept > MEMORY_LIMIT:
            raise RecordingError("it holds more than memtop keeps in memory")

    def _learn_pids(self, path: str, status: object, data: bytes) -> None:
        numbers, form = decode_pids(data), integer(status)
        if form == 1:
            listed = frozenset(numbers)
            self._left = self._listed - listed
        else:
            leaving = 1 + numbers[0]
            self._left = frozenset(numbers[1:leaving])
            rest = frozenset(numbers[leaving:])
            listed = rest if form == 2 else (self._listed - self._left) | rest
        self._listed = listed
        if len(listed) > PROCESS_LIMIT:
            raise RecordingError("it has more processes than memtop can show")
        self._pids = tuple(sorted(listed))

    @contextmanager
    def _one_sentence(self) -> Iterator[None]:
        """Turn every error of the file into a RecordingError. Bytes of the file are cleaned."""
        self._deadline_s = time.monotonic() + DEADLINE_S
        try:
            yield
        except RecordingError as error:
            raise RecordingError(f"{clean(self._path)} cannot be played: {clean(str(error))}") from None
        except OSError as error:
            raise RecordingError(f"{clean(self._path)} cannot be played: {clean(error.strerror or '')}") from None
        except (
            sqlite3.Error,
            sqlite3.Warning,
            zlib.error,
            struct.error,
            KeyError,
            ValueError,
            IndexError,
            OverflowError,
            MemoryError,
        ) as error:
            raise RecordingError(f"{clean(self._path)} cannot be played: it is damaged ({clean(str(error))})") from None
        finally:
            self._deadline_s = math.inf


def _given(told: Recorded) -> bytes:
    outcome, data = told
    if outcome in ERRORS:
        raise ERRORS[outcome](clean(data))
    return data
