"""Whether the OOM killer was it, by every combination of what can be known."""

from __future__ import annotations

from functools import partial

import pytest

from memtop.analysis.limits.exit_cause import Clue, Oom, ending_signal, exit_code, was_oom

KILLED = 9


@pytest.mark.parametrize(
    ("status", "cgroup", "machine", "vanished", "largest", "says"),
    [
        (KILLED, 1, 1, 1, True, Oom.CERTAIN),
        (KILLED, 0, 0, 1, True, Oom.NO),
        (KILLED, 0, 1, 1, True, Oom.UNKNOWN),  # it may have been moved since its cgroup was looked up
        (KILLED, None, 1, 1, True, Oom.PROBABLE),
        (KILLED, None, 0, 1, True, Oom.NO),
        (KILLED, None, None, 1, True, Oom.UNKNOWN),
        (KILLED, 1, 1, 2, True, Oom.PROBABLE),
        (KILLED, 1, 1, 2, False, Oom.UNKNOWN),
        (KILLED, 2, 2, 2, False, Oom.CERTAIN),
        (None, 1, 1, 1, True, Oom.PROBABLE),
        (None, 0, 0, 1, True, Oom.NO),
        (None, None, 1, 3, False, Oom.UNKNOWN),
        (0, 1, 1, 1, True, Oom.NO),
        (3 << 8, 1, 1, 1, True, Oom.NO),
        (15, 1, 1, 1, True, Oom.NO),
        (KILLED | 0x80, 1, 1, 1, True, Oom.CERTAIN),
    ],
)
def test_counters_and_the_exit_status_say_who_it_was(
    *, status: int | None, cgroup: int | None, machine: int | None, vanished: int, largest: bool, says: Oom
) -> None:
    oom, clues = was_oom(status, cgroup_kills=cgroup, machine_kills=machine, vanished=vanished, largest=largest)
    assert oom is says
    assert clues


def test_where_larger_ones_ended_elsewhere_a_cgroup_that_was_nearly_full_tells_which_was_killed() -> None:
    judge = partial(was_oom, cgroup_kills=None, vanished=3, largest=False, limit_near=True)
    assert judge(KILLED, machine_kills=1)[0] is Oom.PROBABLE
    assert judge(KILLED, machine_kills=0)[0] is Oom.NO
    assert judge(KILLED, machine_kills=1, explained=1)[0] is Oom.NO
    assert judge(15, machine_kills=1)[0] is Oom.NO


def test_sigkill_alone_proves_nothing() -> None:
    assert was_oom(KILLED, cgroup_kills=0, machine_kills=0) == (Oom.NO, (Clue.SIGKILL, Clue.CGROUP_SILENT))
    others = was_oom(KILLED, cgroup_kills=0, machine_kills=1, explained=1)
    assert others == (Oom.NO, (Clue.SIGKILL, Clue.CGROUP_SILENT)), "another cgroup has counted that one"


def test_exit_codes_and_signals_are_told_apart() -> None:
    assert [(exit_code(one), ending_signal(one)) for one in (0, 3 << 8, 9, None)] == [
        (0, None),
        (3, None),
        (None, 9),
        (None, None),
    ]
