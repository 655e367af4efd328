"""Finds the directory of a process's memory cgroup and the cgroup's owner (container, service): pure functions.

Where the names do not lead there with certainty the answer is "unknown" (an empty tuple), never a guess.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from memtop.procfs.cgroup import Membership
from memtop.procfs.mountinfo import Mount
from memtop.sanitize import clean

_HEX_ID: Final = r"[0-9a-f]{64}"
_SCOPE: Final = re.compile(rf"(?P<runtime>docker|cri-containerd|crio|libpod)-(?P<id>{_HEX_ID})(?:\.scope)?\Z")
_BARE: Final = re.compile(rf"{_HEX_ID}\Z")
_LXC: Final = re.compile(r"lxc\.payload\.(?P<name>.+)\Z")
_POD: Final = re.compile(
    r"(?:kubepods(?:-[a-z]+)*-)?pod(?P<uid>[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?\Z"
)
_UNIT: Final = re.compile(r".+\.(?:service|scope|slice)\Z")
_RUNTIME: Final = {"cri-containerd": "containerd", "crio": "cri-o", "libpod": "podman"}


class Version(Enum):
    """Of the hierarchy that accounts memory."""

    V1 = 1
    V2 = 2


@dataclass(frozen=True, slots=True)
class CgroupPlace:
    """A directory of the cgroup file system."""

    version: Version
    mount_point: bytes
    inside: bytes
    """Path below the mount point: empty for its root, else with a leading slash."""

    @property
    def chain(self) -> tuple[str, ...]:
        """This directory and its visible ancestors, nearest first, as paths without the leading slash."""
        inside, found = self.inside, []
        while inside:
            found.append(self.mount_point + inside)
            inside = inside.rpartition(b"/")[0]
        found.append(self.mount_point)
        return tuple(os.fsdecode(path).lstrip("/") for path in found)


@dataclass(frozen=True, slots=True)
class CgroupOwner:
    """Names found in a cgroup's path, cleaned; None where there is no such name in it."""

    unit: str | None = None
    """systemd's service, scope or slice, the innermost one."""
    runtime: str | None = None
    """docker, containerd, cri-o, podman, lxc."""
    container: str | None = None
    """The container's id of 64 digits, or the name of an LXC container."""
    pod: str | None = None
    """The Kubernetes pod's uid, with dashes where it is a UUID."""


def memory_places(
    memberships: Sequence[Membership], mounts: Sequence[Mount], v2_controllers: bytes | None
) -> tuple[CgroupPlace, ...]:
    """Where the process's memory cgroup may be mounted, the best first; nothing where that is unknown.

    ``v2_controllers`` is cgroup.controllers of the cgroup2 mount, None where it cannot be read. All places are the
    same cgroup; more than one where the hierarchy is mounted several times.
    """
    v1 = next((one for one in memberships if b"memory" in one.controllers), None)
    if v1:
        found = _places(v1, [m for m in mounts if m.fstype == b"cgroup" and b"memory" in m.super_options], Version.V1)
    else:
        v2 = next((one for one in memberships if one.hierarchy == 0), None)
        if v2 is None or v2_controllers is None or b"memory" not in v2_controllers.split():
            return ()
        found = _places(v2, [m for m in mounts if m.fstype == b"cgroup2"], Version.V2)
    # A mount of the whole hierarchy shows more ancestors than one of a part of it.
    return tuple(dict.fromkeys(sorted(found, key=lambda place: len(place.inside), reverse=True)))


def _places(member: Membership, mounts: Sequence[Mount], version: Version) -> Iterator[CgroupPlace]:
    if member.deleted or b".." in member.path.split(b"/"):
        return
    path = member.path.rstrip(b"/")
    for mount in mounts:
        root = mount.root.rstrip(b"/")
        if b".." not in root.split(b"/") and (path == root or path.startswith(root + b"/")):
            yield CgroupPlace(version, mount.point.rstrip(b"/"), path[len(root) :])


def owner(path: bytes) -> CgroupOwner:
    """The container, pod and unit that a cgroup path names; the innermost of each."""
    unit = runtime = container = pod = None
    parent = ""
    for part in (clean(piece) for piece in path.split(b"/") if piece):
        if _UNIT.match(part):
            unit = part
        if found := _POD.match(part):
            pod = found["uid"].replace("_", "-")
        elif found := _SCOPE.match(part):
            runtime, container = _RUNTIME.get(found["runtime"], found["runtime"]), found["id"]
        elif found := _LXC.match(part):
            runtime, container = "lxc", found["name"]
        elif _BARE.match(part):
            runtime, container = ("docker" if parent == "docker" else None), part
        elif parent == "lxc":
            runtime, container = "lxc", part
        parent = part
    return CgroupOwner(unit, runtime, container, pod)
