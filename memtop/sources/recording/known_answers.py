"""Remembers the last answer of every file, in little memory: answers that stay the same are kept compressed."""

from __future__ import annotations

import os
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import compress
from operator import ne
from typing import Final, TypeVar

from memtop.sources.protocol import pid_of
from memtop.sources.recording.bits import encode_bits
from memtop.sources.recording.format import FITTED, Outcome, RecordKind, Row, encode_changes, pieces
from memtop.sources.recording.packing import pack, pack_bits
from memtop.sources.recording.tick import FileAnswer

_PACK_TICKS: Final = 16
"""Answers that do not change for so many ticks are compressed, at the latest after twice as many."""
_PACKED_FROM: Final = 200
"""Smallest answer that is compressed, in bytes."""
_BUNDLED_TO: Final = 4096
"""Largest first answer of a file that is not compressed by itself, in bytes."""
_WINDOW_BITS: Final = 12
_MEMORY_LEVEL: Final = 4
"""zlib's window and memory for one answer: it takes longer to clear the memory than to compress."""
_HASH: Final = struct.Struct("n")
_SHARED_MOST: Final = 512
"""Most answers of which one copy is kept for all processes."""
_PROC: Final = "proc/"
_PROC_LENGTH: Final = len(_PROC)
_FEWEST_DEEPER: Final = 4
"""So many answers of one file deeper in the directories of processes are written together."""


class _Packed(bytes):
    """An answer that has not changed for a while: its hash, to compare it without unpacking, and its bytes compressed.

    There are thousands, so it is one object.
    """

    __slots__ = ()

    @classmethod
    def of(cls, data: bytes, basis: bytes) -> _Packed:
        """Pack an answer with its like as the dictionary."""
        squeezer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zdict=basis)
        return cls(_HASH.pack(hash(data)) + squeezer.compress(data) + squeezer.flush())

    @property
    def digest(self) -> int:
        """Hash of the answer."""
        digest: int = _HASH.unpack_from(self)[0]
        return digest

    def unpacked(self, basis: bytes) -> bytes:
        """The answer."""
        return zlib.decompressobj(_WINDOW_BITS, zdict=basis).decompress(memoryview(self)[_HASH.size :])


_Any = TypeVar("_Any", FileAnswer, "FileAnswer | _Packed")


class KnownAnswers:
    """The last answer of every file that was read. It can be written as the rows of a keyframe."""

    def __init__(self) -> None:
        self._answers: dict[str, FileAnswer | _Packed] = {}
        self._names: set[str] = set()
        """Names of files in directories of processes ..."""
        self._deeper: defaultdict[int, list[str]] = defaultdict(list)
        """... and paths below these, so that the answers can be dropped with the process."""
        self._moved: set[str] = set()
        """Files that have changed since answers were compressed ..."""
        self._moved_before: set[str] = set()
        """... and those that had until then: those of them that have not changed again are compressed next."""
        self._tick = 0
        self._first: dict[str, bytes] = {}
        """The first large answer by name of the file: files of one name differ little, so it is their dictionary."""
        self._shared: dict[bytes, bytes] = {}
        """Answers of which many processes have the same, as they are kept: thousands are in one cgroup."""

    def take(self, reads: Mapping[str, FileAnswer], *, many: int) -> list[Row]:
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
        is_many = len(changed) >= many
        one_by_one, batches = _divided(changed) if is_many else (changed, {})
        rows = [self._row(path, answer, is_many=is_many) for path, answer in one_by_one.items()]
        for name, paths in batches.items():
            batch = self._bytes_of(paths, changed)
            known_ones = [None if path not in known else self._bytes(path, known[path]) for path in paths.values()]
            rows.append(
                (
                    RecordKind.READ_BITS,
                    os.fsencode(name),
                    FITTED,
                    b"\0" + encode_bits(batch, known_ones, is_fitted=True),
                )
            )
        new = changed.keys() - known.keys()
        self._note_paths(new)
        known.update(changed)
        if is_many:
            self._pack(new)  # at once: thousands of them would stretch the heap, which does not shrink afterward
            self._moved.update(changed.keys() - new)
        else:
            self._moved.update(changed)
        return rows

    def _note_paths(self, new: Iterable[str]) -> None:
        """Remember of which processes there are answers, so that they can be dropped."""
        for path in new:
            if (pid := pid_of(path)) is not None:
                name = path.removeprefix(f"proc/{pid}/")
                if "/" in name:
                    self._deeper[pid].append(path)
                else:
                    self._names.add(name)

    def forget(self, pids: Iterable[int]) -> None:
        """Drop what belongs to processes that have left."""
        drop, names, deeper = self._answers.pop, self._names, self._deeper
        for pid in pids:
            folder = f"proc/{pid}/"
            for name in names:
                drop(folder + name, None)
            if pid in deeper:
                for path in deeper.pop(pid):
                    drop(path, None)

    def rows(self) -> Iterator[Row]:
        """All of it as the rows of a keyframe."""
        one_by_one, batches = _divided(self._answers)
        for path, answer in one_by_one.items():
            outcome = answer[0] if isinstance(answer, tuple) else Outcome.OK
            yield RecordKind.READ, os.fsencode(path), outcome, b"\0" + self._bytes(path, answer)
        for name, paths in batches.items():
            for some in pieces(paths):
                batch = self._bytes_of(some, self._answers)
                yield RecordKind.READ_BITS, os.fsencode(name), None, b"\0" + encode_changes(batch)

    def _bytes_of(self, paths: Mapping[int, str], answers: Mapping[str, _Any]) -> dict[int, bytes]:
        """The answers of one file by PID."""
        return {pid: self._bytes(path, answers[path]) for pid, path in paths.items()}

    def _row(self, path: str, answer: FileAnswer, *, is_many: bool) -> Row:
        outcome, data = answer if isinstance(answer, tuple) else (Outcome.OK, answer)
        known = self._answers.get(path)
        name = os.fsencode(path)
        if known is None and len(data) <= _BUNDLED_TO:  # the bundle is compressed, with those of its like
            return RecordKind.READ, name, outcome, b"\0" + data
        basis = b"" if known is None else self._bytes(path, known)
        return RecordKind.READ, name, outcome, pack_bits(data, basis) if is_many else pack(data, basis)

    def _pack_unchanged(self) -> None:
        self._pack(self._moved_before - self._moved)
        self._moved_before, self._moved = self._moved, set()

    def _pack(self, paths: Iterable[str]) -> None:
        answers, shared = self._answers, self._shared
        for path in paths:
            data = answers.get(path)
            if type(data) is not bytes:
                continue
            if len(shared) >= _SHARED_MOST:
                shared.clear()
            if len(data) >= _PACKED_FROM:
                data = _Packed.of(data, self._first.setdefault(_file_name(path), data))
            same = shared.setdefault(data, data)
            answers[path] = same if type(same) is type(data) else data  # one is packed, and the other is not

    def _bytes(self, path: str, answer: FileAnswer | _Packed) -> bytes:
        if type(answer) is bytes:
            return answer
        if isinstance(answer, tuple):
            return answer[1]
        assert isinstance(answer, _Packed)
        return answer.unpacked(self._first[_file_name(path)])


def _divided(answers: Mapping[str, _Any]) -> tuple[dict[str, _Any], dict[str, dict[int, str]]]:
    """Answers that are rows of their own, and by name of the file and PID the paths of those about processes."""
    one_by_one = dict[str, _Any]()
    batches: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for path, answer in answers.items():
        if path.startswith(_PROC) and type(answer) is not tuple:
            pid, slash, name = path[_PROC_LENGTH:].partition("/")
            if slash and pid.isdecimal():
                batches[name][int(pid)] = path
                continue
        one_by_one[path] = answer
    for name in [name for name, paths in batches.items() if "/" in name and len(paths) < _FEWEST_DEEPER]:
        one_by_one.update((path, answers[path]) for path in batches.pop(name).values())
    return one_by_one, batches


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
