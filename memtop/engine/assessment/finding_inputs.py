"""Makes the FindingInputs of a living process from one tick, its growth verdict, its limits and the counters."""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.analysis.crash_loop import LoopFacts
from memtop.analysis.fault_causes import major_cause, minor_cause
from memtop.analysis.findings import FindingInputs
from memtop.analysis.incidents.processes import Forecast
from memtop.analysis.ledger.cgroup import Unmapped, cgroup_ledger, unmapped
from memtop.analysis.ledger.outside import outside_parts
from memtop.analysis.limits.count_rise import CountRise
from memtop.analysis.trend.classify import Growth, Shape
from memtop.engine.assessment.event_counters import Counters
from memtop.engine.assessment.growth_tracker import Verdict
from memtop.engine.assessment.limit_names import cgroup_name, limit_name
from memtop.engine.assessment.memory_limits import NO_THREAD, Rivals, first_to_kill
from memtop.engine.assessment.oom_candidates import kills_group
from memtop.engine.assessment.rise_tracker import RiseFact
from memtop.engine.assessment.step_input import StepInput
from memtop.engine.assessment.task_totals import TaskSums
from memtop.engine.assessment.verdict_time import verdict_s
from memtop.history.rings import History
from memtop.model.assessment import CountLimit, Limit, LimitRow, Place
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED
from memtop.sampling.cgroup_reading import CgroupReading, MappingCount

_GROWN_S: Final = 5.0
"""The period over which faults are compared with growth."""


class Judged(NamedTuple):
    """Results of the other modules about a process."""

    limits: tuple[LimitRow, ...]
    counts: tuple[CountLimit, ...]
    charge: Growth | None
    """Confirmed growth of what cannot be reclaimed in the cgroup that limits it, or else in its own."""
    charge_name: str | None
    """The name of that cgroup."""
    family: Growth | None
    """Confirmed growth of the sum over its fork family."""
    count_rise: CountRise | None
    """The number that rises to its limit first."""
    huge: Growth | None
    """Confirmed growth of its huge pages."""
    held: Growth | None
    """Confirmed growth of its memory outside RES."""
    opens_more: bool
    """Whether the number of its descriptors grows of which the kernel does not tell what they keep."""
    verdict: Verdict | None
    growth: Growth | None
    """The confirmed verdict, with the current time to the limit."""
    rise: RiseFact | None
    """Growth since it began to rise; None while it does not rise."""
    target: LimitRow | None
    """The limit that it reaches first."""
    siblings: int
    """Other processes that grow toward that limit."""
    rivals: Rivals | None
    """What uses up its room as well; None without a limit."""
    in_cgroup: Place | None
    on_machine: Place | None
    copied_bytes_per_s: float | None
    zombies: int
    giant: ProcessRow | None
    """The largest of all processes, if it is never killed."""
    tasks: TaskSums | None
    """Sums over all tasks in its cgroup; None if not all are known."""
    forecast: Forecast | None = None
    """What the incidents of the machine say of it; None where they do not name it."""
    loop: LoopFacts | None = None
    """The earlier lives of its program, if it has crashed and come back."""


def case_of(row: ProcessRow, step: StepInput, judged: Judged, counters: Counters, history: History) -> FindingInputs:
    """The inputs without the facts from smaps and runtimes."""
    cgroups, meminfo, status = step.cgroups, step.meminfo, step.status(row.key)
    leaf, verdict, growth = step.leaf(row.key), judged.verdict, judged.growth
    kills = first_to_kill(judged.limits)
    tightest = kills if kills is not None and kills.path is not None else None
    bound = cgroups.readings.get(tightest.path) if tightest is not None and tightest.path else None
    pressure = leaf.pressure if leaf is not None and leaf.pressure is not None else step.sample.system.pressure
    own_pressure = leaf is not None and leaf.pressure is not None
    refaults, swap_in = counters.refaults(leaf), counters.machine_rate("pswpin")
    zswap_in = counters.machine_rate("zswpin")
    if swap_in is not None and zswap_in is not None:
        swap_in += zswap_in
    is_flat = growth is not None and growth.kind in (Shape.FLAT, Shape.NOISY)
    since_s = verdict.state.since_s if verdict is not None else None
    risen_s = verdict.last_rise_s if verdict is not None else None
    grown = _grown_bytes_per_s(history, row.key, step.now_s)
    brake = counters.brake(step.readings(row.key))
    threads = next((one for one in judged.counts if one.beyond == NO_THREAD), None)
    pools = (one for one in judged.limits if one.limit in (Limit.HUGETLB, Limit.HUGE_POOL) and one.limit_bytes > 0)
    huge = max(pools, key=lambda one: one.used_bytes / one.limit_bytes, default=None)
    few = (one for one in judged.limits if one.limit in (Limit.STACK, Limit.LOCKED, Limit.HUGETLB))
    resource = max(few, key=lambda one: one.used_bytes / max(1, one.limit_bytes), default=None)
    near = min((one for one in judged.limits if one.limit is Limit.HIGH), key=_room, default=None)
    held = cgroups.held.get(row.key)
    limits, in_cgroup, giant = cgroups.limits.get(row.key), judged.in_cgroup, judged.giant
    return FindingInputs(
        rss=row.rss_bytes,
        anon=row.anon_bytes,
        virt=row.virt_bytes,
        peak_rss=row.peak_rss_bytes,
        swap=row.swap_bytes,
        page_tables=row.page_tables_bytes,
        leader_gone=row.note is Note.LEADER_GONE,
        state=row.state,
        cgroup_frozen=cgroups.frozen.get(row.key, False),
        age_s=step.age_s(row.key),
        minflt_per_s=row.minflt_per_s,
        majflt_per_s=row.majflt_per_s,
        minor_cause=minor_cause(row.minflt_per_s, grown, judged.copied_bytes_per_s),
        major_cause=major_cause(row.majflt_per_s, swap_in, refaults, row.swap_bytes),
        zombies=judged.zombies,
        growth=growth,
        alarm=verdict is not None and verdict.alarm,
        evidence=verdict.state.evidence if verdict is not None else None,
        changing=verdict.growth if verdict is not None and verdict.state.changing else None,
        lazyfree=verdict.lazy_free_bytes if verdict is not None else None,
        seen_s=None if since_s is None else step.now_s - since_s,
        rise=judged.rise.rise.size_bytes if judged.rise is not None else None,
        rise_full_s=judged.forecast.full_s if judged.forecast is not None else None,
        rise_falls=judged.forecast is not None and judged.forecast.falls,
        rise_limit_name=judged.forecast.limit_name if judged.forecast is not None else "",
        rise_anon=judged.rise.anon_bytes if judged.rise is not None else 0,
        rise_s=judged.rise.rise.span_s if judged.rise is not None else None,
        changed_ago_s=_ago_s(growth, step.now_s),
        verdict_s=verdict_s(step.plan.interval_s),
        flat_s=step.now_s - risen_s if is_flat and risen_s is not None else None,
        grows_towards=judged.target.name if judged.target is not None else None,
        grows_towards_bytes=judged.target.limit_bytes if judged.target is not None else None,
        grows_towards_runtime=judged.target is not None and judged.target.limit is Limit.RUNTIME,
        grows_towards_brake=judged.target is not None and judged.target.limit is Limit.HIGH,
        grows_towards_swap=judged.target.swap_room_bytes or 0 if judged.target is not None else 0,
        grows_towards_machine=judged.target is not None and judged.target.limit is Limit.MACHINE,
        fills_swap=judged.target is not None and judged.target.goes_to_swap,
        siblings=judged.siblings,
        rivals_per_s=judged.rivals.bytes_per_s if judged.rivals is not None else 0.0,
        unnamed_per_s=unnamed.bytes_per_s if (unnamed := judged.rivals and judged.rivals.unnamed) else 0.0,
        loop=judged.loop,
        now_s=step.now_s,
        charge=judged.charge,
        charge_name=judged.charge_name,
        family_growth=judged.family,
        held_growth=judged.held,
        opens_more=judged.opens_more,
        opened={part.kind.value: part.number for part in held.report.parts} if held and held.report else {},
        held_parts=outside_parts(row.page_tables_bytes, held.report if held is not None else None),
        held_towards=kills.name if kills is not None else None,
        held_towards_bytes=kills.limit_bytes if kills is not None else None,
        huge_growth=judged.huge,
        huge_limit_name=huge.name if huge is not None else None,
        huge_limit=huge.limit_bytes if huge is not None else None,
        huge_used=huge.used_bytes if huge is not None else None,
        limit_name=tightest.name if tightest is not None else None,
        limit=tightest.limit_bytes if tightest is not None else None,
        swap_room=tightest.swap_room_bytes if tightest is not None else 0,
        unreclaimable=tightest.used_bytes if tightest is not None else None,
        working_set=tightest.limit_bytes - tightest.headroom_bytes if tightest is not None else None,
        cache=bound.usage_bytes - tightest.used_bytes
        if bound is not None and tightest is not None and bound.usage_bytes is not None
        else None,
        unsure=tightest.unsure_bytes if tightest is not None else 0,
        unmapped=_unmapped(leaf, judged.tasks) if leaf is not None and bound is leaf else None,
        victim=_victim(in_cgroup, row.key),
        victim_of=in_cgroup.of if in_cgroup is not None else None,
        group_kill=kills_group(row.key if in_cgroup is None else in_cgroup.first, bound, step),
        frozen=bool(bound and bound.under_oom and bound.kill_disabled),
        spared=_spared(bound),
        kills=counters.events(leaf.path).oom_kill if leaf is not None else None,
        high_limit=brake[0].high_bytes if brake is not None else None,
        high_name=f"memory.high of {limit_name(brake[0].path, step)}" if brake is not None else None,
        high_per_s=brake[1] if brake is not None else None,
        brake_name=near.name if near is not None else None,
        brake_limit=near.limit_bytes if near is not None else None,
        brake_used=near.used_bytes if near is not None else None,
        limit_events_per_s=counters.cgroup_rate(bound, "max_events"),
        address_space=_limited(limits.address_space_bytes) if limits is not None else None,
        narrow_space=step.narrow_bytes(row.key),
        data=status.data_bytes if status is not None else None,
        data_limit=_limited(limits.data_bytes) if limits is not None else None,
        mem_total=meminfo.total_bytes if meminfo else None,
        mem_available=meminfo.available_bytes if meminfo else None,
        host_victim=judged.on_machine.first_name if judged.on_machine is not None else None,
        psi_full_percent=pressure.full.avg10_percent if pressure and pressure.full else None,
        psi_of=cgroup_name(leaf.path, step) if leaf is not None and own_pressure else "",
        refault_per_s=refaults,
        swap_in_per_s=swap_in,
        zswap_uncounted=cgroups.policy.zswap is not False and zswap_in is None and cgroups.policy.zswap is not None,
        overcommit=cgroups.policy.overcommit,
        committed=meminfo.committed_bytes if meminfo else None,
        commit_limit=meminfo.commit_limit_bytes if meminfo else None,
        mappings=cgroups.mappings.get(row.key, MappingCount()).number,
        max_mappings=cgroups.policy.max_map_count,
        count_rise=judged.count_rise,
        threads_limit_name=threads.name if threads is not None else None,
        threads_limit=threads.limit if threads is not None else None,
        threads_used=threads.used if threads is not None else None,
        resource_limit_name=resource.name if resource is not None else None,
        resource_limit=resource.limit_bytes if resource is not None else None,
        resource_used=resource.used_bytes if resource is not None else None,
        resource_ends=resource.limit.value if resource is not None else None,
        protected=f"{giant.name} ({giant.pid})" if giant is not None else None,
        protected_rss=giant.rss_bytes if giant is not None else None,
    )


def _victim(place: Place | None, key: ProcessKey) -> str | None:
    if place is None:
        return None
    return "this process" if place.first == key else place.first_name


def _spared(bound: CgroupReading | None) -> bool | None:
    """Whether its tasks hang at the limit instead of being killed (version 1 only); None if that is unknown."""
    return False if bound is None or bound.v2 else bound.kill_disabled


def _room(row: LimitRow) -> int:
    return row.headroom_max_bytes


def _unmapped(leaf: CgroupReading, tasks: TaskSums | None) -> Unmapped | None:
    """Memory that no process has mapped; None if unknown, for example with descendants whose processes count too."""
    if tasks is None or leaf.usage_bytes is None or leaf.stat is None or leaf.stat.below_bytes:
        return None
    return unmapped(cgroup_ledger(leaf.usage_bytes, leaf.stat), tasks.anon_bytes, tasks.shmem_bytes)


def _ago_s(growth: Growth | None, now_s: float) -> float | None:
    """How long ago the step, the last stair or the spike was."""
    return None if growth is None or growth.change_at_s is None else max(0.0, now_s - growth.change_at_s)


def _limited(limit_bytes: int | None) -> int | None:
    """A resource limit; None if there is none."""
    return limit_bytes if limit_bytes != UNLIMITED else None


def _grown_bytes_per_s(history: History, key: ProcessKey, now_s: float) -> float | None:
    """Change of anonymous and shared memory over the last seconds."""
    detailed = history.detailed_tracks.get(key)
    if detailed is None or len(detailed) < 2:
        return None
    last = detailed.point(-1)
    first = detailed.point(max(0, detailed.index_at(now_s - _GROWN_S)))
    used = [point.rss_bytes - point.shr_bytes + (point.shmem_bytes or 0) for point in (first, last)]
    return (used[1] - used[0]) / (last.at_s - first.at_s) if last.at_s > first.at_s else None
