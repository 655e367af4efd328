"""Available memory that swings within minutes is no fall of the machine, once it was seen to swing."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from memtop.engine.engine import Engine
from memtop.explain.incident_text import headline
from memtop.sampling.request import Need
from tests.engine.assessment.test_assessor import charge
from tests.fakes import FakeProcess, FakeSource
from tests.requests import request
from tests.sampling.test_cgroups import APP, v2

KIB_A_GIB = 1 << 20


def said(used_gib: Callable[[int], float], seconds: int) -> dict[int, str]:
    """The headline of each second, on a machine of 24 GiB."""
    process = FakeProcess(42)
    source = FakeSource(process, step_s=2.0)
    engine, found = Engine(source), {}
    for second in range(0, seconds, 2):
        available = int(KIB_A_GIB * (18 - used_gib(second)))
        source.files["proc/meminfo"] = (
            b"MemTotal: 25165824 kB\nMemFree: %d kB\nMemAvailable: %d kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
            % (available - 500_000, available)
        )
        frame = engine.step(request(focus=process.key, needs_all=Need.STAT))
        assert frame is not None
        found[second] = headline(frame.incidents, frame.system).says
    return found


def sine(period_s: int) -> Callable[[int], float]:
    return lambda second: 3 - 3 * math.cos(2 * math.pi * second / period_s)


@pytest.mark.parametrize("used_gib", [sine(90), lambda second: 6 * (second % 90) / 90])
def test_what_swings_is_no_fall_after_its_first_cycle(used_gib: Callable[[int], float]) -> None:
    headlines = said(used_gib, 300)
    assert "available f" in headlines[20], "at first nobody can know that it comes back"
    assert not any("available f" in one for second, one in headlines.items() if second > 200)


def test_a_fall_beyond_what_it_swings_by_is_said() -> None:
    headlines = said(lambda second: sine(90)(second) + (0 if second < 200 else 0.05 * (second - 200)), 320)
    assert any("available falls" in one for second, one in headlines.items() if second > 230)


def test_what_has_fallen_and_comes_back_is_not_said_to_fall() -> None:
    headlines = said(sine(180), 140)
    assert "available falls" in headlines[84]
    assert not any("available falls" in one for second, one in headlines.items() if 105 < second < 140)


def cgroup_said(used_mib: Callable[[int], float], seconds: int) -> dict[int, str]:
    """The headline of each second, of a cgroup of 100 MiB of which so much is in use."""
    process = FakeProcess(42)
    source = v2(process)
    source.files[f"{APP}/memory.high"] = b"max\n"
    engine, found = Engine(source), {}
    for second in range(seconds):
        charge(source, int(used_mib(second) * (1 << 20)))
        frame = engine.step(request(needs_all=Need.STAT | Need.CGROUP))
        assert frame is not None
        found[second] = headline(frame.incidents, frame.system).says
    return found


@pytest.mark.parametrize("at_most_mib", [60, 70])
def test_a_cgroup_that_swings_does_not_fill_after_its_first_cycle(at_most_mib: int) -> None:
    headlines = cgroup_said(lambda second: 30 + (at_most_mib - 30) * sine(60)(second) / 6, 180)
    assert "fills" in headlines[20], "at first nobody can know that it comes back"
    assert not any("fills" in one for second, one in headlines.items() if second > 60)


def test_a_cgroup_that_fills_beyond_what_it_swings_by_is_named() -> None:
    headlines = cgroup_said(lambda second: 30 + 5 * sine(60)(second) + max(0, 0.7 * (second - 130)), 170)
    assert any("fills" in one for second, one in headlines.items() if second > 140)
