"""The protocol of a runtime: its detection, its readings, and its analysis.

A Runtime is a constant in the table of registry.py. A Tracker holds what one process has reported so far. To add a
runtime, write a package with both (or a MappedRuntime of native/) and add one line to the table.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from memtop.runtimes.view import FindingFacts, KernelFigures, RuntimeView, Shown

ReadAt = Callable[[int, int], bytes]
"""``(offset, size)`` -> at most that many bytes of a file; fewer at its end. Offsets stay below 2**63."""


class Access(Protocol):
    """Bounded reads on the blocking thread, provided by the live source. Paths are relative to its root.

    Every method raises OSError if the kernel reports an error, unless it says otherwise.
    """

    def read(self, path: str, size: int) -> bytes:
        """Read at most ``size`` bytes of a file."""
        ...

    def read_or_empty(self, path: str) -> bytes:
        """Read a small file. Empty if it cannot be read."""
        ...

    def names(self, path: str) -> list[str]:
        """The names in a directory."""
        ...

    def link(self, path: str) -> str:
        """The target of a symbolic link."""
        ...

    def regular_file(self, path: str) -> AbstractContextManager[ReadAt | None]:
        """Slices of a regular file; None for anything else."""
        ...

    def read_below(self, root: str, parts: Sequence[str], size: int) -> bytes | None:
        """Open a regular file below ``root`` without following links.

        None if there is none. A missing part raises nothing.
        """
        ...

    def user_name(self, uid: int | None) -> str:
        """The login name of a user ID; ``root`` if it is not known."""
        ...

    def fetch(self, url: str) -> tuple[str, bytes]:
        """(address without its query, body) of a URL that the user gave. Raises Unavailable and UsageError."""
        ...


class ProcessFiles(Protocol):
    """The files of a process by which its runtime is detected. They are read on first use."""

    @property
    def mapped(self) -> frozenset[str]:
        """Names of the files that it maps, without directories; empty if maps cannot be read."""
        ...

    @property
    def exe_name(self) -> str | None:
        """Name of its executable without directories; None if it cannot be read."""
        ...

    def executable(self) -> AbstractContextManager[ReadAt | None]:
        """Slices of its executable; None if that is no regular file. Raises ParseError with the reason."""
        ...


class Detected(NamedTuple):
    """A runtime that was detected in a process."""

    version: str | None = None
    """As far as file names show it."""
    build: bytes = b""
    """Build information of the executable, reduced to what may be recorded; empty if there is none."""


class Identity(NamedTuple):
    """The runtime and the allocator of a process, in the form that crosses the thread and is recorded."""

    runtime: str | None = None
    """Name of the runtime; None if none is known."""
    version: str | None = None
    allocator: str | None = None
    """The allocator that serves malloc(): a value of native.allocators.Allocator; None if it is unknown."""
    arenas: tuple[int, int, int] | None = None
    """Number, reserved bytes and usable bytes of glibc's secondary arenas; None if malloc is not glibc's."""
    build: str = ""
    """See Detected.build."""
    trouble: str = ""
    """Why the executable or its mappings could not be read; empty if both could."""


Reader = Callable[[Access, int, str], bytes]
"""``(access, pid, argument)`` -> small JSON or lines, without secrets. Raises OSError, ParseError and MemtopError."""


class Wanted(NamedTuple):
    """A reading that a tracker needs."""

    name: str
    every_s: float | None = None
    """Seconds after which it is read again; None for once only."""
    figures: bool = False
    """It has figures of the heap. It is read at most once a second, and rarely while it fails. ``every_s`` is
    ignored."""


class ReadingMoment(NamedTuple):
    """The kernel's figures of a process when a reading began."""

    at_s: float
    """On the clock of Instant.mono_s."""
    rss_bytes: int
    anon_bytes: int
    minflt: int | None


class ProcessContext(NamedTuple):
    """Other facts of a process when an answer arrives; None for unknown ones."""

    started_s: float | None
    """Its start, seconds since the epoch."""
    virt_bytes: int | None
    lazy_free_bytes: int | None
    """Returned by MADV_FREE, and not yet reclaimed by the kernel."""


class Conditions(NamedTuple):
    """The conditions under which readings are made now."""

    shown: bool
    """Whether the Runtime panel shows this process."""
    address: bool
    """Whether the user gave the address of its metrics."""
    replaying: bool
    """Whether a recording is played, which may contain any recorded reading."""


class Tracker(Protocol):
    """What one process has reported so far, and its meaning. The sampler's thread owns it."""

    @property
    def collections_s(self) -> Iterable[float]:
        """Times of garbage collections that were seen, on the clock of Instant.mono_s."""
        ...

    @property
    def lazy_free_decides(self) -> bool:
        """Whether it is known to give memory back by MADV_FREE, so that its figures fit RES only beside LazyFree."""
        ...

    def identified(self, identity: Identity) -> None:
        """Take what detection found. Called first, and again after each new detection."""
        ...

    def started_with(self, argv: Sequence[str]) -> None:
        """Take the command line."""
        ...

    def wanted(self, now: Conditions) -> Sequence[Wanted]:
        """The readings to make now."""
        ...

    def take(self, name: str, data: bytes, begun: ReadingMoment, context: ProcessContext) -> None:
        """Decode one answer. Raises ParseError with a reason that the panel can show."""
        ...

    def forget_figures(self) -> None:
        """Drop the figures that came from another address."""
        ...

    def view(self, shown: "Shown") -> "RuntimeView":
        """Judgment and sentences for the panel, facts for the topics."""
        ...

    def finding_facts(self, kernel: "KernelFigures", now_s: float, *, fresh: bool) -> "FindingFacts | None":
        """Inputs for the findings; None for nothing. ``fresh`` says whether the latest figures still hold."""
        ...

    def to_json(self, *, fresh: bool) -> dict[str, Any] | None:
        """{name, version, settings, heap} of the JSON contract; None if no runtime is known."""
        ...


class Runtime(Protocol):
    """One language runtime, a constant of the registry."""

    @property
    def name(self) -> str:
        """The name in JSON and in recordings."""
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
        """Detect this runtime in a process from its files. Raises ParseError if they are malformed."""
        ...

    def owns(self, identity: Identity) -> bool:
        """Whether a process with this identity has it."""
        ...

    def track(self) -> Tracker:
        """A new tracker."""
        ...
