"""The machine's past comes back as it was."""

from __future__ import annotations

from memtop.history.rings import MACHINE_TICKS, MachinePast
from memtop.model.row import SystemRow

_KNOWN = SystemRow(
    mem_total_bytes=1 << 46,
    mem_available_bytes=20 << 30,
    mem_free_bytes=0,
    swap_total_bytes=0,
    swap_free_bytes=0,
    pgfault_per_s=1234.5,
    pgmajfault_per_s=0.0,
    oom_kills=0,
    oom_kills_boot=3,
    psi_memory_some_avg10=0.17,
    psi_memory_full_avg10=0.03,
    processes=2000,
)
_UNKNOWN = SystemRow._make([None] * len(SystemRow._fields))


def test_the_machine_is_given_back_as_it_was_at_a_tick_and_until_the_next() -> None:
    past = MachinePast()
    for at_s, row in ((10.0, _KNOWN), (11.0, _UNKNOWN), (12.0, _KNOWN._replace(oom_kills=1))):
        past.add(at_s, row)

    assert past.at(10.0) == past.at(10.9) == _KNOWN
    assert past.at(11.0) == _UNKNOWN
    assert past.at(99.0) == _KNOWN._replace(oom_kills=1)
    assert past.at(9.9) is None


def test_numbers_keep_their_kind() -> None:
    past = MachinePast()
    past.add(1.0, _KNOWN)

    found = past.at(1.0)

    assert found is not None
    assert [type(value) for value in found] == [type(value) for value in _KNOWN]


def test_what_is_older_than_half_an_hour_of_ticks_is_dropped() -> None:
    past = MachinePast()
    for tick in range(MACHINE_TICKS + 5):
        past.add(float(tick), _KNOWN)

    assert past.at(4.0) is None
    assert past.at(5.0) == _KNOWN
