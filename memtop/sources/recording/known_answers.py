"""Remembers the last answer of every file, in little memory: answers that stay the same are kept compressed."""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import compress
from operator import ne
from typing import Final, NamedTuple

from memtop.sources.protocol import pid_of
from memtop.sources.recording.bits import encode_bits
from memtop.sources.recording.format import Outcome, RecordKind, Row, encode_changes, encode_took, pack
from memtop.sources.recording.tick import Recorded

_PACK_TICKS: Final = 16
"""How often answers that have not changed since the last time are compressed."""
_PACKED_FROM: Final = 200
"""Smallest answer that is compressed, in bytes."""
_BUNDLED_TO: Final = 4096
"""Largest first answer of a file that is not compressed by itself, in bytes."""
_WINDOW_BITS: Final = 12
_MEMORY_LEVEL: Final = 4
"""zlib's window and memory for one answer: it takes longer to clear the memory than to compress."""


class _Packed(NamedTuple):
    """An answer that has not changed for a while."""

    outcome: Outcome
    digest: int
    """Hash of the bytes, to compare without unpacking."""
    data: bytes


class KnownAnswers:
    """The last answer of every file that was read. It can be written as the rows of a keyframe."""

    def __init__(self) -> None:
        self._answers: dict[str, Recorded | _Packed] = {}
        self._names: set[str] = set()
        """Names of files in directories of processes ..."""
        self._deeper: defaultdict[int, set[str]] = defaultdict(set)
        """... and paths below these, so that the answers can be dropped with the process."""
        self._moved: set[str] = set()
        """Files that have changed since unchanged answers were compressed."""
        self._tick = 0
        self._kept: dict[int | None, tuple[Row, ...]] = {}
        self._first: dict[str, bytes] = {}
        """The first large answer by name of the file: files of one name differ little, so it is their dictionary."""

    def take(self, reads: Mapping[str, Recorded], *, many: int) -> list[Row]:
        """Remember the answers of the next tick. Returns the rows for the recording of those that have changed.

        From so ``many`` on, those of processes are one row for each name of a file.
        """
        self._tick += 1
        if self._tick % _PACK_TICKS == 0:
            self._pack_unchanged()
        known = self._answers
        differing = compress(reads.items(), map(ne, reads.values(), map(known.get, reads)))
        changed = {path: answer for path, answer in differing if not _is_packed_in(known.get(path), answer)}
        one_by_one, batches = _divided(changed) if len(changed) >= many else (changed, {})
        rows = [self._row(path, answer) for path, answer in one_by_one.items()]
        rows += [self._batch_row(name, batch) for name, batch in batches.items()]
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

    def keep(self, path: str, answer: Recorded, took_s: float) -> None:
        """Remember an answer that is asked for once and holds."""
        pid, written = pid_of(path), os.fsencode(path)
        others = [row for row in self._kept.get(pid, ()) if row[1] != written]
        row = RecordKind.KEPT, written, answer[0], b"\0" + encode_took(took_s) + answer[1]
        self._kept[pid] = (*others, row)

    def forget(self, pid: int) -> None:
        """Drop what belongs to a process that has left."""
        for path in (*(f"proc/{pid}/{name}" for name in self._names), *self._deeper.pop(pid, ())):
            self._answers.pop(path, None)
        self._kept.pop(pid, None)

    def rows(self) -> Iterator[Row]:
        """All of it as the rows of a keyframe."""
        one_by_one, batches = _divided(
            {path: (answer[0], self._bytes(path, answer)) for path, answer in self._answers.items()}
        )
        for path, (outcome, data) in one_by_one.items():
            yield RecordKind.READ, os.fsencode(path), outcome, b"\0" + data
        for name, batch in batches.items():
            yield RecordKind.READ_BITS, os.fsencode(name), None, b"\0" + encode_changes(batch)
        for rows in self._kept.values():
            yield from rows

    def _batch_row(self, name: str, batch: Mapping[int, bytes]) -> Row:
        coded = encode_bits(batch, lambda pid: self._known_bytes(f"proc/{pid}/{name}"))
        return RecordKind.READ_BITS, os.fsencode(name), None, b"\0" + coded

    def _row(self, path: str, answer: Recorded) -> Row:
        basis = self._known_bytes(path) or b""
        is_new = not basis and len(answer[1]) <= _BUNDLED_TO  # the bundle is compressed, with those of its like
        packed = b"\0" + answer[1] if is_new else pack(answer[1], basis)
        return RecordKind.READ, os.fsencode(path), answer[0], packed

    def _pack_unchanged(self) -> None:
        same: dict[Recorded, Recorded] = {}  # small answers that many processes share: thousands are in one cgroup
        for path, answer in self._answers.items():
            if isinstance(answer, _Packed):
                continue
            outcome, data = answer
            if len(data) < _PACKED_FROM:
                self._answers[path] = same.setdefault(answer, answer)
            elif path not in self._moved:
                basis = self._first.setdefault(_file_name(path), data)
                squeezer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zdict=basis)
                self._answers[path] = _Packed(outcome, hash(data), squeezer.compress(data) + squeezer.flush())
        self._moved.clear()

    def _known_bytes(self, path: str) -> bytes | None:
        answer = self._answers.get(path)
        return None if answer is None else self._bytes(path, answer)

    def _bytes(self, path: str, answer: Recorded | _Packed) -> bytes:
        if not isinstance(answer, _Packed):
            return answer[1]
        inflater = zlib.decompressobj(_WINDOW_BITS, zdict=self._first[_file_name(path)])
        return inflater.decompress(answer.data)


def _divided(answers: Mapping[str, Recorded]) -> tuple[dict[str, Recorded], dict[str, dict[int, bytes]]]:
    """Answers that are rows of their own, and those about processes, by file and PID."""
    one_by_one = dict[str, Recorded]()
    batches: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
    for path, answer in answers.items():
        parts = path.split("/")
        if len(parts) == 3 and parts[0] == "proc" and parts[1].isdecimal() and answer[0] == Outcome.OK:
            batches[parts[2]][int(parts[1])] = answer[1]
        else:
            one_by_one[path] = answer
    return one_by_one, batches


def _is_packed_in(before: Recorded | _Packed | None, answer: Recorded) -> bool:
    return isinstance(before, _Packed) and before.outcome == answer[0] and before.digest == hash(answer[1])


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
