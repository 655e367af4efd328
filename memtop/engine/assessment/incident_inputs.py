"""Facts of one tick about growing processes and the machine, as the rules of incidents take them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from memtop.analysis.incidents import GroupFacts, GrowthFacts, LimitFacts, MachineFacts
from memtop.analysis.ledger.machine import MachinePart
from memtop.analysis.limits.heap_use import heaps_end_before
from memtop.analysis.trend.rising import Rise
from memtop.engine.assessment.event_counters import Counters
from memtop.engine.assessment.growing_group import GrowingGroup
from memtop.engine.assessment.growth_tracker import GrowthTracker, Verdict, growth_now
from memtop.engine.assessment.heap_verdict import time_to_heap_limit, towards
from memtop.engine.assessment.limit_names import limit_file
from memtop.engine.assessment.machine_gainer import MachineGainer
from memtop.engine.assessment.machine_holder import MachineHolder
from memtop.engine.assessment.machine_trend import MachineTrend, pool_of
from memtop.engine.assessment.memory_limits import (
    SHARED,
    first_met,
    limit_rows,
    meets_first_what_its_cgroup_does,
    nearest,
    room_bytes,
)
from memtop.engine.assessment.part_owners import part_owners
from memtop.engine.assessment.process_names import process_name
from memtop.engine.assessment.rise_tracker import RiseFact, RiseTracker
from memtop.engine.assessment.step_input import StepInput
from memtop.model.assessment import Limit, LimitRow
from memtop.model.group import By
from memtop.process_key import ProcessKey

MOST_GROWING: Final = 16
"""Of the processes whose growth is confirmed, so many that grow fastest are looked at."""

_OWN_START_S: Final = 600.0
"""The time in which what memtop itself takes is no incident."""


def growing_processes(
    step: StepInput, verdicts: GrowthTracker, rises: RiseTracker, filling: Collection[str] = ()
) -> tuple[GrowthFacts, ...]:
    """Those whose growth is confirmed, those that have risen most, and the fastest in each of the cgroups that are
    ``filling``."""
    met: _Met = {}
    found = {
        key: _facts(key, verdict, rises.whole_of(key), step, met) for key, verdict in verdicts.fastest(MOST_GROWING)
    }
    risen: dict[ProcessKey, RiseFact | None] = dict(rises.largest)
    risen.update((key, rises.of(key)) for key in rises.fastest_in(filling, step.cgroups.chains).values())
    for key, fact in risen.items():
        if key not in found and fact is not None:
            found[key] = _facts(key, None, fact, step, met)
    return tuple(one for one in found.values() if one is not None and not _is_own_start(one, step))


def _is_own_start(one: GrowthFacts, step: StepInput) -> bool:
    """Whether it is memtop that loads, and fills its history: the one that reads, or that has recorded."""
    is_own = one.key.pid == step.sample.own_pid and one.name.startswith("memtop ")
    return is_own and one.age_s is not None and one.age_s < _OWN_START_S


_Met = dict[tuple[str, ...], tuple[LimitRow | None, LimitFacts | None]]
"""The limit that the processes of a chain of cgroups meet first."""


def _first_met(key: ProcessKey, step: StepInput, known: _Met) -> tuple[LimitRow | None, LimitFacts | None]:
    """The limit that a process meets first. Hundreds may grow in one cgroup: what is the same for them is kept."""
    rows, chain = limit_rows(key, step), step.chain(key)
    is_common = meets_first_what_its_cgroup_does(key, rows, step)
    if is_common and chain in known:
        return known[chain]
    met = first_met(key, rows, step)
    found = met, _limit_facts(met, step, time_to_heap_limit(step.runtimes.get(key), met))
    if is_common:
        known[chain] = found
    return found


def _facts(
    key: ProcessKey, verdict: Verdict | None, fact: RiseFact | None, step: StepInput, known: _Met
) -> GrowthFacts | None:
    row = step.row(key)
    if row is None:
        return None
    met, limit = _first_met(key, step, known)
    since_s = verdict.state.since_s if verdict is not None else None
    return GrowthFacts(
        key,
        process_name(row),
        limit,
        rise=fact.rise if fact is not None else None,
        anon_bytes=fact.anon_bytes if fact is not None else 0,
        age_s=step.age_s(key),
        growth=towards(growth_now(verdict, step.now_s), met, step.runtimes.get(key)),
        evidence=verdict.state.evidence if verdict is not None else None,
        seen_s=None if since_s is None else step.now_s - since_s,
        chain=step.chain(key),
    )


def growing_groups(step: StepInput, groups: Iterable[GrowingGroup]) -> tuple[GroupFacts, ...]:
    """Programs and cgroups that grow as a whole."""
    found = []
    for one in groups:
        since_s = one.verdict.state.since_s if one.verdict is not None else None
        found.append(
            GroupFacts(
                one.key.name,
                one.name,
                one.key.by is By.CGROUP,
                one.members,
                one.oldest,
                _joint_limit(one, step),
                rise=one.rise,
                growth=growth_now(one.verdict, step.now_s),
                evidence=one.verdict.state.evidence if one.verdict is not None else None,
                seen_s=None if since_s is None else step.now_s - since_s,
            )
        )
    return tuple(found)


def _joint_limit(one: GrowingGroup, step: StepInput) -> LimitFacts | None:
    """The first limit on what all processes of a group use together: not that of a cgroup with only some of them."""
    rows = [row for row in limit_rows(one.oldest, step) if row.limit in SHARED]
    rows = [row for row in rows if row.path is None or row.path in one.places]
    rows = [row for row in rows if not heaps_end_before(one.heaps, one.bytes_per_s, row.headroom_max_bytes)]
    return _limit_facts(nearest(one.oldest, rows, step), step)


def _limit_facts(
    found: LimitRow | None, step: StepInput, heap_full_s: tuple[float, float] | None = None
) -> LimitFacts | None:
    if found is None:
        return None
    kills = found.limit is not Limit.HIGH
    return LimitFacts(
        f"{found.name} and swap" if found.goes_to_swap else found.name,
        found.limit_bytes,
        room_bytes(found, step),
        found.path,
        kills=kills,
        is_machine=found.limit is Limit.MACHINE,
        of_heap=found.limit is Limit.RUNTIME,
        heap_full_s=heap_full_s,
        file=None if found.path is None or found.goes_to_swap else limit_file(found.path, step, kills=kills),
    )


def machine_facts(
    step: StepInput,
    trend: MachineTrend,
    counters: Counters,
    holder: MachineHolder | None,
    *,
    used: Rise | None,
    parts: Mapping[MachinePart, Rise],
    gainer: MachineGainer,
    sharer: ProcessKey | None = None,
) -> MachineFacts:
    """What is known of the machine, which process explains what it has lost, and what holds most of it; ``sharer`` is
    as for :func:`part_owners`."""
    meminfo, pressure = step.meminfo, step.sample.system.pressure
    slab = parts.get(MachinePart.SLAB_RECLAIMABLE)
    pool = pool_of(meminfo) if meminfo is not None else None
    return MachineFacts(
        total_bytes=meminfo.total_bytes if meminfo is not None else None,
        available_bytes=meminfo.available_bytes if meminfo is not None else None,
        committed_bytes=meminfo.committed_bytes if meminfo is not None else None,
        commit_limit_bytes=meminfo.commit_limit_bytes
        if meminfo is not None and step.cgroups.policy.overcommit == 2
        else None,
        used=used,
        used_lately=trend.used_lately,
        parts=parts,
        owners=part_owners(step, parts, sharer),
        slab_holds=trend.slab_holds(slab) if slab is not None else "",
        all_watched=step.everybody,
        all_seen=gainer.all_seen,
        gainer=gainer.row.key if gainer.row is not None else None,
        gainer_name=process_name(gainer.row) if gainer.row is not None else "",
        gained_bytes=int(gainer.row.growth_bytes_per_min or 0) if gainer.row is not None else 0,
        copier=gainer.copier.key if gainer.copier is not None else None,
        copier_name=process_name(gainer.copier) if gainer.copier is not None else "",
        copied_per_s=(gainer.copier.minflt_per_s or 0.0) if gainer.copier is not None else 0.0,
        swap_used=trend.swap_used,
        pool_bytes=pool.size_bytes if pool is not None else None,
        pool_left_bytes=pool.left_bytes if pool is not None else 0,
        pool_used=trend.pool_used if pool is not None else None,
        swap_free_bytes=meminfo.swap_free_bytes if meminfo is not None else None,
        some_percent=pressure.some.avg10_percent if pressure is not None and pressure.some is not None else None,
        full_percent=pressure.full.avg10_percent if pressure is not None and pressure.full is not None else None,
        refault_per_s=counters.refaults(None),
        holder=holder.key if holder is not None else None,
        holder_name=holder.name if holder is not None else "",
        holder_part=holder.part if holder is not None else None,
        held_bytes=holder.size_bytes if holder is not None else 0,
    )
