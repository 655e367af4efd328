"""Memory limit around a process: the lowest of its cgroup and the cgroups above it."""

from __future__ import annotations

from typing import NamedTuple

from memtop.analysis.limits.cgroup_limits import Read, limit_bytes, memory_stat, places_of
from memtop.analysis.limits.memory_cgroups import CgroupPlace, Version
from memtop.procfs.cgroup import UNLIMITED
from memtop.runtimes.process_folder import process_folder
from memtop.runtimes.protocol import Access
from memtop.runtimes.small_json import dumps, loads, whole


class Container(NamedTuple):
    """The memory limit around a process."""

    limit_bytes: int | None
    """None if there is no limit or it is unknown."""
    anon_bytes: int | None
    """Anonymous memory of all processes in the cgroup."""


def read_container(access: Access, pid: int, argument: str = "") -> bytes:
    """Read the limit and return it as small JSON."""

    def read(path: str, size: int) -> bytes | None:
        return access.read_or_empty(path) or None

    places = places_of(read, process_folder(access, pid))
    return encode_container(_limit_of(read, places[0]) if places else Container(None, None))


def _limit_of(read: Read, place: CgroupPlace) -> Container:
    limits = [limit_bytes(read, folder, v2=place.version is Version.V2) for folder in place.chain]
    least = min((limit for limit in limits if limit is not None and limit != UNLIMITED), default=None)
    stat = memory_stat(read, place.chain[0])
    return Container(least, None if stat is None else stat.anon_bytes)


def encode_container(container: Container) -> bytes:
    """Encode the limit as small JSON."""
    return dumps(container._asdict())


def decode_container(data: bytes) -> Container:
    """The inverse of :func:`encode_container`. Raises ParseError."""
    found = loads(data)
    limit, anon = found.get("limit_bytes"), found.get("anon_bytes")
    return Container(limit if whole(limit) else None, anon if whole(anon) else None)
