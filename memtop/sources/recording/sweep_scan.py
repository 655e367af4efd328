"""Goes through a recording for the answers of one sweep about one process, without learning what else is in it."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from memtop.errors import DamagedError
from memtop.sources.recording.bits import decode_bits_of
from memtop.sources.recording.checked_values import blob, integer, wall_time_s
from memtop.sources.recording.format import PROCESS_LIMIT, RecordKind, decode_pids, decode_rows
from memtop.sources.recording.known import KEY_LIMIT
from memtop.sources.recording.packing import unpack
from memtop.sources.recording.ticks import Ticks

BATCH: Final = 64
"""Instants that one query is about."""
_NONE: Final = 0xFFFF_FFFF
_SWEEPS: Final = (RecordKind.SWEEP, RecordKind.SWEEP_BITS)


def scan_sweeps(ticks: Ticks, instants: tuple[int, int], name: str, pid: int) -> Iterator[tuple[float, bytes | None]]:
    """Wall time of each instant, and what is known then of the process; None where it is not there.

    ``instants`` are the number of the first one and that after the last one. Raises DamagedError, and whatever else
    reading a damaged file raises.
    """
    one = _OneProcess(name.encode(), pid)
    first, end = instants
    for start in range(first, end, BATCH):
        stop = min(end, start + BATCH)
        rows: defaultdict[int, list[tuple[int, object, object]]] = defaultdict(list)
        for number, kind, status, data in ticks.sweeps(one.name, start, stop):
            rows[number].append((kind, status, data))
        for number, wall_s in list(ticks.walls(start, stop)):
            for row in rows.get(number, ()):
                one.learn(*row)
            yield wall_time_s(wall_s), one.answer


class _OneProcess:
    def __init__(self, name: bytes, pid: int) -> None:
        self.name = name
        self.pid = pid
        self.answer: bytes | None = None
        self._basis = b""
        self._bundle = b""
        """The last bundle, with which the next one is packed."""

    def learn(self, kind: int, status: object, data: object) -> None:
        if kind == RecordKind.ROWS:
            self._bundle = unpack(blob(data), self._bundle)
            for one, path, its_status, stored in decode_rows(self._bundle):
                if one == RecordKind.PIDS or (one in _SWEEPS and path == self.name):
                    self.learn(one, its_status, stored)
        elif kind == RecordKind.KEY:
            self.answer, self._basis, self._bundle = None, b"", b""
            lists: list[tuple[int, object, object]] = []
            for one, path, its_status, stored in decode_rows(unpack(blob(data), limit_bytes=KEY_LIMIT)):
                if one in _SWEEPS and path == self.name:
                    self.learn(one, its_status, stored)
                elif one == RecordKind.PIDS:
                    lists.append((one, its_status, stored))
            for row in lists:  # a keyframe still has the answers about those who leave at its instant
                self.learn(*row)
        elif kind == RecordKind.SWEEP:
            self._basis = unpack(blob(data), self._basis)
            is_changed, answer = _change_of(self._basis, self.pid)
            self.answer = answer if is_changed else self.answer
        elif kind == RecordKind.SWEEP_BITS:
            is_changed, coded = _change_of(unpack(blob(data)), self.pid)
            if is_changed:
                self.answer = None if coded is None else decode_bits_of(coded, self.answer)
        elif self._is_left(integer(status), unpack(blob(data))):
            self.answer = None

    def _is_left(self, form: int, data: bytes) -> bool:
        numbers = decode_pids(data)
        return self.pid not in numbers if form == 1 else self.pid in numbers[1 : 1 + numbers[0]]


def _change_of(data: bytes, pid: int) -> tuple[bool, bytes | None]:
    """Whether encoded changes say something of a process, and its bytes."""
    (count,) = struct.unpack_from("<I", data)
    if count > PROCESS_LIMIT:
        raise DamagedError("a sweep has more processes than memtop can show")
    numbers = struct.unpack_from(f"<{2 * count}I", data, 4)
    pids, lengths = numbers[:count], numbers[count:]
    if pid not in pids:
        return False, None
    index = pids.index(pid)
    if lengths[index] == _NONE:
        return True, None
    at = 4 + 8 * count + sum(length for length in lengths[:index] if length != _NONE)
    return True, data[at : at + lengths[index]]
