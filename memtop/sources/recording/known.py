"""What is known at an instant of a recording: takes the facts of one instant after another, which may be hostile."""

from __future__ import annotations

import gc
import os
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import Final
from weakref import WeakSet

from memtop.errors import DamagedError, RecordingError
from memtop.sources.protocol import Exit, pid_of
from memtop.sources.recording.about import own_pid_of, page_bytes_of
from memtop.sources.recording.answer_bases import AnswerBases
from memtop.sources.recording.bits import decode_bits
from memtop.sources.recording.checked_values import blob, integer, path_set, wall_time_s
from memtop.sources.recording.format import (
    FITTED,
    FOUND_BY_QUERIES,
    PROCESS_LIMIT,
    Outcome,
    RecordKind,
    Row,
    decode_changes,
    decode_pids,
    decode_rows,
    has_basis,
    is_kept,
    largest_bytes,
)
from memtop.sources.recording.number_changes import LENGTH_LIMIT
from memtop.sources.recording.packing import decode_took, is_longer, number_changes, unpack
from memtop.sources.recording.tick import Recorded
from memtop.sources.recording.undone_changes import ENTRY_BYTES, UndoneChanges

COUNT_LIMIT: Final = 1 << 40
"""Most missing samples that are counted at once: a number in the file may be anything."""
TICK_LIMIT: Final = 256 << 20
"""Most bytes unpacked for one tick."""
WAY_LIMIT: Final = 512 << 20
"""Most bytes unpacked from a keyframe to the instant that is wanted: some seconds."""
MEMORY_LIMIT: Final = 256 << 20
"""Most bytes kept from one tick to the next, by all who play one recording at the same time."""
KEY_LIMIT: Final = 256 << 20
"""Most bytes of a keyframe."""


class Known:
    """The answers that hold at an instant. Each method raises the errors of damaged bytes; see DAMAGE."""

    def __init__(self, of_recording: WeakSet[Known] | None = None) -> None:
        self._of_recording = WeakSet[Known]() if of_recording is None else of_recording
        """All that are known of the same recording, at several instants: they share the memory that they may take."""
        self._of_recording.add(self)
        self.asks: dict[str, list[tuple[Recorded, float]]] = {}
        """Answers that came at this instant: the outcome, and seconds that it took."""
        self.exits: list[Exit] = []
        """Processes that ended at this instant."""
        self.lost = 0
        """Samples that are missing up to this instant."""
        self._budget = 0
        self._way_budget = WAY_LIMIT
        self._is_on_the_way = False
        self._learnt_bytes = 0
        self._about: dict[str, bytes] = {}
        self.own_pid: int | None = None
        self.page_bytes: int | None = None
        """The PID of the memtop that recorded."""
        self._learners: dict[int, Callable[[str, object, bytes], None]] = {
            RecordKind.PIDS: self._learn_pids,
            RecordKind.SWEPT: self._learn_swept,
            RecordKind.SWEEP: self._learn_sweep,
            RecordKind.READ: self._learn_read,
            RecordKind.READ_SET: self._learn_read_set,
            RecordKind.ASK: self._learn_ask,
            RecordKind.WAITING: self._learn_waiting,
            RecordKind.KEPT: self._learn_kept,
            RecordKind.ABOUT: self._learn_about,
            RecordKind.ROWS: self._learn_rows,
            RecordKind.SWEEP_BITS: self._learn_sweep_bits,
            RecordKind.READ_BITS: self._learn_read_bits,
            RecordKind.ONCE: self._learn_once,
        }
        self.forget()

    def forget(self) -> None:
        """Begin as with a new file."""
        self.pids: tuple[int, ...] | None = None
        """The last list; None before the first request for one."""
        self.listed: frozenset[int] = frozenset()
        self._left: frozenset[int] = frozenset()
        self.swept: dict[str, frozenset[int] | None] = {}
        """By name of the file. None means all listed processes."""
        self.values: dict[str, dict[int, bytes | None]] = defaultdict(dict)
        self.reads: dict[int | None, dict[str, Recorded]] = defaultdict(dict)
        self._undone = UndoneChanges(self.reads)
        self.read_set: frozenset[str] = frozenset()
        self.waiting: frozenset[str] = frozenset()
        self.kept: dict[int | None, dict[str, Recorded]] = defaultdict(dict)
        """Readings that are made once: a viewer may open its process later than the user who recorded it."""
        self._bases: dict[tuple[int, str], bytes] = {}
        self._answers = AnswerBases()

    def another(self) -> Known:
        """What is known at another instant of the same recording: nothing yet."""
        return Known(self._of_recording)

    def take(self, facts: Iterable[Row], *, on_the_way: bool = False) -> None:
        """Take the facts of the next instant.

        ``on_the_way`` leaves changes of numbers undone until :meth:`settle`: most of them are changed again before the
        instant that is wanted, and all changes of one file together cost little more than one.
        """
        self._forget_those_who_left()
        self._is_on_the_way = on_the_way
        if not on_the_way:
            self._way_budget = WAY_LIMIT
            self.settle()
        self._budget = budget = min(TICK_LIMIT, self._way_budget)
        for kind, path, status, data in facts:
            self._learn(kind, os.fsdecode(path), status, blob(data))
        self._way_budget -= budget - self._budget
        self._check_memory()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left undone."""
        return not self._undone

    def settle(self) -> None:
        """Do what was left undone on the way to an instant."""
        self._undone.settle()

    def _forget_those_who_left(self) -> None:
        """Drop processes that have left, at the same point as the encoder does."""
        for pid in self._left:
            self.reads.pop(pid, None)
            self._undone.forget(pid)
            self.kept.pop(pid, None)
            for values in self.values.values():
                values.pop(pid, None)
        self._left = frozenset()
        self.asks = {}
        self.exits = []

    def _learn(self, kind: int, path: str, status: object, stored: bytes) -> None:
        if kind == RecordKind.EXIT:
            (wall_s,) = struct.unpack("<d", stored)
            self.exits.append(Exit(int(path), wall_time_s(wall_s), None if status is None else integer(status)))
            return
        if kind == RecordKind.LOST:
            self.lost += max(0, min(integer(status), COUNT_LIMIT))
            return
        if kind == RecordKind.KEY:
            self._learn_all(stored)
            return
        if kind == RecordKind.EVENT:  # it is no reading: see Replay.events
            return
        if kind == RecordKind.READ:
            changes = number_changes(stored) if self._is_on_the_way else None
            if changes is not None and self._undone.add(path, status, changes):
                return
            if self._undone:
                self._undone.settle_file(pid_of(path), path)
        if kind == RecordKind.ASK and self._is_on_the_way and self._is_passed_by(path, stored):
            return
        data = unpack(stored, self._basis(kind, path), largest_bytes(kind, path))
        if kind == RecordKind.ASK:
            self._answers.put(path, data)
        elif has_basis(kind) and kind != RecordKind.READ:
            self._bases[kind, path] = data
        self._spend(ENTRY_BYTES + len(path) + len(data))
        self._learners[kind](path, status, data)

    def _is_passed_by(self, path: str, stored: bytes) -> bool:
        """Whether an answer of no instant but its own, and so long that none is packed by it, comes before the one that
        is wanted."""
        basis = self._answers.get(path)
        if pid_of(path) is None or is_kept(path) or not is_longer(stored, basis, LENGTH_LIMIT):
            return False
        self._answers.drop(path)
        self._spend(LENGTH_LIMIT)
        return True

    def _spend(self, size_bytes: int) -> None:
        """Count memory that this instant takes. Raises RecordingError if it is too much."""
        self._budget -= size_bytes
        self._learnt_bytes += size_bytes
        if self._budget < 0:
            raise DamagedError("one instant holds too much, or those before it")

    def _learn_all(self, stored: bytes) -> None:
        """Take a keyframe in place of everything known before."""
        data = unpack(stored, limit_bytes=KEY_LIMIT)
        self.forget()
        for kind, path, status, value in decode_rows(data):
            if kind in (RecordKind.KEY, RecordKind.EXIT):
                raise DamagedError("a keyframe has rows of a wrong kind")
            self._learn(kind, os.fsdecode(path), status, blob(value))

    def _learn_rows(self, path: str, status: object, data: bytes) -> None:
        for kind, row_path, row_status, value in decode_rows(data):
            if kind in FOUND_BY_QUERIES or kind == RecordKind.ROWS:
                raise DamagedError("rows of a wrong kind are bundled")
            self._learn(kind, os.fsdecode(row_path), row_status, blob(value))

    def _learn_pids(self, path: str, status: object, data: bytes) -> None:
        numbers, form = decode_pids(data), integer(status)
        if form == 1:
            listed = frozenset(numbers)
            self._left = self.listed - listed
        else:
            leaving = 1 + numbers[0]
            self._left = frozenset(numbers[1:leaving])
            rest = frozenset(numbers[leaving:])
            listed = rest if form == 2 else (self.listed - self._left) | rest
        self.listed = listed
        if len(listed) > PROCESS_LIMIT:
            raise DamagedError("it has more processes than memtop can show")
        self.pids = tuple(sorted(listed))
        self._spend(ENTRY_BYTES * len(listed))

    def _learn_swept(self, name: str, status: object, data: bytes) -> None:
        pids = None if status else frozenset(decode_pids(data))
        self._spend(ENTRY_BYTES * len(pids or ()))
        self.swept[name] = pids

    def _learn_sweep(self, name: str, status: object, data: bytes) -> None:
        changes = decode_changes(data)
        self._spend(ENTRY_BYTES * len(changes))
        self.values[name].update(changes)

    def _learn_sweep_bits(self, name: str, status: object, data: bytes) -> None:
        changes = decode_bits(data, self.values[name].get)
        self._spend(ENTRY_BYTES * len(changes))
        self.values[name].update(changes)

    def _learn_read_bits(self, name: str, status: object, data: bytes) -> None:
        def known_of(pid: int) -> bytes | None:
            path = f"proc/{pid}/{name}"
            if self._undone:
                self._undone.settle_file(pid, path)
            answer = self.reads[pid].get(path)
            return None if answer is None else answer[1]

        answers = decode_bits(data, known_of, is_fitted=status == FITTED)
        self._spend(ENTRY_BYTES * len(answers))
        for pid, answered in answers.items():
            if answered is None:
                raise DamagedError("bytes are missing")
            self.reads[pid][f"proc/{pid}/{name}"] = Outcome.OK, answered

    def _learn_read(self, path: str, status: object, data: bytes) -> None:
        self.reads[pid_of(path)][path] = Outcome(integer(status)), data

    def _learn_ask(self, path: str, status: object, data: bytes) -> None:
        took_s, data = decode_took(data)
        recorded = Outcome(integer(status)), data
        self.asks.setdefault(path, []).append((recorded, took_s))
        if is_kept(path):
            self.kept[pid_of(path)][path] = recorded

    def _learn_kept(self, path: str, status: object, data: bytes) -> None:
        self.kept[pid_of(path)][path] = Outcome(integer(status)), decode_took(data)[1]

    def _learn_once(self, name: str, status: object, data: bytes) -> None:
        answers = decode_changes(data)
        self._spend(2 * ENTRY_BYTES * len(answers))
        is_new = bool(integer(status))
        for pid, answered in answers.items():
            path = f"proc/{pid}/{name}"
            if answered is None or not is_kept(path):
                raise DamagedError("an answer is none, or holds no longer than its instant")
            took_s, answer = decode_took(answered)
            recorded = Outcome.OK, answer
            self.kept[pid][path] = recorded
            if is_new:
                self.asks.setdefault(path, []).append((recorded, took_s))

    def _learn_about(self, name: str, status: object, data: bytes) -> None:
        self._about[name] = data
        self.own_pid, self.page_bytes = own_pid_of(self._about), page_bytes_of(self._about)

    def _learn_read_set(self, path: str, status: object, data: bytes) -> None:
        self.read_set = self._changed(self.read_set, status, data)

    def _learn_waiting(self, path: str, status: object, data: bytes) -> None:
        self.waiting = self._changed(self.waiting, status, data)

    def _changed(self, before: frozenset[str], status: object, data: bytes) -> frozenset[str]:
        """A set of paths after a row about it. Raises RecordingError if it is too large."""
        paths = path_set(data)
        self._spend(ENTRY_BYTES * len(paths))
        now = paths if status is None else before | paths if status else before - paths
        if len(now) > PROCESS_LIMIT:
            raise DamagedError("a set of paths is too large")
        return now

    def _basis(self, kind: int, path: str) -> bytes:
        if kind == RecordKind.READ:
            known = self.reads[pid_of(path)].get(path)
            return known[1] if known is not None else b""
        if kind == RecordKind.ASK:
            return self._answers.get(path)
        return self._bases.get((kind, path), b"") if has_basis(kind) else b""

    def _check_memory(self) -> None:
        """Measure the memory in use, after enough new data that it may be too much. Raises RecordingError."""
        if self._learnt_bytes < MEMORY_LIMIT // 4:
            return
        self._learnt_bytes = 0
        if self._of_all_bytes() > MEMORY_LIMIT:
            gc.collect()  # those of an engine that was replaced may wait for it
        if self._of_all_bytes() > MEMORY_LIMIT:
            raise RecordingError("it holds more than memtop keeps in memory")

    def _of_all_bytes(self) -> int:
        return sum(ENTRY_BYTES + size for known in self._of_recording for size in known._sizes_bytes())

    def _sizes_bytes(self) -> Iterator[int]:
        """The size of each thing that is kept from one tick to the next."""
        for answers in (*self.reads.values(), *self.kept.values()):
            yield from (len(path) + len(recorded[1]) for path, recorded in answers.items())
        for by_pid in self.values.values():
            yield from (len(data or b"") for data in by_pid.values())
        yield from (len(path) + len(data) for (_, path), data in self._bases.items())
        yield from self._answers.sizes_bytes()
        yield from (len(name) + len(data) for name, data in self._about.items())
        yield from map(len, self.read_set)
        yield from map(len, self.waiting)
        for pids in (self.listed, *self.swept.values()):
            yield from repeat(0, len(pids or ()))
