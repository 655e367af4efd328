"""The memory limit around a process: the least of its cgroup and those above it."""

from __future__ import annotations

import os
from typing import NamedTuple

from memtop.analysis.limits.memory_cgroups import CgroupPlace, Version, memory_places
from memtop.procfs.cgroup import UNLIMITED, parse_limit, parse_memberships, parse_memory_stat
from memtop.procfs.mountinfo import parse_mountinfo
from memtop.runtimes.protocol import Access
from memtop.runtimes.small_json import dumps, loads, whole


class Container(NamedTuple):
    """The memory limit around a process."""

    limit_bytes: int | None
    """None for no limit, or where it is unknown."""
    anon_bytes: int | None
    """Anonymous memory of all in the cgroup."""


def read_container(access: Access, pid: int, argument: str = "") -> bytes:
    """The limit as small JSON."""
    members = parse_memberships(access.read_or_empty(f"proc/{pid}/cgroup"))
    mounts = parse_mountinfo(access.read_or_empty("proc/self/mountinfo"))
    unified = next((os.fsdecode(mount.point).lstrip("/") for mount in mounts if mount.fstype == b"cgroup2"), None)
    controllers = None if unified is None else access.read_or_empty(f"{unified}/cgroup.controllers")
    places = memory_places(members, mounts, controllers)
    return encode_container(_limit_of(access, places[0]) if places else Container(None, None))


def _limit_of(access: Access, place: CgroupPlace) -> Container:
    name = "memory.max" if place.version is Version.V2 else "memory.limit_in_bytes"
    limits = [parse_limit(access.read_or_empty(f"{folder}/{name}")) for folder in place.chain]
    least = min((limit for limit in limits if limit is not None and limit != UNLIMITED), default=None)
    usage = parse_memory_stat(access.read_or_empty(f"{place.chain[0]}/memory.stat"))
    return Container(least, usage.anon_bytes)


def encode_container(container: Container) -> bytes:
    """The limit as small JSON."""
    return dumps(container._asdict())


def decode_container(data: bytes) -> Container:
    """The inverse of :func:`encode_container`. Raises ParseError."""
    found = loads(data)
    limit, anon = found.get("limit_bytes"), found.get("anon_bytes")
    return Container(limit if whole(limit) else None, anon if whole(anon) else None)
