"""Whether there is room for a demo: the machine, the memory cgroup, overcommit and this user's limits.

proc_meminfo(5), cgroups(7), Documentation/admin-guide/cgroup-v2.rst, getrlimit(2), proc_sys_vm(5).
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from memtop.errors import MemtopError, Unavailable, UsageError
from memtop.procfs.lines import int_or_none, key_values
from memtop.procfs.meminfo import parse_meminfo
from memtop.units import long_size

Read = Callable[[str], bytes]
"""The bytes of a file, its path relative to the root as in Source.read. Raises MemtopError."""

SPARE: Final = 1.25
"""What a demo needs is multiplied by this, so that the machine is never filled to the brim."""


class Headroom(NamedTuple):
    """How much memory one limit leaves."""

    left_bytes: int
    limit: str
    """What sets it, as the end of a sentence."""


def read_file(path: str) -> bytes:
    """A small kernel file of this machine. Raises Unavailable."""
    try:
        return Path("/", path).read_bytes()
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error


def require_room(name: str, needs_bytes: int, read: Read = read_file) -> None:
    """Raises UsageError with the numbers where the demo ``name`` would not fit with a quarter to spare."""
    wanted = int(needs_bytes * SPARE)
    rooms = [*_of_machine(read), *_of_cgroup(read), *_of_user()]
    tightest = min(rooms, default=None)
    if tightest is not None and tightest.left_bytes < wanted:
        raise UsageError(
            f"the demo {name!r} uses {long_size(needs_bytes)} and wants {long_size(wanted)} to be safe, "
            f"but {long_size(tightest.left_bytes)} {tightest.limit}"
        )


def _of_machine(read: Read) -> Iterator[Headroom]:
    meminfo = parse_meminfo(_read_or_empty(read, "proc/meminfo"))
    if meminfo.available_bytes is not None:
        yield Headroom(meminfo.available_bytes, "is all that this machine has available (MemAvailable)")
    strict = int_or_none(_read_or_empty(read, "proc/sys/vm/overcommit_memory")) == 2
    if strict and meminfo.commit_limit_bytes is not None and meminfo.committed_bytes is not None:
        left_bytes = max(0, meminfo.commit_limit_bytes - meminfo.committed_bytes)
        yield Headroom(left_bytes, "is all that this kernel may still promise (vm.overcommit_memory is 2)")


def _of_user() -> Iterator[Headroom]:
    for limit, title in ((resource.RLIMIT_AS, "ulimit -v"), (resource.RLIMIT_DATA, "ulimit -d")):
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY:
            yield Headroom(soft, f"is all that a process may map here ({title})")


def _of_cgroup(read: Read) -> Iterator[Headroom]:
    """The room in this process's memory cgroup and in each of its ancestors: the kernel checks them all."""
    place = _memory_cgroup(_read_or_empty(read, "proc/self/cgroup"), _read_or_empty(read, "proc/self/mountinfo"))
    if place is None:
        return
    mount, path, unified = place
    limit_file, usage_file, cache = (
        ("memory.max", "memory.current", b"inactive_file")
        if unified
        else ("memory.limit_in_bytes", "memory.usage_in_bytes", b"total_inactive_file")
    )
    for folder in (path, *path.parents):
        here = str((mount / folder).relative_to("/"))
        limit_bytes = int_or_none(_read_or_empty(read, f"{here}/{limit_file}"))
        usage_bytes = int_or_none(_read_or_empty(read, f"{here}/{usage_file}"))
        if limit_bytes is None or usage_bytes is None:  # "max", or the root of a hierarchy
            continue
        droppable = int_or_none(key_values(_read_or_empty(read, f"{here}/memory.stat"), b" ").get(cache)) or 0
        left_bytes = max(0, limit_bytes - max(0, usage_bytes - droppable))
        yield Headroom(left_bytes, f"is all that the memory limit of this container or cgroup leaves ({folder})")


def _memory_cgroup(membership: bytes, mountinfo: bytes) -> tuple[PurePosixPath, PurePosixPath, bool] | None:
    """(mount point, path below it, whether v2) of this process's memory cgroup; None where it cannot be told."""
    paths: dict[bool, str] = {}
    for line in membership.decode(errors="surrogateescape").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" or "memory" in controllers.split(","):
            paths[number == "0"] = path
    unified = False not in paths
    if unified not in paths:
        return None
    for line in mountinfo.decode(errors="surrogateescape").splitlines():
        left, _, right = line.partition(" - ")
        fields, (kind, *options) = left.split(), right.split() or [""]
        if len(fields) < 5 or kind != ("cgroup2" if unified else "cgroup"):
            continue
        if unified or "memory" in options[-1].split(","):
            return PurePosixPath(fields[4]), _below(PurePosixPath(paths[unified]), PurePosixPath(fields[3])), unified
    return None


def _below(path: PurePosixPath, root: PurePosixPath) -> PurePosixPath:
    """The path below a mount whose root is ``root``; the mount itself where a cgroup namespace hides the place."""
    if ".." in path.parts or not path.is_relative_to(root):
        return PurePosixPath()
    return path.relative_to(root)


def _read_or_empty(read: Read, path: str) -> bytes:
    try:
        return read(path)
    except MemtopError:
        return b""
