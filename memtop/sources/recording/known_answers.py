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
from memtop.sources.recording.format import Outcome, RecordKind, Row, encode_took, pack
from memtop.sources.recording.tick import Recorded

_PACK_TICKS: Final = 16
"""How often answers that have not changed since the last time are compressed."""
_PACKED_FROM: Final = 200
"""Smallest answer that is compressed, in bytes."""
_BUNDLED_TO: Final = 4096
"""Largest first answer of a file that is not compressed by itself, in bytes."""
_MOST_SHARED: Final = 1024
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
        self._paths: dict[int, list[str]] = {}
        """Those of each process, so that they can be dropped with it."""
        self._plain: set[str] = set()
        """Large answers that are not compressed."""
        self._moved: set[str] = set()
        """Those that have changed since unchanged ones were compressed."""
        self._tick = 0
        self._kept: dict[int | None, tuple[Row, ...]] = {}
        self._first: dict[str, bytes] = {}
        """The first large answer by name of the file: files of one name differ little, so it is their dictionary."""
        self._same: dict[Recorded, Recorded] = {}
        """Small answers that many processes share: thousands are in one cgroup."""

    def take(self, reads: Mapping[str, Recorded], *, many: int) -> list[Row]:
        """Remember the answers of the next tick. Returns the rows for the recording of those that have changed.

        From so ``many`` on, those of processes are one row for each name of a file.
        """
        self._tick += 1
        if self._tick % _PACK_TICKS == 0:
            self._pack_unchanged()
        known = self._answers
        differing = compress(reads.items(), map(ne, reads.values(), map(known.get, reads)))
        changed = {path: answer for path, answer in differing if not _is_same(known.get(path), answer)}
        one_by_one, batches = _divided(changed) if len(changed) >= many else (changed, {})
        rows = [self._row(path, answer) for path, answer in one_by_one.items()]
        for name, batch in batches.items():
            before = {pid: self._known_bytes(f"proc/{pid}/{name}") for pid in batch}
            rows.append((RecordKind.READ_BITS, os.fsencode(name), None, b"\0" + encode_bits(batch, before)))
        for path, answer in changed.items():
            self._remember(path, answer)
        return rows

    def keep(self, path: str, answer: Recorded, took_s: float) -> None:
        """Remember an answer that is asked for once and holds."""
        pid, written = pid_of(path), os.fsencode(path)
        others = [row for row in self._kept.get(pid, ()) if row[1] != written]
        row = RecordKind.KEPT, written, answer[0], b"\0" + encode_took(took_s) + answer[1]
        self._kept[pid] = (*others, row)

    def forget(self, pid: int) -> None:
        """Drop what belongs to a process that has left."""
        for path in self._paths.pop(pid, ()):
            self._answers.pop(path, None)
            self._plain.discard(path)
        self._kept.pop(pid, None)

    def rows(self) -> Iterator[Row]:
        """All of it as the rows of a keyframe."""
        one_by_one, batches = _divided(
            {path: (answer[0], self._bytes(path, answer)) for path, answer in self._answers.items()}
        )
        for path, (outcome, data) in one_by_one.items():
            yield RecordKind.READ, os.fsencode(path), outcome, b"\0" + data
        for name, batch in batches.items():
            yield RecordKind.READ_BITS, os.fsencode(name), None, b"\0" + encode_bits(batch, {})
        for rows in self._kept.values():
            yield from rows

    def _row(self, path: str, answer: Recorded) -> Row:
        basis = self._known_bytes(path) or b""
        is_new = not basis and len(answer[1]) <= _BUNDLED_TO  # the bundle is compressed, with those of its like
        packed = b"\0" + answer[1] if is_new else pack(answer[1], basis)
        return RecordKind.READ, os.fsencode(path), answer[0], packed

    def _remember(self, path: str, answer: Recorded) -> None:
        if path not in self._answers and (pid := pid_of(path)) is not None:
            self._paths.setdefault(pid, []).append(path)
        if len(answer[1]) >= _PACKED_FROM:
            self._plain.add(path)
            self._moved.add(path)
        else:
            self._plain.discard(path)
            if len(self._same) >= _MOST_SHARED:
                self._same.clear()
            answer = self._same.setdefault(answer, answer)
        self._answers[path] = answer

    def _pack_unchanged(self) -> None:
        for path in self._plain - self._moved:
            answer = self._answers[path]
            if isinstance(answer, _Packed):
                continue
            outcome, data = answer
            basis = self._first.setdefault(_file_name(path), data)
            squeezer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zdict=basis)
            self._answers[path] = _Packed(outcome, hash(data), squeezer.compress(data) + squeezer.flush())
        self._plain &= self._moved
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


def _is_same(before: Recorded | _Packed | None, answer: Recorded) -> bool:
    if isinstance(before, _Packed):
        return before.outcome == answer[0] and before.digest == hash(answer[1])
    return before == answer


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
