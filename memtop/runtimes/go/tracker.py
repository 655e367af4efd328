"""Tracks a Go program: its build, its settings, and its heap figures over time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from memtop.errors import ParseError
from memtop.runtimes.container_limit import Container, decode_container
from memtop.runtimes.go import sentences
from memtop.runtimes.go.advice import FreedMemory, gogc_choices, judge_limit
from memtop.runtimes.go.breakdown import Whose, break_down, held_bytes, identities, outside_bytes, whose
from memtop.runtimes.go.buildinfo import GoBuild, parse_build_info
from memtop.runtimes.go.environ import GoSettings, parse_go_environ
from memtop.runtimes.go.facts import go_facts
from memtop.runtimes.go.growth import GoGrowth, GoPoint, GoVerdict, gc_per_s, judge_go
from memtop.runtimes.go.heap import GoHeap
from memtop.runtimes.go.json_form import go_object
from memtop.runtimes.go.reading import decode_metrics
from memtop.runtimes.go.sentences import GoJudgement
from memtop.runtimes.go.to_goal import may_take_bytes
from memtop.runtimes.protocol import Conditions, Identity, ProcessContext, ReadingMoment, Wanted
from memtop.runtimes.view import FindingFacts, HeapFloor, HeapPoint, KernelFigures, RuntimeCeiling, RuntimeView, Shown
from memtop.units import long_size

POINTS: Final = 900
"""Readings kept for one process: a quarter of an hour."""
MOST_COLLECTIONS: Final = 256
_AGAIN_S: Final = 30.0
_LISTENERS_S: Final = 5.0
_VERDICT_S: Final = 10.0
"""Interval at which the verdict for the findings is computed again. It takes 5 ms for all points."""
_OWN_KINDS: Final = "go_"
"""Prefixes of the keys of Go's kinds of mappings."""
_ANOTHER: Final = {
    Whose.OTHER_START: "these are the metrics of another process: its start time differs",
    Whose.OTHER_SIZE: "these are the metrics of another process: its RES differs by far",
    Whose.TOO_LARGE: "these are the metrics of another process: they report more memory than its address space",
}
_ALARMS: Final = {
    GoVerdict.LEAK_OBJECTS: "heap_leak",
    GoVerdict.BIGGER_OBJECTS: "heap_leak",
    GoVerdict.GOROUTINE_LEAK: "goroutines",
}


class GoTracker:
    """The Tracker of one Go program; see the module."""

    def __init__(self) -> None:
        self.collections_s: deque[float] = deque(maxlen=MOST_COLLECTIONS)
        self._identity: Identity | None = None
        self._build: GoBuild | None = None
        self._settings: GoSettings | None = None
        self._container: Container | None = None
        self._suggested: tuple[str, ...] | None = None
        self._url = ""
        self._points: deque[GoPoint] = deque(maxlen=POINTS)
        self._verdict: tuple[float, GoGrowth] | None = None
        self._facts: FindingFacts | None = None
        """Those of the latest figures that were current."""

    def identified(self, identity: Identity) -> None:
        """Take the build information."""
        self._identity = identity
        self._build = parse_build_info(identity.build.encode())

    def started_with(self, argv: Sequence[str]) -> None:
        """Do nothing: a command line says nothing about Go's memory."""

    def wanted(self, now: Conditions) -> Sequence[Wanted]:
        """Metrics if there is an address. Other readings after the process is known to be a Go program."""
        found = [Wanted("metrics", figures=True)] if now.address or now.replaying else []
        if self._build is None and not self._points:
            return found
        found += [Wanted("environ"), Wanted("container", _AGAIN_S if now.shown else None)]
        if now.shown and not now.address and not now.replaying:
            found.append(Wanted("listeners", _LISTENERS_S))
        return found

    def take(self, name: str, data: bytes, begun: ReadingMoment, context: ProcessContext) -> None:
        """Decode one answer. Raises ParseError."""
        if name == "environ":
            self._settings = parse_go_environ(data)
        elif name == "container":
            self._container = decode_container(data)
        elif name == "listeners":
            self._suggested = tuple(data.decode("ascii", "replace").split())
        else:
            self._take_metrics(data, begun, context)

    def _take_metrics(self, data: bytes, begun: ReadingMoment, context: ProcessContext) -> None:
        self._url, heap = decode_metrics(data)
        owner = whose(heap, begun.rss_bytes, context.virt_bytes, context.started_s)
        if owner is not Whose.SAME:
            raise ParseError("metrics", _ANOTHER[owner])
        if self._points and (heap.num_gc or 0) > (self._points[-1].heap.num_gc or 0):
            self.collections_s.append(begun.at_s)
        anon: int | None = begun.anon_bytes
        if context.lazy_free_bytes is None and self._frees_lazily:
            anon = None  # memory given back would look like memory outside of Go
        self._points.append(GoPoint(begun.at_s, heap, anon, context.lazy_free_bytes, begun.minflt))

    def forget_figures(self) -> None:
        """Drop the figures that came from another address."""
        self._points.clear()
        self._url, self._verdict, self._facts = "", None, None

    @property
    def lazy_free_decides(self) -> bool:
        """Whether its figures fit RES only beside LazyFree."""
        return self._frees_lazily

    @property
    def _frees_lazily(self) -> bool:
        """Whether it frees by MADV_FREE, so that RES does not fall; by its version while its settings are unknown."""
        return sentences.freed_by(self._build, self._settings) is FreedMemory.FREE

    # -- the panel

    def view(self, shown: Shown) -> RuntimeView:
        """The judgment and the sentences."""
        points = [point for point in self._points if point.time_s <= shown.at_s]
        latest = points[-1].heap if points else None
        freed = sentences.freed_words(self._build, self._settings, shown.kernel.lazy_free_bytes)
        view = RuntimeView(
            title=self._title(latest),
            url=self._url or shown.address,
            trouble=shown.trouble,
            chart_titles=("HeapAlloc", "HeapObjects"),
            points=tuple(
                HeapPoint(p.time_s, p.heap.heap_alloc_bytes, p.heap.heap_objects, p.heap.num_gc) for p in points
            ),
            topic="go_panel",
            suggested=self._suggested,
        )
        if not points:
            own = tuple(arena for arena in shown.arenas if arena.key.startswith(_OWN_KINDS))
            found = sentences.from_outside(shown.kernel, own, shown.arenas_age_s, freed)
            found += (
                ["Waiting for its metrics …"]
                if view.url and not shown.trouble
                else sentences.how_to_get_metrics(self._suggested or ())
            )
            facts = go_facts(build=self._build, settings=self._settings)
            return view._replace(sentences=tuple(found), facts=tuple(facts.items()))
        go = self._judge(points, shown.kernel)
        verdict = sentences.go_verdict(go)
        found = [sentences.go_numbers(go), "" if verdict.bad else verdict.what_to_do, sentences.gogc_words(go)]
        falls_at_once = sentences.freed_by(self._build, self._settings) is FreedMemory.DONTNEED
        unread = not falls_at_once and shown.kernel.lazy_free_bytes is None
        found += [*sentences.account(go, shown.kernel.pid, lazy_free_unread=unread), freed]
        facts = go_facts(
            build=self._build,
            settings=self._settings,
            heap=go.heap,
            parts=go.parts,
            growth=go.growth,
            limit=go.limit,
            choices=go.choices,
        )
        return view._replace(
            has_figures=True,
            verdict=verdict,
            notice=sentences.limit_notice(go.limit),
            parts=tuple(sentences.go_parts(go.parts, collected=bool(go.growth.cycles))) if go.parts is not None else (),
            sentences=tuple(found),
            facts=tuple(facts.items()),
        )

    def _title(self, heap: GoHeap | None) -> str:
        return sentences.title(self._build, self._settings, heap)

    def _judge(self, points: list[GoPoint], kernel: KernelFigures) -> GoJudgement:
        growth, heap = judge_go(points, self._settings or GoSettings()), points[-1].heap
        rss, anon = kernel.rss_bytes, kernel.anon_bytes
        if rss is None or anon is None:
            return GoJudgement(heap, None, identities(heap), growth, None, ())
        parts = break_down(heap, rss, anon, kernel.lazy_free_bytes or 0, growth.live_bytes)
        container = self._container
        others = container.anon_bytes - anon if container is not None and container.anon_bytes is not None else 0
        limit = judge_limit(
            heap,
            parts,
            self._settings.gomemlimit_bytes if self._settings is not None else None,
            container.limit_bytes if container is not None else None,
            gc_per_s=growth.gc_per_s,
            minflt_per_s=growth.minflt_per_s,
            others_bytes=max(0, others),
        )
        choices = gogc_choices(parts, growth.alloc_bytes_per_s, limit.gomemlimit_bytes or math.inf)
        return GoJudgement(heap, parts, identities(heap), growth, limit, choices)

    # -- findings and JSON

    def finding_facts(self, kernel: KernelFigures, now_s: float, *, fresh: bool) -> FindingFacts | None:
        """Limit, collections, memory outside of Go, and the finding that its own figures indicate."""
        if not self._points and (self._identity is None or self._identity.runtime is None):
            return None
        settings = self._settings
        most = _finite(settings.gomemlimit_bytes) if settings is not None else None
        unknown = (f"how near it is to GOMEMLIMIT {long_size(most)}",) if most else ()
        if settings is None:
            unknown = ("whether GOMEMLIMIT is set",)
        if not self._points or (self._facts is None and not fresh):
            return FindingFacts(most, frees_lazily=self._frees_lazily, not_looked_at=unknown)
        if not fresh and self._facts is not None:
            return self._facts.kept(now_s - self._points[-1].time_s, unknown)
        if self._verdict is None or now_s - self._verdict[0] >= _VERDICT_S:
            self._verdict = now_s, judge_go(list(self._points), settings or GoSettings())
        growth, last = self._verdict[1], self._points[-1]
        heap, lazy = last.heap, last.lazy_free_bytes or 0
        limit = heap.gomemlimit_bytes
        if limit is None and settings is not None:
            limit = settings.gomemlimit_bytes
        goal = heap.next_gc_bytes
        self._facts = FindingFacts(
            limit_bytes=None if limit is None else _finite(limit),
            next_gc_bytes=None if goal is None or math.isinf(goal) else int(goal),
            held_bytes=held_bytes(heap),
            gc_per_s=gc_per_s(self._points),
            gc_cpu_percent=None if heap.gc_cpu_fraction is None else 100 * heap.gc_cpu_fraction,
            outside_bytes=None if last.anon_bytes is None else outside_bytes(heap, last.anon_bytes, lazy),
            outside_of_bytes=None if last.anon_bytes is None else last.anon_bytes - lazy,
            steady_live_bytes=growth.live_bytes if growth.verdict in (GoVerdict.STEADY, GoVerdict.PRESSURE) else None,
            ceilings=(RuntimeCeiling("GOMEMLIMIT", int(limit), held, soft=True),)
            if limit is not None and math.isfinite(limit) and (held := held_bytes(heap)) is not None
            else (),
            heap_may_take_bytes=None if growth.verdict.growing else may_take_bytes(self._points),
            not_looked_at=unknown if limit is None else (),
            alarm=_ALARMS.get(growth.verdict, ""),
            live_bytes=growth.live_bytes,
            floor=HeapFloor(len(growth.cycles), growth.span_s, growth.live_bytes_per_s) if growth.cycles else None,
            frees_lazily=self._frees_lazily,
        )
        return self._facts

    def to_json(self, *, fresh: bool) -> dict[str, Any] | None:
        """The ``runtime`` object. Without build information and figures, it has what detection found."""
        if self._build is None and not self._points:
            if self._identity is None or self._identity.runtime is None:
                return None
            return {"name": self._identity.runtime, "version": self._identity.version, "settings": None, "heap": None}
        return go_object(self._build, self._settings, self._points[-1].heap if self._points and fresh else None)


def _finite(size_bytes: float) -> int:
    """A limit in bytes, 0 for none."""
    return 0 if math.isinf(size_bytes) else int(size_bytes)
