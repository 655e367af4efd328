"""The past of limits of cgroups."""

from __future__ import annotations

from memtop.analysis.limits.memory_limits import Ceiling
from memtop.engine.groups import limit_past
from memtop.engine.groups.limit_past import LEAST, MOST, LimitPast

PATH = "cg/shop/web"


def bound(used: int, path: str = PATH) -> Ceiling:
    return Ceiling(path, 1000, used, 1000 - used, 1200 - used, unsure_bytes=7)


def test_what_bound_a_cgroup_is_known_at_each_instant_since_it_was_first_read() -> None:
    past = LimitPast()
    past.note(PATH, 10.0, bound(100))
    past.note(PATH, 12.0, bound(300, "cg/shop"))
    past.note(PATH, 14.0, None)
    assert [past.at(PATH, at_s) for at_s in (9.9, 14.0, 20.0)] == [None] * 3
    then = past.at(PATH, 11.9)
    assert then is not None and then._replace(swap_room_bytes=0) == bound(100)
    assert then.swap_room_bytes is None
    above = past.at(PATH, 12.0)
    assert above is not None and (above.path, above.headroom_bytes, above.headroom_max_bytes) == ("cg/shop", 700, 900)
    assert past.at("cg/other", 12.0) is None


def test_nothing_is_kept_of_cgroups_without_a_limit_and_of_one_that_does_not_change_one_entry() -> None:
    past = LimitPast()
    for at_s in range(3 * MOST):
        past.note("cg/free", float(at_s), None)
        past.note(PATH, float(at_s), bound(1))
    assert len(past) == 1
    assert past.at(PATH, 0.0) is not None


def test_of_each_the_oldest_are_dropped_and_of_many_more_of_them() -> None:
    past = LimitPast()
    for at_s in range(MOST + 1):
        past.note(PATH, float(at_s), bound(at_s % 2))
    assert past.at(PATH, 0.0) is None and past.at(PATH, MOST / 2) is not None
    many = limit_past.BUDGET_BYTES // 48 // LEAST
    for number in range(many):
        past.note(f"{PATH}{number}", 0.0, bound(0))
    for at_s in range(MOST + 1, MOST + 3):
        past.note(PATH, float(at_s), bound(at_s % 2))
    assert past.at(PATH, MOST - LEAST) is None and past.at(PATH, float(MOST)) is not None


def test_those_that_are_gone_are_forgotten() -> None:
    past = LimitPast()
    past.note(PATH, 0.0, bound(0))
    past.note("cg/other", 0.0, bound(0, "cg/other"))
    past.forget_others({PATH})
    assert len(past) == 1 and past.at(PATH, 1.0) is not None
