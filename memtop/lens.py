"""The reader of runtimes: whom it asks, when, and what is known by now. Owned by the engine, used in its thread only.

It looks into the process in focus (without a screen: into those asked for). What runs there is found out once; only
a Go program whose address the user gave, and a JVM, are asked again, once a second at most. Everything goes through
Source.ask, so a program that hangs holds up nothing. What understands the answers is imported with the first of them.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from memtop.errors import AccessDenied, Blocked, MemtopError, ParseError, ProcessGone
from memtop.sample import RUNTIME, Ask, ProcKey, ProcSample, Sample
from memtop.source import Source
from memtop.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from memtop.analysis.gogrowth import GoPoint
    from memtop.analysis.jvmheap import JvmPoint
    from memtop.frame import ProcRow
    from memtop.inside import HeapFacts, Inside
    from memtop.readings import Reading
    from memtop.runtimes.buildinfo import GoBuild
    from memtop.runtimes.environ import GoSettings
    from memtop.runtimes.goheap import GoHeap
    from memtop.runtimes.jvm import JvmHeap
    from memtop.runtimes.jvmflags import JvmFlags
    from memtop.runtimes.told import Container, Identity

CLK_TCK: Final = os.sysconf("SC_CLK_TCK")
POINTS: Final = 900
"""Readings kept of one process: a quarter of an hour."""
FILES: Final = 12
"""Processes whose readings are kept."""
MOST_ASKED: Final = 12
"""Processes that are looked into at a time without a screen."""
FIRST_SETTLE_S: Final = 0.25
"""Without a screen: how long answers are waited for; later than at first no longer than half the delay."""
LEAST_INTERVAL_S: Final = 1.0
REST_S: Final = 30.0
FAILURES_BEFORE_REST: Final = 3
AGAIN_S: Final = 30.0
"""What hardly ever changes is asked for again while somebody looks at it."""
MOST_MARKS: Final = 40
"""With more collections in the window than this, marks would hide the chart."""
_JITTER_S: Final = 0.1
_NOT_RECORDED: Final = "not in the recording"


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


class _Kernel(NamedTuple):
    """What the kernel said of a process when a reading was begun."""

    at_s: float
    rss_bytes: int
    anon_bytes: int
    minflt: int | None


class File:
    """What is known of one program in one process."""

    def __init__(self, execs: int) -> None:
        self.execs = execs
        self.pending: dict[str, _Kernel] = {}
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
        self.verdict: tuple[float, str, int | None, bool] | None = None
        """When it was found out, and what is alive after each collection where that does not rise."""


class Lens:
    """See the module."""

    def __init__(
        self, source: Source, lazy_free_bytes: Callable[[ProcKey], int | None], *, replaying: bool = False
    ) -> None:
        self._source = source
        self._lazy_free_bytes = lazy_free_bytes
        self._replaying = replaying
        self._files: dict[ProcKey, File] = {}
        self._sample: Sample | None = None
        self._bound: ProcKey | None = None
        """Whom a URL without a pid belongs to."""

    # -- who is asked, and when

    def step(self, ask: Ask, sample: Sample, asked_for: Sequence[ProcKey]) -> None:
        """Take what has come and begin what is due. ``asked_for`` are those of the command line."""
        self._sample = sample
        if ask.frozen:
            return
        wanted = [ask.focus] if ask.focus is not None else []
        if ask.runtimes or (not wanted and len(asked_for) == 1):
            wanted += asked_for[:MOST_ASKED]
        fresh = False
        for key in dict.fromkeys(wanted):
            seen = self._seen(key)
            if seen is None or seen.statm is None:
                continue
            file = self._file(key, seen)
            fresh |= not file.done_s and not file.pending
            self._serve(ask, key, seen, file)
        if ask.runtimes:
            self._wait_for_answers(ask, wanted, fresh=fresh)
        for key in [key for key in self._files if key not in wanted][: max(0, len(self._files) - FILES)]:
            del self._files[key]

    def _wait_for_answers(self, ask: Ask, wanted: Iterable[ProcKey], *, fresh: bool) -> None:
        """Without a screen: a line tells what was read at its own instant, and a one-shot run has no later one.

        At first the identity is waited for, then what follows from it; later whatever is under way.
        """
        for _ in range(2 if fresh else 1):
            if not any(self._files[key].pending for key in wanted if key in self._files):
                return
            self._source.settle(FIRST_SETTLE_S if fresh else min(FIRST_SETTLE_S, ask.delay_s / 2))
            for key in wanted:
                seen = self._seen(key)
                if seen is not None and (file := self._files.get(key)) is not None:
                    self._serve(ask, key, seen, file)

    def _seen(self, key: ProcKey) -> ProcSample | None:
        seen = self._sample.processes.get(key.pid) if self._sample is not None else None
        return seen if seen is not None and seen.key == key else None

    def _file(self, key: ProcKey, seen: ProcSample) -> File:
        file = self._files.pop(key, None)
        if file is None or file.execs != seen.execs:
            file = File(seen.execs)
        self._files[key] = file  # those wanted last are at the end
        return file

    def _serve(self, ask: Ask, key: ProcKey, seen: ProcSample, file: File) -> None:
        assert self._sample is not None
        now_s = self._sample.mono_s
        for name in list(file.pending):
            self._poll(key, file, name)
        shown = ask.panel == RUNTIME
        self._want(key, seen, file, "identity", AGAIN_S if shown else None)
        identity = file.identity
        url = self._url_of(ask, key)
        if url != file.asked_url:
            file.asked_url, file.pace, file.trouble = url, Pace(), ""
            file.go.clear()
            file.heap_s = None
        if url or (self._replaying and (identity is None or identity.build is not None)):
            self._every_second(key, seen, file, "metrics", now_s)
        if identity is None:
            return
        if identity.build is not None or file.go:
            self._want(key, seen, file, "environ", None)
            self._want(key, seen, file, "container", AGAIN_S if shown else None)
            if shown and not url and not self._replaying:
                self._want(key, seen, file, "listeners", LEAST_INTERVAL_S * 5)
        elif identity.native.runtime is not None and identity.native.runtime.value == "jvm":
            self._take_flags(seen, file)
            self._every_second(key, seen, file, "jvm", now_s)

    def _url_of(self, ask: Ask, key: ProcKey) -> str:
        """The address that the user gave for this process; empty for none."""
        for pid, url in ask.go_urls:
            if pid == key.pid:
                return url
            if pid is None:
                if self._bound is None or self._seen(self._bound) is None:
                    self._bound = key
                if self._bound == key:
                    return url
        return ""

    def _want(self, key: ProcKey, seen: ProcSample, file: File, name: str, again_s: float | None) -> None:
        """Begin a reading that has not been made yet, or is old; None for once."""
        assert self._sample is not None
        now_s, before_s = self._sample.mono_s, file.done_s.get(name)
        if name in file.pending or (before_s is not None and (again_s is None or now_s - before_s < again_s)):
            return
        file.done_s[name] = now_s
        self._begin(key, seen, file, name)

    def _every_second(self, key: ProcKey, seen: ProcSample, file: File, name: str, now_s: float) -> None:
        if name not in file.pending and (self._replaying or file.pace.due(now_s)):
            file.pace.asked(now_s)
            self._begin(key, seen, file, name)

    def _begin(self, key: ProcKey, seen: ProcSample, file: File, name: str) -> None:
        assert self._sample is not None and seen.statm is not None
        minflt = seen.stat.minflt if seen.stat is not None else None
        file.pending[name] = _Kernel(self._sample.mono_s, seen.statm.rss_bytes, seen.statm.anon_bytes, minflt)
        self._poll(key, file, name)
        if self._replaying and name in ("metrics", "jvm"):
            file.pending.pop(name, None)  # an answer comes at its instant, or not at all

    # -- what has come

    def _poll(self, key: ProcKey, file: File, name: str) -> None:
        assert self._sample is not None
        url = f"#{file.asked_url}" if name == "metrics" and file.asked_url else ""
        try:
            answer = self._source.ask(f"proc/{key.pid}/runtime/{name}{url}")
            if answer is None:
                return
            begun = file.pending.pop(name)
            self._take(key, file, name, answer.data, begun)
        except MemtopError as error:
            file.pending.pop(name, None)
            self._failed(file, name, error)

    def _failed(self, file: File, name: str, error: MemtopError) -> None:
        assert self._sample is not None
        why = error.why if isinstance(error, ParseError) else str(error)
        if why.endswith(_NOT_RECORDED) or isinstance(error, ProcessGone):
            return
        if isinstance(error, Blocked):
            why = "a reading does not come back"
        if isinstance(error, AccessDenied):
            why = "this user may not read it"
        if name in ("metrics", "jvm"):
            file.trouble = why
            file.pace.failed(self._sample.mono_s)
        elif name == "identity":
            file.strange = why

    def _take(self, key: ProcKey, file: File, name: str, data: bytes, kernel: _Kernel) -> None:
        """Understand an answer. Raises ParseError."""
        from memtop.runtimes import told  # noqa: PLC0415 (most processes have no runtime)

        if name == "identity":
            file.identity = told.decode_identity(data)
            file.strange = file.identity.trouble
        elif name == "environ":
            from memtop.runtimes.environ import parse_go_environ  # noqa: PLC0415

            file.settings = parse_go_environ(data)
            file.frees_lazily = file.identity is not None and _frees_lazily(file.identity.build, file.settings)
        elif name == "container":
            file.container = told.decode_container(data)
        elif name == "listeners":
            file.suggested = tuple(data.decode("ascii", "replace").split())
        elif name == "metrics":
            found = told.decode_told(data)
            file.url = found.url
            self._take_go(key, file, found.heap, kernel)
        else:
            self._take_jvm(key, file, told.decode_counters(data), kernel)

    def _started_s(self, key: ProcKey) -> float | None:
        """Start of the process, seconds since the epoch."""
        assert self._sample is not None
        start_s = key.start_ticks / CLK_TCK
        return self._sample.wall_s - self._sample.mono_s + start_s if start_s <= self._sample.mono_s + 1 else None

    def _take_go(self, key: ProcKey, file: File, heap: GoHeap, kernel: _Kernel) -> None:
        from memtop.analysis.gogrowth import GoPoint  # noqa: PLC0415
        from memtop.analysis.goheap import Whose, whose  # noqa: PLC0415

        anon: int | None = kernel.anon_bytes
        seen = self._seen(key)
        virt = seen.statm.virt_bytes if seen is not None and seen.statm is not None else None
        owner = whose(heap, kernel.rss_bytes, virt, self._started_s(key))
        if owner is not Whose.SAME:
            file.trouble = _ANOTHER[owner.value]
            file.pace.failed(kernel.at_s)
            return
        if file.go and (heap.num_gc or 0) > (file.go[-1].heap.num_gc or 0):
            file.collections_s.append(kernel.at_s)
        lazy = self._lazy_free_bytes(key)
        if lazy is None and file.frees_lazily:
            anon = None  # what was given back would look like memory outside of Go
        file.go.append(GoPoint(kernel.at_s, heap, anon, lazy, kernel.minflt))
        self._answered(file, kernel.at_s)

    def _take_jvm(self, key: ProcKey, file: File, heap: JvmHeap, kernel: _Kernel) -> None:
        from memtop.analysis.jvmheap import JvmPoint  # noqa: PLC0415
        from memtop.runtimes.jvm import same_jvm  # noqa: PLC0415

        if not same_jvm(heap, self._started_s(key)):
            file.trouble = "the counters found are those of another JVM, which had the same pid before"
            file.pace.failed(kernel.at_s)
            return
        if file.jvm and heap.young_gcs + heap.major_gcs > file.jvm[-1].heap.young_gcs + file.jvm[-1].heap.major_gcs:
            file.collections_s.append(kernel.at_s)
        file.jvm.append(JvmPoint(kernel.at_s, heap, kernel.anon_bytes))
        self._answered(file, kernel.at_s)

    def _answered(self, file: File, at_s: float) -> None:
        file.pace.answered()
        file.trouble, file.heap_s = "", at_s

    def _take_flags(self, seen: ProcSample, file: File) -> None:
        if file.flags is None and seen.command_raw:
            from memtop.runtimes.jvmflags import jvm_arguments, parse_jvm_flags  # noqa: PLC0415

            argv = [os.fsdecode(argument) for argument in seen.command_raw.split(b"\0")]
            file.flags = parse_jvm_flags(jvm_arguments(argv))

    # -- what is told

    def gc_marks(self, key: ProcKey, from_s: float, to_s: float) -> list[tuple[float, str, str]]:
        """(when, kind, label) of its collections for the chart; none where they are too many to be told apart."""
        file = self._files.get(key)
        times = [] if file is None else [at_s for at_s in file.collections_s if from_s <= at_s <= to_s]
        return [(at_s, "gc", "GC") for at_s in times] if len(times) <= MOST_MARKS else []

    def objects(self, keys: Iterable[ProcKey]) -> dict[ProcKey, dict[str, Any]]:
        """The ``runtime`` objects of the JSON contract; nothing for a process without a runtime that is known."""
        found = {}
        for key in keys:
            file = self._files.get(key)
            if file is None or (file.identity is None and not file.go):
                continue
            from memtop.runtimes.jsonform import runtime_object  # noqa: PLC0415

            said = runtime_object(
                build=file.identity.build if file.identity is not None else None,
                settings=file.settings or file.flags,
                heap=file.go[-1].heap if file.go and not file.trouble else file.jvm[-1].heap if file.jvm else None,
                native=file.identity.native if file.identity is not None else None,
            )
            if said is not None:
                now_s = self._sample.mono_s if self._sample is not None else None
                age_s = None if file.heap_s is None or now_s is None else round(now_s - file.heap_s, 3)
                found[key] = said | {"heap_age_s": age_s}
        return found

    def heap_facts(self, row: ProcRow, at_s: float) -> HeapFacts | None:
        """For the findings, whatever panel is open; None where its runtime has told nothing."""
        file = self._files.get(row.key)
        if file is None:
            return None
        from memtop.insight import heap_facts  # noqa: PLC0415 (output without a screen gives figures and no judgement)

        return heap_facts(file, row, at_s)

    def inside(self, ask: Ask, row: ProcRow, at_s: float, reading: Reading | None) -> Inside | None:
        """For the panel, at the instant shown; None while it is not on screen."""
        if ask.panel != RUNTIME:
            return None
        from memtop.insight import inside  # noqa: PLC0415 (as above)

        lazy_free_bytes = self._lazy_free_bytes(row.key)
        file = self._files.get(row.key)
        return inside(file, row, at_s, reading, lazy_free_bytes=lazy_free_bytes, sample=self._sample)


_ANOTHER: Final = {
    "other_start": "these are the metrics of another process: it says that it started at another time",
    "other_size": "these are the metrics of another process: the RES it names is far from this one's",
    "too_large": "these are the metrics of another process: they tell of more memory than this one has address space",
}


def _frees_lazily(build: GoBuild | None, settings: GoSettings) -> bool:
    from memtop.analysis.golimits import FreedMemory, freed_memory  # noqa: PLC0415

    built_in = build.setting("DefaultGODEBUG") if build is not None else None
    release = build.release if build is not None else None
    return freed_memory(release, settings.debug("madvdontneed", built_in)) is FreedMemory.FREE
