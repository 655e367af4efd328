"""Rules about the machine: little memory left, memory that goes and to what, pressure, swap that fills."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from memtop.analysis.findings.faults import FULL_PERCENT, RATE_KEPT, WAITS_KEPT
from memtop.analysis.findings.limits import COMMIT_SHARE, LOW_SHARE, low_severity
from memtop.analysis.findings.rule import DANGER, NOTE, WARNING, Facts, facts, graded
from memtop.analysis.incidents.incident import MACHINE, Incident
from memtop.analysis.incidents.inputs import MIB, STILL_S, IncidentInputs, MachineFacts, PartOwner
from memtop.analysis.incidents.processes import AT_ONCE_S, PACE_S, severity_at_pace
from memtop.analysis.ledger.machine import MachinePart, Reclaim, reclaim_of
from memtop.analysis.severity import Severity
from memtop.analysis.trend.rising import QUIET_S, SUM_GOES_ON

_PACE_SAID_S: Final = 10.0
"""A fall that goes on is said by its rate from so long on, and before by its size."""
_FALL_BYTES: Final = 256 * MIB
"""A fall of MemAvailable is worth a line from here on, or from a part of RAM, whichever is more."""
_FALL_SHARE: Final = 0.02
_PART_BYTES: Final = 64 * MIB
"""The same for one part of RAM that rises."""
_PART_SHARE: Final = 0.0025
_SLAB: Final = (MachinePart.SLAB_RECLAIMABLE, MachinePart.SLAB_UNRECLAIMABLE)
"""Half of that, since no process shows it."""
_MINUTES_S: Final = 600.0
EXPLAINED: Final = 0.5
"""What has gained so much of what the machine has lost explains it."""
LEAST_GAIN_BYTES: Final = int(EXPLAINED * _FALL_BYTES)
"""What has gained less explains no fall."""
_LAST: Final = (MachinePart.ANONYMOUS, MachinePart.UNACCOUNTED)
"""Parts that are named only where they explain a fall, and nothing else does."""
_SOME_PERCENT: Final = 10.0
_REFAULTS_PER_S: Final = 100.0
_SWAP_BYTES: Final = 64 * MIB
_NAMES: Final = {
    MachinePart.ANONYMOUS: "anonymous memory of many processes",
    MachinePart.SHMEM: "tmpfs and shared memory",
    MachinePart.SLAB_RECLAIMABLE: "slab, reclaimable",
    MachinePart.SLAB_UNRECLAIMABLE: "slab, not reclaimable",
    MachinePart.PAGE_TABLES: "page tables",
    MachinePart.KERNEL_STACKS: "kernel stacks",
    MachinePart.VMALLOC: "vmalloc",
    MachinePart.PERCPU: "percpu memory of the kernel",
    MachinePart.HUGETLB_USED: "huge pages (hugetlb)",
    MachinePart.HUGETLB_FREE: "unused huge pages (hugetlb)",
    MachinePart.HUGETLB_RESERVED: "reserved huge pages (hugetlb)",
    MachinePart.HUGETLB_OTHER_SIZES: "huge pages (hugetlb)",
    MachinePart.ZSWAP: "zswap",
    MachinePart.ZRAM: "zram",
    MachinePart.GPU: "GPU memory",
    MachinePart.BALLOON: "a balloon of the hypervisor",
    MachinePart.CACHE_DIRTY: "dirty pages",
    MachinePart.CACHE_UNEVICTABLE: "unevictable page cache (ramfs, mlock)",
    MachinePart.UNACCOUNTED: "memory in no counter (pipes, sockets, drivers, GPU, balloon)",
}


def host_low(inputs: IncidentInputs) -> Iterator[Incident]:
    """Less than a tenth of the machine's RAM is available."""
    m = inputs.machine
    if not m.total_bytes or m.available_bytes is None:
        return
    severity = low_severity(m.available_bytes, m.total_bytes, was=_was(inputs, "host_low"))
    if severity is None:
        return
    found = facts(
        available_bytes=m.available_bytes,
        available_percent=100 * m.available_bytes / m.total_bytes,
        holder=_named(m.holder_part, m) if m.holder_part is not None else m.holder_name or None,
        at_most="" if m.holder is not None or m.holder_part is not None else "at most ",
        held_bytes=m.held_bytes or None,
        swap_free_bytes=m.swap_free_bytes or None,
    )
    yield Incident("host_low", severity, MACHINE, found, 1.0, inputs.now_s, "available", m.holder, level=True)


def commit(inputs: IncidentInputs) -> Iterator[Incident]:
    """Under strict overcommit nine tenths of what may be promised are."""
    m = inputs.machine
    if not m.commit_limit_bytes or m.committed_bytes is None:
        return
    if graded(m.committed_bytes, COMMIT_SHARE * m.commit_limit_bytes, was=_was(inputs, "commit")) is None:
        return
    found = facts(committed_bytes=m.committed_bytes, limit_bytes=m.commit_limit_bytes)
    weight = m.committed_bytes / m.commit_limit_bytes
    yield Incident("commit", WARNING, MACHINE, found, weight, inputs.now_s, "commit", level=True)


def pressure(inputs: IncidentInputs) -> Iterator[Incident]:
    """Tasks wait for memory."""
    m = inputs.machine
    some, full, was = m.some_percent or 0.0, m.full_percent or 0.0, _was(inputs, "pressure")
    some_wait = graded(some, _SOME_PERCENT, was=was, kept=WAITS_KEPT) is not None
    all_wait = graded(full, FULL_PERCENT, FULL_PERCENT, was=was, kept=WAITS_KEPT)
    if not some_wait and all_wait is None:
        return
    worst = max(inputs.cgroups, key=lambda one: one.refault_per_s or 0.0, default=None)
    least = _REFAULTS_PER_S * (RATE_KEPT if was is DANGER else 1)
    refaults = worst is not None and (worst.refault_per_s or 0.0) >= least
    returning = (m.refault_per_s or 0.0) >= least
    yield Incident(
        "pressure",
        DANGER if all_wait is DANGER and (refaults or returning) else WARNING,
        MACHINE,
        facts(
            some_percent=some,
            full_percent=full if full >= 1 else None,
            refault_per_s=m.refault_per_s if returning else None,
            cgroup=worst.name if worst is not None and refaults else None,
        ),
        weight=some,
        since_s=inputs.now_s,
        story="pressure",
        show=worst.largest if worst is not None and refaults else None,
    )


def _was(inputs: IncidentInputs, name: str) -> Severity | None:
    """The severity with which the incident of the machine stands; None where it does not."""
    return inputs.standing.get((MACHINE.identity, name))


def least_fall_bytes(total_bytes: int) -> float:
    """A fall of MemAvailable counts from here on."""
    return max(_FALL_BYTES, _FALL_SHARE * total_bytes)


def memory_goes(inputs: IncidentInputs) -> Iterator[Incident]:
    """MemAvailable falls, or a part of RAM that belongs to no process rises."""
    m = inputs.machine
    if not m.total_bytes:
        return
    # Each part has a story of its own, or two that rise alike would take turns in the headline.
    part, *others = _risers(m) or [None]
    yield from (_part_rises(one, m) for one in others if one is not None)
    fall = m.used if m.used is not None and m.used.size_bytes >= least_fall_bytes(m.total_bytes) else None
    gainer = False
    if fall is not None and part is not None and m.parts[part].size_bytes < EXPLAINED * fall.size_bytes:
        yield _part_rises(part, m)  # beside what explains most of the fall
    if fall is not None and (part is None or m.parts[part].size_bytes < EXPLAINED * fall.size_bytes):
        gainer = m.gained_bytes >= EXPLAINED * fall.size_bytes
        if gainer and any(one.key == m.gainer for one in inputs.growing):
            return  # that process is the story
        explains = (one for one in _LAST if one in m.parts and m.parts[one].size_bytes >= EXPLAINED * fall.size_bytes)
        part = next(explains, None)
    if part is None and fall is None:
        return
    rise = m.parts[part] if part is not None else fall
    assert rise is not None
    owner = _owner(part, m) if part is not None else None
    copies = part is MachinePart.ANONYMOUS and not gainer and m.copier is not None
    # What fell in one go and stands still has no pace.
    falls = fall is not None and fall.span_s >= PACE_S and inputs.now_s - fall.high_s <= STILL_S
    has_pace = fall is not None and fall.span_s >= _PACE_SAID_S and fall.goes_on(inputs.now_s, QUIET_S)
    full_s = fall.full_s(m.available_bytes, SUM_GOES_ON) if falls and fall is not None and m.available_bytes else None
    yield Incident(
        "memory_goes",
        severity_at_pace(full_s, was=_was(inputs, "memory_goes")),
        MACHINE,
        facts(
            fall_bytes_per_min=60 * fall.bytes_per_s if fall is not None and has_pace else None,
            fall_bytes=fall.size_bytes if fall is not None and not has_pace else None,
            fall_s=fall.span_s if fall is not None and not has_pace else None,
            gainer=m.gainer_name if gainer else None,
            gained_bytes=m.gained_bytes if gainer else None,
            copier=m.copier_name if copies else None,
            copied_per_s=m.copied_per_s if copies else None,
            **_owned(part, m),  # its name decides about the sentences: before that of the part
            part=_named(part, m) if part is not None and not gainer else None,
            by=" and no process grows that fast" if m.all_watched and m.all_seen else "",
            part_id=part.value if part is not None else None,
            rise_bytes=rise.size_bytes if part is not None else None,
            rise_s=rise.span_s if part is not None else None,
            full_s=full_s if full_s is not None and full_s < _MINUTES_S else None,
            **_reclaimed(part),
        ),
        weight=rise.size_bytes / m.total_bytes,
        since_s=rise.since_s,
        # A part that no process holds is the same story, whatever else falls.
        story="falls" if part in (None, *_LAST) or gainer else f"part {part.value}",
        show=m.gainer if gainer else m.copier if copies else owner.key if owner is not None else None,
        kills_in_s=max(1.0, full_s) if full_s is not None and not m.swap_free_bytes else math.inf,
    )


def _part_rises(part: MachinePart, m: MachineFacts) -> Incident:
    """A part of RAM that no process holds rises, and is not what takes most."""
    rise, owner = m.parts[part], _owner(part, m)
    return Incident(
        "memory_goes",
        NOTE,
        MACHINE,
        facts(
            **_owned(part, m),
            part=_named(part, m),
            part_id=part.value,
            rise_bytes=rise.size_bytes,
            rise_s=rise.span_s,
            **_reclaimed(part),
        ),
        weight=rise.size_bytes / (m.total_bytes or rise.size_bytes),
        since_s=rise.since_s,
        story=f"part {part.value}",
        show=owner.key if owner is not None else None,
    )


def _owner(part: MachinePart, m: MachineFacts) -> PartOwner | None:
    """The process whose part explains the rise."""
    owner = m.owners.get(part)
    return owner if owner is not None and owner.about_bytes >= EXPLAINED * m.parts[part].size_bytes else None


def _owned(part: MachinePart | None, m: MachineFacts) -> Facts:
    """The process that has most of a part, or that no counter can say it."""
    owner = _owner(part, m) if part is not None else None
    if part is MachinePart.UNACCOUNTED:
        return {"uncounted": "yes"}
    if owner is None:
        return {}
    if part is MachinePart.SHMEM:
        return facts(sharer=owner.name, owned_bytes=owner.size_bytes)
    return facts(owner=owner.name, owned_bytes=owner.size_bytes, threads_count=owner.threads)


def _reclaimed(part: MachinePart | None) -> Facts:
    """What the kernel can do about a part."""
    how = reclaim_of(part) if part is not None else None
    return facts(
        only_swap="the kernel cannot drop it, only swap it out"
        if how is Reclaim.SWAP and part is MachinePart.SHMEM
        else None,
        shrinks="the kernel takes it back when memory is short" if how is Reclaim.SHRINK else None,
        stays="the kernel cannot take it back" if how is Reclaim.NO else None,
    )


def swap_fills(inputs: IncidentInputs) -> Iterator[Incident]:
    """Memory goes to swap."""
    rise, free = inputs.machine.swap_used, inputs.machine.swap_free_bytes
    if rise is None or free is None or rise.size_bytes < _SWAP_BYTES or rise.steps < 3:
        return
    m, goes_on = inputs.machine, rise.goes_on(inputs.now_s, STILL_S)
    full_s = rise.full_s(free) if goes_on else None
    low = bool(m.total_bytes) and m.available_bytes is not None and m.available_bytes < LOW_SHARE * (m.total_bytes or 0)
    kills_in_s = max(1.0, full_s) if full_s is not None and low else math.inf  # then there is nothing left
    severity = WARNING if full_s is not None and full_s < _MINUTES_S else NOTE
    yield Incident(
        "swap_fills",
        DANGER if kills_in_s < AT_ONCE_S else severity,
        MACHINE,
        facts(
            rise_bytes=rise.size_bytes,
            rise_s=rise.span_s,
            swap_free_bytes=free,
            full_s=full_s if full_s is not None and full_s < _MINUTES_S else None,
        ),
        weight=rise.bytes_per_s,
        since_s=rise.since_s,
        story="swap",
        kills_in_s=kills_in_s,
    )


def huge_pool(inputs: IncidentInputs) -> Iterator[Incident]:
    """A pool of huge pages has filled within the last minute. One that has been full for longer may be meant to be: a
    database takes all of its pool when it starts."""
    m = inputs.machine
    if not m.pool_bytes or m.pool_used is None or m.pool_left_bytes >= LOW_SHARE * m.pool_bytes:
        return
    full_s = m.pool_used.full_s(m.pool_left_bytes) if m.pool_used.goes_on(inputs.now_s, STILL_S) else None
    yield Incident(
        "huge_pool",
        NOTE if full_s is None else WARNING,
        MACHINE,
        facts(
            used_percent=100.0 * (m.pool_bytes - m.pool_left_bytes) / m.pool_bytes,
            pool_bytes=m.pool_bytes,
            room_bytes=m.pool_left_bytes,
            rise_bytes=m.pool_used.size_bytes,
            rise_s=m.pool_used.span_s,
            full_s=full_s if full_s and full_s < _MINUTES_S else None,
        ),
        weight=m.pool_used.bytes_per_s,
        since_s=m.pool_used.since_s,
        story="huge_pool",
        level=True,
    )


def _risers(m: MachineFacts) -> list[MachinePart | None]:
    """The parts that belong to no process and have gained so much that it is worth a line, the largest gain first."""
    least = max(_PART_BYTES, _PART_SHARE * (m.total_bytes or 0))
    least_of = dict.fromkeys(_SLAB, least / 2)
    found = [
        (rise.size_bytes, part)
        for part, rise in m.parts.items()
        if part not in _LAST and rise.size_bytes >= least_of.get(part, least) and not _is_taken(part, m)
    ]
    return [part for _, part in sorted(found, reverse=True)]


def _is_taken(part: MachinePart, m: MachineFacts) -> bool:
    """Whether a part only uses what was taken from the machine before: the pages of a pool, while little else goes."""
    fall_bytes = m.used.size_bytes if m.used is not None else 0
    of_pool = part in (MachinePart.HUGETLB_USED, MachinePart.HUGETLB_RESERVED)
    return of_pool and fall_bytes < EXPLAINED * m.parts[part].size_bytes


def _named(part: MachinePart, m: MachineFacts) -> str:
    if part is MachinePart.ANONYMOUS and not (m.all_watched and m.all_seen):
        return f"anonymous memory of processes that are not {'seen here' if m.all_watched else 'watched'}"
    if part is MachinePart.SLAB_RECLAIMABLE and m.slab_holds:
        return f"slab ({m.slab_holds})"
    return _NAMES.get(part, part.value.replace("_", " "))
