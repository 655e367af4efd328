"""Keeps the sums over the members of groups from sample to sample: thousands of groups must not cost a late tick.

A row of a process that has not changed is the same object as before. So only groups are added up again of which a
member has changed, come or gone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from memtop.engine.groups.naming import Naming
from memtop.engine.groups.sums import Sums, summed
from memtop.model.group import By, GroupKey
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey


class KeptSums:
    """The sums of one kind of groups at a time."""

    def __init__(self) -> None:
        self._by: By | None = None
        self._rows: dict[ProcessKey, tuple[ProcessRow, GroupKey]] = {}
        """Each member as added up last, and its group."""
        self._members: dict[GroupKey, dict[ProcessKey, ProcessRow]] = {}
        self.sums: dict[GroupKey, Sums] = {}
        """By name."""
        self.emptied: dict[GroupKey, ProcessRow] = {}
        """The groups that lost their last member at the latest update, each with that member."""

    def update(self, naming: Naming, rows: Sequence[ProcessRow]) -> Collection[GroupKey]:
        """Take the members of this sample; those without memory do not count. Returns the groups that changed."""
        if naming.by is not self._by:
            self._by, self._rows, self._members, self.sums = naming.by, {}, {}, {}
        known, changed, same = self._rows, set[GroupKey](), 0
        self.emptied = {}
        for row in rows:
            old = known.get(row.key)
            if old is not None and old[0] is row:
                same += 1
                if (
                    row.names is None and naming.group_of(row).key != old[1]
                ):  # the group of its parent, which it follows
                    self._move(row, naming, changed)
                continue
            if row.rss_bytes is None or row.gone_s is not None:
                continue
            same += 1
            if old is not None and old[0].names is row.names is not None and summed(old[0]) == summed(row):
                known[row.key] = row, old[1]
                self._members[old[1]][row.key] = row
                continue
            self._move(row, naming, changed)
        if same < len(known):
            for key in known.keys() - {row.key for row in rows if row.rss_bytes is not None and row.gone_s is None}:
                self._remove(key, changed)
        new = [group for group in changed if group not in self.sums]
        for group in changed:
            self._add_up(group, naming)
        if new:
            self.sums = dict(sorted(self.sums.items(), key=lambda one: (one[1].name.name, one[0].name)))
        return changed

    def has(self, key: ProcessKey) -> bool:
        """Whether a process is a member of any group now."""
        return key in self._rows

    def _move(self, row: ProcessRow, naming: Naming, changed: set[GroupKey]) -> None:
        group = naming.group_of(row).key
        old = self._rows.get(row.key)
        if old is not None and old[1] != group:
            self._remove(row.key, changed)
        self._rows[row.key] = row, group
        self._members.setdefault(group, {})[row.key] = row
        self.emptied.pop(group, None)
        changed.add(group)

    def _remove(self, key: ProcessKey, changed: set[GroupKey]) -> None:
        row, group = self._rows.pop(key)
        del self._members[group][key]
        if not self._members[group]:
            self.emptied[group] = row
        changed.add(group)

    def _add_up(self, group: GroupKey, naming: Naming) -> None:
        members = self._members[group]
        if not members:
            del self._members[group]
            self.sums.pop(group, None)
            return
        sums = self.sums[group] = Sums(naming.group_of(next(iter(members.values()))))
        sums.add_members(members.values())
