"""Reports what a process keeps in memory without mapping it: memfds, files on tmpfs, System V segments, sockets.

From /proc/PID/fd, proc_pid_fd(5). It runs on a thread that may block.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import Final

from memtop.procfs.held_report import HeldKind, HeldPart, HeldReport, format_held_report
from memtop.procfs.mountinfo import parse_mountinfo
from memtop.procfs.sysv_shm import parse_sysv_shm
from memtop.sources.live.bounded_read import read_file
from memtop.sources.live.open_memfds import BLOCK_BYTES, DELETED, MEMFD, memfd_device
from memtop.sources.live.socket_memory import socket_bytes

MOST_DESCRIPTORS: Final = 100_000
"""Descriptors of one process that are looked at: each takes about 5 microseconds, a file 10."""
_NAME_BYTES: Final = 128
_MOUNTS_BYTES: Final = 4 << 20
_SEGMENTS_BYTES: Final = 1 << 20
_IN_MEMORY: Final = (b"tmpfs", b"devtmpfs")
_WRITABLE: Final = 0o200
"""The links in /proc/PID/fd have the mode of the descriptor."""

_WRITTEN: Final = re.compile(rb"^wchar: (\d+)$", re.MULTILINE)

_Files = dict[tuple[int, int], tuple[int, bytes]]
"""Size and name of each file, by device and inode: several descriptors may be of one."""


def held_report(prefix: str, path: str) -> bytes:
    """The text that :mod:`memtop.procfs.held_report` describes. ``path`` is ``proc/PID/held``, or that of a thread.

    Raises OSError if the descriptors may not be looked at.
    """
    folder = os.path.dirname(path)
    files: dict[HeldKind, _Files] = {}
    sockets: set[int] = set()
    pipes: set[bytes] = set()
    others = 0
    is_in_memory = _lazily(lambda: _file_systems(prefix, folder))
    with os.scandir(os.fsencode(f"{prefix}{folder}/fd")) as entries:
        for entry in islice(entries, MOST_DESCRIPTORS):
            try:
                target = os.readlink(entry.path)
                if target.startswith(b"socket:["):
                    sockets.add(int(target[8:-1]))
                elif target.startswith(b"pipe:"):
                    pipes.add(target)
                elif target.startswith(b"/") and (target.startswith(MEMFD) or is_in_memory(target)):
                    others += not _add_file(files, entry, target)
                else:
                    others += 1
            except FileNotFoundError:
                continue  # closed meanwhile
        is_cut = next(entries, None) is not None
    parts = [
        HeldPart(kind, len(found), sum(size for size, _ in found.values()), max(found.values())[1])
        for kind, found in files.items()
    ]
    parts += _segments(prefix, folder)
    if sockets:
        parts.append(HeldPart(HeldKind.SOCKET, len(sockets), socket_bytes(prefix, folder, sockets)))
    if others:
        parts.append(HeldPart(HeldKind.OTHER, others, None))
    if pipes:
        parts.append(HeldPart(HeldKind.PIPE, len(pipes), None))
    at_s, written_bytes = time.clock_gettime(time.CLOCK_BOOTTIME), _written_bytes(prefix, folder)
    return format_held_report(HeldReport(at_s, tuple(parts), is_cut, written_bytes))


def _add_file(files: dict[HeldKind, _Files], entry: os.DirEntry[bytes], target: bytes) -> bool:
    """Add a regular file that has memory, by its kind. Returns whether it is one."""
    status = os.stat(entry.path)
    if not stat.S_ISREG(status.st_mode) or not status.st_blocks:
        return False
    if target.startswith(MEMFD) and status.st_nlink == 0:
        kind = HeldKind.MEMFD if status.st_dev == memfd_device() else HeldKind.HUGE_MEMFD
        if kind is HeldKind.HUGE_MEMFD and status.st_dev != _huge_device():
            return False  # a file of such a name
        name = target.removeprefix(MEMFD).removesuffix(DELETED)
    elif status.st_nlink == 0:
        kind, name = HeldKind.UNLINKED, target.removesuffix(DELETED)
    elif entry.stat(follow_symlinks=False).st_mode & _WRITABLE:
        kind, name = HeldKind.TMPFS, target
    else:
        return False  # who only reads it does not keep it
    found = files.setdefault(kind, {})
    found[status.st_dev, status.st_ino] = status.st_blocks * BLOCK_BYTES, name[:_NAME_BYTES]
    return True


def _written_bytes(prefix: str, folder: str) -> int | None:
    """wchar of proc_pid_io(5)."""
    try:
        raw = read_file(prefix, f"proc/{folder.split('/')[1]}/io", 1024)
    except OSError:
        return None  # a kernel without it
    found = _WRITTEN.search(raw)
    return int(found[1]) if found is not None else None


def _lazily(make: Callable[[], Callable[[bytes], bool]]) -> Callable[[bytes], bool]:
    """The same function, made when it is first called."""
    made: list[Callable[[bytes], bool]] = []

    def call(target: bytes) -> bool:
        if not made:
            made.append(make())
        return made[0](target)

    return call


def _file_systems(prefix: str, folder: str) -> Callable[[bytes], bool]:
    """Whether a path of this process lies on tmpfs, by its mounts: stat(2) of a file elsewhere may hang."""
    mounts = {
        mount.point: mount.fstype in _IN_MEMORY
        for mount in parse_mountinfo(read_file(prefix, f"{folder}/mountinfo", _MOUNTS_BYTES))
    }
    known: dict[bytes, bool] = {}

    def is_in_memory(target: bytes) -> bool:
        parent = os.path.dirname(target)
        found = known.get(parent)
        if found is None:
            above = parent
            while above not in mounts and len(above) > 1:
                above = os.path.dirname(above)
            found = known[parent] = mounts.get(above, False)
        return found

    return is_in_memory


def _segments(prefix: str, folder: str) -> list[HeldPart]:
    """The System V segments that it has created; of unknown size where it has an IPC namespace of its own."""
    try:
        if os.readlink(f"{prefix}{folder}/ns/ipc") != os.readlink(f"{prefix}proc/self/ns/ipc"):
            return [HeldPart(HeldKind.SYSV, 0, None)]
        raw = read_file(prefix, "proc/sysvipc/shm", _SEGMENTS_BYTES)
    except OSError:
        return []  # a kernel without them
    pid = int(folder.split("/")[1])
    found = [one.rss_bytes for one in parse_sysv_shm(raw) if one.creator == pid and one.rss_bytes]
    return [HeldPart(HeldKind.SYSV, len(found), sum(found))] if found else []


@cache
def _huge_device() -> int | None:
    """The file system of memfds of the usual huge pages; None without such pages."""
    try:
        descriptor = os.memfd_create("memtop", os.MFD_CLOEXEC | os.MFD_HUGETLB)
    except OSError:
        return None
    try:
        return os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)
