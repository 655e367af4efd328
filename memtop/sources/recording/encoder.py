"""Encodes one tick as the recording rows that changed since the previous tick, and now and then as a keyframe."""

from __future__ import annotations

import os
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import chain, compress, filterfalse
from operator import ne
from typing import Final

from memtop.sources.recording.answer_bases import AnswerBases
from memtop.sources.recording.bits import encode_bits
from memtop.sources.recording.format import (
    ANY_ROWS,
    FOUND_BY_QUERIES,
    LABEL_LIMIT,
    PACKED_LIMIT,
    READ_ROWS,
    Outcome,
    RecordKind,
    Row,
    encode_changes,
    encode_pids,
    encode_rows,
    has_basis,
    largest_bytes,
    pieces,
)
from memtop.sources.recording.kept_answers import KeptAnswers
from memtop.sources.recording.known_answers import KnownAnswers
from memtop.sources.recording.packing import TOOK_BYTES, encode_took, pack, pack_answer, pack_rows, squeeze
from memtop.sources.recording.tick import Block, Recorded, Tick

KEY_TICKS: Final = 30
"""Fewest ticks from one keyframe to the next."""
KEY_TICKS_MOST: Final = 300
"""Most ticks between two keyframes. Between the two it depends on their size."""
_KEY_BYTES: Final = 128 << 10
"""Fewest bytes from one keyframe to the next, unless that is too many ticks: they are played in some milliseconds."""
_KEY_SHARE: Final = 2
"""So many times the bytes of a keyframe at least are between it and the next one."""
FEWEST_BUNDLED: Final = 3
"""Rows that make a bundle."""
LARGEST_BUNDLE: Final = 32_768
"""Rows of more bytes are two bundles. One has the list of processes and the sweeps, so that who looks for one process
need not unpack the other one."""
MANY: Final = 32
"""From so many answers of one kind on that have changed, they are coded by their bits, all together."""
_PACKED_WELL: Final = 8192
"""Bundles up to so many bytes are packed as small as possible: of few processes, for days."""
_LISTS: Final = frozenset({RecordKind.PIDS, RecordKind.SWEPT, RecordKind.SWEEP, RecordKind.SWEEP_BITS})
_MANY_PATHS: Final = 200


class Encoder:
    """Turns ticks into rows, and remembers the contents of earlier rows.

    ``about`` is what each keyframe says of the machine and of what was asked, by name.
    """

    def __init__(self, about: Mapping[str, bytes] | None = None) -> None:
        self._about = about or {}
        self._pids: tuple[int, ...] | None = None
        self._listed: frozenset[int] = frozenset()
        self._swept: dict[str, frozenset[int] | None] = {}
        """By name of the file. None means all listed processes."""
        self._values: dict[str, dict[int, bytes | None]] = defaultdict(dict)
        self._changed: dict[str, Set[int]] = {}
        """The processes of the latest row of a sweep, by name of the file."""
        self._known = KnownAnswers()
        self._kept = KeptAnswers()
        self._sets: dict[RecordKind, dict[str, None]] = {RecordKind.READ_SET: {}, RecordKind.WAITING: {}}
        self._bases: dict[tuple[int, str], bytes] = {}
        self._answers = AnswerBases()
        self._rows: list[Row] = []
        self._since_key = -1
        """Ticks since the last keyframe; negative before the first one."""
        self._bytes_since_key = 0
        self._key_bytes = 0

    def block(self, tick: Tick) -> Block:
        """The rows of the next tick."""
        left = self._take(tick)
        key = self._key_is_due()
        if key:
            self._rows = [self._keyframe(left)]
            self._since_key, self._bytes_since_key = 0, 0
        own, asks = self._kept.take(tick.asks, tick.waiting)
        own += [self._answer(*ask) for ask in asks]
        if tick.lost:
            own.append((RecordKind.LOST, b"", tick.lost, b""))
        own += [(RecordKind.EXIT, b"%d" % end.pid, end.status, struct.pack("<d", end.wall_s)) for end in tick.exits]
        own += [
            (RecordKind.EVENT, event.kind.encode(), event.pid, b"\0" + event.label.encode()[:LABEL_LIMIT])
            for event in tick.events
        ]
        self._rows += own
        self._known.forget(left)
        self._kept.forget(left)
        for values in self._values.values():
            for pid in left:
                values.pop(pid, None)
        block = Block(tick.instant, key, encode_rows(self._bundled()))
        if key:
            self._key_bytes = len(block.rows)
        else:
            self._since_key += 1
            self._bytes_since_key += len(block.rows)
        return block

    def _key_is_due(self) -> bool:
        if self._since_key < 0:
            return True
        enough = self._since_key >= KEY_TICKS - 1 and self._bytes_since_key >= max(
            _KEY_SHARE * self._key_bytes, _KEY_BYTES
        )
        return enough or self._since_key >= KEY_TICKS_MOST - 1

    def _take(self, tick: Tick) -> frozenset[int]:
        """Take what differs from before as rows. Returns the PIDs that have left."""
        self._rows = []
        left = self._take_pids(tick.pids) if tick.pids is not None else frozenset()
        for name in self._swept.keys() | tick.sweeps.keys():
            self._take_sweep(name, tick.sweeps.get(name, {}))
        self._rows += self._known.take(tick.reads, many=MANY)
        self._take_set(RecordKind.READ_SET, tick.reads)
        self._take_set(RecordKind.WAITING, sorted(tick.waiting))
        return left

    def _take_pids(self, pids: Iterable[int]) -> frozenset[int]:
        """Add the row for the list of processes. Returns the PIDs that have left."""
        now = tuple(pids)
        before, self._pids = self._pids, now
        if now == before:
            return frozenset()
        listed_before, self._listed = self._listed, frozenset(set(now))  # a copy has half the size
        left = listed_before - self._listed
        if before is None:
            self._add(RecordKind.PIDS, "", 1, encode_pids(now))
        else:
            self._add(RecordKind.PIDS, "", 0, encode_pids([len(left), *left, *sorted(self._listed - listed_before)]))
        return left

    def _take_sweep(self, name: str, answers: dict[int, bytes | None]) -> None:
        swept = None if answers.keys() == self._listed else frozenset(answers)
        if name not in self._swept or self._swept[name] != swept:
            self._swept[name] = swept
            self._add(RecordKind.SWEPT, name, int(swept is None), encode_pids(sorted(swept or ())), is_alike=False)
        known = self._values[name]
        changes = dict(compress(answers.items(), map(ne, answers.values(), map(known.get, answers))))
        if len(changes) >= MANY:
            self._rows.append(
                (RecordKind.SWEEP_BITS, name.encode(), None, b"\0" + encode_bits(changes, [*map(known.get, changes)]))
            )
        elif changes:
            is_alike = self._changed.get(name) == changes.keys()
            self._changed[name] = changes.keys()
            self._add(RecordKind.SWEEP, name, None, encode_changes(changes), is_alike=is_alike)
        known.update(changes)

    def _take_set(self, kind: RecordKind, paths: Iterable[str]) -> None:
        before, now = self._sets[kind], dict.fromkeys(paths)
        self._sets[kind] = now
        fewer = list(filterfalse(now.__contains__, before))
        more = list(filterfalse(before.__contains__, now))
        if len(fewer) + len(more) > max(len(now), _MANY_PATHS):  # many processes are read in turns
            self._rows.append((kind, b"", None, _joined(now)))
            return
        for status, changed in ((0, fewer), (1, more)):
            if changed:
                self._rows.append((kind, b"", status, _joined(changed)))

    def _add(self, kind: RecordKind, path: str, status: int | None, data: bytes, *, is_alike: bool = True) -> None:
        """Add a row. ``is_alike``: numbers alone may differ from the one before."""
        chained = has_basis(kind)
        packed = (pack if is_alike else squeeze)(data, self._bases.get((kind, path), b"") if chained else b"")
        if chained:
            self._bases[kind, path] = data
        self._rows.append((kind, os.fsencode(path), status, packed))

    def _keyframe(self, left: frozenset[int]) -> Row:
        """Everything that is known, as one row. What follows is packed with its values."""
        self._bases = {}
        self._answers.clear()
        rows = chain(self._own_rows(left), self._known.rows(), self._kept.rows())
        return RecordKind.KEY, b"", None, pack_rows(rows)

    def _own_rows(self, left: frozenset[int]) -> Iterator[Row]:
        """The rows of a keyframe about the machine, lists of processes and sweeps."""
        for name, data in self._about.items():
            yield RecordKind.ABOUT, name.encode(), None, b"\0" + data
        if self._pids is not None:
            yield RecordKind.PIDS, b"", 2, b"\0" + encode_pids([len(left), *left, *self._pids])
        for name, swept in self._swept.items():
            data = self._bases[RecordKind.SWEPT, name] = encode_pids(sorted(swept or ()))
            yield RecordKind.SWEPT, os.fsencode(name), int(swept is None), b"\0" + data
            for some in pieces(self._values[name]):
                yield RecordKind.SWEEP_BITS, os.fsencode(name), None, b"\0" + encode_changes(some)
        for kind, paths in self._sets.items():
            yield kind, b"", None, _joined(paths)

    def _answer(self, path: str, recorded: Recorded, took_s: float) -> Row:
        outcome, data = recorded
        fits = TOOK_BYTES + len(data) <= largest_bytes(RecordKind.ASK, path)
        packed = pack_answer(took_s, data, self._answers.get(path)) if fits else b""
        if not packed or len(packed) > PACKED_LIMIT:
            outcome, data = Outcome.UNAVAILABLE, b"too large to be recorded"
            packed = pack_answer(took_s, data)
        self._answers.put(path, encode_took(took_s) + data)
        return RecordKind.ASK, os.fsencode(path), outcome, packed

    def _bundled(self) -> list[Row]:
        """The rows of the tick. Small ones are one row: their paths, which are alike at each tick, compress well."""
        alone = [row for row in self._rows if row[0] in FOUND_BY_QUERIES]
        bundle = [row for row in self._rows if row[0] not in FOUND_BY_QUERIES]
        if len(bundle) < FEWEST_BUNDLED:
            return self._rows
        lists = encode_rows(row for row in bundle if row[0] in _LISTS)
        others = encode_rows(row for row in bundle if row[0] not in _LISTS)
        if (size := len(lists) + len(others)) <= LARGEST_BUNDLE:
            return [*alone, self._bundle(ANY_ROWS, lists + others, level=9 if size <= _PACKED_WELL else 1)]
        return [*alone, self._bundle(ANY_ROWS, lists, level=1), self._bundle(READ_ROWS, others, level=1)]

    def _bundle(self, path: bytes, data: bytes, *, level: int) -> Row:
        place = RecordKind.ROWS, os.fsdecode(path)
        # a large one is its own dictionary: the bundle before would make it 1 % smaller, and takes a fifth of the time
        basis = self._bases.get(place, b"") if len(data) <= LARGEST_BUNDLE else b""
        self._bases[place] = data
        return RecordKind.ROWS, path, None, squeeze(data, basis, level=level)


def _joined(paths: Iterable[str]) -> bytes:
    """A set of paths as it is stored: the bundle is compressed."""
    return b"\0" + os.fsencode("\0".join(paths))
