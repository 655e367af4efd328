"""Memory limits of a process (cgroups, machine, setrlimit), and the one that it reaches first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from memtop.analysis.ledger.machine import MachinePart, machine_ledger
from memtop.analysis.limits.memory_limits import (
    Ceiling,
    binding,
    ceilings,
    host_ceiling,
    swap_free_at_limit,
    swap_free_bytes,
)
from memtop.analysis.trend.forecast import Beside, Room, own_share
from memtop.engine.assessment.growth_tracker import GrowthTracker, Verdict
from memtop.engine.assessment.limit_names import limit_name, machine_name
from memtop.engine.assessment.step_input import StepInput
from memtop.engine.assessment.unread_limits import is_stack_mapped, unread_cgroups, user_threads
from memtop.model.assessment import CountLimit, Limit, LimitRow
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED
from memtop.program_name import program_name
from memtop.runtimes.program_names import has_heap_limit
from memtop.sampling.cgroup_reading import MappingCount
from memtop.sanitize import clean

_MET: Final = frozenset({Limit.CGROUP, Limit.HIGH, Limit.MACHINE, Limit.ADDRESS_SPACE, Limit.DATA, Limit.RUNTIME})
"""Limits that a rising process reaches. The others only change what happens there."""
_KILLS: Final = frozenset({Limit.CGROUP, Limit.MACHINE})
_NO_MMAP: Final = "mmap fails"
NO_THREAD: Final = "no thread or process starts"
_FULL_SHARE: Final = 0.01
"""A limit that leaves less is full."""
SHARED: Final = frozenset({Limit.CGROUP, Limit.HIGH, Limit.MACHINE})
"""Limits on what several processes use together."""


def limit_rows(key: ProcessKey, step: StepInput) -> tuple[LimitRow, ...]:
    """Every limit of a process, the nearest cgroup first."""
    cgroups, meminfo = step.cgroups, step.meminfo
    chain = step.chain(key)
    shared = step.limits.get(chain) if step.limits is not None else None
    if shared is None:
        shared = tuple(_shared_rows(key, step))
        if step.limits is not None:
            step.limits[chain] = shared
    rows: list[LimitRow] = []
    limits, seen = cgroups.limits.get(key), step.process(key)
    status = seen.status if seen is not None else None
    virt_bytes = seen.statm.virt_bytes if seen is not None and seen.statm is not None else None
    if limits is not None and limits.address_space_bytes not in (None, UNLIMITED) and virt_bytes is not None:
        rows.append(_plain(Limit.ADDRESS_SPACE, "ulimit -v (RLIMIT_AS)", limits.address_space_bytes, virt_bytes))
    narrow_bytes = seen.stat.address_space_bytes if seen is not None and seen.stat is not None else None
    if narrow_bytes is not None and virt_bytes is not None:
        rows.append(_plain(Limit.ADDRESS_SPACE, "address space (32-bit)", narrow_bytes, virt_bytes))
    if limits is not None and limits.data_bytes not in (None, UNLIMITED) and status and status.data_bytes:
        rows.append(_plain(Limit.DATA, "ulimit -d (RLIMIT_DATA)", limits.data_bytes, status.data_bytes))
    if limits is not None and status is not None:
        if limits.stack_bytes not in (None, UNLIMITED) and status.stack_bytes and not is_stack_mapped(limits, status):
            rows.append(_plain(Limit.STACK, "ulimit -s (RLIMIT_STACK)", limits.stack_bytes, status.stack_bytes))
        if limits.locked_bytes not in (None, UNLIMITED) and status.locked_bytes and not status.may_lock:
            rows.append(_plain(Limit.LOCKED, "ulimit -l (RLIMIT_MEMLOCK)", limits.locked_bytes, status.locked_bytes))
    if status is not None and status.hugetlb_bytes:
        rows += _huge_pages(key, step)
    for own in step.runtimes[key].ceilings if key in step.runtimes else ():
        kind = Limit.RUNTIME_SOFT if own.soft else Limit.RUNTIME if own.may_be_met else Limit.RUNTIME_LEVEL
        rows.append(_plain(kind, own.name, own.limit_bytes, own.used_bytes))
    used, most = (meminfo.committed_bytes, meminfo.commit_limit_bytes) if meminfo is not None else (None, None)
    if cgroups.policy.overcommit == 2 and used is not None and most is not None:
        rows.append(_plain(Limit.COMMIT, "CommitLimit", most, used))
    return (*shared, *rows) if rows else shared


def _shared_rows(key: ProcessKey, step: StepInput) -> Iterator[LimitRow]:
    """The limits of the machine and of the cgroups of a process: the same for all processes of a cgroup."""
    found = _ceilings(key, step)
    tightest = binding(found)
    disabled = {reading.path for reading in step.readings(key) if not reading.v2 and reading.kill_disabled}
    for one in found:
        yield LimitRow(
            Limit.MACHINE if one.path is None else Limit.CGROUP if one.kills else Limit.HIGH,
            _name(one, step),
            one.limit_bytes,
            one.unreclaimable_bytes,
            one.headroom_bytes,
            one.headroom_max_bytes,
            one is tightest,
            one.path,
            one.swap_room_bytes,
            one.unsure_bytes,
            one.protected_bytes,
            _goes_to_swap(one, step),
            one.path in disabled,
        )
    for reading in step.readings(key):
        if reading.swap_limit_bytes not in (None, UNLIMITED) and reading.swap_bytes is not None:
            name = f"swap of {limit_name(reading.path, step)}"
            yield _plain(Limit.CGROUP_SWAP, name, reading.swap_limit_bytes, reading.swap_bytes)


def _goes_to_swap(one: Ceiling, step: StepInput) -> bool:
    """Whether what grows toward this ceiling goes to swap now, so that swap is what fills."""
    if not one.swap_room_bytes or not one.kills:
        return False
    is_full = one.headroom_max_bytes <= _FULL_SHARE * one.limit_bytes
    return is_full or (one.path is None and step.machine_room.swaps)


def _huge_pages(key: ProcessKey, step: StepInput) -> list[LimitRow]:
    """Limits on huge pages, for a process that has such pages: of its cgroups, and of the pool of the default size."""
    meminfo = step.meminfo
    rows = [
        _plain(Limit.HUGETLB, f"huge pages ({one.page}) of {one.label}", one.limit_bytes, one.usage_bytes)
        for one in step.cgroups.hugetlb.get(key, ())
    ]
    pool = machine_ledger(meminfo) if meminfo is not None else None
    used = pool.size_of(MachinePart.HUGETLB_USED, MachinePart.HUGETLB_RESERVED) if pool is not None else None
    free = pool.size_of(MachinePart.HUGETLB_FREE) if pool is not None else None
    if used is not None and free is not None and used:
        rows.append(_plain(Limit.HUGE_POOL, "pool of huge pages", used + free, used))
    return rows


def count_limits(key: ProcessKey, step: StepInput) -> tuple[CountLimit, ...]:
    """The limits on the numbers of mappings and threads, as far as both ends are known; the fullest first."""
    cgroups, found = step.cgroups, []
    mappings, most = cgroups.mappings.get(key, MappingCount()).number, cgroups.policy.max_map_count
    if mappings is not None and most is not None:
        found.append(CountLimit("vm.max_map_count", most, mappings, _NO_MMAP))
    tasks = cgroups.tasks.get(key)
    if tasks is not None:
        found += [CountLimit(one.name, one.limit, one.used, NO_THREAD) for one in tasks.limits if one.used is not None]
    most, used = user_threads(key, step)
    if most is not None and used is not None:
        found.append(CountLimit("ulimit -u (RLIMIT_NPROC)", most, used, NO_THREAD))
    return tuple(sorted(found, key=lambda one: -one.used / max(1, one.limit)))


def used_percent(key: ProcessKey, step: StepInput) -> float | None:
    """How full the cgroup is whose limit kills first; None without one."""
    tightest = binding([one for one in _ceilings(key, step) if one.path is not None and one.kills])
    return tightest.used_percent if tightest is not None else None


def first_met(key: ProcessKey, limits: Iterable[LimitRow], step: StepInput) -> LimitRow | None:
    """The limit that a rising process reaches first: one that kills, or that slows down and does not do so already.

    If an ancestor cgroup could not be read, or its runtime has a limit whose use is not known, the machine is not
    reported as the first. A rise that a heap explains ends where the heap has its full size: limits that leave more
    are not reached.
    """
    may_take = step.runtimes[key].heap_may_take_bytes if key in step.runtimes else None
    if may_take is not None:
        limits = [row for row in limits if row.limit not in SHARED or row.headroom_max_bytes < may_take]
    return nearest(key, limits, step)


def meets_first_what_its_cgroup_does(key: ProcessKey, limits: tuple[LimitRow, ...], step: StepInput) -> bool:
    """Whether nothing of its own decides which of its ``limits`` it meets first: all of its cgroup meet the same."""
    cgroups = step.cgroups
    is_shared = step.limits is not None and limits is step.limits.get(step.chain(key))
    is_known = key in cgroups.chains and key not in cgroups.unread
    return is_shared and is_known and key not in step.runtimes and not _may_end_first(key, step)


def nearest(key: ProcessKey, limits: Iterable[LimitRow], step: StepInput) -> LimitRow | None:
    """The same whatever its heap can still take."""
    limits = list(limits)
    if _may_end_first(key, step) or unread_cgroups(key, step):
        limits = [row for row in limits if row.limit is not Limit.MACHINE]
    ahead = (row for row in limits if row.limit in _MET and (row.limit is not Limit.HIGH or row.headroom_max_bytes > 0))
    own = {one.name: one.of_rise for one in step.runtimes[key].ceilings} if key in step.runtimes else {}

    def rise_bytes(row: LimitRow) -> float:
        """RES rises by so much until the limit is met."""
        return row.headroom_max_bytes / (own.get(row.name, 1.0) if row.limit is Limit.RUNTIME else 1.0)

    return min(ahead, key=rise_bytes, default=None)


def _may_end_first(key: ProcessKey, step: StepInput) -> bool:
    """Whether a full heap may end it before the machine's memory is full; by its name, if it is not looked into."""
    if key in step.runtimes:
        return step.runtimes[key].may_end_first
    row = step.row(key)
    return row is not None and _names_heap_limit(row.name, row.command_raw)


@lru_cache(maxsize=1024)
def _names_heap_limit(name: str, command: bytes | None) -> bool:
    """By the name and the command line of a process, which stay the same for hundreds from sample to sample."""
    names = (name, *(clean(file) for file in (program_name(command).names[:1] if command else ())))
    return any(map(has_heap_limit, names))


def first_to_kill(limits: Iterable[LimitRow]) -> LimitRow | None:
    """The limit with the least room among those at which the kernel kills."""
    return min((row for row in limits if row.limit in _KILLS), key=lambda row: row.headroom_max_bytes, default=None)


def growing_beside(key: ProcessKey, limit: LimitRow, step: StepInput, verdicts: GrowthTracker) -> list[Verdict]:
    """The verdicts on other processes with confirmed growth that use the same room."""
    if limit.limit not in SHARED:
        return []
    return [
        verdict
        for other in verdicts.alarmed()
        if other != key
        and step.process(other) is not None
        and (limit.path is None or limit.path in step.chain(other))
        and (verdict := verdicts.of(other)) is not None
        and not verdict.pauses
    ]


def room_of(key: ProcessKey, step: StepInput, verdicts: GrowthTracker) -> Room | None:
    """What the limit met first leaves to it, of which those that grow beside it take their share; None without one.

    A limit of its runtime has no room for RES: a heap that is not full of live objects is collected.
    """
    limit = first_met(key, limit_rows(key, step), step)
    if limit is None or limit.limit is Limit.RUNTIME:
        return None
    own = verdicts.of(key)
    slope = (own.growth.slope_bytes_per_s if own is not None else None) or 0.0
    rivals, ends = rivals_of(key, limit, step, verdicts), room_bytes(limit, step)
    beside = [*rivals.growing, *([] if rivals.unnamed is None else [rivals.unnamed])]
    return Room(own_share(ends, slope, beside), own_share(min(ends, max(0, limit.headroom_bytes)), slope, beside))


def room_bytes(limit: LimitRow, step: StepInput) -> int:
    """What is left until a limit takes effect, for a forecast: of the machine the least within the last seconds, and
    with the room on swap once memory goes there."""
    left = max(0, limit.headroom_max_bytes)
    if limit.limit is Limit.MACHINE and step.machine_room.low_bytes is not None:
        left = min(left, step.machine_room.low_bytes)
    return left + (limit.swap_room_bytes or 0) * limit.goes_to_swap


class Rivals(NamedTuple):
    """What uses up the same room as a process that grows."""

    growing: tuple[Beside, ...]
    """The other processes whose growth is confirmed."""
    unnamed: Beside | None
    """What the machine's available memory falls faster than all of them together grow; None if it does not."""

    @property
    def bytes_per_s(self) -> float:
        """All of them together."""
        return sum(one.bytes_per_s for one in (*self.growing, *([] if self.unnamed is None else [self.unnamed])))


def rivals_of(key: ProcessKey, limit: LimitRow, step: StepInput, verdicts: GrowthTracker) -> Rivals:
    """Those that grow beside a process toward a limit; of the machine also what no process explains.

    The time to the limit follows the sum of all that grow, or the fall of available memory if that is faster.
    """
    own = verdicts.of(key)
    growing = tuple(
        Beside(one.standing.slope_bytes_per_s or 0.0, step.now_s - one.state.since_s)
        for one in growing_beside(key, limit, step, verdicts)
        if one.state.since_s is not None
    )
    unnamed = None
    if limit.limit is Limit.MACHINE:
        slope = own.growth.slope_bytes_per_s if own is not None else None
        unnamed = step.machine_room.beside((slope or 0.0) + sum(one.bytes_per_s for one in growing))
    return Rivals(growing, unnamed)


def _ceilings(key: ProcessKey, step: StepInput) -> tuple[Ceiling, ...]:
    meminfo = step.meminfo
    total, swap_free = meminfo.total_bytes if meminfo is not None else None, swap_free_bytes(meminfo)
    uses, zswap = [one.use for one in step.readings(key)], step.cgroups.policy.zswap
    own = ceilings(uses, total, swap_free_at_limit(swap_free, _swappiness(key, step)), zswap=zswap)
    host = host_ceiling(meminfo) if meminfo is not None else None
    return (*own, host) if host is not None else own


def _swappiness(key: ProcessKey, step: StepInput) -> int | None:
    """The swappiness with which the pages of this process are reclaimed for the limit of a cgroup."""
    leaf = step.leaf(key)
    return leaf.swappiness if leaf is not None and not leaf.v2 else step.cgroups.policy.swappiness


def _name(one: Ceiling, step: StepInput) -> str:
    if one.path is None:
        return machine_name(step)
    name = limit_name(one.path, step)
    return name if one.kills else f"memory.high of {name}"


def _plain(limit: Limit, name: str, limit_bytes: int | None, used_bytes: int) -> LimitRow:
    ceiling_bytes = limit_bytes or 0
    return LimitRow(limit, name, ceiling_bytes, used_bytes, ceiling_bytes - used_bytes, ceiling_bytes - used_bytes)
