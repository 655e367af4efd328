"""Finds the memory cgroup of a process by memtop's own mounts, or by the mounts that the process sees."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from memtop.analysis.limits.memory_cgroups import CgroupPlace, Version, memory_places, seen_below
from memtop.errors import AccessDenied, MemtopError, NotRecorded
from memtop.procfs.membership import DELETED, CgroupNames, CgroupOwner, Membership, names_of, parse_memberships
from memtop.procfs.mountinfo import Mount, has_own_meminfo, parse_mountinfo
from memtop.sampling.cgroups.cgroup_files import CgroupFiles
from memtop.sources.protocol import Source

NOT_PERMITTED: Final = "no permission to read its cgroup"
NOT_READ: Final = "its cgroup cannot be read"
NOT_MOUNTED: Final = "no file system of memory cgroups shows its cgroup"
OUTSIDE: Final = "its cgroup is outside this cgroup namespace"
REMOVED: Final = "its cgroup has been removed"
_CGROUP_TYPES: Final = (b"cgroup", b"cgroup2")
_MOUNTS_BYTES: Final = 1 << 20


class Found(NamedTuple):
    """The memory cgroup of a process, and its owner."""

    names: CgroupNames = CgroupNames("", CgroupOwner())
    chain: tuple[str, ...] = ()
    """Its memory cgroup and the ancestors, nearest first; empty if there are none, or if unknown."""
    labels: tuple[str, ...] = ()
    """Usual name of each of them."""
    owners: tuple[CgroupOwner, ...] = ()
    """Container, pod and unit that each of them belongs to."""
    v2: bool = False
    unread: str = ""
    """Why the chain is unknown; empty if it is known, or if there is none."""


class CgroupFinder:
    """Finds memory cgroups through a Source; :meth:`begin` reads memtop's own mounts again."""

    def __init__(self, source: Source, files: CgroupFiles) -> None:
        self._source = source
        self._files = files
        self.mounts: tuple[Mount, ...] = ()
        """Those of memtop's own mount namespace."""
        self.own_meminfo = False
        """Whether /proc/meminfo is that of a container."""
        self.controllers: bytes | None = None
        """Controllers of version 2 where it is mounted; None where they cannot be read."""
        self.version = 0
        """How often the mounts were found to differ from before."""
        self._found: dict[bytes, tuple[bytes, Found]] = {}
        """By content of /proc/PID/cgroup, if memtop's own mounts led there; since the mounts were read."""

    def begin(self) -> None:
        """Read the mounts again."""
        self._found.clear()
        before = self.mounts
        try:
            self.mounts = parse_mountinfo(self._source.read("proc/self/mountinfo", _MOUNTS_BYTES))
        except NotRecorded:
            pass  # what a recording said before still holds
        except MemtopError:
            self.mounts = ()
        controllers = self._controllers_at(self.mounts)
        if controllers is not None or self.mounts != before:
            self.controllers = controllers
        self.version += self.mounts != before
        self.own_meminfo = has_own_meminfo(self.mounts)

    @property
    def blind(self) -> bool:
        """Whether no mounts are known."""
        return not self.mounts

    @staticmethod
    def refused(error: MemtopError) -> Found:
        """The answer for a process whose /proc/PID/cgroup cannot be read."""
        return Found(unread=NOT_PERMITTED if isinstance(error, AccessDenied) else NOT_READ)

    def find(self, folder: str, raw: bytes) -> Found:
        """Find the memory cgroup.

        ``folder`` is the directory of the process or of one of its threads, ``raw`` its file ``cgroup``.
        """
        if (known := self._found.get(raw)) is not None:
            return known[1]
        members = parse_memberships(raw)
        if not members and any(mount.fstype in _CGROUP_TYPES for mount in self.mounts):
            return Found(unread=NOT_READ)
        place = self._visible(memory_places(members, self.mounts, self.controllers))
        if place is None and any(member.deleted for member in members):
            named_so = tuple(map(_named_so, members))
            place = self._visible(memory_places(named_so, self.mounts, self.controllers))
            if place is None:
                return Found(names_of(members), unread=REMOVED)
            members = named_so
        if place is not None or self._never_accounted(members):
            found = self._at(place, "", members)
            self._found[raw] = raw, found  # the same for every process with these lines
            return found
        return self._at(*self._elsewhere(folder, members), members)

    def shared(self, raw: bytes) -> bytes:
        """The same lines in one object for all processes that have them: thousands share a cgroup."""
        known = self._found.get(raw)
        return known[0] if known is not None else raw

    def _at(self, place: CgroupPlace | None, unread: str, members: tuple[Membership, ...]) -> Found:
        if place is None:
            return Found(names_of(members), unread=unread)
        v2 = place.version is Version.V2
        start = self._charged(place.chain) if v2 else 0
        return Found(names_of(members), place.chain[start:], place.labels[start:], place.owners[start:], v2)

    def _elsewhere(self, folder: str, members: tuple[Membership, ...]) -> tuple[CgroupPlace | None, str]:
        """The directory of its cgroup by the mounts that the process sees, and why that is unknown."""
        why = OUTSIDE if any(b".." in member.path.split(b"/") for member in members) else NOT_MOUNTED
        try:
            raw = self._source.read(f"{folder}/mountinfo", _MOUNTS_BYTES)
        except MemtopError:
            return None, why
        theirs = seen_below(f"/{folder}/root".encode(), parse_mountinfo(raw))
        place = self._visible(memory_places(members, theirs, self._controllers_at(theirs)))
        return place, "" if place is not None else why

    def _never_accounted(self, members: tuple[Membership, ...]) -> bool:
        """Whether there is no memory controller.

        Then version 1 has none, and neither has the root of version 2, which is the only cgroup without a type.
        """
        if any(b"memory" in member.controllers for member in members) or self.controllers is None:
            return False
        whole = any(not self._files.there(place.chain[0], "cgroup.type") for place in _roots(self.mounts))
        return whole and b"memory" not in self.controllers.split()

    def _visible(self, places: tuple[CgroupPlace, ...]) -> CgroupPlace | None:
        """The first that exists. Another mount may lie over it."""
        names = {Version.V1: "memory.usage_in_bytes", Version.V2: "cgroup.controllers"}
        return next((place for place in places if self._files.there(place.chain[0], names[place.version])), None)

    def _charged(self, chain: tuple[str, ...]) -> int:
        """The first of a chain that accounts memory.

        Below a cgroup that does not pass the controller on, and in a threaded one, there are no memory files.
        """
        for number, path in enumerate(chain):
            raw = self._files.file(path, "cgroup.controllers", 1024)
            if raw is None or b"memory" in raw.split():
                return number
        return 0

    def _controllers_at(self, mounts: Iterable[Mount]) -> bytes | None:
        """The controllers of version 2 at the first of these mounts where they are readable."""
        found = (self._files.file(place.chain[0], "cgroup.controllers", 1024) for place in _roots(mounts))
        return next((raw for raw in found if raw is not None), None)


def _named_so(member: Membership) -> Membership:
    """The cgroup whose own name ends as the kernel marks one that was removed."""
    return member._replace(path=member.path + DELETED, deleted=False) if member.deleted else member


def _roots(mounts: Iterable[Mount]) -> list[CgroupPlace]:
    """Mount points of version 2."""
    return [CgroupPlace(Version.V2, mount.point.rstrip(b"/"), b"") for mount in mounts if mount.fstype == b"cgroup2"]
