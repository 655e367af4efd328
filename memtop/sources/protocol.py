"""The Source protocol: the only interface for reading files, process IDs, clocks, and process exits.

Everything that memtop knows comes through a :class:`Source`. The live machine (:class:`LiveSource`), a recording being
written and a recording being played are all Sources, so no other module can distinguish them. Paths are relative to the
file system's root and start with ``proc/`` or ``sys/``.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from memtop.errors import MemtopError, NotRecorded

READ_LIMIT: Final = 65_536
"""Most bytes of one ordinary read. Longer files are cut here."""


MOUNTS: Final = "machine/mounts"
"""Path of the report on tmpfs mounts; see :mod:`memtop.procfs.mounts_report`."""

SAME_MEMORY: Final = "/same_memory/"
"""Middle of the path ``proc/PID/same_memory/OTHER``: it holds 1 if two processes have one address space, else 0."""

INODE: Final = "/inode"
"""End of the path ``DIRECTORY/inode``: it holds the number that tells a directory from one made later by its name."""

_LEAST_LATE_S: Final = 3.0
"""What comes later than this and than three intervals is late."""
_UNKNOWN_INTERVAL_S: Final = 4.0


def pid_of(path: str) -> int | None:
    """The process that a file belongs to; None for files of the machine."""
    top, _, rest = path.partition("/")
    pid = rest.partition("/")[0]
    return int(pid) if top == "proc" and pid.isdecimal() else None


def is_runtime(path: str) -> bool:
    """Whether a path is ``proc/PID/runtime/NAME``: the report of a runtime, no kernel file; see :meth:`Source.ask`."""
    process, mark, _ = path.partition("/runtime/")
    return bool(mark) and process.startswith("proc/") and process.removeprefix("proc/").isdecimal()


def without_address(path: str) -> str:
    """The path as it may be recorded, without the URL after ``#`` that a user has typed."""
    return path.partition("#")[0] if is_runtime(path) else path


class Instant(NamedTuple):
    """One instant at which the machine is read."""

    wall_s: float
    """Seconds since the epoch. For labels only, because this clock may jump."""
    mono_s: float
    """Seconds of CLOCK_BOOTTIME. For rates: it never goes back, and includes suspend."""


class Exit(NamedTuple):
    """A watched process that has ended."""

    pid: int
    wall_s: float
    status: int | None
    """wait(2) status; None if this kernel does not report it (PIDFD_GET_INFO needs Linux 6.15)."""


class NotedEvent(NamedTuple):
    """Something that memtop has found, to be written beside what was read, so that a recording can be gone through by
    it."""

    kind: str
    """A word such as ``oom``; the engine has the list."""
    pid: int | None
    """The process that it is about; None for none."""
    label: str
    """Whom or what it is about, cleaned."""


class Answer(NamedTuple):
    """The answer of a reading that may block."""

    data: bytes
    took_s: float
    """Processor time spent on it, mostly by the kernel. For smaps the target's own mmap calls may have waited that
    long. Waiting for the processor or for a lock is not included."""


class OwnCost(NamedTuple):
    """CPU and memory that memtop itself uses."""

    cpu_percent: float | None
    rss_bytes: int | None


class RecordingState(NamedTuple):
    """A recording that is being written."""

    path: str
    size_bytes: int
    from_s: float | None
    """Wall time of its first instant; None before that is known."""
    halted: str = ""
    """``stopped`` where nothing more is written, since its file has gone, ``paused`` where the disk takes nothing now;
    empty while it is written."""
    sparse_s: float | None = None
    """Seconds between the instants up to when it was started, where memory did not keep each of so many processes."""


class Growth(NamedTuple):
    """The end of a recording that is played while it is being written."""

    is_open: bool
    """Whether more may come."""
    age_s: float
    """Seconds since something came."""
    interval_s: float | None
    """Seconds between the last two times that something came; None before the second one."""
    ended: str = ""
    """Why no more comes, as a sentence; empty while more may come."""
    is_broken: bool = False
    """Whether it ended without a word of its writer."""

    @property
    def is_late(self) -> bool:
        """Whether more should have come long ago."""
        usual_s = _UNKNOWN_INTERVAL_S if self.interval_s is None else self.interval_s
        return self.is_open and self.age_s >= max(_LEAST_LATE_S, 3 * usual_s)


class Recording(Protocol):
    """Writes a recording on demand. The methods may wait for the disk."""

    @property
    def state(self) -> RecordingState | None:
        """The recording being written; None for none."""
        ...

    def start(self, path: str) -> None:
        """Write a new file, which begins with the instants kept in memory. Raises RecordingError."""
        ...

    def stop(self) -> str | None:
        """Finish the file. Returns what is wrong with it; None for nothing."""
        ...


class Source(Protocol):
    """All that memtop may read of the machine."""

    def begin(self) -> Instant | None:
        """Open a new instant. None at the end of a recording."""
        ...

    def pids(self) -> Sequence[int]:
        """All process IDs listed now, ascending."""
        ...

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        """Read at most ``size`` bytes of a file that answers at once (stat, statm, status, meminfo, ...).

        Raises ProcessGone, AccessDenied or Unavailable.
        """
        ...

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        """Read ``proc/PID/name`` of many processes in one inexpensive pass. None for a process that ended or is hidden.

        The answer is empty if the file is broken or does not answer.

        After a kept descriptor has reported that its process is gone, the answer is None for at least this instant,
        even if a new process has the same PID. So a None always separates two processes.
        """
        ...

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        """Read a file that may block (cmdline, environ, maps, smaps, ``user/UID``), without waiting.

        The first call starts the reading elsewhere and returns None. A later call returns the answer, once.
        ``proc/PID/pagemap`` reports which pages of each mapping are in RAM, read in small pieces. Its answer is the
        text that :mod:`memtop.procfs.pagemap_report` describes, not the file's own bytes. It is empty if the process
        was ending. ``machine/mounts`` is what :mod:`memtop.procfs.mounts_report` describes, ``proc/PID/memfds`` what
        :mod:`memtop.procfs.memfds_report` does, and ``proc/PID/held`` what :mod:`memtop.procfs.held_report` does.
        ``user/UID`` is the login name of a numeric user ID. ``proc/PID/runtime/NAME`` is what a language
        runtime reports, reduced to what may be kept; the registry of runtimes names the readings. A URL that the user
        gave for a reading follows after ``#``. Raises the same errors as :meth:`read`, and Blocked if the reading
        takes longer than its deadline.
        """
        ...

    def abandon(self, path: str) -> None:
        """Drop a reading whose answer is no longer wanted. One in small pieces ends at its next piece."""
        ...

    def settle(self, seconds: float) -> None:
        """Wait up to ``seconds`` for the readings that :meth:`ask` has started.

        Returns as soon as none is under way.
        """
        ...

    def tids(self, pid: int) -> Sequence[int]:
        """The thread IDs of a process, ascending. Raises the same errors as :meth:`read`."""
        ...

    def watch(self, pids: Sequence[int]) -> None:
        """Hold exactly these processes, so that their end is noticed even if their PIDs are reused."""
        ...

    def exits(self) -> list[Exit]:
        """The watched processes that have ended since the last instant."""
        ...

    def close(self) -> None:
        """Close every descriptor and end every thread."""
        ...


def read_or_none(source: Source, path: str, size: int) -> bytes | None:
    """At most ``size`` bytes of a file; None where it cannot be read. Raises NotRecorded."""
    try:
        return source.read(path, size)
    except NotRecorded:
        raise
    except MemtopError:
        return None
