"""Numbers in columns: one that stays the same is kept once, and all others come back as they were."""

from __future__ import annotations

import tracemalloc

from memtop.history.rings import MACHINE_TICKS, MachinePast, NumberColumns
from memtop.model.row import SystemRow


def test_a_number_that_changes_late_is_known_at_every_instant() -> None:
    columns = NumberColumns("qqd")
    for at in range(4):
        columns.append(float(at), [7, at // 3, 0.5 if at < 2 else 1.5])
    assert [columns.values(index) for index in range(4)] == [[7, 0, 0.5], [7, 0, 0.5], [7, 0, 1.5], [7, 1, 1.5]]
    assert [columns.value(1, index) for index in (0, -1)] == [0, 1]
    assert [list(columns.column(number, 1, 3)) for number in range(3)] == [[7, 7], [0, 0], [0.5, 1.5]]


def test_what_is_dropped_is_dropped_from_every_column() -> None:
    columns = NumberColumns("qq")
    for at in range(6):
        columns.append(float(at), [1, at])
    columns.drop(slice(1, 4, 2))
    assert (len(columns), list(columns.times_s), list(columns.column(1))) == (4, [0, 2, 4, 5], [0, 2, 4, 5])
    assert list(columns.column(0)) == [1] * 4


def test_the_half_hour_of_a_machine_takes_memory_only_for_what_changes() -> None:
    tracemalloc.start()
    past = MachinePast()
    for at in range(MACHINE_TICKS):
        past.add(float(at), SystemRow(1 << 40, at, 2 * at, 0, 0, at / 7, 0.0, None, 3, 0.5, 0.25, 600))
    size_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size_bytes < 5 * 8 * MACHINE_TICKS  # times and three numbers; all twelve would be 104 bytes a tick
    assert past.at(6.5) == SystemRow(1 << 40, 6, 12, 0, 0, 6 / 7, 0.0, None, 3, 0.5, 0.25, 600)
