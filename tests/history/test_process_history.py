"""The chart's series: peaks kept, rates over real time, nothing where nothing was known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.history.process_history import WINDOWS_S, fitting_window_s, flat_s, point_at, series, slope_bytes_per_min
from memtop.history.rings import DetailedTrack, Gap, History, Point
from memtop.process_key import ProcessKey

KEY = ProcessKey(42, 1)


def detailed_track_of(*points: Point) -> History:
    past = History()
    past.detailed_tracks[KEY] = DetailedTrack()
    for point in points:
        past.detailed_tracks[KEY].add(point)
        past.note(KEY, *point[:4])
    return past


def seconds(*rss: int, start_s: float = 1.0) -> History:
    """A reading a second; each second brings ten minor faults."""
    return detailed_track_of(*(Point(start_s + n, 1000, size, 5, 2, 10 * n, 0) for n, size in enumerate(rss)))


@given(st.lists(st.integers(10, 1000), min_size=1, max_size=100), st.integers(1, 40))
def test_the_highest_reading_of_the_window_is_in_the_series_however_few_its_points(rss: list[int], points: int) -> None:
    now_s = float(len(rss))
    found = series(seconds(*rss), KEY, right_s=now_s, until_s=now_s, window_s=now_s, points=points)
    assert max(value for value in found.rss_bytes if value is not None) == max(rss)
    assert {len(column) for column in (found.times_s, found.virt_bytes, found.minflt_per_s)} == {points}
    assert found.times_s[-1] == pytest.approx(0)


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9), st.integers(0, 9), st.none() | st.integers(0, 9))),
    st.integers(0, 20),
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=2),
)
def test_each_bucket_has_the_first_of_its_highest_readings_or_else_the_last_one_before_it(
    steps: list[tuple[int, int, int, int | None]], ahead: int, ended: int, gaps: list[tuple[int, int]]
) -> None:
    readings, now = [], 0
    for step, rss, shr, shmem in steps:
        now += step
        readings.append(Point(float(now), 1000 + now, rss, shr, shmem, 0, 0))
    past, right_s, until_s, width = detailed_track_of(*readings), float(now + ahead), float(now + ahead - ended), 3
    past.gaps.extend(Gap(float(at), float(at + length)) for at, length in gaps)
    found = series(past, KEY, right_s=right_s, until_s=until_s, window_s=10.0 * width, points=10)
    for bucket in range(10):
        end_s = right_s - (9 - bucket) * width
        before = [one for one in readings if one.at_s <= min(end_s, until_s)]
        inside = [one for one in before if one.at_s > end_s - width]
        one = max(inside or before[-1:], key=lambda reading: reading.rss_bytes, default=None)
        if end_s - width >= until_s or (not inside and past.in_gap(end_s)):
            one = None
        assert found.virt_bytes[bucket] == (one and one.virt_bytes)
        assert found.rss_bytes[bucket] == (one and one.rss_bytes)
        assert found.anon_bytes[bucket] == (one and max(0, one.rss_bytes - one.shr_bytes))
        known = one is not None and one.shmem_bytes is not None
        assert found.shmem_bytes[bucket] == (one.shmem_bytes if one and known else None)
        assert found.file_bytes[bucket] == (max(0, one.shr_bytes - (one.shmem_bytes or 0)) if one and known else None)


def test_what_held_before_an_empty_bucket_still_holds_in_it() -> None:
    past = detailed_track_of(Point(10.0, 100, 50, 5), Point(20.0, 100, 80, 5))
    found = series(past, KEY, right_s=25.0, until_s=25.0, window_s=25.0, points=5)
    assert found.rss_bytes == (None, 50.0, 50.0, 80.0, 80.0)


def test_rates_span_buckets_without_a_reading_of_their_own() -> None:
    past = detailed_track_of(*(Point(float(at), 1, 1, 1, 0, at * 7, at) for at in (0, 4, 8)))
    found = series(past, KEY, right_s=8.0, until_s=8.0, window_s=8.0, points=8)
    assert found.minflt_per_s[1:] == (7.0,) * 7
    assert found.majflt_per_s[1:] == (1.0,) * 7


def test_a_counter_that_goes_back_has_no_rate_and_makes_no_spike() -> None:
    past = detailed_track_of(
        *(Point(float(at), 1, 1, 1, 0, count, 0) for at, count in ((1, 100), (2, 200), (3, 5), (4, 15)))
    )
    found = series(past, KEY, right_s=4.0, until_s=4.0, window_s=4.0, points=4)
    assert found.minflt_per_s == (None, 100.0, None, 10.0)


def test_there_is_nothing_after_the_end() -> None:
    found = series(seconds(50, 60, 70), KEY, right_s=8.0, until_s=3.0, window_s=8.0, points=8)
    assert found.rss_bytes == (50.0, 60.0, 70.0, None, None, None, None, None)
    assert found.minflt_per_s[3:] == (None,) * 5


def test_there_is_nothing_before_the_beginning() -> None:
    found = series(seconds(50, start_s=5.0), KEY, right_s=6.0, until_s=6.0, window_s=6.0, points=6)
    assert found.rss_bytes == (None, None, None, None, 50.0, 50.0)


def test_a_gap_is_empty_and_the_readings_at_its_edges_are_not_lost() -> None:
    past = detailed_track_of(
        *(Point(float(at), 100, rss, 5, 0, at, 0) for at, rss in ((1, 50), (2, 90), (3, 60), (33, 70), (34, 75)))
    )
    past.gaps.append(Gap(3.0, 33.0))
    found = series(past, KEY, right_s=35.0, until_s=35.0, window_s=35.0, points=7)
    assert found.rss_bytes == (90.0, None, None, None, None, None, 75.0)
    assert point_at(past, KEY, 20.0) is None
    assert point_at(past, KEY, 3.0) is not None


def test_the_parts_add_up_to_res_and_unknown_shared_memory_is_not_none_of_it() -> None:
    past = detailed_track_of(Point(1.0, 1000, 100, 30, 10), Point(2.0, 1000, 100, 30, None))
    found = series(past, KEY, right_s=2.0, until_s=2.0, window_s=2.0, points=2)
    assert found.anon_bytes == (70.0, 70.0)
    assert found.file_bytes == (20.0, None)
    assert found.shmem_bytes == (10.0, None)


def test_a_process_that_was_never_in_focus_has_the_past_of_its_track() -> None:
    past = History()
    for at_s, rss in ((1.0, 10), (2.0, 90), (2.5, 20)):
        past.note(KEY, at_s, 100, rss, 5)
    found = series(past, KEY, right_s=4.0, until_s=4.0, window_s=4.0, points=2)
    assert found.rss_bytes == (90.0, 20.0)
    assert found.minflt_per_s == (None, None)
    at = point_at(past, KEY, 2.2)
    assert at is not None and at.rss_bytes == 90


def test_the_track_stands_in_for_the_time_before_the_detailed_track() -> None:
    past = History()
    past.note(KEY, 1.0, 100, 10, 5)
    past.note(KEY, 2.0, 100, 90, 5)
    past.detailed_tracks[KEY] = DetailedTrack()
    past.detailed_tracks[KEY].add(Point(3.0, 100, 40, 5, 0, 1, 1))
    found = series(past, KEY, right_s=4.0, until_s=4.0, window_s=4.0, points=4)
    assert found.rss_bytes == (10.0, 90.0, 40.0, 40.0)


def test_an_unknown_process_has_no_past() -> None:
    found = series(History(), KEY, right_s=4.0, until_s=4.0, window_s=4.0, points=3)
    assert found.rss_bytes == (None,) * 3
    assert point_at(History(), KEY, 1.0) is None
    assert slope_bytes_per_min(History(), KEY, 1.0) is None


def test_the_slope_is_that_of_the_last_minute_only() -> None:
    past = seconds(*[1000] * 100, *range(1000, 1100))
    assert slope_bytes_per_min(past, KEY, 200.0) == pytest.approx(60, rel=0.01)
    assert slope_bytes_per_min(past, KEY, 90.0) == pytest.approx(0, abs=1e-6)
    assert slope_bytes_per_min(past, KEY, 2.0) is None


@pytest.mark.parametrize(("known_s", "window_s"), [(0, 30), (30, 30), (31, 60), (200, 300), (9999, 300)])
def test_the_window_grows_with_what_is_known(known_s: float, window_s: float) -> None:
    assert fitting_window_s(known_s) == window_s
    assert window_s in WINDOWS_S


@pytest.mark.parametrize(
    ("rss_mib", "flat"),
    [((10, 20, 30, 30, 30), 2), ((10, 30, 30, 30, 31), 3), ((30, 30, 30, 30, 30), 4), ((10, 10, 10, 10, 30), 0)],
)
def test_res_is_flat_since_it_last_moved_as_far_as_that_was_seen(rss_mib: tuple[int, ...], flat: float) -> None:
    past = History()
    for second, size in enumerate(rss_mib, 1):
        past.note(KEY, float(second), 1 << 30, size << 20, 5)
    assert flat_s(past, KEY, float(len(rss_mib))) == pytest.approx(flat)
    assert flat_s(past, ProcessKey(43, 1), 9.0) is None
