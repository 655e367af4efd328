"""Assigns each process to its group: a cgroup, container, pod, unit, user or program.

Names of containers and units come from :mod:`memtop.procfs.membership`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.membership import CgroupNames, CgroupOwner
from memtop.program_name import program_name
from memtop.redaction import scrub
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sanitize import clean

NOT_LOOKED_UP: Final = "not looked up yet"
UNKNOWN: Final = "?"
"""Name in the key of the group of these."""
_NONE: Final = {By.CONTAINER: "no container", By.POD: "no pod", By.UNIT: "no unit", By.CGROUP: "no cgroup"}
_OF_OWNER: Final = {By.CONTAINER: "container", By.POD: "pod", By.UNIT: "unit"}
_SHORT_ID: Final = 12
_MOST_PLACES: Final = 256
"""Cgroups in which processes have ended that are kept."""


class GroupName(NamedTuple):
    """A group, and what is the same for all its members."""

    key: GroupKey
    name: str
    path: str | None = None
    """Directory of its memory cgroup."""


class Place(NamedTuple):
    """Directories of a cgroup that a process has ended in."""

    chain: tuple[str, ...]
    """The cgroup and its ancestors, nearest first."""
    labels: Mapping[str, str]
    """Usual name of each."""
    owners: Mapping[str, CgroupOwner]


class Places:
    """Where processes have ended: their cgroups may be gone too. A bounded collection."""

    def __init__(self) -> None:
        self._places: dict[CgroupNames, Place] = {}

    def note(self, gone: Iterable[ProcessKey], before: CgroupSample) -> None:
        """Processes that have ended since the sample that had ``before``."""
        for key in gone:
            names, chain = before.names.get(key), before.chains.get(key)
            if names is None or not chain:
                continue
            known = self._places.pop(names, None)
            if known is None or known.chain != chain:
                owners = {path: owner for path in chain if (owner := before.owners.get(path)) is not None}
                known = Place(chain, {path: before.labels.get(path, "") for path in chain}, owners)
            self._places[names] = known  # the last one again
        while len(self._places) > _MOST_PLACES:
            del self._places[next(iter(self._places))]

    def of(self, names: CgroupNames) -> Place | None:
        """Where the cgroup with these names was; None if no process has ended in it lately."""
        return self._places.get(names)


class Naming:
    """Names groups of one kind for one sample; what was found for a cgroup holds for all processes in it."""

    def __init__(
        self,
        by: By,
        cgroups: CgroupSample,
        rows: Mapping[int, ProcessRow] = MappingProxyType({}),
        places: Places | None = None,
    ) -> None:
        """``rows``, by PID, are asked for the parent of a process that is too young to be known; ``places`` for the
        directories of processes that have ended."""
        self._rows = rows
        self._places = places
        self.by = by
        self._cgroups = cgroups
        self._by_place: dict[tuple[int, int], GroupName] = {}
        """By the identity of names and chain, which are the same objects for all processes of a cgroup: to hash the
        strings in them takes twenty times that."""
        self._seen: list[tuple[CgroupNames, tuple[str, ...]]] = []
        """Keeps those objects alive."""
        self._unknown = GroupName(GroupKey(by, UNKNOWN), NOT_LOOKED_UP)

    def group_of(self, row: ProcessRow) -> GroupName:
        """The group of a process."""
        if self.by is By.USER:
            return GroupName(GroupKey(By.USER, str(row.uid)), row.user)
        if self.by is By.PROGRAM:
            parent = self._rows.get(row.ppid or 0) if row.command_raw is None else None
            return by_program(parent if parent is not None and parent.name == row.name else row)
        if row.names is None and (parent := self._rows.get(row.ppid or 0)) is not None:
            row = parent  # a child begins in the cgroup of its parent
        if row.names is None:
            return self._unknown
        chain, gone = self._cgroups.chains.get(row.key), None
        if chain is None and self._places is not None:
            gone = self._places.of(row.names)
            chain = gone.chain if gone is not None else None
        names, chain = row.names, chain or ()
        place = id(names), id(chain)
        found = self._by_place.get(place)
        if found is None:
            found = self._by_place[place] = self._in_cgroup(names, chain, gone)
            self._seen.append((names, chain))
        return found

    def groups_of(self, rows: Iterable[ProcessRow], *, with_above: bool) -> set[GroupKey]:
        """The groups of all that live and have memory; ``with_above`` also the cgroups above theirs."""
        living = [row for row in rows if row.gone_s is None and row.rss_bytes is not None]
        found = {self.group_of(row).key for row in living}
        if with_above and self.by is By.CGROUP:
            found.update(GroupKey(By.CGROUP, path) for row in living for path in self._cgroups.chains.get(row.key, ()))
        return found

    def _in_cgroup(self, names: CgroupNames, chain: tuple[str, ...], gone: Place | None) -> GroupName:
        if self.by is By.CGROUP:
            if chain:
                found = self.cgroup(chain[0])
                label = gone.labels.get(chain[0]) if gone is not None else None
                return found if label is None or chain[0] in self._cgroups.labels else found._replace(name=label)
            return GroupName(GroupKey(By.CGROUP, names.path), names.path or _NONE[By.CGROUP])
        attribute = _OF_OWNER[self.by]
        name = getattr(names.owner, attribute)
        if name is None:
            return GroupName(GroupKey(self.by, ""), _NONE[self.by])
        owners = self._cgroups.owners if gone is None else gone.owners
        same = [path for path in chain if getattr(owners.get(path, CgroupOwner()), attribute) == name]
        path = same[-1] if same else None
        return GroupName(GroupKey(self.by, path or name), self._shown(name, names.owner), path)

    def cgroup(self, path: str) -> GroupName:
        """The group of a cgroup's directory."""
        return GroupName(GroupKey(By.CGROUP, path), self._cgroups.labels.get(path) or clean(path), path)

    def _shown(self, name: str, owner: CgroupOwner) -> str:
        short = name[:_SHORT_ID] if len(name) == 64 and name.isalnum() else name
        return f"{owner.runtime} {short}" if self.by is By.CONTAINER and owner.runtime else short


def by_program(row: ProcessRow) -> GroupName:
    """The group of all that run the same program, or the same script, module or main class, by any interpreter."""
    return _program(row.command_raw, row.name)


_programs: dict[int, GroupName] = {}
"""By the hash of the command line, which may be of 4 KB: where processes come and go, thousands that have ended are
here."""
_by_shown: dict[str, GroupName] = {}
"""One object for all command lines of a program."""
_MOST_PROGRAMS: Final = 8192


def _program(command: bytes | None, name: str) -> GroupName:
    """Cached by command line, since most are the same from sample to sample."""
    key = hash((command, name))
    found = _programs.get(key)
    if found is None:
        if len(_programs) >= _MOST_PROGRAMS:
            _programs.clear()
            _by_shown.clear()
        shown = (clean(scrub(program_name(command).runs)) if command else "") or name
        found = _by_shown.setdefault(shown, GroupName(GroupKey(By.PROGRAM, shown), shown))
        _programs[key] = found
    return found


def kinds_of(names: Iterable[CgroupNames]) -> frozenset[By]:
    """The kinds of groups that there are; no containers where no process is in one."""
    # Those of one cgroup are one object: to hash thousands of them takes ten times that.
    owners = {one.owner for one in {id(one): one for one in names}.values()}
    there = {by for by, attribute in _OF_OWNER.items() if any(getattr(owner, attribute) for owner in owners)}
    return frozenset({By.CGROUP, By.USER, By.PROGRAM} | there)
