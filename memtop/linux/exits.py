"""How watched processes end: pidfds, pidfd_open(2) and PIDFD_GET_INFO of linux/pidfd.h."""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Callable, Iterable
from fcntl import ioctl

from memtop.source import Exit
from memtop.typed import Final

_GET_INFO: Final = 0xC040FF0B
"""PIDFD_GET_INFO with the 64 bytes of its first version (Linux 6.13; tells of exits since 6.15)."""
_INFO_EXIT: Final = 1 << 3
_INFO = struct.Struct("=QQ11Ii")
"""mask, cgroup, eleven ids, and the wait(2) status."""


class ExitWatch:
    """Holds processes by pidfd and says when they have ended."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._poll = select.poll()
        self._pidfds: dict[int, int] = {}
        self._pids: dict[int, int] = {}
        self._unreaped: set[int] = set()
        self._told: set[int] = set()
        self._can_tell = True

    def watch(self, pids: Iterable[int], is_same: Callable[[int], bool]) -> None:
        """Hold these and only these. ``is_same`` says whether a pid still belongs to the process that is meant."""
        wanted = dict.fromkeys(pids)
        for pid in self._pidfds.keys() - wanted.keys():
            self._release(pid)
        self._told.intersection_update(wanted)
        for pid in wanted:
            if len(self._pidfds) >= self._limit:
                break
            if pid not in self._pidfds and pid not in self._told:  # a zombie can be held again and again
                self._hold(pid, is_same)

    def exits(self, wall_s: float) -> list[Exit]:
        """Those that have ended since the last call, each told once.

        The status is known when the parent has collected it; a zombie is given one more call for that.
        """
        ended: list[Exit] = []
        for descriptor, _ in self._poll.poll(0):
            pid = self._pids[descriptor]
            status = self._status(descriptor)
            if status is None and self._can_tell and pid not in self._unreaped:
                self._unreaped.add(pid)
                continue
            ended.append(Exit(pid, wall_s, status))
            self._told.add(pid)
            self._release(pid)
        return sorted(ended, key=lambda end: end.pid)

    def close(self) -> None:
        """Let go of everything."""
        for pid in tuple(self._pidfds):
            self._release(pid)

    def _hold(self, pid: int, is_same: Callable[[int], bool]) -> None:
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return  # it has ended already, or this kernel is older than 5.3: then statm alone tells
        if not is_same(pid):
            os.close(descriptor)
            return
        self._pidfds[pid] = descriptor
        self._pids[descriptor] = pid
        self._poll.register(descriptor, select.POLLIN)

    def _status(self, descriptor: int) -> int | None:
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

    def _release(self, pid: int) -> None:
        descriptor = self._pidfds.pop(pid)
        del self._pids[descriptor]
        self._unreaped.discard(pid)
        self._poll.unregister(descriptor)
        os.close(descriptor)
