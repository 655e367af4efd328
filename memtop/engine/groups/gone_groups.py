"""Last rows of groups that have no members anymore: of those that were looked at, large, or hit by the OOM killer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from memtop.analysis.limits.large import FAILED_BYTES
from memtop.engine.groups.group_rows import gone_row
from memtop.engine.groups.naming import UNKNOWN
from memtop.model.group import By, GroupKey, GroupRow
from memtop.model.row import ProcessRow

KEPT: Final = 64
"""Groups whose last rows are kept."""
BETWEEN_RUNS_S: Final = 60.0
"""How long a group of some size, or one that is started again and again, stays in the list without members."""
KILLED_S: Final = 600.0
"""How long one does in which the OOM killer has ended a process."""
MOST_UNASKED: Final = 16
"""Groups without members that are listed at a time, beside that in focus: the last of them."""


class GoneGroups:
    """A bounded collection. Those that were not looked at are dropped first, of these the oldest."""

    def __init__(self) -> None:
        self._looked_at: dict[GroupKey, GroupRow] = {}
        """Those that live too."""
        self._others: dict[GroupKey, GroupRow] = {}
        self._members: dict[GroupKey, ProcessRow] = {}
        """A member of each that has gone, by which a filter finds it."""

    def look_at(self, row: GroupRow) -> None:
        """Keep the row of a group that is looked at now."""
        if row.key.name == UNKNOWN:  # its members have not gone when they are known
            return
        self._others.pop(row.key, None)
        self._looked_at[row.key] = row
        self._shed()

    def row(self, key: GroupKey) -> GroupRow | None:
        """What was kept of a group."""
        return self._looked_at.get(key) or self._others.get(key)

    def living(self, by: By) -> list[GroupKey]:
        """Those that were looked at and had members when that was noted last."""
        return [key for key, row in self._looked_at.items() if key.by is by and row.gone_s is None]

    def add(self, row: GroupRow, member: ProcessRow | None, wall_s: float) -> None:
        """A group of which the last member, perhaps this one, had ended by ``wall_s``. It is kept if it is worth it."""
        if row.key in self._looked_at:
            self._looked_at[row.key] = gone_row(row, wall_s)
        elif _stays_s(row) and row.key.name not in (UNKNOWN, ""):
            self._others[row.key] = gone_row(row, wall_s)
        else:
            return
        if member is not None:
            self._members[row.key] = member
        self._shed()

    def listed(
        self,
        by: By,
        focus: GroupKey | None,
        found: Mapping[GroupKey, GroupRow],
        where: Callable[[ProcessRow], bool] | None,
        wall_s: float,
    ) -> list[GroupRow]:
        """Those of one kind to be listed beside those ``found``: that in focus, and the last whose time is not over.

        ``where`` is the filter of members.
        """
        for key in self._others.keys() & found.keys():
            del self._others[key]
        gone = [row for row in (*self._looked_at.values(), *self._others.values()) if row.key.by is by and row.gone_s]
        gone = [row for row in gone if row.key not in found]
        unasked = [
            row
            for row in gone
            if row.key != focus and 0 <= wall_s - (row.gone_s or 0.0) <= _stays_s(row) and self._passes(row.key, where)
        ]
        unasked = sorted(unasked, key=lambda row: row.gone_s or 0.0)[-MOST_UNASKED:]
        return [*unasked, *(row for row in gone if row.key == focus)]

    def note_kills(self, kills: Callable[[str], int]) -> None:
        """Add the OOM kills that were counted after the end; ``kills`` counts those in a cgroup."""
        for rows in (self._looked_at, self._others):
            for key, row in rows.items():
                if row.gone_s and row.path is not None and (count := kills(row.path)) > (row.oom_kills or 0):
                    rows[key] = row._replace(oom_kills=count)

    def _passes(self, key: GroupKey, where: Callable[[ProcessRow], bool] | None) -> bool:
        return where is None or ((member := self._members.get(key)) is not None and where(member))

    def _shed(self) -> None:
        while len(self._looked_at) + len(self._others) > KEPT:
            rows = self._others or self._looked_at
            del rows[min(rows, key=lambda key: _stays_s(rows[key]))]
        for key in self._members.keys() - self._looked_at.keys() - self._others.keys():
            del self._members[key]


def _stays_s(row: GroupRow) -> float:
    """How long a group stays in the list unasked; 0 for not at all."""
    if row.oom_kills:
        return KILLED_S
    size_bytes = max(row.charge_bytes or 0, row.rss_bytes or 0)
    return BETWEEN_RUNS_S if row.restarts or row.confirmed or size_bytes >= FAILED_BYTES else 0.0
