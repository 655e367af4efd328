"""Adds facts from expensive readings (smaps, the runtime) to the FindingInputs of the process in focus.

It causes no readings: it uses what panels have read anyway, so most facts are known only while the panels are open.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from memtop.analysis.findings import FindingInputs
from memtop.analysis.memory_map.moment import Moment, has_moved
from memtop.analysis.memory_map.regions import Split
from memtop.engine.assessment.lazy_free import KNOWN_S
from memtop.process_key import ProcessKey
from memtop.runtimes.view import FindingFacts, ToolTarget
from memtop.sampling.smaps.smaps_view import DeletedFile, FamilySum, Missing, Reading, RegionsView, SharingView

COPY_WINDOW_S: Final = 60.0
"""The period over which the end of sharing is measured."""
_OLD_S: Final = 10.0
"""A reading older than this says nothing about current faults."""


class ExpensiveInputs(NamedTuple):
    """The expensive readings of the process in focus; None for what was not read."""

    regions: RegionsView | None = None
    """Its mappings, while a panel shows them."""
    reading: Reading | None = None
    """Its mappings as last read, whenever that was."""
    sharing: SharingView | None = None
    heap: FindingFacts | None = None
    unread: str = ""
    """Why there is no reading of smaps, or no newer one; empty if there is."""
    tools: ToolTarget | None = None
    """What decides which tools can look into it; None while its runtime is not known."""
    given_back: tuple[Moment, int] | None = None
    """The latest LazyFree in bytes, and its moment."""
    deleted_file: DeletedFile | None = None
    family: FamilySum | None = None
    """What it and its fork relatives take together; None if that is not wanted, or if it has none."""


OUT_OF_FOCUS: Final = ExpensiveInputs(unread="it is read only for the process in focus")
"""Those of any other process of whose runtime nothing is known."""


class Copying(NamedTuple):
    """Copy on write in progress. Bytes."""

    copied_bytes: int
    """Memory that was shared at the beginning of the window and is private now."""
    still_shared_bytes: int
    moment: Moment
    """That of the latest reading."""
    copied_bytes_per_s: float | None
    """Rate between the two latest readings; None if there is only one, or if they are old."""


class _Point(NamedTuple):
    moment: Moment
    shared_bytes: int
    private_dirty_bytes: int


class CopyTrail:
    """The shared memory of one process while its family stays the same.

    When a relative ends, what was shared with it becomes private without a copy. When one is born, the reverse happens.
    Either starts a new trail, with a reading made since.
    """

    def __init__(self) -> None:
        self._who: tuple[ProcessKey, frozenset[int]] | None = None
        self._since_s = 0.0
        self._points: deque[_Point] = deque()

    def take(self, now_s: float, key: ProcessKey, view: SharingView | None) -> Copying | None:
        """Take one tick. None if too little is known."""
        who = None if view is None else (key, frozenset(relative.pid for relative in view.relatives))
        if who != self._who:
            self._who, self._since_s = who, now_s
            self._points.clear()
        own = next((one for one in view.relatives if one.pid == key.pid), None) if view is not None else None
        if own is None or own.member is None or own.read_s is None or own.read_s < self._since_s:
            return None
        shared, private = own.member.shared_anon_bytes, own.member.private_dirty_bytes
        if shared is None or private is None:
            return None
        points = self._points
        if not points or own.read_s > points[-1].moment.at_s:
            points.append(_Point(Moment(own.read_s, own.member.rss_bytes), shared, private))
        while points[0].moment.at_s < points[-1].moment.at_s - COPY_WINDOW_S:
            points.popleft()
        last, rate = points[-1], None
        if len(points) > 1 and now_s - last.moment.at_s <= _OLD_S:
            rate = _copied(points[-2], last) / (last.moment.at_s - points[-2].moment.at_s)
        return Copying(_copied(points[0], last), last.shared_bytes, last.moment, rate)


def _copied(before: _Point, now: _Point) -> int:
    """Memory that became private by copies; 0 if shared memory went without private memory replacing it."""
    unshared = before.shared_bytes - now.shared_bytes
    return unshared if 0 < unshared <= 2 * (now.private_dirty_bytes - before.private_dirty_bytes) else 0


class ReadFacts:
    """The latest expensive readings of one process, each with its instant.

    What was found by one of them stays, with its age, until a newer one refutes it. A reading that is not on screen any
    more has not become wrong.
    """

    def __init__(self) -> None:
        self._virt: tuple[Moment, Split] | None = None
        self._mappings: tuple[float, int] | None = None
        self._given_back: tuple[Moment, int] | None = None
        self._merged: tuple[Moment, int] | None = None
        self._copying: Copying | None = None
        self._family: SharingView | None = None

    def take(self, inputs: ExpensiveInputs, copying: Copying | None) -> None:
        """Replace what was read again."""
        reading = inputs.reading
        if reading is not None:
            self._virt = reading.moment, reading.split
            self._mappings = reading.at_s, len(reading.regions)
            merged = reading.rollup.number("KSM")
            if merged is not None:
                self._merged = reading.moment, merged
        if inputs.given_back is not None:
            self._given_back = inputs.given_back
        if copying is not None:
            self._copying = copying
        if inputs.sharing is not None:
            self._family = inputs.sharing

    def added_to(self, case: FindingInputs, now_s: float) -> FindingInputs:
        """The findings inputs with all of it."""
        if self._virt is not None:
            moment, split = self._virt
            case = case._replace(
                reserved=split.reserved_bytes,
                reserved_virt=split.virt_bytes,
                reserved_rss=moment.rss_bytes,
                reserved_past_s=moment.past_s(now_s, case.rss),
            )
        if self._mappings is not None and now_s - self._mappings[0] <= _OLD_S:
            case = case._replace(mappings=self._mappings[1])
        if self._given_back is not None:
            moment, size_bytes = self._given_back
            past_s = moment.past_s(now_s, case.rss)
            case = case._replace(
                lazyfree=size_bytes if past_s is None and now_s - moment.at_s <= KNOWN_S else None,
                given_back=size_bytes,
                given_back_rss=moment.rss_bytes,
                given_back_past_s=past_s,
            )
        if self._merged is not None:
            moment, size_bytes = self._merged
            past_s = moment.past_s(now_s, case.rss)
            case = case._replace(merged=size_bytes, merged_rss=moment.rss_bytes, merged_past_s=past_s)
        if (copying := self._copying) is not None:
            age_s = now_s - copying.moment.at_s
            case = case._replace(
                unshared=copying.copied_bytes,
                still_shared=copying.still_shared_bytes,
                unshared_past_s=age_s if age_s > _OLD_S else copying.moment.past_s(now_s, case.rss),
            )
        family = self._family
        if family is not None and not family.unknown:
            case = case._replace(
                family=len(family.relatives),
                family_rss=family.known.rss_sum_bytes,
                family_pss=family.known.pss_sum_bytes,
                family_past_s=_past_s(family, now_s, case.rss),
            )
        return case


def _past_s(family: SharingView, now_s: float, rss_bytes: int | None) -> float | None:
    """The age of a family's oldest reading if RES has moved since, of the process in focus or, then already, of any."""
    own = next(iter(family.relatives), None)
    moved = own is not None and own.member is not None and has_moved(own.member.rss_bytes, rss_bytes)
    read_s = [one.read_s for one in family.relatives if one.read_s is not None]
    return max(0.0, now_s - min(read_s)) if read_s and (moved or family.past_s is not None) else None


def with_expensive_inputs(case: FindingInputs, inputs: ExpensiveInputs) -> FindingInputs:
    """The findings inputs with what is known of now: whether it may be read, its file, the runtime's figures."""
    if inputs.regions is not None:
        case = case._replace(denied=inputs.regions.missing is Missing.DENIED)
    if inputs.deleted_file is not None:
        state = inputs.deleted_file.state
        case = case._replace(
            deleted_file=inputs.deleted_file.path, deleted_state=state.value if state is not None else None
        )
    if inputs.family is not None:
        case = case._replace(family_measure=inputs.family.measure, family_count=inputs.family.processes)
    was_read = case.given_back is not None and (case.given_back_past_s or 0.0) <= KNOWN_S
    if case.lazyfree is None and not was_read and (inputs.heap is None or inputs.heap.frees_lazily):
        case = case._replace(lazyfree_unread=inputs.unread)
    return case if inputs.heap is None else _with_heap(case, inputs.heap)


def _with_heap(case: FindingInputs, heap: FindingFacts) -> FindingInputs:
    end = heap.first_end
    return case._replace(
        heap_end_name=end.name if end is not None else None,
        heap_ends_first="; ".join(heap.not_looked_at) if heap.may_end_first else "",
        heap_end_limit=end.limit_bytes if end is not None else None,
        heap_end_s=end.span_s if end is not None else None,
        heap_ends_soon=heap.ends_soon,
        heap_limit=heap.limit_bytes,
        next_gc=heap.next_gc_bytes,
        heap_held=heap.held_bytes,
        gc_per_s=heap.gc_per_s,
        gc_cpu_percent=heap.gc_cpu_percent,
        outside=heap.outside_bytes,
        outside_of=heap.outside_of_bytes,
        steady_live=heap.steady_live_bytes,
        heap_alarm=heap.alarm,
        heap_live=heap.live_bytes,
        surviving_per_s=heap.surviving_bytes_per_s,
        may_rise_per_s=heap.may_rise_bytes_per_s,
        heap_collections=heap.floor.collections
        if heap.floor is not None and heap.floor.slope_bytes_per_s is not None
        else None,
        heap_may_take=heap.heap_may_take_bytes,
        counted_again=heap.counted_again_bytes,
        heap_past_s=heap.past_s,
    )
