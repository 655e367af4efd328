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


def test_a_kill_is_counted_once_whether_its_cgroup_or_its_end_tells_it() -> None:
    counts = EventCounts()
    counts.note_kills({"/a": 3})
    counts.note_oom_ends(["/a", "/b"])
    assert (counts.kills("/a"), counts.kills("/b"), counts.kills("")) == (1, 1, 2)
    counts.note_kills({"/a": 4})
    assert counts.kills("/a") == 1


def test_kills_of_a_cgroup_that_is_removed_and_made_again_add_up() -> None:
    counts = EventCounts()
    for _ in range(3):
        counts.note_kills({"/a": 0})
        counts.note_kills({"/a": 1})
        counts.note_kills({})
    assert counts.kills("/a") == 3


def test_kills_of_a_cgroup_that_is_made_again_between_two_samples_add_up() -> None:
    counts = EventCounts()
    counts.note_kills({"/a": 5})
    counts.note_kills({"/a": 7})
    counts.note_kills({"/a": 1}, {"/a": 0})
    counts.note_kills({"/a": 1})
    assert counts.kills("/a") == 3


def test_kills_of_a_cgroup_before_it_was_renamed_are_not_new() -> None:
    counts = EventCounts()
    counts.note_kills({"/a": 0, "/b": 3})
    counts.note_kills({"/a": 4}, {"/a": 3})
    assert counts.kills("/a") == 1


def test_kills_of_a_cgroup_without_a_readable_counter_are_unknown_and_not_none() -> None:
    counts = EventCounts()
    counts.note_kills({"/a/b": 2})
    assert [counts.known_kills(path) for path in ("/a/b", "/a", "/c")] == [0, 0, None]
    counts.note_oom_ends(["/c"])
    assert counts.known_kills("/c") == 1


def test_ends_of_the_cgroups_that_were_first_are_forgotten() -> None:
    counts = EventCounts()
    counts.note_oom_ends(f"/{number}" for number in range(MORE))
    assert counts.kills("") == MOST_COUNTED
