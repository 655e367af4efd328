"""What survives young collections, while no major one has looked at it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memtop.runtimes.jvm.growth import JvmPoint
from memtop.runtimes.jvm.survivors import rising_survivors_per_s
from tests.lab.points import jvm_points

MIB = 1 << 20
BASE = jvm_points("jvm_steady_serial")[-1].heap


def heap(seconds: int, old: Callable[[int], float], *, period_s: int = 6) -> list[JvmPoint]:
    """Once a second: what is old in MiB, above it eden that is emptied by a young collection every so often."""
    points = []
    for second in range(seconds):
        eden = second % period_s * 10 * MIB
        young = second // period_s
        used = int(old(young * period_s) * MIB) + eden
        now = BASE._replace(heap_used_bytes=used, eden_used_bytes=eden, young_gcs=young, major_gcs=0)
        points.append(JvmPoint(float(second), now, None))
    return points


def test_what_survives_and_rises_is_told_with_its_rate() -> None:
    rate = rising_survivors_per_s(heap(100, lambda second: 20 + 0.9 * second))
    assert rate == pytest.approx(0.9 * MIB, rel=0.05)


def test_what_survives_and_stays_is_not() -> None:
    assert rising_survivors_per_s(heap(100, lambda second: 20)) is None


def test_a_cache_that_has_filled_is_not() -> None:
    assert rising_survivors_per_s(heap(100, lambda second: min(20 + second, 50))) is None


def test_a_few_collections_say_nothing() -> None:
    assert rising_survivors_per_s(heap(100, lambda second: 20 + second, period_s=30)) is None
    assert rising_survivors_per_s([]) is None
