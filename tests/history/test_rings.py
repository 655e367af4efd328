"""Bounded memory of the past, against naive models of it."""

from __future__ import annotations

import tracemalloc
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.history import rings
from memtop.history.rings import (
    MACHINE_TICKS,
    TRACK_MOST,
    DetailedTrack,
    Gap,
    History,
    MachinePast,
    Point,
    Track,
    Tracks,
)
from memtop.model.row import SystemRow
from memtop.process_key import ProcessKey

KEY = ProcessKey(42, 1)
TIMES = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=60, unique=True).map(sorted)
"""Milliseconds."""


def track_of(times_ms: list[int], most: int = 1024) -> Track:
    track = Track(times_ms[0] / 1000)
    for index, ms in enumerate(times_ms):
        track.add(ms / 1000, index, index * 10, index * 5, most)
    return track


@given(TIMES, st.integers(-1000, 11_000_000))
def test_a_track_finds_the_last_entry_at_or_before_a_moment(times_ms: list[int], when_ms: int) -> None:
    track = track_of(times_ms)
    kept_ms = [round(track.point(index).at_s * 1000) for index in range(len(track))]
    expected = max((index for index, ms in enumerate(kept_ms) if ms <= when_ms), default=-1)
    assert track.index_at(when_ms / 1000) == expected
    found = track.at(when_ms / 1000)
    assert (found is None) if expected < 0 else found == track.point(expected)


@given(TIMES, st.integers(-1000, 11_000_000))
def test_a_detailed_track_finds_the_last_entry_at_or_before_a_moment(times_ms: list[int], when_ms: int) -> None:
    detailed = DetailedTrack()
    for ms in times_ms:
        detailed.add(Point(ms / 1000, 1, 2, 3))
    expected = max((index for index, ms in enumerate(times_ms) if ms <= when_ms), default=-1)
    assert detailed.index_at(when_ms / 1000) == expected


@given(TIMES, st.integers(48, 60))
def test_a_track_never_holds_more_than_its_bound_and_always_the_newest(times_ms: list[int], most: int) -> None:
    track = track_of(times_ms, most)
    assert 1 <= len(track) <= most
    assert track.point(-1).virt_bytes == len(times_ms) - 1
    assert track.changed_s == pytest.approx(times_ms[-1] / 1000, abs=0.0011)
    assert track.first_s <= track.point(0).at_s + 0.0011


def test_a_track_shrinks_when_its_bound_has_fallen_because_many_processes_came() -> None:
    track = track_of(list(range(0, 1_000_000, 1000)))
    assert len(track) == 1000
    track.add(2000.0, 1, 2, 3, most=48)
    assert len(track) <= 48
    assert track.point(-1) == Point(2000.0, 1, 2, 3)
    assert track.first_s == track.point(0).at_s


@given(TIMES, st.lists(st.integers(0, 11_000_000), min_size=2, max_size=8, unique=True).map(sorted))
def test_peaks_are_the_highest_that_held_between_two_edges(times_ms: list[int], edges_ms: list[int]) -> None:
    track = track_of(times_ms)
    points = [(round(track.point(index).at_s * 1000), track.point(index).rss_bytes) for index in range(len(track))]

    def naive(left: int, right: int) -> int | None:
        held = [rss for ms, rss in points if ms <= left][-1:]
        return max(held + [rss for ms, rss in points if left < ms < right], default=None)

    expected = [naive(left, right) for left, right in pairwise(edges_ms)]
    assert track.peaks([ms / 1000 for ms in edges_ms]) == expected


def test_a_full_detailed_track_is_thinned_in_its_older_half_and_keeps_its_ends_and_order() -> None:
    detailed = DetailedTrack()
    for second in range(3 * rings.DETAILED_MOST):
        detailed.add(Point(float(second), second, second, second, None, second, None))
    assert len(detailed) <= rings.DETAILED_MOST
    times_s = list(detailed.times_s)
    assert times_s == sorted(times_s)
    assert times_s[0] == 0.0
    newest = times_s[-rings.DETAILED_MOST // 4 :]
    assert newest == [float(second) for second in range(int(newest[0]), 3 * rings.DETAILED_MOST)]
    assert all(detailed.point(index).minflt == int(times_s[index]) for index in range(0, len(detailed), 100))


def test_a_number_that_stays_the_same_takes_no_memory_and_one_that_changed_once_is_known_for_all_entries() -> None:
    tracemalloc.start()
    detailed = DetailedTrack()
    for second in range(rings.DETAILED_MOST):
        detailed.add(Point(float(second), 1 << 40, 2, 3, None, 0 if second < 5000 else 7, None))
    size_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size_bytes < 2.5 * 8 * rings.DETAILED_MOST  # times and minor faults; all eight numbers would be 64 bytes

    assert detailed.point(4999) == Point(4999.0, 1 << 40, 2, 3, None, 0, None)
    assert detailed.point(-1) == Point(rings.DETAILED_MOST - 1.0, 1 << 40, 2, 3, None, 7, None)
    virt, _, _, shmem, minflt, *_ = detailed.columns(4998)
    assert (list(virt[:2]), list(shmem[:2]), list(minflt[:4])) == ([1 << 40] * 2, [-1, -1], [0, 0, 7, 7])
    assert len(virt) == len(minflt) == rings.DETAILED_MOST - 4998
    assert [len(column) for column in DetailedTrack().columns()] == [0] * 7


def test_numbers_that_outgrow_32_bits_come_back_with_those_before_them() -> None:
    detailed, sizes = DetailedTrack(), [1, 2, 3, 1 << 31, 5, 1 << 40]
    for at, size in enumerate(sizes):
        detailed.add(Point(float(at), 1 << 40, size, 0))
    assert detailed.columns()[:2] == (array("q", [1 << 40] * len(sizes)), array("q", sizes))
    assert [detailed.point(at).rss_bytes for at in range(len(sizes))] == sizes


def test_columns_of_small_and_of_large_numbers_have_one_type() -> None:
    detailed = DetailedTrack()
    for at in range(3):
        detailed.add(Point(float(at), at, (1 << 40) + at, 0))
    assert {column.typecode for column in detailed.columns(1)} == {"q"}


def test_a_detailed_track_keeps_unknown_apart_from_zero() -> None:
    detailed = DetailedTrack()
    detailed.add(Point(1.0, 1, 2, 3, None, 0, None))
    assert detailed.point(0) == Point(1.0, 1, 2, 3, None, 0, None)


def test_the_bytes_of_all_tracks_stay_within_their_budget() -> None:
    past = History()
    keys = [ProcessKey(pid, 1) for pid in range(1, 2001)]
    for tick in range(260):
        for key in keys:
            past.note(key, float(tick), tick, tick, tick)
    entries = sum(len(track) for track in past.tracks.values())
    assert entries * 32 <= rings.TRACK_BUDGET_BYTES * 1.05


def test_what_is_forgotten_is_gone() -> None:
    past = History()
    past.note(KEY, 1.0, 1, 2, 3)
    past.detailed_tracks[KEY] = DetailedTrack()
    past.forget(KEY)
    past.forget(KEY)
    assert (past.tracks, past.detailed_tracks) == ({}, {})


def test_a_gap_is_open_at_both_ends_where_there_were_readings() -> None:
    past = History()
    past.gaps.append(Gap(10.0, 20.0))
    assert [past.in_gap(when_s) for when_s in (9.0, 10.0, 15.0, 20.0, 21.0)] == [False, False, True, False, False]


def test_the_past_of_the_machine_is_bounded() -> None:
    past = MachinePast()
    row = SystemRow(*[1] * len(SystemRow._fields))
    for at in range(MACHINE_TICKS + 1):
        past.add(float(at), row)
    assert past.at(0.5) is None
    assert past.at(1.0) == row


def test_gaps_are_bounded() -> None:
    past = History()
    past.gaps.extend(Gap(float(at), at + 0.5) for at in range(1000))
    assert len(past.gaps) <= 64


def test_a_process_alone_has_a_bounded_track_though_there_is_room_for_more() -> None:
    past = History()
    for tick in range(2 * TRACK_MOST):
        track = past.note(KEY, float(tick), tick, tick, tick)
    assert len(track) <= TRACK_MOST


def test_a_track_begins_with_what_another_past_has_of_the_time_before() -> None:
    kept: Tracks[str] = Tracks()
    for at_s in range(10):
        kept.note("a", float(at_s), 5, 10 * at_s, 1)
    kept.note("late", 7.0, 1, 1, 1)
    past: Tracks[str] = Tracks()
    past.begin_with(kept)
    for at_s in (5, 6):
        past.note("a", float(at_s), 5, 10 * at_s, 1)
    past.note("late", 6.0, 2, 2, 2)
    assert [past.tracks["a"].point(index).rss_bytes for index in range(7)] == [0, 10, 20, 30, 40, 50, 60]
    assert len(past.tracks["a"]) == 7 and past.tracks["a"].first_s == 0.0
    assert len(past.tracks["late"]) == 1 and past.tracks["late"].first_s == 6.0
    assert len(kept.tracks["a"]) == 10, "the other stays as it is"


def test_what_has_not_changed_since_is_no_change() -> None:
    kept: Tracks[str] = Tracks()
    kept.note("a", 1.0, 5, 5, 5)
    past: Tracks[str] = Tracks()
    past.begin_with(kept)
    assert past.note("a", 9.0, 5, 5, 5).changed_s == 1.0
