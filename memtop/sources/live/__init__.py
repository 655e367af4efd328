"""LiveSource: reads the live machine, proc(5). All paths are below one root, so tests can bring their own."""

from __future__ import annotations

import errno
import os
import pwd
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from memtop.errors import Blocked, MemtopError, ProcessGone, Unavailable
from memtop.sources.live.blocking_reader import BlockingReader
from memtop.sources.live.bounded_read import OPENED, failure, made_up, pread_file, read_file
from memtop.sources.live.fd_cache import FdCache
from memtop.sources.live.foreign_mounts import ForeignMounts
from memtop.sources.live.runtime_access import RuntimeReader, read_runtime
from memtop.sources.protocol import INODE, MOUNTS, READ_LIMIT, SAME_MEMORY, Answer, Exit, Instant, is_runtime, pid_of

if TYPE_CHECKING:
    from memtop.sources.live.exits import ExitWatch
    from memtop.sources.live.kept_files import KeptFiles
    from memtop.sources.live.listed_pids import ListedPids

HOT: Final = frozenset({"proc/meminfo", "proc/vmstat", "proc/pressure/memory", "proc/sys/fs/dentry-state"})
"""Files of the machine that are read at every instant. Their descriptors are kept."""
_LOADAVG: Final = "proc/loadavg"
OF_CGROUPS: Final = ("/memory.current", "/memory.usage_in_bytes", "/memory.stat")
"""Ends of paths that are read at almost every instant. Descriptors of up to MOST_OF_CGROUPS of them are kept."""
OF_FEW: Final = frozenset({"cgroup", "status", "oom_score", "oom_score_adj"})
"""Names of files that are read at every instant of the process in focus or its cgroup, and of others in turn; so are
all whose name begins with ``memory.``. cgroup.procs is opened each time: in version 1 a descriptor gives the same list
again while less than a second passes between two readings."""
MOST_OF_CGROUPS: Final = 512
MOST_DESCRIPTORS: Final = 1_048_576
RESERVED: Final = 128
"""Descriptors reserved for everything else ..."""
LEAST_RESERVED: Final = 48
"""... and if there are few: what a screen, a recording and a started program need together."""
MOST_WATCHED: Final = 1536
"""Processes that are held by a descriptor, so that their end is noticed; at most a quarter of all descriptors."""
LEAST_WATCHED: Final = 2
"""So many are held in any case: a program that was started is one of them."""
UNMAPPED: Final = b"unmapped"
"""Stands for a user who has no ID in the user namespace of memtop."""
_EVERY_ID: Final = 2**32 - 1
_MAP_BYTES: Final = 65_536
FOREIGN_S: Final = 0.1
"""How long a sample waits for a file that is not the kernel's own."""


def raise_descriptor_limit() -> int:
    """Raise this process's soft RLIMIT_NOFILE as far as it may go. Returns the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


class LiveSource:
    """The live machine as a Source. Two threads must not use it at the same time.

    Raises Unavailable if there is no /proc.
    """

    def __init__(self, root: str = "/", runtimes: RuntimeReader | None = None) -> None:
        """Open the machine. ``runtimes`` reads what language runtimes report; None reads none."""
        self._prefix = root.rstrip("/") + "/"
        self._runtimes = runtimes
        try:
            self._proc = os.open(self._prefix + "proc", os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        except OSError as error:
            raise Unavailable(f"no /proc to read: {error.strerror}") from error
        self.own_pids = self._names_own_process()
        """Whether the PIDs listed here are those that system calls take. They are not in a tree that a test has
        created, nor in the /proc of another PID namespace. Then nothing is watched and nothing may be signaled."""
        self.own_pid = os.getpid() if self.own_pids else None
        """The PID of memtop here."""
        limit = raise_descriptor_limit()
        spare = limit if limit >= 4 * RESERVED else max(0, limit - LEAST_RESERVED)
        self._most_watched = max(LEAST_WATCHED, min(spare // 4, MOST_WATCHED))
        self._most_of_cgroups = min(spare // 8, MOST_OF_CGROUPS)
        self._of_cgroups: KeptFiles | None = None
        """None until the second instant, or until one of a cgroup is read. A run of one sample often needs none."""
        most_kept = max(limit - RESERVED - self._most_watched - self._most_of_cgroups, spare // 4)
        self._descriptors = FdCache(self._prefix, most_kept, self._sweep_foreign)
        self._exits: ExitWatch | None = None
        """None until a process is first watched. A run of one sample needs none."""
        self._slow = BlockingReader(self._read_slowly)
        self._pieces = BlockingReader(self._read_pieces)
        """Readings that take seconds, on threads of their own, so that short ones do not wait for them."""
        self._mounts = ForeignMounts(self._prefix)
        self._foreign = BlockingReader(lambda path, size, _: self._read_directly(path, size), blamed=lambda path: path)
        self._hot: dict[str, int] = {}
        self._instants = 0
        self._names: list[str] = []
        """What /proc lists, as of the latest list ..."""
        self._pids: list[int] = []
        """... and the processes in it."""
        self._listed: ListedPids | None = None
        """None until processes are listed for the second time. A run of one sample needs none."""
        self._now = Instant(0.0, 0.0)

    def begin(self) -> Instant:
        """Open a new instant."""
        self._descriptors.begin()
        self._instants += 1
        if self._instants > 1:
            self._files_of_cgroups().begin()
        self._mounts.begin()
        self._now = Instant(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))
        return self._now

    def pids(self) -> list[int]:
        """All process IDs, ascending. One may be of a process that has ended since its statm was read last. Raises
        Unavailable."""
        known = self._listed_pids() if self._names else None
        loadavg, threads = self._loadavg(), self._slow.started + self._pieces.started + self._foreign.started
        if known is not None and known.holds(loadavg, threads, self._now.mono_s):
            self._descriptors.listed(self._pids)
            return self._pids
        try:
            names = os.listdir(self._proc)
        except OSError as error:
            raise failure(self._prefix, "proc", error) from error
        if known is not None:
            known.listed(loadavg, threads, self._now.mono_s)
        if names != self._names:  # of thousands often none comes or goes
            before, self._names = set(self._pids), names
            self._pids = sorted([int(name) for name in names if name.isdecimal()])
            if ended := before.difference(self._pids):
                self._forget(ended)
        self._descriptors.listed(self._pids)
        return self._pids

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        """See ``Source.read``."""
        if self._descriptors.gone and pid_of(path) in self._descriptors.gone:
            raise ProcessGone(f"{path}: {os.strerror(errno.ESRCH)}")
        if self._mounts.cover(path):
            return self._read_foreign(path, size)
        if path.endswith(INODE):  # no file has this name: the number is that of the directory
            return self._inode(path)
        try:
            if path in HOT:
                return self._read_hot(path, size)
            if path.endswith(OF_CGROUPS):
                return self._files_of_cgroups().read(path, size)
            if self._of_cgroups is not None:
                name = path[path.rfind("/") + 1 :]
                if name in OF_FEW or name.startswith("memory."):
                    return self._of_cgroups.read(path, size, often=False)
            return read_file(self._prefix, path, size)
        except OSError as error:
            if (
                SAME_MEMORY in path and self.own_pids
            ):  # no file has this name either: the kernel answers by a system call
                from memtop.sources.live.same_memory import compare  # noqa: PLC0415 (0.2 ms; rarely asked for)

                return compare(path)
            if error.errno in (errno.EMFILE, errno.ENFILE):
                if self._of_cgroups is not None:
                    self._of_cgroups.close()
                self._descriptors.make_room()
                return self._read_directly(path, size)
            raise failure(self._prefix, path, error) from error

    def _inode(self, path: str) -> bytes:
        try:
            return b"%d\n" % os.stat(self._prefix + path.removesuffix(INODE)).st_ino
        except OSError as error:
            raise failure(self._prefix, path, error) from error

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        """See ``Source.sweep``. It is not for files that an exec makes stale: maps, smaps, environ."""
        gone_before = len(self._descriptors.gone)
        answers = self._descriptors.sweep(name, pids)
        if len(self._descriptors.gone) != gone_before:
            self._forget(self._descriptors.gone)
        if self._listed is not None and name == "statm" and pids is self._pids:
            self._listed.read(all_live=None not in answers)
        return answers

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        """See ``Source.ask``."""
        return (self._pieces if path.endswith("/pagemap") else self._slow).ask(path, size)

    def abandon(self, path: str) -> None:
        """See ``Source.abandon``."""
        self._slow.abandon(path)
        self._pieces.abandon(path)

    def settle(self, seconds: float) -> None:
        """See ``Source.settle``."""
        until_s = time.monotonic() + seconds
        self._slow.settle(seconds)
        self._pieces.settle(max(0.0, until_s - time.monotonic()))

    def tids(self, pid: int) -> list[int]:
        """The thread IDs of a process, ascending. Raises the same errors as :meth:`read`."""
        path = f"proc/{pid}/task"
        if self._mounts.cover(path):
            raise Unavailable(f"{path}: another file system is mounted there")
        try:
            return sorted(int(name) for name in os.listdir(self._prefix + path))
        except OSError as error:
            raise failure(self._prefix, path, error) from error

    def watch(self, pids: Sequence[int]) -> None:
        """See ``Source.watch``."""
        if not self.own_pids:
            return
        if self._exits is None and pids:
            from memtop.sources.live.exits import ExitWatch  # noqa: PLC0415 (1.4 ms, which one sample does without)

            self._exits = ExitWatch(self._most_watched, self._prefix)
        if self._exits is not None:
            self._exits.watch(pids, lambda pid: self._descriptors.lives(pid) is not False)

    def exits(self) -> list[Exit]:
        """See ``Source.exits``. The times are those of the instant."""
        return self._exits.exits(self._now.wall_s) if self._exits is not None else []

    def close(self) -> None:
        """Close every descriptor, and end every thread that is not stuck."""
        self._slow.close()
        self._pieces.close()
        self._foreign.close()
        self._mounts.close()
        if self._exits is not None:
            self._exits.close()
        self._descriptors.close()
        if self._of_cgroups is not None:
            self._of_cgroups.close()
        for descriptor in (*self._hot.values(), self._proc):
            os.close(descriptor)
        self._hot.clear()

    def _listed_pids(self) -> ListedPids:
        if self._listed is None:
            from memtop.sources.live.listed_pids import ListedPids  # noqa: PLC0415 (0.3 ms; one sample does without)

            self._listed = ListedPids()
        return self._listed

    def _loadavg(self) -> bytes:
        """Its content; empty if that is unknown, or of another PID namespace than the list."""
        if not self.own_pids or self._mounts.cover(_LOADAVG):
            return b""
        try:
            return self._read_hot(_LOADAVG, 256)
        except OSError:
            return b""

    def _names_own_process(self) -> bool:
        try:
            return os.readlink(self._prefix + "proc/self") == str(os.getpid())
        except OSError:
            return False

    def _read_hot(self, path: str, size: int) -> bytes:
        descriptor = self._hot.get(path)
        if descriptor is not None:
            return pread_file(descriptor, size, short_lines=True)
        descriptor = os.open(self._prefix + path, OPENED)
        if made_up(descriptor):
            self._hot[path] = descriptor
            return pread_file(descriptor, size, short_lines=True)
        os.close(descriptor)
        return read_file(self._prefix, path, size)

    def _files_of_cgroups(self) -> KeptFiles:
        if self._of_cgroups is None:
            from memtop.sources.live.kept_files import KeptFiles  # noqa: PLC0415 (0.1 ms; one sample does without)

            self._of_cgroups = KeptFiles(self._prefix, self._most_of_cgroups)
        return self._of_cgroups

    def _read_foreign(self, path: str, size: int) -> bytes:
        """A file that may never answer; an answer that comes too late is that of the next sample."""
        answer = self._foreign.ask(path, size)
        if answer is None:
            self._foreign.settle(FOREIGN_S)
            answer = self._foreign.ask(path, size)
        if answer is None:
            raise Blocked(f"{path}: hangs; another file system is mounted there")
        return answer.data

    def _sweep_foreign(self, path: str) -> bytes | None:
        """What a sweep is to take for a file that is not the kernel's own; None for one that is."""
        if not self._mounts.cover(path):
            return None
        try:
            return self._read_foreign(path, READ_LIMIT)
        except ProcessGone:
            return None
        except MemtopError:
            return b""

    def _read_directly(self, path: str, size: int) -> bytes:
        try:
            return read_file(self._prefix, path, size)
        except OSError as error:
            raise failure(self._prefix, path, error) from error

    def _forget(self, pids: Iterable[int]) -> None:
        self._slow.forget(pids)
        self._pieces.forget(pids)

    def _read_slowly(self, path: str, size: int, _goes_on: Callable[[], bool]) -> bytes:
        """Runs on a slow thread. It may use nothing of this object but its prefix."""
        if path.startswith("user/"):
            return user_name(path.removeprefix("user/"), self._read_directly)[:size]
        if path == MOUNTS:
            from memtop.sources.live.mounts import mounts_report  # noqa: PLC0415 (0.7 ms; only the Machine panel wants it)

            return mounts_report(self._prefix)[:size]
        if path.startswith("proc/") and path.endswith("/deleted_files"):
            from memtop.sources.live.deleted_files import deleted_files_report  # noqa: PLC0415 (0.9 ms; few processes have any)

            try:
                return deleted_files_report(self._prefix, path)[:size]
            except OSError as error:
                raise failure(self._prefix, path, error) from error
        if path.startswith("proc/") and path.endswith("/held"):
            from memtop.sources.live.held_memory import held_report  # noqa: PLC0415 (0.7 ms; only of processes that are judged)

            try:
                return held_report(self._prefix, path)[:size]
            except OSError as error:
                raise failure(self._prefix, path, error) from error
        if path.startswith("proc/") and path.endswith("/memfds"):
            from memtop.sources.live.open_memfds import memfds_report  # noqa: PLC0415 (0.5 ms; only the Machine panel wants it)

            try:
                return memfds_report(self._prefix, path)[:size]
            except OSError as error:
                raise failure(self._prefix, path, error) from error
        if self._runtimes is not None and is_runtime(path):
            return read_runtime(self._runtimes, self._prefix, path)[:size]
        return self._read_directly(path, size)

    def _read_pieces(self, path: str, size: int, goes_on: Callable[[], bool]) -> bytes:
        """Runs on a slow thread, for pagemap."""
        from memtop.sources.live.pagemap_reader import read_pagemap  # noqa: PLC0415 (5 ms; a run without panels reads none)

        return read_pagemap(self._prefix, path, goes_on)[:size]


def may_be_user(text: str) -> bool:
    """Whether :func:`user_name` may give this name or number."""
    try:
        return text.isdecimal() or text == UNMAPPED.decode() or bool(pwd.getpwnam(text.removesuffix("?")))
    except KeyError:
        return False


def user_name(uid: str, read: Callable[[str, int], bytes]) -> bytes:
    """The name of a user ID, the number if it has none, or UNMAPPED; with a question mark if it may be either.

    ``read`` takes a path and a size and gives the bytes of a file. The kernel shows every user who has no ID in the
    namespace of the reader as kernel.overflowuid, an ID with a name of its own.
    """
    try:
        name = os.fsencode(pwd.getpwuid(int(uid)).pw_name)
    except (KeyError, OverflowError):
        name = uid.encode()
    try:
        if int(read("proc/sys/kernel/overflowuid", 64)) != int(uid):
            return name
        mapped = [tuple(map(int, line.split())) for line in read("proc/self/uid_map", _MAP_BYTES).splitlines()]
    except (MemtopError, ValueError):
        return name
    if sum(count for _, _, count in mapped) >= _EVERY_ID:
        return name
    return name + b"?" if any(first <= int(uid) < first + count for first, _, count in mapped) else UNMAPPED
