"""A runtime's results for the views: its panel, facts, and findings inputs. Immutable values."""

from typing import NamedTuple


class HeapPoint(NamedTuple):
    """One reading, for the small charts."""

    at_s: float
    """On the clock of Instant.mono_s."""
    used_bytes: int | None
    """The heap in use."""
    objects: int | None
    """None where the runtime does not report them."""
    gcs: int | None
    """Collections so far."""


class Part(NamedTuple):
    """A part of RES, for the bar."""

    key: str
    """Its texture: a key of stacked_bar.SIGNS."""
    name: str
    short: str
    size_bytes: int


class Verdict(NamedTuple):
    """What the figures look like over time, in words."""

    title: str
    evidence: str
    what_to_do: str
    bad: bool
    """Something goes on growing, or runs out."""


class Notice(NamedTuple):
    """A sentence beside the verdict."""

    text: str
    bad: bool


class Arena(NamedTuple):
    """A kind of memory among the mappings."""

    key: str
    """The key of its RegionKind."""
    title: str
    size_bytes: int
    rss_bytes: int | None


class KernelFigures(NamedTuple):
    """The kernel's figures of a process at the instant shown; None where unknown."""

    pid: int
    rss_bytes: int | None
    anon_bytes: int | None
    virt_bytes: int | None = None
    peak_rss_bytes: int | None = None
    minflt_per_s: float | None = None
    lazy_free_bytes: int | None = None
    """Returned by MADV_FREE and not yet taken by the kernel."""
    flat_s: float | None = None
    """For how long RES has been flat; None where it is not, or not known."""
    cores: int | None = None
    """Processors of the machine."""
    ended: bool = False
    """The process has ended."""


class Shown(NamedTuple):
    """Everything beside its own readings that a tracker needs for the panel."""

    at_s: float
    """The instant shown, on the clock of Instant.mono_s."""
    kernel: KernelFigures
    address: str = ""
    """The address that the user gave, without its query; empty for none."""
    trouble: str = ""
    """Why there are no figures, or no newer ones; empty where there are."""
    unreadable: str = ""
    """Why executable or mappings could not be read; empty where they could."""
    arenas: tuple[Arena, ...] = ()
    """From the mappings, where they have been read."""
    arenas_age_s: float | None = None


class RuntimeView(NamedTuple):
    """Everything that the Runtime panel shows of one process."""

    waiting: bool = False
    """Nothing is known yet; the first reading is under way."""
    title: str = ""
    """What runs here, and how it was set."""
    has_figures: bool = False
    """The runtime has reported its heap."""
    age_s: float | None = None
    """Of the figures; None where there are none."""
    url: str = ""
    """Where the figures were read, without its query; empty where they came from no address."""
    trouble: str = ""
    """Why there are no figures, or no newer ones."""
    verdict: Verdict | None = None
    notice: Notice | None = None
    parts: tuple[Part, ...] = ()
    """RES in parts that add up to it; empty where the runtime does not report them."""
    chart_titles: tuple[str, str] = ("", "")
    """How the runtime calls its heap in use and its objects."""
    points: tuple[HeapPoint, ...] = ()
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    """(name, text) of the numbers that stand in topics; a number that is unknown has no fact."""
    topic: str = "allocators"
    """The topic that explains this panel."""
    suggested: tuple[str, ...] = ()
    """URLs on its own listening sockets that might have metrics; none was requested yet."""


class FindingFacts(NamedTuple):
    """What a runtime says of itself that is worth a finding. Bytes; None where it does not report it."""

    limit_bytes: int | None = None
    """The limit at which the runtime itself holds back (GOMEMLIMIT); 0 where it is not set."""
    next_gc_bytes: int | None = None
    """The size of the heap at which the next collection is due."""
    held_bytes: int | None = None
    """What that limit governs."""
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
    """By how much more survives the collections, while none of them has collected old objects; None otherwise."""
