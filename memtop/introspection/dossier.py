"""What is known of one program in one process by its runtime: who it is, its settings, what it has told so far.

Everything that it told is understood here; what understands one kind of answer is imported with the first of that kind.
"""

# ruff: noqa: PLC0415 (most processes have no runtime)

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtop.errors import AccessDenied, Blocked, MemtopError, NotRecorded, ParseError, ProcessGone

if TYPE_CHECKING:
    from memtop.model.runtime_view import HeapFacts, Inside
    from memtop.runtimes.go.buildinfo import GoBuild
    from memtop.runtimes.go.environ import GoSettings
    from memtop.runtimes.go.growth import GoPoint
    from memtop.runtimes.go.heap import GoHeap
    from memtop.runtimes.jvm.flags import JvmFlags
    from memtop.runtimes.jvm.growth import JvmPoint
    from memtop.runtimes.jvm.heap import JvmHeap
    from memtop.runtimes.told import Container, Identity

POINTS: Final = 900
"""Readings kept of one process: a quarter of an hour."""
LEAST_INTERVAL_S: Final = 1.0
REST_S: Final = 30.0
FAILURES_BEFORE_REST: Final = 3
_JITTER_S: Final = 0.1
_ANOTHER: Final = {
    "other_start": "these are the metrics of another process: it says that it started at another time",
    "other_size": "these are the metrics of another process: the RES it names is far from this one's",
    "too_large": "these are the metrics of another process: they tell of more memory than this one has address space",
}


class Pace:
    """When a program may be asked again: once a second at most, every half minute after three failures in a row."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._failures = 0

    def due(self, now_s: float) -> bool:
        """Whether it may be asked now; a tick that comes a little early counts as on time."""
        return now_s >= self._next_s - _JITTER_S

    def asked(self, now_s: float) -> None:
        """It has just been asked."""
        self._next_s = max(self._next_s, now_s - _JITTER_S) + LEAST_INTERVAL_S

    def answered(self) -> None:
        """It gave metrics."""
        self._failures = 0

    def failed(self, now_s: float) -> None:
        """It did not answer, or with something else."""
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_REST:
            self._next_s = now_s + REST_S


class Moment(NamedTuple):
    """What the kernel said of a process when a reading was begun."""

    at_s: float
    rss_bytes: int
    anon_bytes: int
    minflt: int | None


class Around(NamedTuple):
    """What else is known of a process when an answer has come."""

    started_s: float | None
    """Its start, seconds since the epoch."""
    virt_bytes: int | None
    lazy_free_bytes: int | None
    """Given back and not yet taken by the kernel."""


class RuntimeDossier:
    """See the module; a process that becomes another program gets a new one."""

    def __init__(self, execs: int) -> None:
        self.execs = execs
        self.pending: dict[str, Moment] = {}
        """Readings under way by name, with the kernel's figures of the moment at which they were begun."""
        self.done_s: dict[str, float] = {}
        """When each was begun last, of those that are not asked every second."""
        self.identity: Identity | None = None
        self.settings: GoSettings | None = None
        self.container: Container | None = None
        self.flags: JvmFlags | None = None
        self.suggested: tuple[str, ...] = ()
        self.pace = Pace()
        self.asked_url = ""
        self.url = ""
        self.trouble = ""
        self.strange = ""
        self.heap_s: float | None = None
        self.go: deque[GoPoint] = deque(maxlen=POINTS)
        self.jvm: deque[JvmPoint] = deque(maxlen=POINTS)
        self.collections_s: deque[float] = deque(maxlen=256)
        self.frees_lazily = False
        """It gives memory back by MADV_FREE, so that RES does not fall."""
        self.judged: tuple[object, Inside] | None = None
        self.verdict: tuple[float, HeapFacts] | None = None
        """When it was found out, and what of it belongs to the verdict."""

    def failed(self, name: str, error: MemtopError, now_s: float) -> None:
        """An answer that did not come, or cannot be understood."""
        if isinstance(error, NotRecorded | ProcessGone):
            return
        why = error.why if isinstance(error, ParseError) else str(error)
        if isinstance(error, Blocked):
            why = "a reading does not come back"
        if isinstance(error, AccessDenied):
            why = "this user may not read it"
        if name in ("metrics", "jvm"):
            self.trouble = why
            self.pace.failed(now_s)
        elif name == "identity":
            self.strange = why

    def take(self, name: str, data: bytes, begun: Moment, around: Around) -> None:
        """Understand an answer. Raises ParseError."""
        from memtop.runtimes import told

        if name == "identity":
            self.identity = told.decode_identity(data)
            self.strange = self.identity.trouble
        elif name == "environ":
            from memtop.runtimes.go.environ import parse_go_environ

            self.settings = parse_go_environ(data)
            self.frees_lazily = self.identity is not None and _frees_lazily(self.identity.build, self.settings)
        elif name == "container":
            self.container = told.decode_container(data)
        elif name == "listeners":
            self.suggested = tuple(data.decode("ascii", "replace").split())
        elif name == "metrics":
            found = told.decode_told(data)
            self.url = found.url
            self._take_go(found.heap, begun, around)
        else:
            self._take_jvm(told.decode_counters(data), begun, around)

    def _take_go(self, heap: GoHeap, begun: Moment, around: Around) -> None:
        from memtop.runtimes.go.breakdown import Whose, whose
        from memtop.runtimes.go.growth import GoPoint

        owner = whose(heap, begun.rss_bytes, around.virt_bytes, around.started_s)
        if owner is not Whose.SAME:
            self.trouble = _ANOTHER[owner.value]
            self.pace.failed(begun.at_s)
            return
        if self.go and (heap.num_gc or 0) > (self.go[-1].heap.num_gc or 0):
            self.collections_s.append(begun.at_s)
        anon: int | None = begun.anon_bytes
        if around.lazy_free_bytes is None and self.frees_lazily:
            anon = None  # what was given back would look like memory outside of Go
        self.go.append(GoPoint(begun.at_s, heap, anon, around.lazy_free_bytes, begun.minflt))
        self._answered(begun.at_s)

    def _take_jvm(self, heap: JvmHeap, begun: Moment, around: Around) -> None:
        from memtop.runtimes.jvm.growth import JvmPoint
        from memtop.runtimes.jvm.heap import same_jvm

        if not same_jvm(heap, around.started_s):
            self.trouble = "the counters found are those of another JVM, which had the same pid before"
            self.pace.failed(begun.at_s)
            return
        if self.jvm and heap.young_gcs + heap.major_gcs > self.jvm[-1].heap.young_gcs + self.jvm[-1].heap.major_gcs:
            self.collections_s.append(begun.at_s)
        self.jvm.append(JvmPoint(begun.at_s, heap, begun.anon_bytes))
        self._answered(begun.at_s)

    def _answered(self, at_s: float) -> None:
        self.pace.answered()
        self.trouble, self.heap_s = "", at_s

    def take_flags(self, command_raw: bytes | None) -> None:
        """What a JVM's command line says."""
        if self.flags is None and command_raw:
            from memtop.runtimes.jvm.flags import jvm_arguments, parse_jvm_flags

            argv = [os.fsdecode(argument) for argument in command_raw.split(b"\0")]
            self.flags = parse_jvm_flags(jvm_arguments(argv))

    def said(self, now_s: float | None) -> dict[str, Any] | None:
        """The ``runtime`` object of the JSON contract; None without a runtime that is known."""
        if self.identity is None and not self.go:
            return None
        from memtop.runtimes.json_form import runtime_object

        found = runtime_object(
            build=self.identity.build if self.identity is not None else None,
            settings=self.settings or self.flags,
            heap=self.go[-1].heap if self.go and not self.trouble else self.jvm[-1].heap if self.jvm else None,
            native=self.identity.native if self.identity is not None else None,
        )
        age_s = None if self.heap_s is None or now_s is None else round(now_s - self.heap_s, 3)
        return None if found is None else found | {"heap_age_s": age_s}


def _frees_lazily(build: GoBuild | None, settings: GoSettings) -> bool:
    from memtop.runtimes.go.limits import FreedMemory, freed_memory

    built_in = build.setting("DefaultGODEBUG") if build is not None else None
    release = build.release if build is not None else None
    return freed_memory(release, settings.debug("madvdontneed", built_in)) is FreedMemory.FREE
