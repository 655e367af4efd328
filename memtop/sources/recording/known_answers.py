"""Remembers the last answer of every file, in little memory: answers that stay the same are kept compressed."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from memtop.sources.protocol import pid_of
from memtop.sources.recording.format import RecordKind, Row, encode_took, pack, unpack
from memtop.sources.recording.tick import Recorded

_NEWEST: Final = 1024
"""Most answers that are kept as they were ..."""
_NEWEST_TICKS: Final = 12
"""... and for how many ticks without a change: most of what changes does so again soon."""
_PACKED_FROM: Final = 200
"""Smallest answer that is compressed, in bytes."""
_BUNDLED_TO: Final = 4096
"""Largest first answer of a file that is not compressed by itself, in bytes."""
_MOST_SHARED: Final = 1024


class _Packed(NamedTuple):
    """An answer that has not changed for a while."""

    outcome: int
    digest: int
    """Hash of the bytes, to compare without unpacking."""
    data: bytes


class KnownAnswers:
    """The last answer of every file that was read. It can be written as the rows of a keyframe."""

    def __init__(self) -> None:
        self._answers: dict[int | None, dict[str, Recorded | _Packed]] = defaultdict(dict)
        """By process, so that they can be dropped with it, and by the path below its directory."""
        self._newest: dict[tuple[int | None, str], int] = {}
        """Large answers that are not compressed yet, and the tick of their change; the latest at the end."""
        self._tick = 0
        self._kept: dict[int | None, tuple[Row, ...]] = {}
        self._first: dict[str, bytes] = {}
        """The first large answer by name of the file: files of one name differ little, so it is their dictionary."""
        self._same: dict[Recorded, Recorded] = {}
        """Small answers that many processes share: thousands are in one cgroup."""

    def begin(self) -> None:
        """Begin the next tick."""
        self._tick += 1
        while self._newest and next(iter(self._newest.values())) < self._tick - _NEWEST_TICKS:
            self._pack_oldest()

    def take(self, path: str, answer: Recorded) -> Row | None:
        """Remember an answer. Returns the row for the recording; None if the file said the same before."""
        pid, name = _split(path)
        known = self._answers[pid]
        before = known.get(name)
        if before is not None and _is_same(before, answer):
            return None
        basis = b"" if before is None else self._plain(name, before)
        self._remember(pid, name, answer)
        is_new = not basis and len(answer[1]) <= _BUNDLED_TO  # the bundle is compressed, with those of its like
        packed = b"\0" + answer[1] if is_new else pack(answer[1], basis)
        return RecordKind.READ, os.fsencode(path), answer[0], packed

    def keep(self, path: str, answer: Recorded, took_s: float) -> None:
        """Remember an answer that is asked for once and holds."""
        pid, written = pid_of(path), os.fsencode(path)
        others = [row for row in self._kept.get(pid, ()) if row[1] != written]
        row = RecordKind.KEPT, written, answer[0], b"\0" + encode_took(took_s) + answer[1]
        self._kept[pid] = (*others, row)

    def forget(self, pid: int) -> None:
        """Drop what belongs to a process that has left."""
        self._answers.pop(pid, None)
        self._kept.pop(pid, None)

    def rows(self) -> Iterator[Row]:
        """All of it as the rows of a keyframe."""
        for pid, known in self._answers.items():
            for name, answer in known.items():
                path = name if pid is None else f"proc/{pid}/{name}"
                yield RecordKind.READ, os.fsencode(path), answer[0], b"\0" + self._plain(name, answer)
        for rows in self._kept.values():
            yield from rows

    def _remember(self, pid: int | None, name: str, answer: Recorded) -> None:
        known = self._answers[pid]
        self._newest.pop((pid, name), None)
        if len(answer[1]) < _PACKED_FROM:
            if len(self._same) >= _MOST_SHARED:
                self._same.clear()
            known[name] = self._same.setdefault(answer, answer)
            return
        known[name] = answer
        self._newest[pid, name] = self._tick
        if len(self._newest) > _NEWEST:
            self._pack_oldest()

    def _pack_oldest(self) -> None:
        pid, name = oldest = next(iter(self._newest))
        del self._newest[oldest]
        answer = self._answers[pid].get(name) if pid in self._answers else None
        if answer is not None and not isinstance(answer, _Packed):
            outcome, data = answer
            basis = self._first.setdefault(_file_name(name), data)
            self._answers[pid][name] = _Packed(outcome, hash(data), pack(data, basis))

    def _plain(self, name: str, answer: Recorded | _Packed) -> bytes:
        if not isinstance(answer, _Packed):
            return answer[1]
        return unpack(answer.data, self._first[_file_name(name)])


def _is_same(before: Recorded | _Packed, answer: Recorded) -> bool:
    if isinstance(before, _Packed):
        return before.outcome == answer[0] and before.digest == hash(answer[1])
    return before == answer


def _split(path: str) -> tuple[int | None, str]:
    """The process, and the path below its directory; None and the path for a file of the machine."""
    parts = path.split("/", 2)
    if parts[0] != "proc" or len(parts) < 3 or not parts[1].isdecimal():
        return None, path
    return int(parts[1]), sys.intern(parts[2])


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
