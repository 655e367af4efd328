"""Requests smaps readings from the Source, has them parsed, and puts them into the record of their process."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import Final

from memtop.analysis.memory_map.piece_budget import PARSE_S_PER_MAPPING
from memtop.analysis.memory_map.read_cost import Load, Machine
from memtop.errors import AccessDenied, Blocked, MemtopError, NotRecorded, ParseError, ProcessGone, RanOut, Unavailable
from memtop.process_key import ProcessKey
from memtop.procfs.deleted_report import parse_deleted_report
from memtop.procfs.mountinfo import parse_mountinfo
from memtop.procfs.smaps_rollup import Rollup, parse_rollup
from memtop.procfs.stat import PidStat
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sampling.smaps.parse_worker import NO_GROWTH, ParsedSmaps, ParseWorker, Raw, digest, give_memory_back
from memtop.sampling.smaps.process_readings import NEVER, PAGEMAP, Pending, ProcessReadings
from memtop.sampling.smaps.smaps_view import Missing
from memtop.sources.protocol import Answer, Source

SMAPS_LIMIT: Final = 64 << 20
"""Most bytes of smaps: 90,000 mappings."""
UNASKED_LIMIT: Final = 6 << 20
"""The same for a reading that the user did not ask for: 8,000 mappings, more than is read automatically."""
MAPS_LIMIT: Final = 16 << 20
"""Most bytes of maps that are counted: at least 80,000 mappings, 0.1 s."""
INLINE_BYTES: Final = 256 << 10
"""A longer smaps is parsed in the background."""
FILES: Final = 12
"""Processes whose mappings are kept ..."""
KEPT_MAPPINGS: Final = 20_000
"""... and how many mappings that may be together, in addition to those of the process in focus."""
_NAMESPACE_BYTES: Final = 256 << 10
_DELETED_FILES: Final = "deleted_files"


class Collector:
    """Collects readings in the engine's thread. ``once`` means that there will be no later tick to wait for."""

    def __init__(self, source: Source) -> None:
        self.machine = Machine()
        self.records: dict[ProcessKey, ProcessReadings] = {}
        """Those needed last are at the end."""
        self.now_s = 0.0
        self.sample: Sample | None = None
        self.once = False
        self.refund_s = 0.0
        """Charges beyond what the readings took; negative if they took more. Whoever charged them takes it back."""
        self._source = source
        self._worker = ParseWorker()
        self._trims = 0
        """How many more times freed memory is given back, because something large was dropped or soon will be."""
        self._renewed: set[ProcessKey] = set()

    def open(self, sample: Sample) -> None:
        """Set the sample: another instant, or the same again."""
        self.machine = self.machine.rested(sample.mono_s - self.now_s)
        self.sample, self.now_s = sample, sample.mono_s

    def seen(self, key: ProcessKey) -> ProcessSample | None:
        """The process as it was sampled last; None when it has gone."""
        seen = self.sample.processes.get(key.pid) if self.sample is not None else None
        return seen if seen is not None and seen.key == key else None

    def record(self, key: ProcessKey) -> ProcessReadings:
        """The record of this process, created on first use."""
        record = self.records.pop(key, None)
        if record is None:
            seen = self.seen(key)
            record = ProcessReadings(execs=seen.execs if seen is not None else 0)
        self.records[key] = record
        return record

    def renewed(self) -> frozenset[ProcessKey]:
        """The processes whose PSS and USS are new since the last call."""
        renewed, self._renewed = frozenset(self._renewed), set()
        return renewed

    # -- what is let go

    def close_records(self) -> None:
        """Drop what was read of another program, and everything but the last numbers of a process that has ended."""
        for key, record in list(self.records.items()):
            seen = self.seen(key)
            if seen is None:
                record.pending.clear()
                record.missing, record.verdict = Missing.GONE, None
                if record.reading is None and record.mark is None:
                    del self.records[key]
            elif seen.execs != record.execs:
                self.records[key] = record.of_another_program(seen.execs)
                self._renewed.add(key)

    def forget_the_oldest(self, focus: ProcessKey | None) -> None:
        """Keep the mappings of only some processes besides the one in focus: 60,000 mappings take 10 MB per reading."""
        kept = mappings = 0
        for key, record in reversed(self.records.items()):
            if record.reading is None or key == focus:
                continue
            kept, mappings = kept + 1, mappings + len(record.reading.regions)
            if kept >= FILES or mappings > KEPT_MAPPINGS:
                record.drop_reading()
                self._trims = 2

    def abandon_all_but(self, wanted: Container[ProcessKey]) -> None:
        """Give up the readings of seconds that are no longer wanted."""
        for key, record in self.records.items():
            for path in [path for path in record.pending if path.endswith(f"/{PAGEMAP}") and key not in wanted]:
                del record.pending[path]
                record.stale.discard(path)
                self._source.abandon(path)
                record.pieces = record.pieces.failed()
                record.tried_s, record.moved = -math.inf, NEVER

    # -- what is asked

    def count(self, seen: ProcessSample, record: ProcessReadings, since_s: float) -> None:
        """Request the number of mappings."""
        self._ask(seen.key, record, f"{seen.folder}/maps", Pending(since_s, MAPS_LIMIT))

    def begin(
        self,
        seen: ProcessSample,
        record: ProcessReadings,
        name: str,
        since_s: float,
        load: Load | None,
        *,
        charged_s: float = 0.0,
    ) -> None:
        """Request ``smaps``, ``smaps_rollup`` or ``pagemap``."""
        if name != "smaps_rollup" and record.tmpfs is None:
            self._ask(seen.key, record, f"{seen.folder}/mountinfo", Pending(since_s, _NAMESPACE_BYTES))
        pending = Pending(since_s, SMAPS_LIMIT if record.asked or name == PAGEMAP else UNASKED_LIMIT, load, charged_s)
        record.begun(name, seen, self.now_s)
        self._ask(seen.key, record, f"{seen.folder}/{name}", pending)

    def _ask(self, key: ProcessKey, record: ProcessReadings, path: str, pending: Pending) -> None:
        record.pending[path] = pending
        self._poll(key, record, path)

    # -- what has come

    def settle(self, seconds: float) -> None:
        """Wait for readings under way, at most for this time, and take them."""
        self._source.settle(seconds)
        self.take()

    def take(self) -> None:
        """Take the answers that the source has."""
        for key, record in list(self.records.items()):
            for path in list(record.pending):
                self._poll(key, record, path)

    def take_digests(self) -> None:
        """Take what was parsed in the background, and give back the memory that it used."""
        if self._trims:
            self._trims -= 1
            give_memory_back()
        for who, found in self._worker.done():
            assert isinstance(who, ProcessReadings)
            self._take_digest(who, found)
            self._trims = 2

    def _poll(self, key: ProcessKey, record: ProcessReadings, path: str) -> None:
        """Take an answer, if there is one."""
        name = path.rpartition("/")[2]
        try:
            answer = self._source.ask(path, record.pending[path].size)
        except MemtopError as error:
            self._failed(record, name, record.pending.pop(path), error)
            return
        if answer is None:
            return
        pending = record.pending.pop(path)
        if path in record.stale:
            record.stale.discard(path)
            if name == PAGEMAP:
                record.pieces = record.pieces.ended(pending.since_s, self.now_s, answer.took_s)
            elif pending.load is not None:
                record.budget = record.budget.ended(pending.since_s, answer.took_s)
        elif name == "mountinfo":
            mounts = parse_mountinfo(answer.data)
            record.tmpfs = tuple(mount.point for mount in mounts if mount.fstype in (b"tmpfs", b"ramfs"))
            record.hugetlbfs = tuple(mount.point for mount in mounts if mount.fstype == b"hugetlbfs")
        elif name == _DELETED_FILES:
            record.file_states = parse_deleted_report(answer.data)
        elif name == "maps":
            record.mappings, record.counted_s = answer.data.count(b"\n"), self.now_s
            self._trims = 2 if len(answer.data) > INLINE_BYTES else self._trims
        else:
            self._take_reading(key, record, name, answer, pending)

    def _failed(self, record: ProcessReadings, name: str, pending: Pending, error: MemtopError) -> None:
        if name == "mountinfo":
            record.tmpfs = ()
        elif name == _DELETED_FILES:
            record.file_states = {}
        elif name == "maps":  # without permission for maps there is none for smaps, which gives the reason
            record.mappings, record.counted_s = record.mappings or 0, self.now_s
        elif (
            name == PAGEMAP and isinstance(error, Unavailable) and not isinstance(error, RanOut)
        ):  # then smaps is read, as far as it may be
            record.no_pieces_until_s = self.now_s if isinstance(error, NotRecorded) else math.inf
            record.pieces, record.moved, record.tried_s = record.pieces.failed(), NEVER, -math.inf
            self.refund_s += pending.charged_s
        elif name == PAGEMAP:
            record.missing, record.moved = _why(error), NEVER
            record.pieces = record.pieces.ended(pending.since_s, self.now_s, 0.0)
        else:
            record.missing = _why(error)
            record.moved = NEVER
            rests = record.missing is not Missing.ABSENT  # a recording may have it at the next instant
            record.budget = record.budget.ended(pending.since_s, 0.0) if rests else record.budget.failed()

    def _take_reading(
        self, key: ProcessKey, record: ProcessReadings, name: str, answer: Answer, pending: Pending
    ) -> None:
        load, seen = pending.load, self.seen(key)
        if name == PAGEMAP:
            record.pieces = record.pieces.ended(pending.since_s, self.now_s, answer.took_s)
            self.refund_s += pending.charged_s - answer.took_s if pending.charged_s else 0.0
        else:
            record.budget = record.budget.ended(pending.since_s + answer.took_s, answer.took_s, load, self.machine)
        if load is not None:
            self.machine = self.machine.after(load, answer.took_s)
        if seen is None or seen.stat is None or seen.execs != record.execs:
            return
        at_s = min(pending.since_s, self.now_s)
        if name != "smaps_rollup":
            self._take_smaps(record, answer, at_s, pending.size, seen.stat, in_pieces=name == PAGEMAP)
        else:
            self._take_rollup(key, record, answer, at_s)

    def _take_smaps(
        self, record: ProcessReadings, answer: Answer, at_s: float, size: int, stat: PidStat, *, in_pieces: bool
    ) -> None:
        if UNASKED_LIMIT <= len(answer.data) == size < SMAPS_LIMIT:
            record.mappings, record.moved = None, NEVER  # far more than at the last count; only the user may ask
            return
        raw = Raw(
            data=answer.data,
            at_s=at_s,
            took_s=answer.took_s,
            cut=len(answer.data) >= SMAPS_LIMIT,
            start_code=stat.start_code,
            threads=stat.threads,
            tmpfs=record.tmpfs or (),
            first=record.first,
            mark=record.mark.regions if record.mark is not None else None,
            in_pieces=in_pieces,
            hugetlbfs=record.hugetlbfs,
        )
        if len(answer.data) > INLINE_BYTES and not self.once:
            record.parsing_s = at_s
            self._worker.begin(record, raw)
            return
        try:
            self._take_digest(record, digest(raw))
        except ParseError as error:
            self._take_digest(record, error)

    def _take_digest(self, record: ProcessReadings, found: ParsedSmaps | ParseError | None) -> None:
        record.parsing_s = None
        if found is None or isinstance(found, ParseError):
            record.missing = Missing.EMPTY if found is None else Missing.UNREADABLE
            record.moved = NEVER
            return
        reading = record.reading = found.reading
        record.missing = Missing.NOTHING
        if reading.in_pieces is not None:
            record.pieces = record.pieces.also(self.now_s, PARSE_S_PER_MAPPING * len(reading.regions))
        else:
            record.pieces = record.pieces.after_smaps(self.now_s)
        record.plan_next(reading.at_s)
        record.mappings, record.counted_s = len(reading.regions), reading.at_s
        if record.first is None:
            record.first = reading.at_s, reading.regions
        mark = record.mark
        if mark is not None and mark.regions is None and reading.at_s >= mark.at_s:  # not one that was under way
            mark.regions, mark.regions_s, record.since_mark = reading.regions, reading.at_s, NO_GROWTH
        elif mark is not None and mark.regions is found.mark:
            record.since_mark = found.since_mark
        for key in [key for key, other in self.records.items() if other is record]:
            seen = self.seen(key)
            record.take_rollup(Rollup(()) if reading.cut else reading.rollup, reading.at_s, seen)
            if reading.deleted_files and seen is not None:
                self._ask(key, record, f"{seen.folder}/{_DELETED_FILES}", Pending(self.now_s, _NAMESPACE_BYTES))
            self._renewed.add(key)

    def _take_rollup(self, key: ProcessKey, record: ProcessReadings, answer: Answer, at_s: float) -> None:
        try:
            rollup = parse_rollup(answer.data)
        except ParseError:
            record.missing = Missing.EMPTY if not answer.data.strip() else Missing.UNREADABLE
            return
        record.missing = Missing.NOTHING
        record.take_rollup(rollup, at_s, self.seen(key))
        self._renewed.add(key)


def _why(error: MemtopError) -> Missing:
    if isinstance(error, ProcessGone):
        return Missing.GONE
    if isinstance(error, AccessDenied):
        return Missing.DENIED
    if isinstance(error, RanOut):
        return Missing.RAN_OUT
    return Missing.HANGING if isinstance(error, Blocked) else Missing.ABSENT
