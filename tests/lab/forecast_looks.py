"""What memtop would have said during a run into a limit, look by look, and how often that held the end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from memtop.analysis.trend.classify import judge
from memtop.analysis.trend.forecast import settled
from memtop.analysis.trend.hysteresis import Confirmation, agree
from tests.lab.forecast_runs import LimitRun

WINDOW = 600
"""Samples of a look at most, as memtop's window has seconds ..."""
POINTS = 240
"""... and points that are judged."""
FIRST = 60
EVERY = 3


class Look(NamedTuple):
    """One forecast that was shown."""

    left_s: float
    """The truth."""
    early_s: float
    late_s: float
    jumped: bool
    """An end moved by more than the range was wide before and after."""

    @property
    def held(self) -> bool:
        """Whether the range held the end, to the sample."""
        return self.early_s <= self.left_s <= self.late_s


def looks(run: LimitRun, every: int = EVERY) -> Iterator[Look]:
    """The forecasts that stood, from the confirmation of growth on."""
    state, shown, at = Confirmation(), None, 0.0
    for end in range(FIRST, len(run.used_bytes) - 1, every):
        first = max(0, end - WINDOW)
        step = max(1, math.ceil((end - first) / POINTS))
        chosen = range(end - (end - first) // step * step, end + 1, step)
        now_s = end * run.step_s
        growth = judge([i * run.step_s for i in chosen], [run.used_bytes[i] for i in chosen], run.room_bytes[end])
        state = agree(state, growth, now_s)
        if not state.alarm or growth.limit_s is None:
            shown = None if not state.alarm else shown
            continue
        jumped, fresh = False, growth.limit_s
        if shown is not None:
            before = max(0.0, shown[0] - (now_s - at)), max(0.0, shown[1] - (now_s - at))
            fresh = settled(before, fresh)
            moved = max(abs(fresh[0] - before[0]), abs(fresh[1] - before[1]))
            jumped = moved > max(before[1] - before[0], fresh[1] - fresh[0]) + 1e-6
        shown, at = fresh, now_s
        yield Look(run.end_s - now_s, *shown, jumped)


@dataclass(slots=True)
class Score:
    """Of the runs of one kind. Every run counts alike, however many looks it had."""

    runs: int = 0
    held: list[float] = field(default_factory=list)
    """Of each run with a forecast the share of its looks whose range held the end."""
    too_early: list[float] = field(default_factory=list)
    """The share of looks after whose range the end still was to come."""
    factors: list[float] = field(default_factory=list)
    """Latest over earliest, of each look at least a minute before the end."""
    jumps: int = 0

    def add(self, found: Sequence[Look]) -> None:
        """One run."""
        self.runs += 1
        if not found:
            return
        self.held.append(sum(look.held for look in found) / len(found))
        self.too_early.append(sum(look.late_s < look.left_s for look in found) / len(found))
        self.factors += [look.late_s / max(look.early_s, 1.0) for look in found if look.left_s >= 60]
        self.jumps += sum(look.jumped for look in found)

    @property
    def held_share(self) -> float:
        """Mean over the runs; 0 without any."""
        return sum(self.held) / len(self.held) if self.held else 0.0

    def line(self, name: str) -> str:
        """One row of the report."""
        early = sum(self.too_early) / len(self.too_early) if self.too_early else 0.0
        factor = f"x{median(self.factors):.1f}" if self.factors else "-"
        return (
            f"{name:38} {self.runs:4} {len(self.held):4} {100 * self.held_share:6.1f} {100 * early:6.1f} "
            f"{factor:>6} {self.jumps:5}"
        )


HEADING = f"{'run':38} {'runs':>4} {'with':>4} {'held %':>6} {'late %':>6} {'width':>6} {'jumps':>5}"


def scores(runs: Iterable[LimitRun], every: int = EVERY) -> dict[str, Score]:
    """The score of each kind of run."""
    found: dict[str, Score] = {}
    for run in runs:
        found.setdefault(run.kind, Score()).add(list(looks(run, every)))
    return found


def overall(found: dict[str, Score]) -> float:
    """Share of ranges that held the end, every kind of run alike."""
    known = [score.held_share for score in found.values() if score.held]
    return sum(known) / len(known) if known else 0.0
