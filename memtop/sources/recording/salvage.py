"""Writes all that can be read of a damaged recording into a new one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple

from memtop.errors import RecordingError
from memtop.sanitize import clean
from memtop.sources.protocol import Instant
from memtop.sources.recording.checked_values import mono_time_s, wall_time_s
from memtop.sources.recording.file import RecordingFile
from memtop.sources.recording.format import RecordKind, Row, encode_rows
from memtop.sources.recording.known import Known
from memtop.sources.recording.one_sentence import DAMAGE, one_sentence
from memtop.sources.recording.opening import FILE_LIMIT, check_foreign
from memtop.sources.recording.pages import LeafRow, Pages
from memtop.sources.recording.tables import Bounds
from memtop.sources.recording.tick import Block

BATCH: Final = 100
"""Samples of one transaction."""
_FACT_COLUMNS: Final = 5
_TICK_COLUMNS: Final = (3, 4)
"""Of format 1, and of later ones."""
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Salvaged(NamedTuple):
    """What was read of a damaged recording."""

    kept: int
    """Samples in the new recording."""
    lost: int
    """Samples that are known to be missing."""


def salvage(path: str, new_path: str) -> Salvaged:
    """Write a new recording. Raises RecordingError, with one sentence; there is no new file then.

    A sample is kept if all its rows can be read and it follows one that is kept, or is a keyframe.
    """
    with ExitStack() as opened:
        with one_sentence(path):
            pages = _open(path, opened)
            blocks = _Blocks(pages)
        file = RecordingFile(new_path, Bounds())
        try:
            batch: list[Block] = []
            for block in blocks:
                batch.append(block)
                if len(batch) == BATCH:
                    file.write(batch)
                    batch = []
            file.write(batch)
            if not blocks.kept:
                raise RecordingError(f"{clean(path)} cannot be salvaged: nothing in it can be read as a recording")
        except BaseException:
            file.finish(complete=False)
            os.unlink(new_path)
            raise
        file.finish(complete=True)
        return Salvaged(blocks.kept, blocks.lost)


def _open(path: str, opened: ExitStack) -> Pages:
    """Raises RecordingError and OSError."""
    descriptors: list[int | None] = []
    for name in (path, f"{path}-wal"):
        try:
            descriptor = os.open(name, _FLAGS)
        except FileNotFoundError:
            if name == path:
                raise
            descriptors.append(None)
            continue
        opened.callback(os.close, descriptor)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise RecordingError("it is not a regular file")
        if found.st_size > FILE_LIMIT:
            raise RecordingError("it is larger than 2 GiB")
        descriptors.append(descriptor)
    file, wal = descriptors
    assert file is not None
    check_foreign(os.pread(file, 100, 0))
    return Pages(file, wal)


class _Blocks:
    """Iterates over the samples that can be kept, and counts them."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._ticks: dict[int, tuple[Instant, bool]] = {}
        """Instants by number, and whether each is a keyframe."""
        self._fact_pages: list[tuple[int, int]] = []
        """The first rowid and the number of each page of facts."""
        self.kept = self.lost = 0
        for number in pages:
            self._look_at(number)
        self._fact_pages.sort()

    def _look_at(self, number: int) -> None:
        for row in self._pages.rows(number):
            values = row.values
            if len(values) in _TICK_COLUMNS and values[0] is None:
                self._take_tick(row)
            elif _is_fact(row):
                self._fact_pages.append((row.rowid, number))
                return
            else:
                return

    def _take_tick(self, row: LeafRow) -> None:
        times = [float(value) if isinstance(value, int) else value for value in row.values[1:3]]
        try:
            instant = Instant(wall_time_s(times[0]), mono_time_s(times[1]))
        except RecordingError:
            return
        is_key = bool(row.values[3]) if len(row.values) > 3 else row.rowid == 0
        self._ticks[row.rowid] = instant, is_key

    def __iter__(self) -> Iterator[Block]:
        facts, known = _Facts(self._rows(), is_cut=self._pages.is_cut), Known()
        first, last = min(self._ticks, default=0), max(self._ticks, default=-1)
        before: int | None = None
        for number in sorted(self._ticks):
            instant, is_key = self._ticks[number]
            rows, whole = facts.of(number)
            if not whole or not (is_key or before == number - 1) or not _can_be_played(known, rows):
                continue
            lost = number - (first if before is None else before + 1)
            if lost:
                rows.append((RecordKind.LOST, b"", lost, b""))
            self.kept += 1
            self.lost += lost
            before = number
            yield Block(instant, is_key, encode_rows(rows))
        self.lost += last - (first - 1 if before is None else before)

    def _rows(self) -> Iterator[LeafRow]:
        """All rows of facts, each once, in their order."""
        reached = 0
        for _, number in self._fact_pages:
            for row in self._pages.rows(number):
                if row.rowid > reached and _is_fact(row):
                    reached = row.rowid
                    yield row


class _Facts:
    """Groups rows by instant. Their rowids are counted up, so a gap shows that rows are missing."""

    def __init__(self, rows: Iterator[LeafRow], *, is_cut: bool) -> None:
        self._rows = rows
        self._is_cut = is_cut
        """Whether the last rows are missing."""
        self._next: LeafRow | None = None
        self._is_after_gap = False
        """Whether rows are missing before the next one."""
        self._step()

    def of(self, number: int) -> tuple[list[Row], bool]:
        """The rows of an instant, and whether they are all that it had. Asked for with rising numbers."""
        while self._next is not None and _tick_of(self._next) < number:
            self._step()
        found: list[Row] = []
        whole = True
        while self._next is not None and _tick_of(self._next) == number:
            row = _row_of(self._next)
            if self._is_after_gap and (found or row[0] != RecordKind.KEY):  # a keyframe is the first row of its instant
                whole = False
            found.append(row)
            self._step()
        if self._next is None:
            return found, whole and bool(found) and not self._is_cut
        return found, whole and not self._is_after_gap

    def _step(self) -> None:
        before, self._next = self._next, next(self._rows, None)
        self._is_after_gap = self._next is not None and before is not None and self._next.rowid != before.rowid + 1


def _is_fact(row: LeafRow) -> bool:
    if len(row.values) != _FACT_COLUMNS:
        return False
    tick, kind, path, status, data = row.values
    return (
        isinstance(tick, int)
        and isinstance(kind, int)
        and isinstance(path, bytes)
        and (status is None or isinstance(status, int))
        and (data is None or isinstance(data, bytes))
    )


def _tick_of(row: LeafRow) -> int:
    tick = row.values[0]
    assert isinstance(tick, int)
    return tick


def _row_of(row: LeafRow) -> Row:
    return row.values[1:]  # type: ignore[return-value]  # _is_fact has checked them


def _can_be_played(known: Known, rows: list[Row]) -> bool:
    try:
        known.take(rows)
    except (RecordingError, *DAMAGE):
        return False
    return True
