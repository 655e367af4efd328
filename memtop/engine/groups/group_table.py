"""Table of groups: builds the rows of those that are listed, and keeps those of groups that have gone."""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NamedTuple

from memtop.engine.groups.charge import Charge, ceiling_of, is_swapless, unread_limit
from memtop.engine.groups.event_counts import EventCounts
from memtop.engine.groups.gone_groups import GoneGroups
from memtop.engine.groups.group_rows import CgroupState, gone_row, group_row
from memtop.engine.groups.group_series import GroupSeries
from memtop.engine.groups.group_tree import with_above
from memtop.engine.groups.kept_sums import KeptSums
from memtop.engine.groups.naming import GroupName, Naming, Places
from memtop.engine.groups.sums import Sums, Totals, sums_of
from memtop.history.rings import Gap
from memtop.model.assessment import ExitReport
from memtop.model.group import By, GroupKey, GroupRow
from memtop.model.row import ProcessRow
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.sample import Sample

MOST_ROWS: Final = 256
"""Of more groups than this, those that are not on screen and have not changed have their rows built in turn: each takes
0.02 ms."""


class GroupChoice(NamedTuple):
    """Which groups are built."""

    by: By
    tree: bool = False
    """With the cgroups above those that have members."""
    focus: GroupKey | None = None
    """The group that is looked at; its last row is kept when it has no members anymore."""
    visible: tuple[GroupKey, ...] = ()
    """Those on screen."""
    where: Callable[[ProcessRow], bool] | None = None
    """The filter of members."""


class GroupTable:
    """Owned by the engine."""

    def __init__(self, gaps: deque[Gap]) -> None:
        """``gaps`` are the stretches of time in which nothing was read."""
        self._places = Places()
        self.series = GroupSeries(gaps, self._places)
        self._events = EventCounts()
        self._rows: dict[GroupKey, GroupRow] = {}
        """As built last."""
        self._notes = 0
        """Samples that were noted."""
        self._built = 0, False
        """How many had been when rows were built last, and whether these were a tree."""
        self._gone = GoneGroups()
        self._sums = KeptSums()
        self._turn = 0

    def note(self, sample: Sample) -> None:
        """One sample, which :attr:`series` notes as well."""
        self._notes += 1
        cgroups = sample.cgroups or CgroupSample()
        self._events.note_kills(cgroups.kills, cgroups.remade)

    def note_ends(self, ends: Iterable[ExitReport], restarted: Iterable[ProcessRow], sample: Sample) -> None:
        """How processes have ended, and those that take the place of one that crashed."""
        self._events.note_oom_ends(one.path for one in ends if one.is_oom and one.path)
        self._events.note_restarts(restarted, (sample.cgroups or CgroupSample()).chains)

    def rows(
        self,
        choice: GroupChoice,
        members: Iterable[ProcessRow],
        sample: Sample,
        past_s: float | None = None,
        *,
        hidden: Sequence[ProcessRow] = (),
    ) -> list[GroupRow]:
        """The groups that these processes make up, by name, at a sample, or at an instant before it.

        ``hidden`` are processes that a filter leaves out: their groups are not listed, but have not gone.
        """
        cgroups, now_s = sample.cgroups or CgroupSample(), sample.mono_s
        members = list(members)
        naming = self.naming(choice.by, cgroups, {row.pid: row for row in members})
        if past_s is None:
            changed = set(self._sums.update(naming, members))
            sums = self._sums.sums
            totals = {
                key: Totals(one.virt_bytes or 0, one.rss_bytes or 0, one.anon_bytes or 0)
                for key, one in sums.items()
                if one.name.path is None
            }
            self.series.note_totals(choice.by, totals, now_s)
        else:
            changed, sums = set(), sums_of(members, naming.group_of)
        if choice.tree and choice.by is By.CGROUP:
            sums = with_above(sums, naming, cgroups)
        if past_s is None:
            found = self._rows_now(choice, sums, changed, sample)
            self._keep(choice, found, naming, hidden, sample.wall_s)
            self._rows = found
        else:
            rows = _by_name(self._row_at(one, past_s) for one in sums.values())
            found = {row.key: row for row in rows}
        wall_s = sample.wall_s if past_s is None else past_s + sample.wall_s - now_s
        return [*found.values(), *self._gone.listed(choice.by, choice.focus, found, choice.where, wall_s)]

    def row(
        self, key: GroupKey, members: Iterable[ProcessRow], sample: Sample, past_s: float | None
    ) -> GroupRow | None:
        """The row of one group, of whose members all are given; its last one where there are none."""
        cgroups = sample.cgroups or CgroupSample()
        naming = self.naming(key.by, cgroups)
        members = list(members)
        if not members:
            return self._gone.row(key)
        of_cgroup = key.by is By.CGROUP and key.name in cgroups.labels
        name = naming.cgroup(key.name) if of_cgroup else naming.group_of(members[0])
        sums = next(iter(sums_of(members, lambda _: name).values()), None)
        if sums is None:
            return self._gone.row(key)
        row = self._row(sums, cgroups, sample) if past_s is None else self._row_at(sums, past_s)
        if past_s is None:
            self._gone.look_at(row)
        return row

    def ended_row(self, last: ProcessRow, name: GroupName, sample: Sample) -> GroupRow:
        """The row of a group of which all members have ended, by the ``last`` row of the latest of them."""
        sums = sums_of([last._replace(gone_s=None)], lambda _: name)[name.key]
        cgroups = sample.cgroups or CgroupSample()
        cgroups = replace(cgroups, latest=ChainMap(dict(cgroups.latest), self.series.removed))
        return gone_row(self._row(sums, cgroups, sample), last.gone_s or sample.wall_s)

    def naming(self, by: By, cgroups: CgroupSample, rows: Mapping[int, ProcessRow] = MappingProxyType({})) -> Naming:
        """The names of groups of one kind, those of processes that have ended too; ``rows`` by PID."""
        return Naming(by, cgroups, rows, self._places)

    @staticmethod
    def series_of(row: GroupRow) -> GroupKey:
        """The key of the series of a group: that of its cgroup where it has one."""
        return row.key if row.path is None else GroupKey(By.CGROUP, row.path)

    def _rows_now(
        self, choice: GroupChoice, sums: Mapping[GroupKey, Sums], changed: set[GroupKey], sample: Sample
    ) -> dict[GroupKey, GroupRow]:
        """The rows now, by name. Of many groups those that have not changed are built in turn."""
        cgroups, known = sample.cgroups or CgroupSample(), self._rows
        keys = list(sums)
        every = max(1, len(keys) // MOST_ROWS)
        self._turn += 1
        due = changed.union(choice.visible, keys[self._turn % every :: every])
        due.update(GroupKey(choice.by, path) for path in self.series.take_fresh())
        if known.keys() == sums.keys():
            found = known
        else:  # the order of keys is that of names
            found = {key: known.get(key) or self._row(sums[key], cgroups, sample) for key in keys}
        for key in due & sums.keys():
            new = self._row(sums[key], cgroups, sample)
            if new != found[key]:
                found[key] = new
        return found

    def _row(self, sums: Sums, cgroups: CgroupSample, sample: Sample) -> GroupRow:
        path, key = sums.name.path, sums.name.key
        series = key if path is None else GroupKey(By.CGROUP, path)
        state = CgroupState(limit_unread=None if path is None else unread_limit(path, cgroups))
        if path is not None and (timed := cgroups.latest.get(path)) is not None:
            pressure = timed.reading.pressure
            state = CgroupState(
                self.series.charge(path, timed.reading),
                ceiling_of(path, cgroups, sample.system.meminfo),
                pressure.some.avg10_percent if pressure is not None and pressure.some is not None else None,
                self._events.known_kills(path),
                swapless=is_swapless(sample.system.meminfo, cgroups),
                limit_unread=state.limit_unread,
            )
        track, verdict = self.series.growth.track(series), self.series.growth.verdict(series)
        return group_row(
            sums, state, track, verdict=verdict, restarts=self._events.restarts(series), now_s=sample.mono_s
        )

    def _row_at(self, sums: Sums, past_s: float) -> GroupRow:
        """What was kept of an instant of the past: of a cgroup its charge, working set and limit."""
        path, key = sums.name.path, sums.name.key
        series = key if path is None else GroupKey(By.CGROUP, path)
        track = self.series.growth.track(series)
        point = track.at(past_s) if track is not None and path is not None else None
        charge, ceiling = None, None
        if point is not None and path is not None:
            ceiling = self.series.limits.at(path, past_s)
            used = point.rss_bytes - point.shr_bytes
            charge = Charge(point.virt_bytes, point.rss_bytes, used, None, None, None, None, None)
        return group_row(sums, CgroupState(charge, ceiling), track, verdict=None, restarts=None, now_s=past_s)

    def _keep(
        self,
        choice: GroupChoice,
        found: Mapping[GroupKey, GroupRow],
        naming: Naming,
        hidden: Sequence[ProcessRow],
        wall_s: float,
    ) -> None:
        """Keep the last row of the group that is looked at, and of those that had members a moment ago.

        ``found`` are the rows of those that have members now.
        """
        if choice.focus is not None and choice.focus in found:
            self._gone.look_at(found[choice.focus])
        emptied, before = self._sums.emptied, self._rows
        looked_at = self._gone.living(choice.by)
        missing = dict.fromkeys(key for key in looked_at if key not in found)
        noted, was_tree = self._built
        if self._notes <= noted + 1:  # those that are missing after a longer time may have gone at any instant
            lost = before if choice.tree and was_tree else emptied
            missing.update(dict.fromkeys(key for key in lost if key in before and key not in found))
        self._built = self._notes, choice.tree
        living = naming.groups_of(hidden, with_above=choice.tree) if missing else set()
        for key in missing:
            row, last = before.get(key) or self._gone.row(key), emptied.get(key) or _inside(key, emptied)
            moved = last is not None and self._sums.has(last.key) and key not in looked_at  # to another cgroup
            if key not in living and row is not None and not moved:
                self._gone.add(row, last, wall_s)
        self._gone.note_kills(self._events.kills)


def _inside(key: GroupKey, emptied: Mapping[GroupKey, ProcessRow]) -> ProcessRow | None:
    """A member of a cgroup below this one."""
    return next((row for one, row in emptied.items() if one.name.startswith(key.name + "/")), None)


def _by_name(rows: Iterable[GroupRow]) -> list[GroupRow]:
    return sorted(rows, key=lambda row: (row.name, row.key.name))
