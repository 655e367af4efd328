"""The Source protocol: the only interface for reading files, process IDs, clocks, and process exits.

Everything memtop knows came through a :class:`Source`. The live machine (:class:`LiveSource`), a recording being
written and a recording being played are all Sources, so no other module can tell them apart.
Paths are relative to the file system's root and start with ``proc/`` or ``sys/``.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

READ_LIMIT: Final = 65_536
"""Most bytes of one ordinary read; hostile files are cut here."""


def pid_of(path: str) -> int | None:
    """The process whose file this is; None for files of the machine."""
    top, _, rest = path.partition("/")
    pid = rest.partition("/")[0]
    return int(pid) if top == "proc" and pid.isdecimal() else None


def is_runtime(path: str) -> bool:
    """Whether this asks about a runtime: ``proc/PID/runtime/NAME``, which no kernel has; see :meth:`Source.ask`."""
    process, mark, _ = path.partition("/runtime/")
    return bool(mark) and process.startswith("proc/") and process.removeprefix("proc/").isdecimal()


def without_address(path: str) -> str:
    """The path as it may be written down: what follows ``#`` is a URL that a user has typed."""
    return path.partition("#")[0] if is_runtime(path) else path


class Instant(NamedTuple):
    """One moment at which the world is read."""

    wall_s: float
    """Seconds since the epoch: for labels only, it may jump."""
    mono_s: float
    """Seconds of CLOCK_BOOTTIME: for rates; it never goes back and counts suspend."""


class Exit(NamedTuple):
    """A watched process that has ended."""

    pid: int
    wall_s: float
    status: int | None
    """wait(2) status, or None where this kernel does not tell (PIDFD_GET_INFO needs Linux 6.15)."""


class Answer(NamedTuple):
    """What a reading that may block has brought."""

    data: bytes
    took_s: float
    """Processor time that the kernel, mostly, spent on it: for smaps that is how long the target's own mmap calls may
    have been held up. Waiting, for the processor or for a lock, is not in it."""


class OwnCost(NamedTuple):
    """What memtop itself costs."""

    cpu_percent: float | None
    rss_bytes: int | None


class Source(Protocol):
    """All that memtop may ask of the world outside."""

    def begin(self) -> Instant | None:
        """Open a new instant; None when there is no more (the end of a recording)."""
        ...

    def pids(self) -> Sequence[int]:
        """All process ids listed now, ascending."""
        ...

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        """At most ``size`` bytes of a file that answers at once (stat, statm, status, meminfo, ...).

        Raises ProcessGone, AccessDenied or Unavailable.
        """
        ...

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        """``proc/PID/name`` of many processes, as one cheap pass; None where a read failed.

        After a kept descriptor has said that its process is gone, the answer is None for at least this
        instant, also when a new process has the same pid: a None always comes between two processes.
        """
        ...

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        """A file that may block (cmdline, environ, maps, smaps, ``user/UID``): never waits.

        The first call starts the reading elsewhere and gives None; a later call gives the answer, once.
        ``proc/PID/pagemap`` gives which pages of each mapping are in RAM, read in small pieces: the text that
        :mod:`memtop.procfs.pagemap_report` describes, not the file's own bytes.
        ``user/UID`` is the login name of a numeric user id. ``proc/PID/runtime/NAME`` has what a language runtime
        reports, reduced to what may be kept; the registry of runtimes names the readings. An address that the user
        gave for one stands behind ``#``. Raises as :meth:`read` does, and Blocked when the reading has been under way
        for longer than its deadline.
        """
        ...

    def settle(self, seconds: float) -> None:
        """Give the readings that :meth:`ask` has started up to so long; returns as soon as none is under way."""
        ...

    def tids(self, pid: int) -> Sequence[int]:
        """The threads of a process, ascending. Raises as :meth:`read` does."""
        ...

    def watch(self, pids: Sequence[int]) -> None:
        """Hold these processes, and only these, so that their end is noticed whatever their pid does next."""
        ...

    def exits(self) -> list[Exit]:
        """The watched processes that have ended since the last instant."""
        ...

    def close(self) -> None:
        """Give every descriptor and thread back."""
        ...
