"""Sentences below the table of limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from memtop import units
from memtop.analysis.ledger.cgroup import CgroupPart, cgroup_ledger
from memtop.analysis.limits.oom_score import NEVER
from memtop.analysis.trend.classify import LEAST_POINTS, LEAST_SPAN_S, Shape
from memtop.analysis.trend.forecast import HELD_PERCENT
from memtop.analysis.trend.hysteresis import LOOKS
from memtop.explain.finding_text import SHAPES, span
from memtop.explain.limit_names import short
from memtop.model.assessment import Assessment, Place
from memtop.model.detail import Detail
from memtop.model.frame import Frame
from memtop.procfs.cgroup import UNLIMITED

_OVERCOMMIT: Final = {0: "heuristic (0)", 1: "always (1)", 2: "never beyond CommitLimit (2)"}

_PARTS: Final[dict[str, str]] = {
    CgroupPart.LAZYFREE: "freed (LazyFree)",
    CgroupPart.ANON_UNMAPPED: "freed parts of huge pages, swap cache",
    CgroupPart.KERNEL_AND_SLAB: "kernel with slab",
    CgroupPart.SLAB_RECLAIMABLE: "reclaimable slab",
    CgroupPart.CACHE_INACTIVE: "inactive page cache",
    CgroupPart.CACHE_ACTIVE: "active page cache",
    CgroupPart.CACHE: "page cache",
    CgroupPart.FILE_OTHER: "locked or shared file pages",
    CgroupPart.UNSPLIT: "kernel and other",
}
"""Names of parts of a cgroup's memory that are not plain words."""


def sentences(detail: Detail, outlook: Assessment, frame: Frame) -> Iterator[str]:
    """What the table does not say: the verdict, the cgroup's parts and counters, OOM candidates, pressure."""
    yield from _verdict(outlook)
    yield from _rooms(outlook)
    yield from _cgroup(outlook)
    yield from _bridge(detail, outlook)
    yield from _victims(outlook, detail.row.oom_score_adj)
    pressure = outlook.cgroup.pressure if outlook.cgroup is not None else None
    if pressure is not None and pressure.some is not None and pressure.full is not None:
        some, full = units.percent(pressure.some.avg10_percent), units.percent(pressure.full.avg10_percent)
        yield f"Memory pressure (PSI) of the cgroup: some {some} %, full {full} % of the last 10 s."
    elif frame.system.psi_memory_some_avg10 is not None:
        full_percent = frame.system.psi_memory_full_avg10
        full_text = "" if full_percent is None else f", full {units.percent(full_percent)} %"
        some_text = units.percent(frame.system.psi_memory_some_avg10)
        yield f"Memory pressure (PSI) of the machine: some {some_text} %{full_text} of the last 10 s."
    else:
        yield "Memory pressure (PSI): unknown; PSI is off in this kernel, or cannot be read."
    policy = outlook.policy
    if policy.overcommit in _OVERCOMMIT and policy.max_map_count is not None:
        mode = _OVERCOMMIT[policy.overcommit]
        yield f"The kernel overcommits: {mode}; limit of mappings per process: {policy.max_map_count:,}."


def _verdict(outlook: Assessment) -> Iterator[str]:
    growth, state = outlook.growth, outlook.state
    if growth is None or state is None:
        return
    if growth.kind is Shape.INSUFFICIENT:
        seen = f"; so far {growth.points} in {units.duration(growth.span_s)}" if growth.points else ""
        takes = f"{LEAST_POINTS} readings in {units.duration(LEAST_SPAN_S)} or more, then {LOOKS} checks that agree"
        yield f"Verdict: unknown yet; it needs {takes}{seen}."
        return
    words = "Verdict on what is left on its heap after collections: " if outlook.of_heap else "Verdict: "
    shape = SHAPES[state.kind]
    words += shape if state.evidence is None else f"{state.evidence.value} ({shape})"
    if state.kind is Shape.INSUFFICIENT:
        words += f", until {LOOKS} classifications agree"
    if growth.slope_bytes_per_s is not None and growth.kind is not Shape.FLAT:
        measured = "low points" if growth.points else "what survives"
        words += f"; {measured} {units.signed_size(growth.slope_bytes_per_s * 60)}/min"
        if growth.slope_low_bytes_per_s is not None and growth.slope_high_bytes_per_s is not None:
            low, high = growth.slope_low_bytes_per_s * 60, growth.slope_high_bytes_per_s * 60
            words += f" ({units.signed_size(low)} to {units.signed_size(high)})"
    if growth.points:
        read = "collections" if outlook.of_heap else "readings"
        words += f", from {growth.points} {read} in {units.duration(growth.span_s)}"
    if outlook.lazy_free_bytes and not outlook.of_heap:
        words += f"; {units.long_size(outlook.lazy_free_bytes)} that was already freed (LazyFree) is not counted"
    if state.alarm and growth.limit_s is not None:
        swaps = outlook.first_met is not None and outlook.first_met.goes_to_swap
        words += f"; {'limit and swap full' if swaps else 'limit'} in {span(*growth.limit_s)}"
        words += f" ({HELD_PERCENT} % of such ranges were right in tests)"
        if growth.slow_s is not None:
            words += f", slower from {span(*growth.slow_s)} on"
    yield words + "."


def _rooms(outlook: Assessment) -> Iterator[str]:
    """Both ends of the range of room, if they differ."""
    for row in outlook.limits:
        can_go_bytes = row.headroom_max_bytes - row.headroom_bytes
        if can_go_bytes > 0.01 * row.limit_bytes:
            yield (
                f"Room of {short(row.name)}: {units.long_size(max(0, row.headroom_bytes))} at full speed, "
                f"{units.long_size(max(0, row.headroom_max_bytes))} before the "
                f"limit takes effect: {units.long_size(can_go_bytes)} of the "
                "working set can be reclaimed (page cache in use, slab)."
            )
        if row.protected_bytes > 0.01 * row.limit_bytes:
            yield (
                f"Room of {short(row.name)} does not include {units.long_size(row.protected_bytes)} of cache: "
                "memory.min of a cgroup inside keeps it."
            )
        if row.unsure_bytes > 0.01 * row.limit_bytes:
            most_bytes = row.headroom_max_bytes + row.unsure_bytes
            yield (
                f"Room of {short(row.name)} before the limit takes effect may be up to "
                f"{units.long_size(max(0, most_bytes))}: of "
                f"{units.long_size(row.unsure_bytes)} this kernel does not say how much can be reclaimed (slab)."
            )


def _cgroup(outlook: Assessment) -> Iterator[str]:
    cgroup, owner = outlook.cgroup, outlook.owner
    if not outlook.cgroup_known or cgroup is None:
        yield "Memory cgroup: unknown from here (another namespace, no memory controller, or not readable)."
        return
    names = [f"unit {owner.unit}"] if owner.unit else []
    if owner.container:
        names.append(f"{owner.runtime or 'container'} {owner.container[:12]}")
    if owner.pod:
        names.append(f"pod {owner.pod}")
    named = f" ({', '.join(names)})" if names else ""
    charged = "" if cgroup.usage_bytes is None else f" uses {units.long_size(cgroup.usage_bytes)}"
    parts = _split(outlook)
    yield f"Cgroup {outlook.cgroup_name}{named}{charged}{': ' + parts if parts else ''}."
    events = outlook.events
    read = [("limit reached", events.max), ("slowed down at memory.high", events.high), ("out of memory", events.oom)]
    kills, ago_s = ("OOM-killed", events.oom_kill), events.read_s
    if says := _counts([*read, kills] if ago_s is None else [kills]):
        yield f"In this cgroup since memtop started: {says}."
    if ago_s is not None and (says := _counts(read)):
        yield f"In this cgroup within the last {units.duration(ago_s)} (not read before): {says}."
    hidden = cgroup.stat.hierarchical_limit_bytes if cgroup.stat is not None else None
    seen = [row.limit_bytes for row in outlook.limits if row.path is not None]
    if hidden is not None and hidden < UNLIMITED and hidden < min(seen, default=UNLIMITED):
        yield f"An ancestor cgroup that is not visible from here has a limit of {units.long_size(hidden)}."


def _counts(events: list[tuple[str, int | None]]) -> str:
    known = ((what, number) for what, number in events if number is not None)
    return ", ".join(f"{what} {'once' if number == 1 else f'{units.count(number)} times'}" for what, number in known)


def _split(outlook: Assessment) -> str:
    cgroup = outlook.cgroup
    if cgroup is None or cgroup.stat is None or cgroup.usage_bytes is None:
        return ""
    parts = cgroup_ledger(cgroup.usage_bytes, cgroup.stat).parts
    return ", ".join(f"{_PARTS.get(part.name, part.name)} {units.long_size(part.size_bytes)}" for part in parts)


def _bridge(detail: Detail, outlook: Assessment) -> Iterator[str]:
    """Why RES and the cgroup's use differ."""
    cgroup, rss = outlook.cgroup, detail.row.rss_bytes
    if cgroup is None or cgroup.usage_bytes is None or rss is None:
        return
    tasks = outlook.tasks_rss_bytes
    if tasks is not None and outlook.tasks is not None and outlook.tasks > 1:
        whose = f"RES of the {outlook.tasks} processes in this cgroup adds up to {units.long_size(tasks)}"
    else:
        whose = f"RES of this process is {units.long_size(rss)}"
    yield (
        f"{whose}, the cgroup uses {units.long_size(cgroup.usage_bytes)}: RES counts shared pages in full, even those "
        "charged elsewhere; the cgroup also counts page cache, tmpfs and kernel memory."
    )


def _victims(outlook: Assessment, adj: int | None) -> Iterator[str]:
    inside, where = outlook.in_cgroup, "In the cgroup with the binding limit"
    if any(row.binds and row.hangs for row in outlook.limits):
        yield f"{where} tasks hang at the limit: its OOM killer is disabled (memory.oom_control)."
    elif inside is not None:
        ranks = "all processes in its cgroup with it (memory.oom.group)" if inside.all_die else _rank(inside, adj)
        with_it = ", and " if inside.all_die else "; "
        yield f"{where} the OOM killer would kill {inside.first_name} first{with_it}{ranks}."
    if (place := outlook.on_machine) is not None:
        yield f"On the machine the OOM killer would kill {place.first_name} first; {_rank(place, adj)}."


def _rank(place: Place, adj: int | None) -> str:
    if place.rank is None:
        return "this process is exempt" + (" (oom_score_adj -1000)" if adj == NEVER else "")
    return f"this process is {_ordinal(place.rank)} of {place.of}" if place.of > 1 else "it is the only candidate"


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
