"""Detects exits of watched processes by pidfd_open(2), and finds their exit codes and signals.

Since Linux 6.15 PIDFD_GET_INFO of linux/pidfd.h gives the status of every process after its parent has collected it.
Before that moment, and on older kernels, there are three other ways: waitid(2) for own children that were not collected
yet, the statuses that this program has collected itself (:data:`collected`), and field 52 of /proc/PID/stat,
proc_pid_stat(5), of a zombie that we may trace.
"""

from __future__ import annotations

import os
import select
import signal
import struct
from collections.abc import Callable, Iterable
from fcntl import ioctl
from typing import Final

from memtop.errors import ParseError
from memtop.procfs.stat import parse_stat
from memtop.sources.live.bounded_read import read_file
from memtop.sources.protocol import READ_LIMIT, Exit

_GET_INFO: Final = 0xC040FF0B
"""PIDFD_GET_INFO with the 64 bytes of its first version (Linux 6.13; it reports exits since 6.15)."""
_INFO_EXIT: Final = 1 << 3
_INFO = struct.Struct("=QQ11Ii")
"""mask, cgroup, eleven ids, and the wait(2) status."""
_DUMPED: Final = 0x80
"""The bit of a wait(2) status that is set if core was dumped."""


collected: Final[dict[int, int]] = {}
"""wait(2) statuses of children that another module has waited for, by PID. Each is reported once and then dropped."""


class ExitWatch:
    """Holds processes by pidfd and reports which have ended. ``prefix`` is where /proc is found."""

    def __init__(self, limit: int, prefix: str = "/") -> None:
        self._limit = limit
        self._prefix = prefix
        self._poll = _new_poll()
        self._pidfds: dict[int, int] = {}
        self._pids: dict[int, int] = {}
        self._unreaped: set[int] = set()
        self._reported: set[int] = set()
        self._can_tell = True

    def watch(self, pids: Iterable[int], is_same: Callable[[int], bool]) -> None:
        """Hold exactly these processes. ``is_same`` says whether a PID still belongs to the process that is meant."""
        wanted = dict.fromkeys(pids)
        for pid in self._pidfds.keys() - wanted.keys():
            self._release(pid)
        self._reported.intersection_update(wanted)
        if not wanted.keys() - self._pidfds.keys() - self._reported:  # of hundreds, mostly none is new
            return
        for pid in wanted:
            if len(self._pidfds) >= self._limit:
                break
            if pid not in self._pidfds and pid not in self._reported:  # a zombie can be held any number of times
                self._hold(pid, is_same)

    def exits(self, wall_s: float) -> list[Exit]:
        """Processes that have ended since the last call, each reported once.

        A process whose status is unknown is reported one call later, because its parent may be about to collect it.
        """
        ended: list[Exit] = []
        for descriptor, _ in self._poll.poll(0):
            pid = self._pids[descriptor]
            status = self._status(descriptor, pid)
            if status is None and pid not in self._unreaped:
                self._unreaped.add(pid)
                continue
            ended.append(Exit(pid, wall_s, status))
            self._reported.add(pid)
            self._release(pid)
        return sorted(ended, key=lambda end: end.pid)

    def close(self) -> None:
        """Close every pidfd."""
        for pid in tuple(self._pidfds):
            self._release(pid)
        if isinstance(self._poll, select.epoll):
            self._poll.close()

    def _hold(self, pid: int, is_same: Callable[[int], bool]) -> None:
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return  # it has ended already, or this kernel is older than 5.3: then only statm shows the end
        if not is_same(pid):
            os.close(descriptor)
            return
        try:
            self._poll.register(descriptor, select.POLLIN)
        except OSError:  # fs.epoll.max_user_watches
            os.close(descriptor)
            return
        self._pidfds[pid] = descriptor
        self._pids[descriptor] = pid

    def _status(self, descriptor: int, pid: int) -> int | None:
        status = self._info(descriptor) if self._can_tell else None
        if status is None:
            status = collected.pop(pid, None)
        if status is None:
            status = _own_child(descriptor)
        return self._of_zombie(descriptor, pid) if status is None else status

    def _info(self, descriptor: int) -> int | None:
        buffer = bytearray(_INFO.pack(_INFO_EXIT, *[0] * 13))
        try:
            ioctl(descriptor, _GET_INFO, buffer)
        except ProcessLookupError:
            return None
        except OSError:  # ENOTTY, EINVAL: an older kernel
            self._can_tell = False
            return None
        mask, *_, status = _INFO.unpack(buffer)
        return status if mask & _INFO_EXIT else None

    def _of_zombie(self, descriptor: int, pid: int) -> int | None:
        """The status of a zombie that waits for its parent, if the kernel shows it to us."""
        path = f"proc/{pid}/stat"
        try:
            stat = parse_stat(read_file(self._prefix, path, READ_LIMIT))
            # ESRCH after it was collected: then that file was another process's.
            signal.pidfd_send_signal(descriptor, 0)
        except PermissionError:
            pass  # it still exists, but belongs to another user
        except (OSError, ParseError):
            return None
        if stat.state != "Z":
            return None
        if stat.exit_code == 0 and not _may_trace(self._prefix, pid):
            return None  # without permission the kernel shows 0 too
        return stat.exit_code

    def _release(self, pid: int) -> None:
        descriptor = self._pidfds.pop(pid)
        del self._pids[descriptor]
        self._unreaped.discard(pid)
        self._poll.unregister(descriptor)
        os.close(descriptor)


def _new_poll() -> select.epoll | select.poll:
    """What waits for the ends of processes: epoll(7), or poll(2), which asks all of them, if there is no descriptor."""
    try:
        return select.epoll()
    except OSError:
        return select.poll()


def _own_child(descriptor: int) -> int | None:
    """The status of a child of ours that was not collected yet. It stays collectable."""
    try:
        found = os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except OSError:  # ECHILD: not ours, or collected; EINVAL: Linux older than 5.4
        return None
    return None if found is None else status_of(found)


def status_of(found: os.waitid_result) -> int:
    """The wait(2) status of what waitid(2) has found."""
    if found.si_code == os.CLD_EXITED:
        return int(found.si_status) << 8
    return int(found.si_status) | (_DUMPED if found.si_code == os.CLD_DUMPED else 0)


def _may_trace(prefix: str, pid: int) -> bool:
    """Whether the kernel allows what ptrace(2) would need: a zombie's cwd then gives ENOENT instead of EACCES."""
    try:
        os.readlink(f"{prefix}proc/{pid}/cwd")
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
