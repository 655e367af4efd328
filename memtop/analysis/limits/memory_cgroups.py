"""Finds the directory of a process's memory cgroup: pure functions over parsed files.

If the names do not lead there with certainty, the answer is "unknown" (an empty tuple), never a guess.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from memtop.procfs.membership import CgroupOwner, Membership, cgroup_label, owner
from memtop.procfs.mountinfo import Mount


class Version(Enum):
    """Version of the hierarchy that accounts memory."""

    V1 = 1
    V2 = 2


class CgroupPlace(NamedTuple):
    """A directory of the cgroup file system."""

    version: Version
    mount_point: bytes
    inside: bytes
    """Path below the mount point: empty for its root, otherwise with a leading slash."""
    root: bytes = b""
    """The part of the hierarchy that is mounted there, as the reader's cgroup namespace sees it; empty for the root."""

    @property
    def chain(self) -> tuple[str, ...]:
        """This directory and its visible ancestors, nearest first, as paths without the leading slash."""
        return tuple(os.fsdecode(self.mount_point + inside).lstrip("/") for inside in self._insides())

    @property
    def labels(self) -> tuple[str, ...]:
        """The usual name of each directory of :attr:`chain`. The names above the mount point count too."""
        return tuple(cgroup_label(self.root + inside) for inside in self._insides())

    @property
    def owners(self) -> tuple[CgroupOwner, ...]:
        """Container, pod and unit of each directory of :attr:`chain`. The names above the mount point count too."""
        return tuple(owner(self.root + inside) for inside in self._insides())

    def _insides(self) -> Iterator[bytes]:
        inside = self.inside
        while inside:
            yield inside
            inside = inside.rpartition(b"/")[0]
        yield b""


def memory_places(
    memberships: Sequence[Membership], mounts: Sequence[Mount], v2_controllers: bytes | None
) -> tuple[CgroupPlace, ...]:
    """Places where the process's memory cgroup may be mounted, the best first; empty if unknown.

    ``v2_controllers`` is cgroup.controllers of the cgroup2 mount; None if it cannot be read. All places are the same
    cgroup. There is more than one if the hierarchy is mounted several times.
    """
    return controller_places(b"memory", memberships, mounts, v2_controllers)


def controller_places(
    controller: bytes, memberships: Sequence[Membership], mounts: Sequence[Mount], v2_controllers: bytes | None
) -> tuple[CgroupPlace, ...]:
    """The same for another controller, such as ``pids``."""
    v1 = next((one for one in memberships if controller in one.controllers), None)
    if v1:
        found = _places(v1, [m for m in mounts if m.fstype == b"cgroup" and controller in m.super_options], Version.V1)
    else:
        v2 = next((one for one in memberships if one.hierarchy == 0), None)
        if v2 is None or v2_controllers is None or controller not in v2_controllers.split():
            return ()
        found = _places(v2, [m for m in mounts if m.fstype == b"cgroup2"], Version.V2)
    # A mount of the whole hierarchy shows more ancestors than one of a part of it.
    return tuple(dict.fromkeys(sorted(found, key=lambda place: len(place.inside), reverse=True)))


def unified_places(memberships: Sequence[Membership], mounts: Sequence[Mount]) -> tuple[CgroupPlace, ...]:
    """The same for the cgroup of version 2, whatever controllers it has."""
    mine = next((one for one in memberships if one.hierarchy == 0), None)
    return () if mine is None else tuple(_places(mine, [m for m in mounts if m.fstype == b"cgroup2"], Version.V2))


def seen_below(prefix: bytes, mounts: Sequence[Mount]) -> tuple[Mount, ...]:
    """The mounts of another mount namespace, as paths below ``prefix``: /proc/PID/root of a process in it."""
    return tuple(mount._replace(point=prefix + mount.point) for mount in mounts)


def _places(member: Membership, mounts: Sequence[Mount], version: Version) -> Iterator[CgroupPlace]:
    if member.deleted:
        return
    for mount in mounts:
        root = mount.root.rstrip(b"/")
        inside = _below(member.path.rstrip(b"/"), root)
        if inside is not None:
            yield CgroupPlace(version, mount.point.rstrip(b"/"), inside, root)


def _below(path: bytes, root: bytes) -> bytes | None:
    """``path`` as seen from ``root``; None if it is not below it, or if that is unknown.

    Both are relative to the root of the reader's cgroup namespace, and a leading ``/..`` climbs out of it. The kernel
    does not name what it climbs out of, so the two can be compared only if they climb equally far.
    """
    (path_up, path_rest), (root_up, root_rest) = _climb(path), _climb(root)
    if path_up != root_up or b".." in path_rest + root_rest or path_rest[: len(root_rest)] != root_rest:
        return None
    return b"".join(b"/" + part for part in path_rest[len(root_rest) :])


def _climb(path: bytes) -> tuple[int, list[bytes]]:
    """How often a path goes up at its start, and the components after that."""
    parts = [part for part in path.split(b"/") if part]
    up = next((number for number, part in enumerate(parts) if part != b".."), len(parts))
    return up, parts[up:]
