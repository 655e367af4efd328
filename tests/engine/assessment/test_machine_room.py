"""Forecasts of the machine's memory: noise does not move them, and they count all that grows beside."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import pytest

from memtop.engine.engine import Engine
from memtop.explain.chart_levels import chart_forecast
from memtop.explain.finding_text import sentences_of
from memtop.explain.incident_text import incident_sentences
from memtop.model.frame import Frame
from memtop.sampling.request import Need
from tests.fakes import MIB_PAGES, FakeProcess
from tests.requests import request
from tests.sampling.test_cgroups import APP, MIB, STAT, v2

TOTAL_MIB = 16_000
START_MIB = 8000
"""Available at the beginning."""


class World:
    """Processes that grow without a limit of their own, while MemAvailable falls with them, and by more."""

    def __init__(
        self,
        rates_mib: Sequence[float],
        *,
        unseen_mib: float = 0.0,
        noise: Callable[[int], float] = lambda second: 0.0,
        swaps_from: int | None = None,
    ) -> None:
        self.rates_mib, self.unseen_mib, self.noise, self.swaps_from = rates_mib, unseen_mib, noise, swaps_from
        self.processes = [FakeProcess(42 + number, rss_pages=20 * MIB_PAGES) for number in range(len(rates_mib))]
        self.source = v2(*self.processes)
        self.source.files |= {f"{APP}/memory.max": b"max\n", f"{APP}/memory.high": b"max\n"}
        self.source.files |= {f"{APP}/memory.swap.max": b"max\n", f"{APP}/memory.stat": STAT}
        self.engine = Engine(self.source)
        self.second = 0
        self.swapped_mib = 0.0

    def step(self) -> Frame:
        taken_mib = self.second * (sum(self.rates_mib) + self.unseen_mib)
        swaps = self.swaps_from is not None and self.second > self.swaps_from
        if swaps:
            self.swapped_mib += sum(self.rates_mib)
        for process, rate_mib in zip(self.processes, self.rates_mib, strict=True):
            if not swaps:
                process.rss_pages += int(rate_mib * MIB_PAGES)
        available_mib = START_MIB - taken_mib + self.swapped_mib - self.noise(self.second)
        self.source.files["proc/meminfo"] = (
            b"MemTotal: %d kB\nMemFree: %d kB\nMemAvailable: %d kB\nSwapTotal: %d kB\nSwapFree: %d kB\n"
            % (
                TOTAL_MIB * 1024,
                available_mib * 1024,
                available_mib * 1024,
                4000 * 1024 if self.swaps_from is not None else 0,
                (4000 - self.swapped_mib) * 1024 if self.swaps_from is not None else 0,
            )
        )
        if swaps:
            status = self.processes[0].status().replace(b"VmSwap:\t0", b"VmSwap:\t%d" % (self.swapped_mib * 1024))
            self.source.files["proc/42/status"] = status
        self.second += 1
        needs = Need.STAT | Need.STATUS
        frame = self.engine.step(request(focus=self.processes[0].key, needs=needs, needs_all=needs, points=30))
        assert frame is not None
        return frame

    def left_s(self) -> float:
        """The true time until nothing is available."""
        return START_MIB / (sum(self.rates_mib) + self.unseen_mib) - self.second


def growth_of(frame: Frame) -> Mapping[str, float | str] | None:
    assert frame.detail is not None and frame.detail.outlook is not None
    return next((one.facts for one in frame.detail.outlook.findings if one.name == "growth"), None)


def says_of(frame: Frame) -> str:
    assert frame.detail is not None and frame.detail.outlook is not None
    return " ".join(sentences_of(one).says for one in frame.detail.outlook.findings if one.name == "growth")


def after(world: World, seconds: int = 100) -> tuple[Frame, Mapping[str, float | str]]:
    for _ in range(seconds):
        frame = world.step()
    found = growth_of(frame)
    assert found is not None, "it is confirmed"
    return frame, found


@cache
def grown(*rates_mib: float, unseen_mib: float = 0.0) -> tuple[World, Frame, Mapping[str, float | str]]:
    """A world after 100 s, which several tests look at, with its last frame and growth."""
    world = World(rates_mib, unseen_mib=unseen_mib)
    return world, *after(world)


def test_a_second_process_that_takes_twice_as_much_is_counted_and_named() -> None:
    world, frame, found = grown(8, 16)
    assert float(found["early_s"]) <= world.left_s() <= float(found["late_s"])
    assert "Other processes of this machine that grow too: 1. The forecast includes their growth" in says_of(frame)
    assert float(found["rivals_bytes_per_min"]) == pytest.approx(60 * 16 * MIB, rel=0.1)
    assert frame.incidents is not None
    said = next(incident_sentences(one).says for one in frame.incidents.standing if one.name == "growth")
    assert "with 1 other that grows" in said


def test_what_no_process_explains_is_counted_by_the_fall_of_available_memory() -> None:
    world, frame, found = grown(8, unseen_mib=24)
    assert float(found["early_s"]) <= world.left_s() <= float(found["late_s"])
    assert "The forecast follows available memory" in says_of(frame)
    assert float(found["falls_bytes_per_min"]) == pytest.approx(60 * 32 * MIB, rel=0.1)
    assert frame.incidents is not None
    said = next(incident_sentences(one).says for one in frame.incidents.standing if one.name == "growth")
    assert "as fast as available memory falls" in said


@pytest.mark.parametrize(("rates", "unseen"), [([8], 0), ([8, 16], 0), ([8], 24)])
def test_the_chart_foretells_the_growth_of_the_process_alone(rates: list[int], unseen: int) -> None:
    _, frame, _ = grown(*rates, unseen_mib=unseen)
    assert frame.detail is not None
    forecast = chart_forecast(frame.detail.outlook)
    assert forecast is not None
    slow, fast = forecast.rises_bytes(10.0)
    assert slow <= 10 * 8 * MIB * 1.05 and 10 * 8 * MIB * 0.95 <= fast <= 10 * 8 * MIB * 3.2


def test_alone_it_says_nothing_of_others() -> None:
    _, frame, found = grown(8, unseen_mib=0)
    assert "rivals_bytes_per_min" not in found and "falls_bytes_per_min" not in found
    assert "That time" not in says_of(frame)


@pytest.mark.parametrize("size_mib", [300, 1500])
@pytest.mark.parametrize("period", [0, 7, 40])
def test_a_noisy_machine_does_not_make_the_forecast_jump_by_more_than_its_width(size_mib: int, period: int) -> None:
    rng = random.Random(size_mib + period)

    def noise(second: int) -> float:
        return rng.uniform(0, size_mib) if not period else size_mib * (second % period) / period

    world, before, jumps = World([10], noise=noise), None, []
    for _ in range(200):
        found = growth_of(world.step())
        if found is None or "early_s" not in found:
            before = None
            continue
        ends = float(found["early_s"]) + world.second, float(found["late_s"]) + world.second
        if before is not None:
            width = max(ends[1] - ends[0], before[1] - before[0])
            jumps.append(max(abs(ends[0] - before[0]), abs(ends[1] - before[1])) / width)
        before = ends
    assert len(jumps) > 50
    assert max(jumps) <= 1.05
    assert before is not None and before[0] <= world.left_s() + world.second, "its earliest end is not late"


def test_a_leak_that_is_swapped_out_is_said_to_fill_swap_and_when() -> None:
    world = World([10], swaps_from=60)
    frame, found = after(world, 130)
    swap_left_s = (4000 - world.swapped_mib) / 10
    assert "is already being swapped out" in says_of(frame)
    assert float(found["early_s"]) <= world.left_s() + swap_left_s + world.swapped_mib / 10 + 20
    assert float(found["late_s"]) >= swap_left_s
