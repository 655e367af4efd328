"""Encodes one tick as the recording rows that changed since the previous tick."""

from __future__ import annotations

import os
import struct
from collections import defaultdict
from collections.abc import Iterable

from memtop.sources.protocol import pid_of
from memtop.sources.recording.format import (
    PACKED_LIMIT,
    TOOK_BYTES,
    VALUE_LIMIT,
    Outcome,
    RecordKind,
    Row,
    encode_changes,
    encode_pids,
    encode_took,
    has_basis,
    pack,
)
from memtop.sources.recording.tick import Recorded, Tick


class Encoder:
    """Turns ticks into rows, and remembers the contents of earlier rows."""

    def __init__(self) -> None:
        self._pids: tuple[int, ...] | None = None
        self._listed: frozenset[int] = frozenset()
        self._swept: dict[str, frozenset[int] | None] = {}
        """By name of the file. None means all listed processes."""
        self._values: dict[str, dict[int, bytes | None]] = defaultdict(dict)
        self._reads: dict[int | None, dict[str, Recorded]] = defaultdict(dict)
        """By process, so that they can be dropped with it."""
        self._sets: dict[RecordKind, bytes] = {RecordKind.READ_SET: b"", RecordKind.WAITING: b""}
        self._bases: dict[tuple[int, str], bytes] = {}
        self._rows: list[Row] = []

    def rows(self, tick: Tick) -> list[Row]:
        """The rows of the next tick."""
        self._rows = []
        left = self._tell_pids(tick.pids) if tick.pids is not None else ()
        for name in self._swept.keys() | tick.sweeps.keys():
            self._tell_sweep(name, tick.sweeps.get(name, {}))
        for path, answer in tick.reads.items():
            known = self._reads[pid_of(path)]
            if known.get(path) != answer:
                known[path] = answer
                self._add_answer(RecordKind.READ, path, answer)
        self._tell_set(RecordKind.READ_SET, tick.reads)
        self._tell_set(RecordKind.WAITING, tick.waiting)
        for path, told, took_s in tick.asks:
            self._add_answer(RecordKind.ASK, path, told, took_s)
        for end in tick.exits:
            self._rows.append((RecordKind.EXIT, b"%d" % end.pid, end.status, struct.pack("<d", end.wall_s)))
        for pid in left:
            self._reads.pop(pid, None)
            for values in self._values.values():
                values.pop(pid, None)
        return self._rows

    def _tell_pids(self, pids: Iterable[int]) -> frozenset[int]:
        """Add the row for the list of processes. Returns the PIDs that have left."""
        now = tuple(pids)
        before, self._pids = self._pids, now
        if now == before:
            return frozenset()
        listed_before, self._listed = self._listed, frozenset(now)
        left = listed_before - self._listed
        if before is None:
            self._add(RecordKind.PIDS, "", 1, encode_pids(now))
        else:
            self._add(RecordKind.PIDS, "", 0, encode_pids([len(left), *left, *sorted(self._listed - listed_before)]))
        return left

    def _tell_sweep(self, name: str, answers: dict[int, bytes | None]) -> None:
        swept = frozenset(answers)
        told = None if swept == self._listed else swept
        if name not in self._swept or self._swept[name] != told:
            self._swept[name] = told
            self._add(RecordKind.SWEPT, name, int(told is None), encode_pids(sorted(told or ())))
        known = self._values[name]
        changes = {pid: data for pid, data in answers.items() if pid not in known or known[pid] != data}
        if changes:
            known.update(changes)
            self._add(RecordKind.SWEEP, name, None, encode_changes(changes))

    def _tell_set(self, kind: RecordKind, paths: Iterable[str]) -> None:
        data = b"\0".join(sorted(map(os.fsencode, paths)))
        if data != self._sets[kind]:
            self._sets[kind] = data
            self._add(kind, "", None, data)

    def _add_answer(self, kind: RecordKind, path: str, told: Recorded, took_s: float | None = None) -> None:
        outcome, data = told
        if len(data) > VALUE_LIMIT:
            outcome, data = Outcome.UNAVAILABLE, b"too large to be recorded"
        self._add(kind, path, outcome, data if took_s is None else encode_took(took_s) + data)

    def _add(self, kind: RecordKind, path: str, status: int | None, data: bytes) -> None:
        chained = has_basis(kind, path)
        packed = pack(data, self._bases.get((kind, path), b"") if chained else b"")
        if len(packed) > PACKED_LIMIT:
            self._add(
                kind,
                path,
                Outcome.UNAVAILABLE,
                data[:TOOK_BYTES] * (kind == RecordKind.ASK) + b"too large to be recorded",
            )
            return
        if chained:
            self._bases[kind, path] = data
        self._rows.append((kind, os.fsencode(path), status, packed))
