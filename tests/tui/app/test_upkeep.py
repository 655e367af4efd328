"""The times at which the application tends its own memory."""

from __future__ import annotations

import gc
import sys

import pytest

from memtop.tui.app.upkeep import TRIMS_A_SEARCH, Upkeep
from memtop.tui.terminal import memory_tuning


def test_garbage_is_searched_for_now_and_then_and_after_something_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("shrink_caches", "trim", "let_go"):
        monkeypatch.setattr(memory_tuning, name, lambda name=name: done.append(name))
    upkeep = Upkeep()
    for _ in range(2 * TRIMS_A_SEARCH):
        upkeep.trim()
    ordinary = ["shrink_caches", "trim"] * (TRIMS_A_SEARCH - 1)
    assert done == [*ordinary, "shrink_caches", "let_go"] * 2

    upkeep.has_closed = True
    done.clear()
    upkeep.trim()
    upkeep.trim()
    assert done == ["shrink_caches", "let_go", "shrink_caches", "trim"]


def test_the_search_frees_the_tuples_that_python_keeps_in_reserve() -> None:
    gc.collect()
    many = [tuple(range(number, number + 17)) for number in range(2_000)]
    numbers = {number for one in many for number in one}
    del many
    before = sys.getallocatedblocks()
    memory_tuning.let_go()
    assert before - sys.getallocatedblocks() > 1_500
    assert numbers
