"""Remembers the last answer of every file, in little memory: answers that stay the same are kept compressed."""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import compress
from operator import ne
from typing import Final, TypeVar

from memtop.sources.protocol import pid_of
from memtop.sources.recording.bits import encode_bits
from memtop.sources.recording.format import TOOK_BYTES, Outcome, RecordKind, Row, encode_changes, pack
from memtop.sources.recording.tick import Recorded, Told

_PACK_TICKS: Final = 16
"""Answers that do not change for so many ticks are compressed, at the latest after twice as many."""
_PACKED_FROM: Final = 200
"""Smallest answer that is compressed, in bytes."""
_BUNDLED_TO: Final = 4096
"""Largest first answer of a file that is not compressed by itself, in bytes."""
_WINDOW_BITS: Final = 12
_MEMORY_LEVEL: Final = 4
"""zlib's window and memory for one answer: it takes longer to clear the memory than to compress."""
_SHARED_MOST: Final = 512
"""Most small answers of which one copy is kept for all processes."""
_PROC: Final = "proc/"
_KEPT_AT: Final = 1 + TOOK_BYTES
"""Where the bytes of a kept answer begin in its row, after its encoding and its time."""


class _Packed:
    """An answer that has not changed for a while."""

    __slots__ = ("data", "digest")

    def __init__(self, digest: int, data: bytes) -> None:
        self.digest = digest
        """Hash of the bytes, to compare without unpacking."""
        self.data = data


class _Batch:
    """Answers of one file of several processes."""

    __slots__ = ("answers", "known")

    def __init__(self) -> None:
        self.answers: dict[int, bytes] = {}
        self.known: list[bytes | None] = []
        """The last answer of each process."""


_Any = TypeVar("_Any", Told, "Told | _Packed")


class KnownAnswers:
    """The last answer of every file that was read. It can be written as the rows of a keyframe."""

    def __init__(self) -> None:
        self._answers: dict[str, Told | _Packed] = {}
        self._names: set[str] = set()
        """Names of files in directories of processes ..."""
        self._deeper: defaultdict[int, set[str]] = defaultdict(set)
        """... and paths below these, so that the answers can be dropped with the process."""
        self._moved: set[str] = set()
        """Files that have changed since answers were compressed ..."""
        self._moved_before: set[str] = set()
        """... and those that had until then: those of them that have not changed again are compressed next."""
        self._tick = 0
        self._kept: dict[int | None, tuple[Row, ...]] = {}
        self._first: dict[str, bytes] = {}
        """The first large answer by name of the file: files of one name differ little, so it is their dictionary."""
        self._shared: dict[bytes, bytes] = {}
        """Small answers, of which many processes have the same: thousands are in one cgroup."""

    def take(self, reads: Mapping[str, Told], *, many: int) -> list[Row]:
        """Remember the answers of the next tick. Returns the rows for the recording of those that have changed.

        From so ``many`` on, those of processes are one row for each name of a file.
        """
        self._tick += 1
        if self._tick % _PACK_TICKS == 0:
            self._pack_unchanged()
        known = self._answers
        changed = {
            path: answer
            for path, answer in compress(reads.items(), map(ne, reads.values(), map(known.get, reads)))
            if type(before := known.get(path)) is not _Packed
            or type(answer) is not bytes
            or before.digest != hash(answer)
        }
        one_by_one, batches = self._divided(changed) if len(changed) >= many else (changed, {})
        rows = [self._row(path, answer) for path, answer in one_by_one.items()]
        rows += [
            (RecordKind.READ_BITS, os.fsencode(name), None, b"\0" + encode_bits(batch.answers, batch.known))
            for name, batch in batches.items()
        ]
        for path in one_by_one:
            if (pid := pid_of(path)) is not None:
                name = path.removeprefix(f"proc/{pid}/")
                if "/" in name:
                    self._deeper[pid].add(path)
                else:
                    self._names.add(name)
        self._names.update(batches)
        known.update(changed)
        self._moved.update(changed)
        return rows

    def keeps(self, path: str, told: Recorded) -> bool:
        """Whether this is the answer that is kept of a file that is asked for once."""
        name, (outcome, data) = os.fsencode(path), told
        return any(
            row[1] == name and row[2] == outcome and row[3] is not None and row[3][_KEPT_AT:] == data
            for row in self._kept.get(pid_of(path), ())
        )

    def keep(self, path: str, row: Row, data: bytes) -> None:
        """Remember an answer that is asked for once and holds: its row, and what that has packed."""
        pid, stored = pid_of(path), b"\0" + data
        kept = RecordKind.KEPT, row[1], row[2], row[3] if row[3] == stored else stored
        before = self._kept.get(pid)
        self._kept[pid] = (*(one for one in before if one[1] != row[1]), kept) if before else (kept,)

    def forget(self, pid: int) -> None:
        """Drop what belongs to a process that has left."""
        drop, folder = self._answers.pop, f"proc/{pid}/"
        for name in self._names:
            drop(folder + name, None)
        for path in self._deeper.pop(pid, ()):
            drop(path, None)
        self._kept.pop(pid, None)

    def rows(self) -> Iterator[Row]:
        """All of it as the rows of a keyframe."""
        one_by_one, batches = self._divided(self._answers)
        for path, answer in one_by_one.items():
            outcome, data = answer if isinstance(answer, tuple) else (Outcome.OK, self._bytes(path, answer))
            yield RecordKind.READ, os.fsencode(path), outcome, b"\0" + data
        for name, batch in batches.items():
            yield RecordKind.READ_BITS, os.fsencode(name), None, b"\0" + encode_changes(batch.answers)
        for rows in self._kept.values():
            yield from rows

    def _divided(self, answers: Mapping[str, _Any]) -> tuple[dict[str, _Any], dict[str, _Batch]]:
        """Answers that are rows of their own, and those about processes by file."""
        one_by_one = dict[str, _Any]()
        batches: defaultdict[str, _Batch] = defaultdict(_Batch)
        known_of = self._answers.get
        for path, answer in answers.items():
            if path.startswith(_PROC) and type(answer) is not tuple:
                pid, slash, name = path[5:].partition("/")
                if slash and pid.isdecimal() and "/" not in name:
                    batch, known = batches[name], known_of(path)
                    batch.answers[int(pid)] = answer if type(answer) is bytes else self._bytes(path, answer)
                    batch.known.append(known if known is None or type(known) is bytes else self._bytes(path, known))
                    continue
            one_by_one[path] = answer
        return one_by_one, batches

    def _row(self, path: str, answer: Told) -> Row:
        outcome, data = answer if isinstance(answer, tuple) else (Outcome.OK, answer)
        known = self._answers.get(path)
        basis = b"" if known is None else self._bytes(path, known)
        is_new = not basis and len(data) <= _BUNDLED_TO  # the bundle is compressed, with those of its like
        return RecordKind.READ, os.fsencode(path), outcome, b"\0" + data if is_new else pack(data, basis)

    def _pack_unchanged(self) -> None:
        answers, shared = self._answers, self._shared
        for path in self._moved_before - self._moved:
            data = answers.get(path)
            if type(data) is not bytes:
                continue
            if len(data) < _PACKED_FROM:
                if len(shared) >= _SHARED_MOST:
                    shared.clear()
                answers[path] = shared.setdefault(data, data)
                continue
            basis = self._first.setdefault(_file_name(path), data)
            squeezer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zdict=basis)
            answers[path] = _Packed(hash(data), squeezer.compress(data) + squeezer.flush())
        self._moved_before, self._moved = self._moved, set()

    def _bytes(self, path: str, answer: Told | _Packed) -> bytes:
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, tuple):
            return answer[1]
        inflater = zlib.decompressobj(_WINDOW_BITS, zdict=self._first[_file_name(path)])
        return inflater.decompress(answer.data)


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
