"""Whose growth is judged when: of very many processes a few at a tick, in turn."""

from __future__ import annotations

from itertools import pairwise

from memtop.analysis.trend.classify import Shape
from memtop.engine.assessment.growth_tracker import OTHERS_A_TICK, POINTS, GrowthTracker
from memtop.history.rings import History
from memtop.process_key import ProcessKey

MIB = 1 << 20


def test_of_very_many_processes_a_few_are_judged_at_a_tick_and_all_in_turn() -> None:
    history = History()
    keys = [ProcessKey(pid, pid) for pid in range(1, 41)]
    for second in range(60):
        for key in keys:
            history.note(key, float(second), 200 * MIB, (50 + second) * MIB, MIB)
    tracker, judged = GrowthTracker(history), [0]
    for tick in range(20):
        tracker.look(60.0 + tick, 1.0, (), lambda key: None)
        judged.append(sum(tracker.of(key) is not None for key in keys))
    assert [after - before for before, after in pairwise(judged)] == [OTHERS_A_TICK] * 20


def test_so_many_points_of_a_long_past_are_judged() -> None:
    history, key = History(), ProcessKey(42, 7)
    for second in range(600):
        history.note(key, float(second), 200 * MIB, (50 + second) * MIB, MIB)
    tracker = GrowthTracker(history)
    tracker.look(600.0, 1.0, (key,), lambda key: None)
    verdict = tracker.of(key)
    assert verdict is not None and POINTS / 2 <= verdict.growth.points <= POINTS


def test_of_memory_that_was_given_back_before_an_exec_the_new_program_knows_nothing() -> None:
    history, key = History(), ProcessKey(42, 7)
    for second in range(60):
        history.note(key, float(second), 200 * MIB, (50 + second) * MIB, MIB)
    tracker = GrowthTracker(history)

    def given_back(now_s: float) -> int | None:
        tracker.look(now_s, 1.0, (key,), lambda key: None)
        verdict = tracker.of(key)
        assert verdict is not None
        return verdict.lazy_free_bytes

    tracker.note_lazy_free(key, 59.0, 30 * MIB)
    assert given_back(60.0) == 30 * MIB
    tracker.forget(key)
    assert given_back(61.0) is None


def test_the_verdict_on_a_level_process_keeps_equal_numbers_once() -> None:
    history = History()
    key = ProcessKey(42, 7)
    history.note(key, 0.0, 50 * MIB, 40 * MIB, 10 * MIB)
    tracker = GrowthTracker(history)
    assert tracker.look(100.0, 1.0, [key], lambda key: None) == [key]
    verdict = tracker.of(key)
    assert verdict is not None and verdict.growth.kind is Shape.FLAT
    numbers = [value for value in verdict.growth if isinstance(value, float)]
    assert len(numbers) > 8
    assert len(set(map(id, numbers))) == len(set(numbers))


def test_level_processes_share_their_state() -> None:
    history = History()
    keys = [ProcessKey(pid, 7) for pid in (42, 43)]
    for key in keys:
        history.note(key, 0.0, 50 * MIB, key.pid * MIB, 10 * MIB)
    tracker = GrowthTracker(history)
    for now_s in (100.0, 200.0):  # the second look finds what the first one has found
        assert tracker.look(now_s, 1.0, keys, lambda key: None) == (keys if now_s == 100.0 else [])
        one, other = map(tracker.of, keys)
        assert one is not None and other is not None and one.growth != other.growth
        assert one.state is other.state and one.state.kind is Shape.FLAT
