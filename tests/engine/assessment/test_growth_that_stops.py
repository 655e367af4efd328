"""A program that fills a table and stops: its row, its panel, its JSON object and the headline say the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memtop.engine.engine import Engine
from memtop.explain.answers import answers
from memtop.explain.finding_text import sentences_of
from memtop.explain.incident_text import headline
from memtop.model.frame import Frame
from memtop.sampling.request import Need
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, outlook
from tests.headless.judged import judged_object
from tests.requests import request


def straight(second: int) -> int:
    return 10 * second


def table(second: int) -> int:
    """A dict of Python: its entries, and a table that doubles."""
    size = 8
    while size < 150_000 * second:
        size *= 2
    return 3 * second + (18 * size >> 20)


def stopped(level_mib: Callable[[int], int], at_s: int) -> list[tuple[int, Frame, Frame]]:
    """Second, the frame with it in focus, and the frame of another memtop with something else in focus."""
    process, other = FakeProcess(42), FakeProcess(50)
    source = FakeSource(process, other)
    engines = [(Engine(source), process.key), (Engine(source), other.key)]
    found = []
    for second in range(1, at_s + 40):
        process.rss_pages = process.shr_pages + MIB_PAGES * (20 + level_mib(min(second, at_s)))
        frames = [one.step(request(focus=key, needs_all=Need.STAT | Need.STATUS)) for one, key in engines]
        assert frames[0] is not None and frames[1] is not None
        found.append((second, frames[0], frames[1]))
    return found


@pytest.mark.parametrize(("level_mib", "at_s"), [(straight, 79), (table, 100)])
def test_nothing_calls_it_growing_once_the_chart_is_flat_for_more_than_ten_seconds(
    level_mib: Callable[[int], int], at_s: int
) -> None:
    words, apart = [], 0
    for second, frame, outside in stopped(level_mib, at_s):
        signs = {row.verdict for one in (frame, outside) for row in one.rows if row.pid == 42}
        apart = apart + 1 if len(signs) > 1 else 0
        assert apart <= 4, f"in focus and out of focus: {signs} at {second} s"
        if second < at_s + 14:  # ten seconds, and the next look
            continue
        row = next(row for row in frame.rows if row.pid == 42)
        assert frame.detail is not None
        answer = answers(frame.detail, frame.system)[0].says
        assert answer.startswith(("Level for the last ", "Growing? No: level for the last "))
        says = [sentences_of(one).says for one in outlook(frame).findings if one.name in ("growth", "maybe_growing")]
        assert all(one.startswith("Level for the last ") and "Grew before: " in one for one in says)
        assert "↗" not in row.verdict and "?" not in row.verdict
        words.append(judged_object(outlook(frame))["verdict"]["words"])
        line = headline(frame.incidents, frame.system).says
        assert "grown" not in line or "level for the last" in line
    assert "growing" not in words and "rising" not in words
