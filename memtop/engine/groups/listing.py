"""Lists groups: selects their members, filters the groups, and sorts them or puts cgroups into their tree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter

from memtop.analysis.limits.large import FAILED_BYTES
from memtop.engine.groups.gone_groups import BETWEEN_RUNS_S
from memtop.engine.groups.group_table import GroupChoice, GroupTable
from memtop.engine.groups.group_tree import grow_groups
from memtop.engine.groups.naming import UNKNOWN
from memtop.model.frame import TreePlace
from memtop.model.group import By, GroupKey, GroupRow
from memtop.model.request import Request
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.sample import Sample


def list_groups(
    table: GroupTable,
    chosen: Iterable[ProcessRow],
    request: Request,
    sample: Sample,
    past_s: float | None,
    *,
    ended: Iterable[ProcessRow] = (),
) -> tuple[tuple[GroupRow, ...], tuple[TreePlace, ...] | None]:
    """The groups of the chosen processes that pass the filters, in order; their places in the tree, None if flat.

    ``ended`` has the rows of processes that have ended: a group of which one of some size did so a moment ago stays.
    """
    rows = request.rows
    assert rows.by is not None
    tree = rows.tree and rows.by is By.CGROUP
    members = chosen = list(chosen)
    hidden: list[ProcessRow] = []
    if rows.where is not None:
        members = [row for row in chosen if rows.where(row)]
        shown = {row.pid for row in members}
        hidden = [row for row in chosen if row.pid not in shown]
    choice = GroupChoice(rows.by, tree, request.groups.focus, request.groups.visible, rows.where)
    groups = table.rows(choice, members, sample, past_s, hidden=hidden)
    if past_s is None:
        lately = [row for row in ended if _ended_lately(row, sample) and (rows.where is None or rows.where(row))]
        groups = [*groups, *_between_runs(table, rows.by, lately, {row.key for row in groups}, sample)]
    if rows.groups_where is not None:
        groups = [row for row in groups if rows.groups_where(row)]
    listed = _ordered(groups, rows.sort, rows.descending)
    if not tree:
        return tuple(listed), None
    return grow_groups(listed, rows.folded)


def _ended_lately(row: ProcessRow, sample: Sample) -> bool:
    size_bytes = row.peak_rss_bytes or row.rss_bytes or 0
    return row.gone_s is not None and size_bytes >= FAILED_BYTES and sample.wall_s - row.gone_s <= BETWEEN_RUNS_S


def _between_runs(
    table: GroupTable, by: By, ended: Sequence[ProcessRow], known: Collection[GroupKey], sample: Sample
) -> Iterable[GroupRow]:
    """The last rows of groups without members: each may be started again."""
    naming = table.naming(by, sample.cgroups or CgroupSample(), {row.pid: row for row in ended})
    latest = {}
    for row in sorted(ended, key=lambda one: one.gone_s or 0.0):
        name = naming.group_of(row)
        if name.key not in known and name.key.name not in (UNKNOWN, "") and row.rss_bytes is not None:
            latest[name.key] = row, name
    return [table.ended_row(row, name, sample) for row, name in latest.values()]


def members_of(table: GroupTable, key: GroupKey, rows: Iterable[ProcessRow], sample: Sample) -> Sequence[ProcessRow]:
    """The processes of a group; of a cgroup those below it too."""
    cgroups = sample.cgroups or CgroupSample()
    key = found_key(key, sample)
    if key.by is By.CGROUP:
        inside = [row for row in rows if key.name in cgroups.chains.get(row.key, ())]
        if inside:
            return inside
    rows = list(rows)
    naming = table.naming(key.by, cgroups, {row.pid: row for row in rows})
    return [row for row in rows if row.rss_bytes is not None and naming.group_of(row).key == key]


def group_of_member(
    table: GroupTable, by: By, member: ProcessKey, rows: Iterable[ProcessRow], sample: Sample
) -> GroupKey | None:
    """The group of a process, also of one that has ended and is still listed; None where it is not."""
    by_pid = {row.pid: row for row in rows if row.gone_s is None}
    row = next((row for row in rows if row.key == member), None)
    if row is None:
        return None
    return table.naming(by, sample.cgroups or CgroupSample(), by_pid).group_of(row).key


def found_key(key: GroupKey, sample: Sample) -> GroupKey:
    """The group that a user means by the path of a cgroup, or by the name of a unit with or without its suffix."""
    cgroups = sample.cgroups or CgroupSample()
    if key.name in cgroups.labels or key.by not in (By.CGROUP, By.UNIT):
        return key
    if key.by is By.CGROUP:
        wanted = key.name.strip("/")
        paths = [path for path in cgroups.labels if path == wanted or path.endswith("/" + wanted)] if wanted else []
        if not wanted:  # the root
            paths = list(cgroups.labels)
        return GroupKey(By.CGROUP, min(paths, key=len)) if paths else key
    for name in (key.name, f"{key.name}.service", f"{key.name}.scope"):
        paths = [path for path, owner in cgroups.owners.items() if owner.unit == name]
        if paths:
            return GroupKey(By.UNIT, min(paths, key=len))
        if any(one.owner.unit == name for one in cgroups.names.values()):
            return GroupKey(By.UNIT, name)
    return key


def _ordered(rows: Iterable[GroupRow], field: str, descending: bool) -> list[GroupRow]:
    """By one attribute, unknown last in either direction, then as they are, which is by name."""
    value = attrgetter(field)
    known: list[GroupRow] = []
    unknown: list[GroupRow] = []
    for row in rows:
        (unknown if value(row) is None else known).append(row)
    known.sort(key=value, reverse=descending)
    return known + unknown
