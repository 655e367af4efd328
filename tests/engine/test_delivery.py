"""A slow view gets the newest frame, and delays no sample."""

from __future__ import annotations

import gc
import threading
from types import MethodType
from typing import cast

from memtop.engine.delivery import Delivery
from memtop.model.assessment import ExitReport
from memtop.model.frame import Frame
from tests.children import DEADLINE_S
from tests.tui.frames import frame

MANY = 100


def test_a_view_that_waits_gets_the_newest_frame_with_all_ends_and_nothing_else_is_kept_for_it() -> None:
    entered, goes_on = threading.Event(), threading.Event()
    frames: list[Frame] = []
    problems: list[int] = []

    def deliver(made: Frame) -> None:
        entered.set()
        assert goes_on.wait(DEADLINE_S)
        frames.append(made)

    def post(tick: int) -> None:
        delivery.post_frame(frame()._replace(tick=tick, exits=(cast("ExitReport", tick),)))

    def until_delivered() -> None:
        done = threading.Event()
        delivery.post("end", done.set)
        assert done.wait(DEADLINE_S)

    delivery = Delivery(deliver)
    delivery.start()
    post(0)
    assert entered.wait(DEADLINE_S)
    for tick in range(1, MANY):
        post(tick)
        delivery.post("problem", lambda tick=tick: problems.append(tick))  # type: ignore[misc]  # mypy wants no default
    kept = [one for one in gc.get_objects() if type(one) is MethodType and one.__self__ is delivery]
    assert len(kept) <= 4, "what runs, and the newest of each kind"

    goes_on.set()
    until_delivered()
    post(MANY)
    until_delivered()
    delivery.close()
    assert [(made.tick, made.exits) for made in frames] == [(0, (0,)), (MANY - 1, (*range(1, MANY),)), (MANY, (MANY,))]
    assert problems == [MANY - 1]
