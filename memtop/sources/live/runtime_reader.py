"""What a process's runtime can tell, read and reduced to a few figures. For the slow threads only: all of it may block.

Every answer is small JSON (:mod:`memtop.runtimes.told`) or the few lines that may be kept; secrets do not leave here.
Each reader imports what it needs: a one-shot run about one program must not pay for the runtimes of others.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from memtop.errors import MemtopError, ParseError, Unavailable
from memtop.runtimes import told
from memtop.sources.live.bounded_read import failure, read_file

if TYPE_CHECKING:
    from memtop.analysis.limits.memory_cgroups import CgroupPlace
    from memtop.runtimes.native.recognition import Arenas, Native

_MAPS_BYTES: Final = 8 << 20
_ENVIRON_BYTES: Final = 2 << 20
_SMALL_BYTES: Final = 1 << 20
_MOST_DESCRIPTORS: Final = 4096
_MOST_FOLDERS: Final = 64


def read_runtime(prefix: str, path: str) -> bytes:
    """The answer to ``proc/PID/runtime/NAME``; see :mod:`memtop.sources.protocol`. Raises MemtopError."""
    _, pid, _, name = path.split("/", 3)
    name, _, url = name.partition("#")
    readers: dict[str, Callable[[str, int], bytes]] = {
        "identity": _identity,
        "environ": _environ,
        "container": _container,
        "listeners": _listeners,
        "jvm": _jvm,
    }
    try:
        if name == "metrics":
            return _metrics(url)
        if name in readers:
            return readers[name](prefix, int(pid))
    except ParseError as error:
        raise Unavailable(error.why) from error
    except OSError as error:
        raise failure(prefix, path.partition("#")[0], error) from error
    raise Unavailable(f"{name}: no such reading")


def _identity(prefix: str, pid: int) -> bytes:
    """Build information of the executable, and what is mapped; either may be missing."""
    from memtop.runtimes.native.recognition import Native

    build, trouble = b"", ""
    try:
        build = _build(f"{prefix}proc/{pid}/exe")
    except ParseError as error:
        trouble = error.why
    except OSError as error:
        trouble = f"its executable cannot be read: {error.strerror}"
    native, arenas = Native(None, None, None), None
    try:
        native, arenas = _native(prefix, pid, is_go=bool(build))
    except OSError as error:
        trouble = trouble or f"its mappings cannot be read: {error.strerror}"
    return told.encode_identity(build, native, arenas, trouble)


def _build(path: str) -> bytes:
    from memtop.runtimes.go.buildinfo import extract_build_info

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return extract_build_info(lambda offset, size: os.pread(descriptor, size, offset))
    finally:
        os.close(descriptor)


def _native(prefix: str, pid: int, *, is_go: bool) -> tuple[Native, Arenas | None]:
    from memtop.runtimes.native.recognition import Allocator, glibc_arenas, recognise

    maps = read_file(prefix, f"proc/{pid}/maps", _MAPS_BYTES)
    paths = {os.fsdecode(fields[5]) for line in maps.split(b"\n") if len(fields := line.split(None, 5)) == 6}
    native = recognise(paths, os.readlink(f"{prefix}proc/{pid}/exe"), is_go)
    return native, glibc_arenas(maps) if native.allocator is Allocator.GLIBC else None


def _environ(prefix: str, pid: int) -> bytes:
    from memtop.runtimes.go.environ import only_go_variables

    return only_go_variables(read_file(prefix, f"proc/{pid}/environ", _ENVIRON_BYTES))


def _metrics(url: str) -> bytes:
    from memtop.runtimes.go.metrics import parse_go_metrics
    from memtop.sources.endpoint import parse_endpoint
    from memtop.sources.http_get import fetch

    endpoint = parse_endpoint(url)
    try:
        return told.encode_told(endpoint.label, parse_go_metrics(fetch(endpoint)))
    except Unavailable as error:
        raise Unavailable(f"{endpoint.label}: {error}") from error
    except ParseError as error:
        raise Unavailable(f"{endpoint.label}: {error.why}") from error


def _listeners(prefix: str, pid: int) -> bytes:
    """URLs to suggest, one a line."""
    from memtop.procfs.tcp import parse_listeners, socket_inode, suggested_urls

    folder = f"{prefix}proc/{pid}/fd"
    inodes = []
    for name in os.listdir(folder)[:_MOST_DESCRIPTORS]:
        try:
            inode = socket_inode(os.readlink(f"{folder}/{name}"))
        except FileNotFoundError:  # closed meanwhile
            continue
        if inode is not None:
            inodes.append(inode)
    if not inodes:
        return b""
    found = [
        listener
        for name in ("tcp", "tcp6")
        for listener in parse_listeners(_read_or_empty(prefix, f"proc/{pid}/net/{name}"))
    ]
    return "\n".join(suggested_urls(found, inodes)).encode()


def _container(prefix: str, pid: int) -> bytes:
    """The least memory limit of its cgroup and those above it."""
    from memtop.analysis.limits.memory_cgroups import memory_places
    from memtop.procfs.cgroup import parse_memberships
    from memtop.procfs.mountinfo import parse_mountinfo

    members = parse_memberships(_read_or_empty(prefix, f"proc/{pid}/cgroup"))
    mounts = parse_mountinfo(_read_or_empty(prefix, "proc/self/mountinfo"))
    unified = next((os.fsdecode(mount.point).lstrip("/") for mount in mounts if mount.fstype == b"cgroup2"), None)
    controllers = None if unified is None else _read_or_empty(prefix, f"{unified}/cgroup.controllers")
    places = memory_places(members, mounts, controllers)
    if not places:
        return told.encode_container(told.Container(None, None))
    return told.encode_container(_limit_of(prefix, places[0]))


def _limit_of(prefix: str, place: CgroupPlace) -> told.Container:
    from memtop.analysis.limits.memory_cgroups import Version
    from memtop.procfs.cgroup import UNLIMITED, parse_limit, parse_memory_stat

    name = "memory.max" if place.version is Version.V2 else "memory.limit_in_bytes"
    limits = [parse_limit(_read_or_empty(prefix, f"{folder}/{name}")) for folder in place.chain]
    least = min((limit for limit in limits if limit is not None and limit != UNLIMITED), default=None)
    usage = parse_memory_stat(_read_or_empty(prefix, f"{place.chain[0]}/memory.stat"))
    return told.Container(least, usage.anon_bytes)


def _jvm(prefix: str, pid: int) -> bytes:
    """The counters of its own hsperfdata file, below its own root."""
    from memtop.runtimes.jvm.heap import hsperf_paths
    from memtop.runtimes.jvm.hsperf import MOST_BYTES, parse_hsperf

    status = read_file(prefix, f"proc/{pid}/status", _SMALL_BYTES)
    uid = next((int(line.split()[1]) for line in status.split(b"\n") if line.startswith(b"Uid:")), None)
    paths = list(hsperf_paths(pid, status, _user(uid)))
    number = paths[0].rpartition("/")[2] if paths else str(pid)
    temporary = f"proc/{pid}/root/tmp"
    folders = [name for name in os.listdir(prefix + temporary) if name.startswith("hsperfdata_")][:_MOST_FOLDERS]
    paths += [f"{temporary}/{folder}/{number}" for folder in sorted(folders)]
    for path in dict.fromkeys(paths):
        data = _read_below(prefix + f"proc/{pid}/root", path.removeprefix(f"proc/{pid}/root/").split("/"), MOST_BYTES)
        if data is not None:
            return told.encode_counters(parse_hsperf(data))
    raise Unavailable("it keeps no counters (no hsperfdata file: -XX:-UsePerfData, or its /tmp is another one)")


def _user(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid).pw_name if uid is not None else "root"
    except (KeyError, OverflowError):
        return "root"


def _read_below(root: str, parts: list[str], most_bytes: int) -> bytes | None:
    """A regular file, no link on the way: /tmp may be written by anybody. None where there is no such file."""
    held = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for place, part in enumerate(parts, 1):
            kind = os.O_DIRECTORY if place < len(parts) else os.O_NONBLOCK | os.O_NOCTTY
            inner = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=held)
            os.close(held)
            held = inner
        if not stat.S_ISREG(os.fstat(held).st_mode):
            return None
        return os.pread(held, most_bytes, 0)
    except OSError:
        return None
    finally:
        os.close(held)


def _read_or_empty(prefix: str, path: str) -> bytes:
    try:
        return read_file(prefix, path, _SMALL_BYTES)
    except (OSError, MemtopError):
        return b""
