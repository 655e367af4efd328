"""Tracks a JVM: its flags, and its counters over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from memtop.errors import ParseError
from memtop.runtimes.jvm import sentences
from memtop.runtimes.jvm.ceilings import jvm_ceilings
from memtop.runtimes.jvm.facts import jvm_facts
from memtop.runtimes.jvm.flags import JvmFlags, jvm_arguments, parse_jvm_flags
from memtop.runtimes.jvm.growth import (
    JvmBreakdown,
    JvmGrowth,
    JvmPoint,
    JvmVerdict,
    MappedHeap,
    break_down_jvm,
    judge_jvm,
)
from memtop.runtimes.jvm.heap import JvmHeap, same_jvm
from memtop.runtimes.jvm.json_form import jvm_object
from memtop.runtimes.jvm.reading import decode_counters
from memtop.runtimes.jvm.sentences import JvmJudgement
from memtop.runtimes.jvm.survivors import rising_survivors_per_s
from memtop.runtimes.jvm.untouched import untouched_heap
from memtop.runtimes.protocol import Conditions, Identity, ProcessContext, ReadingMoment, Wanted
from memtop.runtimes.view import FindingFacts, HeapFloor, HeapPoint, KernelFigures, RuntimeView, Shown
from memtop.units import long_size

POINTS: Final = 900
"""Readings kept for one process: a quarter of an hour."""
MOST_COLLECTIONS: Final = 256
_VERDICT_S: Final = 10.0
"""Interval at which the verdict for the findings is computed again. It takes 5 ms for all points."""
_HEAP_KIND: Final = "jvm_heap"
"""Key of the RegionKind of a heap."""
_MOVED: Final = 0.05
"""Share of RES by which mappings may differ from it before they count as old."""
_OUTSIDE: Final = (JvmVerdict.OUTSIDE, JvmVerdict.METASPACE, JvmVerdict.THREAD_LEAK)
_ALARMS: Final = {JvmVerdict.LEAK: "heap_leak", JvmVerdict.HEAP_FULL: "heap_full"}


class JvmTracker:
    """The Tracker of one JVM; see the module."""

    lazy_free_decides = False

    def __init__(self) -> None:
        self.collections_s: deque[float] = deque(maxlen=MOST_COLLECTIONS)
        self._flags: JvmFlags | None = None
        self._points: deque[JvmPoint] = deque(maxlen=POINTS)
        self._verdict: tuple[float, JvmGrowth, float | None] | None = None
        self._facts: FindingFacts | None = None
        """Those of the latest figures that were current."""

    def identified(self, identity: Identity) -> None:
        """Do nothing: only the name is known."""

    def started_with(self, argv: Sequence[str]) -> None:
        """Take the flags of the command line."""
        self._flags = parse_jvm_flags(jvm_arguments(argv))

    def wanted(self, now: Conditions) -> Sequence[Wanted]:
        """The counters, always."""
        return (Wanted("jvm", figures=True),)

    def take(self, name: str, data: bytes, begun: ReadingMoment, context: ProcessContext) -> None:
        """Decode the counters. Raises ParseError."""
        heap = decode_counters(data)
        if not same_jvm(heap, context.started_s):
            raise ParseError("hsperfdata", "the counters belong to an earlier JVM with the same PID")
        if self._points:
            before = self._points[-1].heap
            if heap.young_gcs + heap.major_gcs > before.young_gcs + before.major_gcs:
                self.collections_s.append(begun.at_s)
        self._points.append(JvmPoint(begun.at_s, heap, begun.anon_bytes, begun.rss_bytes - begun.anon_bytes))

    def forget_figures(self) -> None:
        """Do nothing: the figures come from no address."""

    def view(self, shown: Shown) -> RuntimeView:
        """The judgment and the sentences."""
        points = [point for point in self._points if point.time_s <= shown.at_s]
        trouble = shown.trouble
        if trouble and not points and self._flags is not None and self._flags.counters_off_by is not None:
            trouble = f"it writes no counters to a file: {self._flags.counters_off_by} is in its command line"
        view = RuntimeView(
            title=sentences.title(points[-1].heap if points else None, self._flags),
            trouble=trouble,
            chart_titles=("Heap used", ""),
            points=tuple(
                HeapPoint(p.time_s, p.heap.heap_used_bytes, None, p.heap.young_gcs + p.heap.major_gcs) for p in points
            ),
            topic="jvm_panel",
        )
        if not points:
            return view if trouble else view._replace(sentences=("Waiting for its counters …",))
        jvm = _judge(points, shown.kernel, _mapped(shown, points[-1].heap))
        verdict = sentences.jvm_verdict(jvm, shown.kernel.pid)
        return view._replace(
            has_figures=True,
            verdict=verdict,
            parts=tuple(sentences.jvm_parts(jvm.parts, collected=bool(jvm.growth.cycles)))
            if jvm.parts is not None
            else (),
            sentences=(*sentences.jvm_numbers(jvm), "" if verdict.bad else verdict.what_to_do),
            facts=tuple(jvm_facts(jvm.heap, jvm.parts, jvm.growth).items()),
        )

    def finding_facts(self, kernel: KernelFigures, now_s: float, *, fresh: bool) -> FindingFacts | None:
        """The finding that its own figures indicate.

        Stacks, JIT code and buffers are a normal share outside of a JVM's heap. Only memory far beyond that is
        reported.
        """
        if not self._points or not fresh:
            unknown = self._uses_unknown(None)
            if self._facts is not None:
                return self._facts.kept(now_s - self._points[-1].time_s, unknown)._replace(may_end_first=True)
            return FindingFacts(frees_lazily=False, not_looked_at=unknown, may_end_first=True)
        if self._verdict is None or now_s - self._verdict[0] >= _VERDICT_S:
            points = list(self._points)
            growth = judge_jvm(points)
            surviving = rising_survivors_per_s(points) if growth.verdict is JvmVerdict.WAITING else None
            self._verdict = now_s, growth, surviving
        _, growth, surviving = self._verdict
        interval = growth.live_interval_bytes_per_s
        untouched = untouched_heap(list(self._points))
        explains = untouched is None or untouched.explains
        outside, again_bytes = None, 0
        if (parts := _parts(self._points[-1].heap, kernel)) is not None:
            outside, again_bytes = parts.native_bytes if parts.notable_native else None, parts.again_bytes
        self._facts = FindingFacts(
            outside_bytes=outside,
            outside_of_bytes=kernel.anon_bytes if outside is not None else None,
            steady_live_bytes=growth.live_bytes
            if growth.verdict in (JvmVerdict.STEADY, JvmVerdict.PRESSURE) and not growth.may_rise
            else None,
            ceilings=jvm_ceilings(
                self._points[-1].heap,
                self._flags,
                growth,
                surviving,
                explains=explains,
                before=self._facts.ceilings if self._facts is not None else (),
            ),
            heap_may_take_bytes=untouched.may_take_bytes
            if untouched is not None and explains and growth.verdict not in _OUTSIDE
            else None,
            not_looked_at=self._uses_unknown(self._points[-1].heap),
            may_end_first=not explains and growth.verdict not in (JvmVerdict.METASPACE, JvmVerdict.THREAD_LEAK),
            alarm=_ALARMS.get(growth.verdict, ""),
            live_bytes=growth.live_bytes,
            floor=HeapFloor(len(growth.cycles), growth.span_s, growth.live_bytes_per_s, interval)
            if growth.cycles
            else None,
            frees_lazily=False,
            counted_again_bytes=again_bytes,
            surviving_bytes_per_s=surviving,
            may_rise_bytes_per_s=interval[1] if growth.may_rise and interval is not None else None,
        )
        return self._facts

    def _uses_unknown(self, heap: JvmHeap | None) -> tuple[str, ...]:
        """The limits whose use no counter shows; without any counters the heap is one of them."""
        flags = sentences.all_flags(self._flags, heap)
        given = flags.max_direct_bytes if flags is not None else None
        limit = f" of {long_size(given)}" if given is not None else ""
        direct = f"how full its direct memory is (MaxDirectMemorySize{limit})"
        if heap is not None:
            classes = flags.max_metaspace_bytes if flags is not None and heap.metaspace_used_bytes is None else None
            full = () if classes is None else (f"how full its metaspace is (MaxMetaspaceSize {long_size(classes)})",)
            return (*full, direct)
        most = flags.max_heap_bytes if flags is not None else None
        return (f"how full its heap is (-Xmx{'' if most is None else f' {long_size(most)}'})", direct)

    def to_json(self, *, fresh: bool) -> dict[str, Any] | None:
        """The ``runtime`` object."""
        return jvm_object(self._flags, self._points[-1].heap if self._points else None)


def _judge(points: list[JvmPoint], kernel: KernelFigures, mapped: MappedHeap | None) -> JvmJudgement:
    growth, heap = judge_jvm(points), points[-1].heap
    return JvmJudgement(heap, _parts(heap, kernel, growth.live_bytes, mapped), growth)


def _parts(
    heap: JvmHeap, kernel: KernelFigures, live_bytes: int | None = None, mapped: MappedHeap | None = None
) -> JvmBreakdown | None:
    """RES in parts; None while RES is unknown, or how much of it is shared memory, where the heap of ZGC lies."""
    rss, anon, shmem = kernel.rss_bytes, kernel.anon_bytes, kernel.shmem_bytes
    if rss is None or anon is None or (shmem is None and heap.collector == "UseZGC"):
        return None
    return break_down_jvm(heap, rss, anon, live_bytes, shmem_bytes=shmem, mapped=mapped)


def _mapped(shown: Shown, heap: JvmHeap) -> MappedHeap | None:
    """The RAM of the heap by its mappings; None where they were not recognized, or are older than what RES is now.

    Page tables alone do not tell how often a page is mapped, which matters for ZGC only.
    """
    heaps = [one for one in shown.arenas if one.key == _HEAP_KIND]
    known = [one.rss_bytes for one in shown.arenas if one.rss_bytes is not None]
    rss_bytes = shown.kernel.rss_bytes
    if not heaps or rss_bytes is None or abs(sum(known) - rss_bytes) > _MOVED * rss_bytes:
        return None
    rss = [one.rss_bytes for one in heaps if one.rss_bytes is not None]
    own = [one.pss_bytes for one in heaps if one.pss_bytes is not None] if heap.collector == "UseZGC" else rss
    return MappedHeap(sum(rss), sum(own)) if len(rss) == len(own) == len(heaps) else None
