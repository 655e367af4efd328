"""Candidates of the OOM killer, in a process's cgroup and on the machine, for its OOM rank."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from memtop.analysis.limits.oom_score import NEVER, Candidate, ranking
from memtop.engine.assessment.step_input import StepInput
from memtop.model.assessment import LimitRow, Place
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.meminfo import Meminfo
from memtop.sampling.cgroup_reading import CgroupReading
from memtop.sampling.request import Need
from memtop.sampling.sample import ProcessSample

_KTHREADD: Final = 2
"""The PID of the kernel thread that starts all others. A PID namespace has none."""
_TABLES_SHARE: Final = 512
"""Number of pages that a page of page tables maps, for processes whose status was not read."""


def is_place_known_in(limit: LimitRow | None, step: StepInput) -> bool:
    """Whether all members of the cgroup of this limit are read: the order among only some of them means nothing."""
    if limit is None or not limit.path:
        return False
    all_placed = step.everybody and not step.cgroups.waiting and step.sample.hidden == 0
    return all_placed or _all_seen(limit.path, step)


def is_place_wanted(step: StepInput) -> bool:
    """Whether positions on the machine are to be computed: while they are shown, or while the machine runs low."""
    readings = step.plan.readings
    wanted = Need.VICTIM in readings.row_needs or Need.LIMITS in readings.focus_needs or step.machine_is_low
    return wanted and step.everybody


def order_in_cgroup(limit: LimitRow, step: StepInput) -> list[int]:
    """PIDs of the candidates in the cgroup of a limit, first victim first; empty if what decides about one of them is
    unknown."""
    return _order(_tasks(limit.path or "", step), limit.limit_bytes, step)


def order_on_machine(step: StepInput) -> list[int]:
    """PIDs of all candidates, first victim first; empty if the machine's memory, or what decides about one of them, is
    unknown."""
    meminfo = step.meminfo
    if meminfo is None or meminfo.total_bytes is None or meminfo.swap_total_bytes is None:
        return []
    tasks = [seen for seen in step.sample.processes.values() if seen.statm is not None and seen.statm.rss_bytes]
    return _order(tasks, meminfo.total_bytes + meminfo.swap_total_bytes, step)


def kills_group(victim: ProcessKey, bound: CgroupReading | None, step: StepInput) -> bool | None:
    """Whether all in the cgroup of the first victim, or in one between that and the limit, are killed at once; None if
    that is unknown."""
    if bound is None or not bound.v2:
        return False
    chain, known = step.chain(victim), {one.path: one.group_kill for one in step.readings(victim)}
    up_to = chain.index(bound.path) + 1 if bound.path in chain else 0
    groups = [bound.group_kill, *(known.get(path) for path in chain[:up_to])]
    return True if True in groups else None if None in groups else False


def protected_giant(step: StepInput) -> ProcessRow | None:
    """The largest of all processes; None if the OOM killer may kill it."""
    if NEVER not in step.cgroups.adjs.values():
        return None
    largest = max(step.rows.values(), key=lambda row: row.rss_bytes or 0)
    return largest if step.cgroups.adjs.get(largest.key) == NEVER else None


def _all_seen(path: str, step: StepInput) -> bool:
    """Whether this cgroup has members of its own, all of them are read, and no cgroup below it has any.

    In version 2 a cgroup with members has none below it; in version 1 memory.stat says what those below it have.
    """
    reading = step.cgroups.readings.get(path)
    if reading is None or not reading.members:
        return False
    if not reading.v2 and (reading.stat is None or reading.stat.below_bytes != 0):
        return False
    return all(pid in step.rows for pid in reading.members)


def _tasks(path: str, step: StepInput) -> list[ProcessSample]:
    """Those known to be in a cgroup or below it."""
    pids = {key.pid for key, chain in step.cgroups.chains.items() if path in chain}
    reading = step.cgroups.readings.get(path)
    pids.update(reading.members or () if reading is not None else ())
    found = (step.sample.processes.get(pid) for pid in pids)
    return [seen for seen in found if seen is not None and seen.statm is not None]


def _order(tasks: Iterable[ProcessSample], total_bytes: int, step: StepInput) -> list[int]:
    kthreadd, meminfo = step.sample.processes.get(_KTHREADD), step.meminfo
    is_machine = kthreadd is not None and kthreadd.stat is not None and kthreadd.stat.kernel_thread
    no_swap = meminfo is not None and (meminfo.swap_total_bytes == 0 or _none_used(meminfo))
    return ranking([_candidate(seen, step, is_machine=is_machine, no_swap=no_swap) for seen in tasks], total_bytes)


def _none_used(meminfo: Meminfo) -> bool:
    return meminfo.swap_total_bytes is not None and meminfo.swap_free_bytes == meminfo.swap_total_bytes


def _candidate(seen: ProcessSample, step: StepInput, *, is_machine: bool, no_swap: bool) -> Candidate:
    """``is_machine``: PIDs are those of the machine, and not of a PID namespace. ``no_swap``: nothing is on swap."""
    rss_bytes = seen.statm.rss_bytes if seen.statm is not None else 0
    swap_bytes = seen.status.swap_bytes if seen.status is not None else None
    tables_bytes = seen.status.page_tables_bytes if seen.status is not None else None
    return Candidate(
        seen.key.pid,
        seen.key.start_ticks,
        rss_bytes,
        0 if swap_bytes is None and no_swap else swap_bytes,
        tables_bytes if tables_bytes is not None else rss_bytes // _TABLES_SHARE,
        step.cgroups.adjs.get(seen.key, seen.oom_score_adj),
        exempt=(seen.key.pid == 1 and is_machine) or (seen.stat is not None and seen.stat.kernel_thread),
    )


def place_in(order: list[int], key: ProcessKey, step: StepInput) -> Place | None:
    """The position of a process in an order of candidates; None if that is empty."""
    first = step.rows.get(order[0]) if order else None
    if first is None:
        return None
    rank = order.index(key.pid) + 1 if key.pid in order else None
    return Place(first.key, f"{first.program} ({first.pid})", rank, len(order))
