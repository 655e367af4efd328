"""The protocol of a runtime: its detection, its readings, and its analysis.

A Runtime is a constant of the table in registry.py. A Tracker is what one process has reported so far. To add a
runtime, write a package with both (or a MappedRuntime of native/) and add one line to the table.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from memtop.runtimes.view import FindingFacts, KernelFigures, RuntimeView, Shown

ReadAt = Callable[[int, int], bytes]
"""``(offset, size)`` -> at most so many bytes of a file; fewer at its end. Offsets stay below 2**63."""


class Access(Protocol):
    """Bounded reads on the blocking thread, given by the live source. Paths are relative to its root.

    Every method raises OSError where the kernel does, unless it says otherwise.
    """

    def read(self, path: str, size: int) -> bytes:
        """At most ``size`` bytes of a file."""
        ...

    def read_or_empty(self, path: str) -> bytes:
        """A small file; empty where it cannot be read."""
        ...

    def names(self, path: str) -> list[str]:
        """The names in a folder."""
        ...

    def link(self, path: str) -> str:
        """The target of a symbolic link."""
        ...

    def regular_file(self, path: str) -> AbstractContextManager[ReadAt | None]:
        """Slices of a regular file; None for anything else."""
        ...

    def read_below(self, root: str, parts: Sequence[str], size: int) -> bytes | None:
        """A regular file below ``root`` with no link on the way; None where there is none. Never raises for a part."""
        ...

    def user_name(self, uid: int | None) -> str:
        """The login name of a user id; ``root`` where it is not known."""
        ...

    def fetch(self, url: str) -> tuple[str, bytes]:
        """(address without its query, body) of a URL that the user gave. Raises Unavailable and UsageError."""
        ...


class ProcessFiles(Protocol):
    """The files of a process by which its runtime is detected. Read when they are first asked for."""

    @property
    def mapped(self) -> frozenset[str]:
        """Names of the files that it maps, without folders; empty where maps cannot be read."""
        ...

    @property
    def exe_name(self) -> str | None:
        """Name of its executable without folders; None where it cannot be read."""
        ...

    def executable(self) -> AbstractContextManager[ReadAt | None]:
        """Slices of its executable; None where that is no regular file. Raises ParseError with the reason."""
        ...


class Detected(NamedTuple):
    """A runtime that was found in a process."""

    version: str | None = None
    """As far as file names tell."""
    build: bytes = b""
    """What the executable says of its making, reduced to what may be recorded; empty for nothing."""


class Identity(NamedTuple):
    """Which runtime and which allocator a process has, as it crosses the thread and is recorded."""

    runtime: str | None = None
    """Name of a runtime; None where none is known."""
    version: str | None = None
    allocator: str | None = None
    """Who serves malloc(): a value of native.allocators.Allocator; None where that is not known."""
    arenas: tuple[int, int, int] | None = None
    """Number, reserved bytes and usable bytes of glibc's secondary arenas; None where malloc is not glibc's."""
    build: str = ""
    """See Detected.build."""
    trouble: str = ""
    """Why the executable or its mappings could not be read; empty where both could."""


Reader = Callable[[Access, int, str], bytes]
"""``(access, pid, argument)`` -> small JSON or lines, free of secrets. Raises OSError, ParseError and MemtopError."""


class Wanted(NamedTuple):
    """A reading that a tracker wants."""

    name: str
    every_s: float | None = None
    """Seconds after which it is read again; None for once."""
    figures: bool = False
    """It has figures of the heap: read once a second at most, and rarely while it fails. ``every_s`` is ignored."""


class ReadingMoment(NamedTuple):
    """The kernel's figures of a process when a reading was begun."""

    at_s: float
    """On the clock of Instant.mono_s."""
    rss_bytes: int
    anon_bytes: int
    minflt: int | None


class ProcessContext(NamedTuple):
    """What else is known of a process when an answer has come; None for what is not known."""

    started_s: float | None
    """Its start, seconds since the epoch."""
    virt_bytes: int | None
    lazy_free_bytes: int | None
    """Returned by MADV_FREE and not yet taken by the kernel."""


class Conditions(NamedTuple):
    """Under what conditions readings are made now."""

    shown: bool
    """The Runtime panel shows this process."""
    address: bool
    """The user gave the address of its metrics."""
    replaying: bool
    """A recording is played, which may have whatever was recorded."""


class Tracker(Protocol):
    """What one process has reported so far, and what it means. Owned by the sampler's thread."""

    @property
    def collections_s(self) -> Iterable[float]:
        """When garbage collections were seen, on the clock of Instant.mono_s."""
        ...

    def identified(self, identity: Identity) -> None:
        """Take what detection found; comes first, and again whenever it was read again."""
        ...

    def started_with(self, argv: Sequence[str]) -> None:
        """Take the command line."""
        ...

    def wanted(self, now: Conditions) -> Sequence[Wanted]:
        """The readings to make now."""
        ...

    def take(self, name: str, data: bytes, begun: ReadingMoment, context: ProcessContext) -> None:
        """Decode one answer. Raises ParseError with the reason, in words for the panel."""
        ...

    def forget_figures(self) -> None:
        """Drop what came from another address."""
        ...

    def view(self, shown: "Shown") -> "RuntimeView":
        """Judgement and sentences for the panel, facts for the topics."""
        ...

    def finding_facts(self, kernel: "KernelFigures", now_s: float, *, fresh: bool) -> "FindingFacts | None":
        """What the findings are given; ``fresh`` says whether the latest figures still hold. None for nothing."""
        ...

    def to_json(self, *, fresh: bool) -> dict[str, Any] | None:
        """{name, version, settings, heap} of the JSON contract; None where no runtime is known."""
        ...


class Runtime(Protocol):
    """One language runtime: a constant of the registry."""

    @property
    def name(self) -> str:
        """As in JSON and in recordings."""
        ...

    @property
    def takes_address(self) -> bool:
        """Whether its figures are read from an address that the user gives."""
        ...

    @property
    def readers(self) -> Mapping[str, Reader]:
        """Its readings by name, each below ``proc/PID/runtime/``."""
        ...

    def detect(self, files: ProcessFiles) -> Detected | None:
        """Whether a process has it, from its files. Raises ParseError where they make no sense."""
        ...

    def owns(self, identity: Identity) -> bool:
        """Whether a process with this identity has it."""
        ...

    def track(self) -> Tracker:
        """A tracker that knows nothing yet."""
        ...
