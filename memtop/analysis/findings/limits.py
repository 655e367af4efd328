"""Rules about limits: memory cgroups, resource limits (setrlimit), the machine."""

from __future__ import annotations

from typing import Final

from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.findings.rule import DANGER, KEPT, MIB, NOTE, WARNING, Found, facts, graded
from memtop.analysis.severity import Severity

NEAR_PERCENT: Final = 80.0
"""Share of a limit from which on it is near ..."""
FULL_PERCENT: Final = 90.0
"""... and from which on a limit that kills calls for action."""
LOW_SHARE: Final = 0.10
"""Little of the machine's RAM is available below this part of it ..."""
VERY_LOW_SHARE: Final = 0.05
_LOW_UNTIL: Final = 1.1
"""... until so many times as much is."""
COMMIT_SHARE: Final = 0.9

STACK_ENDS: Final = "SIGSEGV"
"""What happens where the main stack is full."""


def frozen(c: FindingInputs) -> Found:
    """A cgroup at its limit whose OOM killer is disabled (v1). Its tasks hang."""
    return (DANGER, facts(limit_name=c.limit_name, limit_bytes=c.limit)) if c.frozen else None


def near_limit(c: FindingInputs) -> Found:
    """Unreclaimable memory of 80 % of the limit or more. It is only a warning if part of it may be reclaimable."""
    if c.limit_name is None or c.limit is None or c.unreclaimable is None:
        return None
    percent = 100 * c.unreclaimable / c.limit if c.limit > 0 else 100.0
    was = c.standing.get("near_limit")
    if graded(percent, NEAR_PERCENT, was=was) is None:
        return None
    kills = c.swap_room == 0
    sure_percent = percent - 100 * c.unsure / c.limit if c.limit > 0 else percent
    one_dies = kills and c.group_kill is False and c.spared is False
    found = facts(
        limit_name=c.limit_name,
        limit_bytes=c.limit,
        used_bytes=c.unreclaimable,
        used_percent=percent,
        unsure_bytes=c.unsure if c.unsure > 0.01 * c.limit else None,
        sure_percent=sure_percent if c.unsure > 0.01 * c.limit else None,
        cache_bytes=c.cache if c.cache and c.cache > 0.01 * c.limit else None,
        over_bytes=c.unreclaimable - c.limit if c.unreclaimable > c.limit else None,
        swap_room_bytes=c.swap_room or None,
        swap_unknown="unknown" if c.swap_room is None else None,
        hang_unknown="unknown" if kills and c.spared is None else None,
        group_unknown="unknown" if kills and c.group_kill is None else None,
        victim=c.victim if one_dies and (c.victim_of or 0) > 1 else None,
        victim_of_count=c.victim_of if one_dies and (c.victim_of or 0) > 1 else None,
        alone=c.victim if one_dies and c.victim_of == 1 else None,
        group="all" if kills and c.group_kill else None,
        spared="tasks" if kills and c.spared else None,
        undivided="yes" if c.unsure and c.unsure >= c.unreclaimable else None,
    )
    is_full = graded(sure_percent, NEAR_PERCENT, FULL_PERCENT, was=was) is DANGER
    return DANGER if is_full and not c.swap_room else WARNING, found


def cache_in_use(c: FindingInputs) -> Found:
    """A working set of 80 % of the limit or more, most of it page cache in use. It may get slow, but is not killed."""
    if not c.limit or c.working_set is None or c.unreclaimable is None:
        return None
    if c.working_set < 0.8 * c.limit or c.unreclaimable >= 0.8 * c.limit or near_limit(c) is not None:
        return None
    return NOTE, facts(
        limit_name=c.limit_name,
        limit_bytes=c.limit,
        working_set_bytes=c.working_set,
        reclaimable_bytes=c.working_set - c.unreclaimable,
        room_bytes=max(0, c.limit - c.working_set),
        room_max_bytes=c.limit - c.unreclaimable,
    )


def oom_kill(c: FindingInputs) -> Found:
    """The OOM killer has killed a process in its cgroup."""
    if not c.kills:
        return None
    return DANGER, facts(kills_count=c.kills, limit_name=c.limit_name, limit_bytes=c.limit)


def host_low(c: FindingInputs) -> Found:
    """Less than a tenth of the machine's RAM is available (MemAvailable)."""
    if not c.mem_total or c.mem_available is None:
        return None
    severity = low_severity(c.mem_available, c.mem_total, was=c.standing.get("host_low"))
    if severity is None:
        return None
    found = facts(
        available_bytes=c.mem_available, available_percent=100 * c.mem_available / c.mem_total, victim=c.host_victim
    )
    return severity, found


def low_severity(available_bytes: int, total_bytes: int, *, was: int | None) -> Severity | None:
    """How bad it is that no more of the machine's RAM is available; None where enough is."""

    def is_below(share: float, severity: Severity) -> bool:
        return available_bytes < (_LOW_UNTIL if was is not None and was >= severity else 1) * share * total_bytes

    if is_below(VERY_LOW_SHARE, DANGER):
        return DANGER
    return WARNING if is_below(LOW_SHARE, WARNING) else None


def throttled(c: FindingInputs) -> Found:
    """memory.high is exceeded repeatedly, so tasks are slowed down."""
    if c.high_per_s is None or c.high_per_s <= 1 or c.high_limit is None:
        return None
    return WARNING, facts(
        brake_name=c.high_name or "memory.high",
        high_bytes=c.high_limit,
        high_per_s=c.high_per_s,
        full_percent=c.psi_full_percent,
    )


def near_high(c: FindingInputs) -> Found:
    """Unreclaimable memory of 80 % of memory.high or more, which does not slow it down yet."""
    if c.brake_limit is None or c.brake_used is None or throttled(c) is not None:
        return None
    if graded(c.brake_used, NEAR_PERCENT / 100 * c.brake_limit, was=c.standing.get("near_high")) is None:
        return None
    return WARNING, facts(
        brake_name=c.brake_name,
        limit_bytes=c.brake_limit,
        used_bytes=c.brake_used,
        used_percent=_percent(c.brake_used, c.brake_limit),
    )


def rlimit_as(c: FindingInputs) -> Found:
    """VIRT near RLIMIT_AS (ulimit -v), or near the size of the address space of a 32-bit program."""
    limit = min((one for one in (c.address_space, c.narrow_space) if one is not None), default=None)
    if limit is None or c.virt is None or not _is_near(c.virt, limit, c, "address_space"):
        return None
    narrow = "yes" if limit != c.address_space else None
    return WARNING, facts(virt_bytes=c.virt, limit_bytes=limit, used_percent=_percent(c.virt, limit), narrow=narrow)


def rlimit_data(c: FindingInputs) -> Found:
    """Private writable memory near RLIMIT_DATA (ulimit -d)."""
    if c.data_limit is None or c.data is None or not _is_near(c.data, c.data_limit, c, "data_limit"):
        return None
    return WARNING, facts(data_bytes=c.data, limit_bytes=c.data_limit, used_percent=_percent(c.data, c.data_limit))


def _is_near(used: float, limit: float, c: FindingInputs, name: str) -> bool:
    """Whether so much of a limit is used that the finding of this name stands."""
    return used > (KEPT if name in c.standing else 1) * NEAR_PERCENT / 100 * limit


def _percent(used: float, limit: float) -> float:
    """How full a limit is; 100 for a limit of 0."""
    return 100 * used / limit if limit > 0 else 100.0


def commit(c: FindingInputs) -> Found:
    """Committed memory near CommitLimit under strict overcommit (vm.overcommit_memory 2)."""
    if c.overcommit != 2 or not c.commit_limit or c.committed is None:
        return None
    if graded(c.committed, COMMIT_SHARE * c.commit_limit, was=c.standing.get("commit")) is None:
        return None
    return WARNING, facts(committed_bytes=c.committed, limit_bytes=c.commit_limit)


def mappings(c: FindingInputs) -> Found:
    """A number of mappings near vm.max_map_count."""
    if not c.mappings or not c.max_mappings or not _is_near(c.mappings, c.max_mappings, c, "mappings"):
        return None
    return WARNING, facts(mappings_count=c.mappings, max_count=c.max_mappings)


def threads(c: FindingInputs) -> Found:
    """A number of threads near a limit: pids.max, RLIMIT_NPROC, kernel.threads-max or kernel.pid_max."""
    if c.threads_limit is None or c.threads_used is None:
        return None
    if not _is_near(c.threads_used, c.threads_limit, c, "threads"):
        return None
    return WARNING, facts(limit_name=c.threads_limit_name, threads_count=c.threads_used, max_count=c.threads_limit)


def count_rise(c: FindingInputs) -> Found:
    """A number of mappings or threads that rises steadily toward its limit."""
    rise = c.count_rise
    if rise is None:
        return None
    return WARNING, facts(
        limit_name=rise.name,
        used_count=rise.used,
        max_count=rise.limit,
        rise_count=rise.size,
        span_s=rise.span_s,
        full_s=rise.full_s,
        ends=rise.beyond,
    )


def rlimit_other(c: FindingInputs) -> Found:
    """The main thread's stack near RLIMIT_STACK, or locked memory near RLIMIT_MEMLOCK."""
    if c.resource_limit is None or c.resource_used is None:
        return None
    if not _is_near(c.resource_used, c.resource_limit, c, "resource_limit"):
        return None
    return WARNING, facts(
        resource=c.resource_limit_name,
        used_bytes=c.resource_used,
        limit_bytes=c.resource_limit,
        used_percent=_percent(c.resource_used, c.resource_limit),
        ends=c.resource_ends,
        depth="how deep it has been, not how deep it is" if c.resource_ends == STACK_ENDS else None,
    )


def hidden(c: FindingInputs) -> Found:
    """Memory charged to the cgroup that none of its processes has mapped and that is not page cache."""
    if c.unmapped is None or c.limit is None or c.limit_name is None or c.unreclaimable is None:
        return None
    least = min(max(8 * MIB, 0.2 * c.limit), max(256 * MIB, 0.2 * c.unreclaimable))
    if c.unmapped.total_bytes <= least:
        return None
    parts = [size if size > 0.05 * c.unmapped.total_bytes else None for size in c.unmapped]
    return WARNING, facts(
        limit_name=c.limit_name,
        limit_bytes=c.limit,
        hidden_bytes=c.unmapped.total_bytes,
        shmem_bytes=parts[0],
        anon_bytes=parts[1],
        kernel_bytes=None if c.unsure else parts[2],
        kernel_slab_bytes=parts[2] if c.unsure else None,
    )


def limit_touched(c: FindingInputs) -> Found:
    """The cgroup reaches its limit only because of page cache, which is normal: the rest leaves room."""
    if not c.limit_events_per_s or c.limit is None or c.unreclaimable is None or c.unreclaimable >= 0.8 * c.limit:
        return None
    return NOTE, facts(limit_name=c.limit_name, events_per_s=c.limit_events_per_s)
