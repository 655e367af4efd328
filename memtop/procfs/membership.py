r"""/proc/PID/cgroup, cgroups(7): the cgroups of a process, and the container, pod and unit that their paths name.

The shapes are those of Docker, containerd, CRI-O, Podman, nerdctl, BuildKit, LXC, systemd-nspawn, ECS, Cloud Foundry
and Kubernetes with both cgroup drivers. ``tests/data/cgroups/names.tsv`` has one row for each.
"""

import os
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from memtop.procfs.lines import int_or_none
from memtop.sanitize import clean

DELETED: Final = b" (deleted)"
"""What the kernel appends to the path of a cgroup that was removed."""
# Patterns are compiled by their first use: few paths have what most of them begin or end with.
_CONTAINER: Final = r"(?a)(?:(?P<prefix>[A-Za-z][\w.-]*?)-)?(?P<id>[0-9a-f]{64})(?:\.scope)?\Z"
_ID: Final = r"[0-9a-f]{64}\Z"
_ID_DIGITS: Final = 64
_FARGATE: Final = r"[0-9a-f]{32}-[0-9]{6,12}\Z"
_LXC: Final = r"(?s)lxc\.payload\.(?P<name>.+)\Z"
_MACHINE: Final = r"(?:systemd-nspawn@(?P<service>.+)\.service|machine-(?P<scope>.+)\.scope)\Z"
_POD: Final = (
    r"(?a)(?:[\w.-]+-)?pod(?P<uid>[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?\Z"
)
_PODMAN_POD: Final = r"(?a)(?:[\w.-]+-)?libpod_pod_(?P<uid>[0-9a-f]{64})(?:\.slice)?\Z"
_UNIT: Final = r"[A-Za-z0-9:_.\\@-]+\.[a-z]+\Z"
_SLICE: Final = ".slice"
_UNITS: Final = (".service", ".scope", ".mount", ".socket", ".swap")
_ESCAPE: Final = r"\\x([0-9a-f]{2})"
_RUNTIMES: Final = {
    "balena": "balena",
    "buildkit": "buildkit",
    "containerd": "containerd",
    "cri-containerd": "containerd",
    "crio": "cri-o",
    "docker": "docker",
    "libpod": "podman",
    "libpod-payload": "podman",
    "nerdctl": "containerd",
}
"""The prefix of a container's ID, and the runtime that writes it."""
_FOLDERS: Final = {"buildkit": "buildkit", "garden": "garden", "lxc": "lxc", "lxc.payload": "lxc", "mesos": "mesos"}
"""Directories whose children are containers, whatever their names."""
_SHORT_ID: Final = 12
"""Digits of a container's ID that its tools print."""


class Membership(NamedTuple):
    """One line of /proc/PID/cgroup."""

    hierarchy: int
    """0 is cgroup v2."""
    controllers: tuple[bytes, ...]
    path: bytes
    """As seen from the reader's cgroup namespace. A path with ``/..`` lies outside of it."""
    deleted: bool
    """The cgroup has been removed; the process is a zombie."""


class CgroupOwner(NamedTuple):
    """Names found in a cgroup's path, cleaned; None if the path has no such name."""

    unit: str | None = None
    """The innermost service, scope, mount, socket or swap of systemd; a slice only if there is no other unit. For a
    process in a container it is the unit inside the container."""
    runtime: str | None = None
    """docker, containerd, cri-o, podman, lxc and the like; None if the path does not say which."""
    container: str | None = None
    """The container's ID of 64 digits, or the name of a container that has no such ID."""
    pod: str | None = None
    """The UID of the Kubernetes pod, with dashes if it is a UUID; or the ID of the Podman pod."""


class CgroupNames(NamedTuple):
    """What /proc/PID/cgroup names for a process."""

    path: str
    """Path of its memory cgroup within the hierarchy, cleaned; empty if the file names none."""
    owner: CgroupOwner


def parse_memberships(data: bytes) -> tuple[Membership, ...]:
    """Parse all lines of /proc/PID/cgroup. Malformed lines are skipped."""
    found = []
    for line in data.split(b"\n"):
        number, first, rest = line.partition(b":")
        controllers, second, path = rest.partition(b":")
        hierarchy = int_or_none(number)
        if hierarchy is None or not first or not second or not path.startswith(b"/"):
            continue
        deleted = path.endswith(DELETED)
        names = tuple(name for name in controllers.split(b",") if name)
        found.append(Membership(hierarchy, names, path.removesuffix(DELETED) if deleted else path, deleted))
    return tuple(found)


def names_of(memberships: Sequence[Membership]) -> CgroupNames:
    """The cgroup that accounts the memory of a process, and the names in its path, from its whole /proc/PID/cgroup.

    If no controller of version 1 accounts memory, the path is that of version 2, or of systemd's own hierarchy.
    """
    order = sorted(memberships, key=_memory_first)
    path = next((one.path for one in order if _names_memory(one)), b"")
    return CgroupNames(clean(path), owner_of(memberships))


def owner(path: bytes) -> CgroupOwner:
    """The innermost container, pod and unit that a cgroup path names."""
    return [CgroupOwner(), *_owners(_parts(path))][-1]


def owner_of(memberships: Sequence[Membership]) -> CgroupOwner:
    """The owner of a process, from its whole /proc/PID/cgroup.

    The memory controller's path decides. If that path names only slices, or nothing (version 1 without memory
    accounting), the path in systemd's own hierarchy names the unit.
    """
    order = sorted(memberships, key=lambda one: 0 if b"memory" in one.controllers else 1 if one.hierarchy else 2)
    known = [owner(one.path) for one in order if _names_memory(one)]
    exact = (one for one in known if one.container or one.pod or (one.unit and not one.unit.endswith(_SLICE)))
    return next(exact, next((one for one in known if one.unit), CgroupOwner()))


def _memory_first(one: Membership) -> int:
    return 0 if b"memory" in one.controllers else 1 if not one.hierarchy else 2


def _names_memory(one: Membership) -> bool:
    """Whether a line may name the owner of memory: that of the controller, of version 2, or of systemd."""
    return bool({b"memory", b"name=systemd"} & {*one.controllers}) or not one.hierarchy


def cgroup_label(path: bytes) -> str:
    """The usual name of the cgroup at ``path``: its innermost container, pod or unit, then the rest of the path.

    ``docker 0123456789ab``, ``nginx.service/worker``; the whole path if nothing in it has a name.
    """
    parts = _parts(path)
    label, rest, before = "", list(parts), CgroupOwner()
    for number, now in enumerate(_owners(parts), 1):
        name = ""
        if now.container is not None and (now.container, now.runtime) != (before.container, before.runtime):
            name = f"{now.runtime or 'container'} {_short(now.container)}"
        elif now.pod is not None and now.pod != before.pod:
            name = f"pod {_short(now.pod)}"
        elif _is_unit(parts[number - 1], (*_UNITS, _SLICE)):
            name = parts[number - 1].removeprefix("_")
        if name:
            label, rest = name, parts[number:]
        before = now
    return clean("/".join([label, *rest])) or "/"


def _short(name: str) -> str:
    return name[:_SHORT_ID] if len(name) == _ID_DIGITS and re.match(_ID, name) else name


def _is_unit(part: str, kinds: str | tuple[str, ...]) -> bool:
    """Whether a component is the name of a unit of systemd, of one of these kinds."""
    return part.endswith(kinds) and re.match(_UNIT, part) is not None


def _parts(path: bytes) -> list[str]:
    r"""The components of a path, not yet cleaned.

    ``NAME.slice:RUNTIME:ID`` is one directory that a runtime without the systemd driver creates; it becomes two
    components. ``..`` lies outside the reader's cgroup namespace and has no name.
    """
    parts: list[str] = []
    for part in (os.fsdecode(piece) for piece in path.split(b"/") if piece not in (b"", b"..")):
        fields = part.split(":")
        if len(fields) == 3 and _is_unit(fields[0], _SLICE):
            parts += [fields[0], f"{fields[1]}-{fields[2]}"]
        else:
            parts.append(part)
    return parts


def _owners(parts: Sequence[str]) -> Iterator[CgroupOwner]:
    """The owner after each component."""
    now, parent = CgroupOwner(), ""
    for number, part in enumerate(parts):
        below = parts[number + 1] if number + 1 < len(parts) else ""
        if found := _container(part, parent, below):
            now = CgroupOwner(runtime=found[0], container=clean(found[1]), pod=now.pod)
        elif "pod" in part and (match := re.match(_POD, part) or re.match(_PODMAN_POD, part)):
            now = CgroupOwner(runtime=now.runtime, container=now.container, pod=match["uid"].replace("_", "-"))
        elif _is_unit(part, _UNITS) or (_is_unit(part, _SLICE) and (now.unit is None or now.unit.endswith(_SLICE))):
            # systemd puts one underscore before names that could be mistaken for a file of the kernel.
            now = CgroupOwner(part.removeprefix("_"), now.runtime, now.container, now.pod)
        parent = part
        yield now


def _container(part: str, parent: str, below: str) -> tuple[str | None, str] | None:
    """Runtime and container that a component names; None if it names no container."""
    found = re.match(_CONTAINER, part) if len(part) >= _ID_DIGITS else None
    if found and not (found["prefix"] or "").endswith("conmon"):
        return _RUNTIMES.get(found["prefix"] or parent), found["id"]
    if part.startswith("lxc.") and (found := re.match(_LXC, part)):
        return "lxc", found["name"]
    if part[-1:].isdigit() and re.match(_FARGATE, part):
        return None, part
    if parent in _FOLDERS:
        return _FOLDERS[parent], part
    found = re.match(_MACHINE, part) if part.startswith(("systemd-nspawn@", "machine-")) else None
    if found and (below == "payload" or (found["service"] and below not in ("", "supervisor"))):
        name = found["service"] or found["scope"]
        return "systemd-nspawn", re.sub(_ESCAPE, lambda code: chr(int(code[1], 16)), name)
    return None
