"""Checks that there is enough memory for a demo: the machine, the cgroup, overcommit and this user's limits.

proc_meminfo(5), cgroups(7), Documentation/admin-guide/cgroup-v2.rst, getrlimit(2), proc_sys_vm(5).
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from memtop.analysis.limits.cgroup_limits import limit_bytes, memory_stat, places_of, usage_bytes
from memtop.analysis.limits.memory_cgroups import Version
from memtop.errors import MemtopError, Unavailable, UsageError
from memtop.procfs.cgroup import UNLIMITED
from memtop.procfs.lines import int_or_none
from memtop.procfs.meminfo import parse_meminfo
from memtop.units import long_size

Read = Callable[[str], bytes]
"""Reads a file, given by its path relative to the root as in Source.read. Raises MemtopError."""

SPARE: Final = 1.25
"""The needs of a demo are multiplied by this, so that the machine is never filled completely."""


class Headroom(NamedTuple):
    """How much memory one limit leaves."""

    left_bytes: int
    limit: str
    """What sets the limit, as the end of a sentence."""


def read_file(path: str) -> bytes:
    """Read a small kernel file of this machine. Raises Unavailable."""
    try:
        return Path("/", path).read_bytes()
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error


def require_room(name: str, needs_bytes: int, read: Read = read_file) -> None:
    """Raise UsageError with the numbers if the demo ``name`` would not fit with a quarter to spare."""
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
        yield Headroom(left_bytes, "is all that this kernel still grants (vm.overcommit_memory is 2)")


def _of_user() -> Iterator[Headroom]:
    for limit, title in ((resource.RLIMIT_AS, "ulimit -v"), (resource.RLIMIT_DATA, "ulimit -d")):
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY:
            yield Headroom(soft, f"is all that a process can map here ({title})")


def _of_cgroup(read: Read) -> Iterator[Headroom]:
    """The room in this process's memory cgroup and in each of its ancestors, because the kernel checks them all."""

    def read_or_none(path: str, size: int) -> bytes | None:
        return _read_or_empty(read, path) or None

    places = places_of(read_or_none, "proc/self", else_mounts=True)
    if not places:
        return
    v2, chain = places[0].version is Version.V2, places[0].chain
    for folder in chain:
        limit = limit_bytes(read_or_none, folder, v2=v2)
        usage = usage_bytes(read_or_none, folder, v2=v2)
        if limit is None or limit == UNLIMITED or usage is None:  # no limit, or the root of a hierarchy
            continue
        stat = memory_stat(read_or_none, folder)
        droppable = (stat.inactive_file_bytes if stat is not None else None) or 0
        left_bytes = max(0, limit - max(0, usage - droppable))
        name = folder.removeprefix(chain[-1]).lstrip("/") or "."
        yield Headroom(left_bytes, f"is all that the memory limit of this container or cgroup leaves ({name})")


def _read_or_empty(read: Read, path: str) -> bytes:
    try:
        return read(path)
    except MemtopError:
        return b""
