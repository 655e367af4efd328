"""Record of one program's smaps readings: the results, the readings under way, the user's mark."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from memtop.analysis.memory_map.moment import Moment
from memtop.analysis.memory_map.piece_budget import PieceBudget
from memtop.analysis.memory_map.read_cost import CALM_S, Load, ReadBudget, Verdict, Why
from memtop.analysis.memory_map.region_diff import RegionGrowth
from memtop.analysis.memory_map.regions import Regions
from memtop.procfs.deleted_report import DeletedState
from memtop.procfs.smaps_rollup import Rollup
from memtop.sampling.sample import ProcessSample
from memtop.sampling.smaps.smaps_view import DeletedFile, MarkView, Missing, Reading, RegionsView
from memtop.sanitize import clean

PAGEMAP: Final = "pagemap"
RECOUNT_S: Final = 60.0
"""How long the number of mappings counts as valid if no smaps is read."""
OLD_INTERVALS: Final = 2
"""A reading is old after this many of its planned intervals."""
NEVER: Final = ("", None)
"""Nothing was read, so everything has moved since."""


class Pending(NamedTuple):
    """A reading under way."""

    since_s: float
    size: int
    """Most bytes of the reading."""
    load: Load | None = None
    """The work that it has to do, for readings that cost the process something."""
    charged_s: float = 0.0
    """The expected cost that was charged to the common budget."""


@dataclass(slots=True, eq=False)
class UserMark:
    """The start of the period for which growth is reported, and the mappings at that time."""

    at_s: float
    rss_bytes: int | None
    virt_bytes: int | None
    regions: Regions | None = None
    """None until they have been read."""
    regions_s: float = 0.0


@dataclass(slots=True, eq=False)
class ProcessReadings:
    """The readings of one program; see the module. After an exec the process gets a new one."""

    execs: int
    budget: ReadBudget = field(default_factory=ReadBudget)
    pieces: PieceBudget = field(default_factory=PieceBudget)
    """The same for pagemap, which is read in pieces."""
    no_pieces_until_s: float = -math.inf
    """Until this instant there is no pagemap: forever if the kernel has none, for now in a recording."""
    pending: dict[str, Pending] = field(default_factory=dict)
    """By path."""
    stale: set[str] = field(default_factory=set)
    """The paths among them that were requested before the process became this program."""
    parsing_s: float | None = None
    """When the text that is being parsed in the background was read; None if there is none."""
    asked: bool = False
    """Whether the user wants a reading whatever it costs."""
    missing: Missing = Missing.UNREAD
    verdict: Verdict | None = None
    mappings: int | None = None
    """Number of mappings at the last count; None before."""
    counted_s: float = -math.inf
    tried_s: float = -math.inf
    """When the last expensive reading was begun."""
    moved: tuple[str, object] = NEVER
    """The last reading, and the inexpensive figures at its start; see :meth:`calm`."""
    first: tuple[float, Regions] | None = None
    reading: Reading | None = None
    rollup: Rollup | None = None
    rollup_s: float = -math.inf
    rollup_minflt: int | None = None
    """Minor faults so far, at about the time of the rollup."""
    given_back: tuple[Moment, int] | None = None
    """The latest LazyFree in bytes. pagemap, which may be newer, does not have it."""
    rollup_before: Rollup | None = None
    rollup_before_s: float = -math.inf
    rollup_before_minflt: int | None = None
    file_states: Mapping[bytes, DeletedState] = field(default_factory=dict)
    """What became of files that its code is mapped from and that are not on disk anymore, as far as looked up."""
    tmpfs: tuple[bytes, ...] | None = None
    hugetlbfs: tuple[bytes, ...] = ()
    """Mount points, like ``tmpfs``, which is None until they have been read."""
    mark: UserMark | None = None
    since_mark: RegionGrowth | None = None
    interval_s: float = CALM_S
    """Planned time from the last reading to the next one. It is never below CALM_S, the interval for a process in which
    nothing moves."""
    mark_dropped: bool = False
    """Whether the process became another program while a mark was set."""

    def of_another_program(self, execs: int) -> ProcessReadings:
        """What remains after an exec: the cost of reading, readings under way, and that a mark was dropped."""
        return ProcessReadings(
            execs=execs,
            budget=self.budget,
            pieces=self.pieces,
            no_pieces_until_s=self.no_pieces_until_s,
            pending=self.pending,
            stale=set(self.pending),
            mark_dropped=self.mark is not None or self.mark_dropped,
        )

    def deleted_file(self) -> DeletedFile | None:
        """The program or library that is not on disk anymore by its name; None if there is none."""
        files = self.reading.deleted_files if self.reading is not None else ()
        gone = (one for one in files if self.file_states.get(one) is not DeletedState.SAME)
        return next((DeletedFile(clean(one), self.file_states.get(one)) for one in gone), None)

    def drop_reading(self) -> None:
        """Drop the mappings. They are read again on demand."""
        self.reading = self.first = self.mark = self.since_mark = None
        self.missing, self.moved = Missing.UNREAD, NEVER

    def take_rollup(self, rollup: Rollup, at_s: float, seen: ProcessSample | None) -> None:
        """Take the newest sums, and keep the previous ones for rates."""
        self.rollup_before, self.rollup_before_s = self.rollup, self.rollup_s
        self.rollup_before_minflt = self.rollup_minflt
        self.rollup, self.rollup_s = rollup, at_s
        if (size_bytes := rollup.number("LazyFree")) is not None:
            self.given_back = Moment(at_s, rollup.rss_bytes), size_bytes
        self.rollup_minflt = seen.stat.minflt if seen is not None and seen.stat is not None else None

    def begun(self, name: str, seen: ProcessSample, now_s: float) -> None:
        """Note that an expensive reading begins."""
        if name == PAGEMAP:
            self.pieces = self.pieces.begun()
        else:
            self.budget = self.budget.begun()
            self.asked = False
        self.tried_s = now_s
        self.moved = name, _cheap_figures(seen)

    def calm(self, name: str, seen: ProcessSample) -> bool:
        """Whether the last reading still holds: neither sizes nor faults have changed since."""
        last, figures = self.moved
        return last in (name, "smaps") and figures == _cheap_figures(seen)

    def must_be_counted(self, name: str, now_s: float) -> bool:
        """Whether the number of its mappings is unknown, or old without a newer smaps."""
        return self.mappings is None or (name == "smaps_rollup" and now_s - self.counted_s > RECOUNT_S)

    def load(self, name: str, seen: ProcessSample) -> Load | None:
        """The work of a reading; None if RES is unknown."""
        if seen.statm is None:
            return None
        tables = seen.status.page_tables_bytes if seen.status is not None else None
        mappings = self.mappings or 0
        return Load(seen.statm.rss_bytes, tables or 0, mappings, mappings if name == "smaps" else 0)

    def regions_view(self, now_s: float) -> RegionsView:
        """The readings as panels show them, at the instant shown."""
        reading, verdict = self.reading, self.verdict
        waiting_s = max((max(0.0, now_s - one.since_s) for one in self.pending.values()), default=None)
        resting = verdict is not None and verdict.why is Why.RESTING
        if waiting_s is None and self.parsing_s is not None:
            waiting_s = max(0.0, now_s - self.parsing_s)
        return RegionsView(
            reading=reading,
            age_s=None if reading is None else max(0.0, now_s - reading.at_s),
            start_age_s=None if reading is None else max(0.0, now_s - reading.start_s),
            missing=Missing.UNREAD if reading is None and self.missing is Missing.NOTHING else self.missing,
            waiting_s=waiting_s,
            resting_s=max(0.0, self._free_from_s - now_s) if resting else 0.0,
            calm=resting and now_s >= self._free_from_s,
            stall_s=None if verdict is None else verdict.stall_s,
            mappings=self.mappings,
            since_mark=self.since_mark,
            is_old=reading is not None and now_s - reading.at_s > OLD_INTERVALS * self.interval_s,
        )

    def plan_next(self, at_s: float) -> None:
        """Plan the next reading after one of ``at_s``."""
        self.interval_s = max(CALM_S, self._free_from_s - at_s)

    @property
    def _free_from_s(self) -> float:
        """When the next reading may begin."""
        return self.pieces.free_from_s if self.moved[0] == PAGEMAP else self.budget.free_from_s

    def mark_view(self, seen: ProcessSample | None, now_s: float) -> MarkView | None:
        """The user's mark; None without one."""
        mark = self.mark
        if mark is None:
            return None
        statm = seen.statm if seen is not None else None
        return MarkView(
            at_s=mark.at_s,
            age_s=max(0.0, now_s - mark.at_s),
            rss_delta_bytes=None if statm is None or mark.rss_bytes is None else statm.rss_bytes - mark.rss_bytes,
            virt_delta_bytes=None if statm is None or mark.virt_bytes is None else statm.virt_bytes - mark.virt_bytes,
            growth=self.since_mark,
            late_s=0.0 if mark.regions is None else max(0.0, mark.regions_s - mark.at_s),
        )


def _cheap_figures(seen: ProcessSample) -> object:
    return seen.statm, seen.stat.minflt if seen.stat is not None else None
