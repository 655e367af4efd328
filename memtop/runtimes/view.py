"""A runtime's results for the views: its panel, facts, and findings inputs. Immutable values."""

from typing import NamedTuple, Self


class HeapPoint(NamedTuple):
    """One reading, for the small heap charts."""

    at_s: float
    """On the clock of Instant.mono_s."""
    used_bytes: int | None
    """The heap in use."""
    objects: int | None
    """None if the runtime does not report them."""
    gcs: int | None
    """Collections so far."""


class Part(NamedTuple):
    """A part of RES, for the bar."""

    key: str
    """Its texture, a key of stacked_bar.SIGNS."""
    name: str
    short: str
    size_bytes: int


class Verdict(NamedTuple):
    """The shape of the figures over time, in words."""

    title: str
    evidence: str
    what_to_do: str
    bad: bool
    """Whether something keeps growing or runs out."""


class Notice(NamedTuple):
    """A sentence next to the verdict."""

    text: str
    bad: bool


class Arena(NamedTuple):
    """A kind of memory among the mappings."""

    key: str
    """The key of its RegionKind."""
    title: str
    size_bytes: int
    rss_bytes: int | None
    pss_bytes: int | None = None


class KernelFigures(NamedTuple):
    """The kernel's figures of a process at the instant shown; None if unknown."""

    pid: int
    rss_bytes: int | None
    anon_bytes: int | None
    virt_bytes: int | None = None
    peak_rss_bytes: int | None = None
    minflt_per_s: float | None = None
    lazy_free_bytes: int | None = None
    """Returned by MADV_FREE, and not yet reclaimed by the kernel."""
    flat_s: float | None = None
    """How long RES has been flat; None if it is not flat, or unknown."""
    cores: int | None = None
    """Processors of the machine."""
    ended: bool = False
    """Whether the process has ended."""
    shmem_bytes: int | None = None


class Shown(NamedTuple):
    """Everything that a tracker needs for the panel, apart from its own readings."""

    at_s: float
    """The instant shown, on the clock of Instant.mono_s."""
    kernel: KernelFigures
    address: str = ""
    """The address that the user gave, without its query; empty for none."""
    trouble: str = ""
    """Why there are no figures, or no newer ones; empty if there are."""
    unreadable: str = ""
    """Why executable or mappings could not be read; empty if they could."""
    arenas: tuple[Arena, ...] = ()
    """From the mappings, if they have been read."""
    arenas_age_s: float | None = None


class RuntimeView(NamedTuple):
    """Everything that the Runtime panel shows of one process."""

    waiting: bool = False
    """Nothing is known yet, and the first reading is under way."""
    title: str = ""
    """The runtime and its settings."""
    has_figures: bool = False
    """The runtime has reported its heap."""
    age_s: float | None = None
    """Age of the figures; None if there are none."""
    url: str = ""
    """URL from which the figures were read, without its query; empty if they came from no address."""
    trouble: str = ""
    """Why there are no figures, or no newer ones."""
    verdict: Verdict | None = None
    notice: Notice | None = None
    parts: tuple[Part, ...] = ()
    """RES in parts that add up to it; empty if the runtime does not report them."""
    chart_titles: tuple[str, str] = ("", "")
    """The runtime's names for its heap in use and its objects."""
    points: tuple[HeapPoint, ...] = ()
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    """(name, text) of the numbers for topics. An unknown number is left out."""
    topic: str = "allocators"
    """The topic that explains this panel."""
    suggested: tuple[str, ...] | None = ()
    """URLs on its own listening sockets that may offer metrics; None before these are read. memtop has requested none
    of them."""


class RuntimeCeiling(NamedTuple):
    """A limit that the runtime itself sets, such as -Xmx. Sizes in bytes."""

    name: str
    limit_bytes: int
    used_bytes: int
    """What it limits, without the newest objects if they are known."""
    may_be_met: bool = True
    """Whether memory that rises may be rising toward it; False if the runtime's own figures say otherwise."""
    soft: bool = False
    """Whether the runtime only collects more and more there (GOMEMLIMIT); otherwise it says that memory is out."""
    span_s: tuple[float, float] | None = None
    """Earliest and latest time until it is reached, by the runtime's own figures; None if they do not rise."""
    soon: bool = False
    """Whether that is soon, as :func:`is_soon` remembers it."""
    of_rise: float = 1.0
    """The part of the rise of RES that fills it, above 0."""


class ToolTarget(NamedTuple):
    """What decides which tools can look into a process, and with which arguments."""

    pid: int
    runtime: str | None = None
    """The name of its runtime; empty if it has none, None if that is not known."""
    version: str | None = None
    allocator: str | None = None
    """The allocator that serves malloc(); None if it is unknown, as for a static program."""
    address: str = ""
    """The address of its own metrics that the user gave, without its query; empty for none."""
    command: str = ""
    """Its command line, cleaned."""
    arguments: tuple[str, ...] = ()
    """Its arguments, each one cleaned."""


class HeapFloor(NamedTuple):
    """What is in use after collections, over time."""

    collections: int
    """Those that were seen."""
    span_s: float
    slope_bytes_per_s: float | None
    interval_bytes_per_s: tuple[float, float] | None = None
    """The bounds of that slope's 90 % interval; None if they are not known."""


class FindingFacts(NamedTuple):
    """Reports of a runtime that may lead to a finding. Bytes; None if it does not report them."""

    limit_bytes: int | None = None
    """The limit that the runtime itself respects (GOMEMLIMIT); 0 if it is not set."""
    next_gc_bytes: int | None = None
    """The heap size at which the next collection is due."""
    held_bytes: int | None = None
    """The memory that this limit governs."""
    gc_per_s: float | None = None
    gc_cpu_percent: float | None = None
    """Percentage of the CPU time since its start."""
    outside_bytes: int | None = None
    """Anonymous memory that the runtime does not account for."""
    outside_of_bytes: int | None = None
    """The anonymous memory that :attr:`outside_bytes` is part of."""
    steady_live_bytes: int | None = None
    """Memory in use after a collection, if it does not rise by the runtime's own figures."""
    alarm: str = ""
    """Name of the finding that its own figures indicate: ``heap_leak``, ``heap_full``, ``goroutines``; or empty."""
    live_bytes: int | None = None
    """Memory in use after a collection."""
    frees_lazily: bool = True
    """Whether memory that it frees may stay in RES for a while (MADV_FREE); True if that is not known."""
    ceilings: tuple[RuntimeCeiling, ...] = ()
    """The limits that it sets itself, as far as their use is known."""
    not_looked_at: tuple[str, ...] = ()
    """Limits of its own whose use is not known, one clause each."""
    may_end_first: bool = False
    """Whether one of these ends the program, as a full heap does, and perhaps before any limit of the kernel."""
    heap_may_take_bytes: int | None = None
    """RES can still grow by so much inside of its heap, at most; None where that is not known, and where the heap does
    not explain the rise of RES."""
    floor: HeapFloor | None = None
    """The trend of :attr:`live_bytes`; None before there are enough collections."""
    surviving_bytes_per_s: float | None = None
    """Growth of what survives the collections, while none of them has collected old objects; None otherwise."""
    may_rise_bytes_per_s: float | None = None
    """Growth of :attr:`live_bytes`, at most, while it varies too much to tell whether it grows; None otherwise."""
    counted_again_bytes: int = 0
    """Memory that RES has more than once, because the runtime maps its heap several times."""
    past_s: float | None = None
    """The age of the figures, where no newer ones came; None if they are current."""

    @property
    def first_end(self) -> RuntimeCeiling | None:
        """The first of the ceilings that is going to be reached."""
        return next((one for one in self.ceilings if one.span_s is not None), None)

    @property
    def ends_soon(self) -> bool:
        """Whether that is soon."""
        return self.first_end is not None and self.first_end.soon

    def kept(self, past_s: float, not_looked_at: tuple[str, ...]) -> Self:
        """What still counts of figures that are old: what they indicated, until newer ones refute it.

        Rates, the use of limits, and that memory is level are known of now no more.
        """
        return self._replace(
            gc_per_s=None,
            gc_cpu_percent=None,
            held_bytes=None,
            steady_live_bytes=None,
            heap_may_take_bytes=None,
            ceilings=(),
            not_looked_at=not_looked_at,
            past_s=past_s,
        )
