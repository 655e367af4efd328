"""Rises of processes that their own heaps explain: a managed heap takes memory as its pages are first used."""

from __future__ import annotations

from collections.abc import Mapping

from memtop.analysis.limits.heap_use import HeapUse
from memtop.engine.assessment.growth_tracker import GrowthTracker
from memtop.engine.assessment.rise_tracker import RiseTracker
from memtop.engine.assessment.step_input import StepInput
from memtop.process_key import ProcessKey


def heap_uses(step: StepInput, verdicts: GrowthTracker, rises: RiseTracker) -> Mapping[ProcessKey, HeapUse]:
    """By process, of those whose runtimes report how much their heaps can still take."""
    found = {}
    for key, facts in step.runtimes.items():
        if facts.heap_may_take_bytes is None:
            continue
        rise, verdict = rises.of(key), verdicts.of(key)
        slope = verdict.standing.slope_bytes_per_s if verdict is not None and verdict.alarm else None
        rate = max(rise.rise.bytes_per_s if rise is not None else 0.0, slope or 0.0)
        if rate > 0:
            found[key] = HeapUse(facts.heap_may_take_bytes, rate)
    return found
