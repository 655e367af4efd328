"""Kills and restarts of groups: the latest are counted, however many cgroups there were."""

from __future__ import annotations

from memtop.engine.groups.event_counts import MOST_COUNTED, EventCounts
from memtop.model.group import By, GroupKey
from tests.tui.details import make_row

MORE = MOST_COUNTED + 10


def test_kills_of_the_cgroups_that_were_first_are_forgotten() -> None:
    counts = EventCounts()
    counts.note_kills({f"/{number}": 0 for number in range(MORE)})
    counts.note_kills({f"/{number}": 1 for number in range(MORE)})
    assert counts.kills(f"/{MORE - 1}") == 1
    assert counts.kills("") == MOST_COUNTED


def test_restarts_of_the_groups_that_were_first_are_forgotten() -> None:
    counts, row = EventCounts(), make_row()
    counts.note_restarts([row], {row.key: tuple(f"/{number}" for number in range(MORE))})
    found = [counts.restarts(GroupKey(By.CGROUP, f"/{number}")) for number in range(MORE)]
    assert found[-1] == 1
    assert sum(found) == MOST_COUNTED
