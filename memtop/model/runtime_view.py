"""What was found inside a process, as the frame carries it: immutable, with the judgement on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from memtop.runtimes.go.breakdown import Breakdown, Check
    from memtop.runtimes.go.buildinfo import GoBuild
    from memtop.runtimes.go.environ import GoSettings
    from memtop.runtimes.go.growth import GoGrowth
    from memtop.runtimes.go.heap import GoHeap
    from memtop.runtimes.go.limits import GogcChoice, LimitAdvice
    from memtop.runtimes.jvm.flags import JvmFlags
    from memtop.runtimes.jvm.growth import JvmBreakdown, JvmGrowth
    from memtop.runtimes.jvm.heap import JvmHeap
    from memtop.runtimes.native.advice import Advice
    from memtop.runtimes.native.recognition import Arenas, Native


class HeapPoint(NamedTuple):
    """One reading, for the small charts."""

    at_s: float
    """On the clock of Instant.mono_s."""
    used_bytes: int | None
    """HeapAlloc; of a JVM the heap in use."""
    objects: int | None
    gcs: int | None
    """Collections so far; of a JVM the major ones."""


class GoInside(NamedTuple):
    """A Go program's figures laid over the kernel's."""

    heap: GoHeap
    parts: Breakdown | None
    """None where the kernel's figures are missing."""
    checks: tuple[Check, ...]
    growth: GoGrowth
    limit: LimitAdvice | None
    choices: tuple[GogcChoice, ...]


class JvmInside(NamedTuple):
    """A JVM's counters laid over the kernel's figures."""

    heap: JvmHeap
    parts: JvmBreakdown | None
    growth: JvmGrowth


class HeapFacts(NamedTuple):
    """What a runtime says of itself that is worth a finding. Bytes; None where it does not tell."""

    limit_bytes: int | None = None
    """GOMEMLIMIT; 0 where it is not set."""
    next_gc_bytes: int | None = None
    """The size of the Go heap at which the next collection is due."""
    held_bytes: int | None = None
    """What GOMEMLIMIT governs."""
    gc_per_s: float | None = None
    gc_cpu_percent: float | None = None
    """Of the CPU time since its start."""
    outside_bytes: int | None = None
    """Anonymous memory that the runtime does not account for."""
    outside_of_bytes: int | None = None
    """... of so much anonymous memory."""
    steady_live_bytes: int | None = None
    """In use after a collection, where by its own figures that does not rise."""
    alarm: str = ""
    """The name of the finding that its own figures call for: ``heap_leak``, ``heap_full``, ``goroutines``; or empty."""
    live_bytes: int | None = None
    """In use after a collection."""
    frees_lazily: bool = True
    """Whether what it gives back may stay in RES for a while (MADV_FREE); True where that is not known."""
    surviving_bytes_per_s: float | None = None
    """What more survives the collections of a JVM, of which none has looked at old objects yet; None otherwise."""


class Arena(NamedTuple):
    """A kind of memory of the runtime's own among the mappings."""

    title: str
    size_bytes: int
    rss_bytes: int | None


class Inside(NamedTuple):
    """Everything known of the runtime of the process in focus."""

    waiting: bool
    """Nothing is known yet; the first reading is under way."""
    build: GoBuild | None = None
    native: Native | None = None
    settings: GoSettings | None = None
    """None where they could not be read."""
    flags: JvmFlags | None = None
    """Of the command line."""
    url: str = ""
    """Where a Go program's metrics are read: without its query; empty where nobody asks."""
    suggested: tuple[str, ...] = ()
    """URLs on its own listening sockets that might have metrics; nobody has asked them."""
    trouble: str = ""
    """Why there are no figures, or no newer ones."""
    strange: str = ""
    """Why executable or mappings could not be read."""
    age_s: float | None = None
    """Of the figures."""
    go: GoInside | None = None
    jvm: JvmInside | None = None
    points: tuple[HeapPoint, ...] = ()
    arenas: tuple[Arena, ...] = ()
    """From the mappings, where they have been read."""
    arenas_age_s: float | None = None
    lazy_free_bytes: int | None = None
    container_bytes: int | None = None
    """The memory limit around it; None for none."""
    advice: tuple[Advice, ...] = ()
    """What its allocator explains."""
    malloc: Arenas | None = None
