"""The room that the machine's memory leaves: without noise, and how fast all that grows uses it up."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from memtop.analysis.trend.machine_room import MachineRoom, Peaks, machine_room

MIB, GIB = 1 << 20, 1 << 30
TOTAL = 16 * GIB


def room(
    used_mib: Callable[[int], float], swap_mib: Callable[[int], float] | None = None, seconds: int = 60
) -> MachineRoom:
    times = [float(second) for second in range(seconds)]
    used = [int(used_mib(second) * MIB) for second in range(seconds)]
    swap = [None if swap_mib is None else int(swap_mib(second) * MIB) for second in range(seconds)]
    peaks = Peaks()
    for time, size, swapped in zip(times, used, swap, strict=True):
        peaks.add(time, size + (swapped or 0))
    return machine_room(times, used, swap, TOTAL - used[-1], peaks.rate())


def per_s(found: MachineRoom, known_mib: float) -> float | None:
    one = found.beside(known_mib * MIB)
    return None if one is None else one.bytes_per_s / MIB


def test_a_use_that_swings_leaves_what_it_leaves_at_its_highest() -> None:
    quiet = room(lambda second: 8000)
    swings = room(lambda second: 8000 + (300 if second % 10 == 3 else 0))
    assert quiet.low_bytes == TOTAL - 8000 * MIB
    assert swings.low_bytes == TOTAL - 8300 * MIB


def test_what_was_freed_for_good_counts_a_few_seconds_later() -> None:
    assert room(lambda second: 12_000 if second < 50 else 8000).low_bytes == TOTAL - 12_000 * MIB
    assert room(lambda second: 12_000 if second < 40 else 8000).low_bytes == TOTAL - 8000 * MIB


def test_what_falls_faster_than_all_that_is_known_to_grow_is_named() -> None:
    found = room(lambda second: 8000 + 30 * second)
    assert per_s(found, 10) == pytest.approx(20, rel=0.1)
    assert per_s(found, 30) is None
    assert per_s(found, 40) is None, "caches give way beside"


def test_noise_is_no_fall() -> None:
    rng = random.Random(5)
    for _ in range(30):
        noise = [rng.gauss(0, 200) for _ in range(60)]
        found = per_s(room(lambda second, noise=noise: 8000 + second + noise[second]), 1)  # type: ignore[misc]
        assert found is None or found < 12, "of which nothing is certain"


def test_what_swings_within_minutes_is_no_fall() -> None:
    for seconds in (200, 230, 260):
        assert per_s(room(lambda second: 8000 + 20 * (second % 90), seconds=seconds), 1) is None


def test_a_leak_that_is_swapped_out_goes_on_where_available_memory_stands_still() -> None:
    found = room(lambda second: 15_900, lambda second: 20 * second)
    assert found.swaps
    assert per_s(found, 5) == pytest.approx(15, rel=0.1)
    assert not room(lambda second: 15_900, lambda second: 700).swaps
    assert not room(lambda second: 15_900).swaps


def test_before_it_was_seen_for_a_while_nothing_is_said_of_its_pace() -> None:
    found = room(lambda second: 8000 + 30 * second, seconds=10)
    assert (found.use, found.beside(0.0)) == (None, None)
    assert machine_room([], [], [], None, None) == MachineRoom()
    assert machine_room([1.0], [None], [None], None, None) == MachineRoom()
