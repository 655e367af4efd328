"""What is worth a sentence, as a table of data: a condition on facts, how bad it is, and the topic that explains it.

No text for people is in here: the sentences stand in ``memtop/explain/findings.toml`` under the same names. Facts are
numbers whose unit is the end of their name (``_bytes``, ``_bytes_per_s``, ``_per_s``, ``_percent``, ``_s``), or names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from memtop.analysis.confirmation import Evidence
from memtop.analysis.faults import Cause
from memtop.analysis.growth import Growth, Kind

Facts = dict[str, float | str]
MIB: Final = 1 << 20


class Severity(IntEnum):
    """How bad it is."""

    NOTE = 0
    """To know."""
    WARNING = 1
    """To look at."""
    DANGER = 2
    """To act upon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that is known of one process and what is around it; None where unknown. Sizes in bytes.

    Those who read regions, families or runtimes fill their part in; without it their findings are not made.
    """

    name: str = ""
    rss: int | None = None
    virt: int | None = None
    peak_rss: int | None = None
    swap: int | None = None
    page_tables: int | None = None
    oom_score: int | None = None
    oom_score_adj: int | None = None
    leader_gone: bool = False
    age_s: float | None = None
    minflt_per_s: float | None = None
    majflt_per_s: float | None = None
    minor_cause: Cause | None = None
    major_cause: Cause | None = None
    threads: int | None = None
    zombies: int = 0
    """Ended children that it has not waited for."""
    # growth
    growth: Growth | None = None
    alarm: bool = False
    evidence: Evidence | None = None
    seen_s: float | None = None
    """How long the growth has been seen."""
    flat_s: float | None = None
    """How long it has been flat after it had risen."""
    grows_towards: str | None = None
    """Name of the limit that the growth will meet first."""
    grows_towards_bytes: int | None = None
    siblings: int = 0
    """Other members of the limiting cgroup that grow as well."""
    # the limit that binds
    limit_name: str | None = None
    """None where only the machine limits it."""
    limit: int | None = None
    working_set: int | None = None
    cache: int | None = None
    """The part of the cgroup's use that can be dropped."""
    usage: int | None = None
    tasks_rss: int | None = None
    """Sum of RES of all tasks in the cgroup; None unless all are known."""
    victim: str | None = None
    """Whom an OOM in the limiting cgroup would take."""
    victim_of: int | None = None
    group_kill: bool = False
    frozen: bool = False
    kills: int | None = None
    """OOM kills in its cgroup since memtop looks."""
    high_limit: int | None = None
    high_per_s: float | None = None
    limit_events_per_s: float | None = None
    address_space: int | None = None
    """RLIMIT_AS where there is one."""
    data: int | None = None
    data_limit: int | None = None
    # the machine
    mem_total: int | None = None
    mem_available: int | None = None
    host_victim: str | None = None
    psi_full_percent: float | None = None
    psi_of: str = ""
    """Whose pressure: the cgroup's name, or empty for the machine."""
    refault_per_s: float | None = None
    swap_in_per_s: float | None = None
    overcommit: int | None = None
    committed: int | None = None
    commit_limit: int | None = None
    protected: str | None = None
    """The largest process, where the OOM killer may not take it."""
    protected_rss: int | None = None
    # regions, families, runtimes
    reserved: int | None = None
    reserved_kind: str | None = None
    lazyfree: int | None = None
    mappings: int | None = None
    max_mappings: int | None = None
    denied: bool = False
    deleted_file: str | None = None
    family: int | None = None
    family_rss: int | None = None
    family_pss: int | None = None
    unshared: int | None = None
    """What was shared with a parent or siblings and was copied within the last minute."""
    still_shared: int | None = None
    go_next_gc: int | None = None
    go_limit: int | None = None
    """GOMEMLIMIT; 0 where it is not set."""
    go_held: int | None = None
    """What GOMEMLIMIT governs."""
    go_gc_per_s: float | None = None
    go_gc_cpu_percent: float | None = None
    outside: int | None = None
    """Anonymous memory that the runtime does not account for."""
    outside_of: int | None = None
    """... of so much."""
    steady_live: int | None = None
    """In use after each collection, where by the runtime's own figures that does not rise."""
    heap_alarm: str = ""
    """``heap_leak``, ``heap_full`` or ``goroutines`` where the runtime's own figures say so; or empty."""
    heap_live: int | None = None
    """In use after a collection."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth a sentence."""

    name: str
    severity: Severity
    topic: str
    facts: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Rule:
    """When a finding is made. ``find`` gives severity and facts, or None."""

    name: str
    topic: str
    find: Callable[[Case], tuple[Severity, Facts] | None]
    instant: bool = False
    """Shown at once, not at the third look."""


Found = tuple[Severity, Facts] | None
NOTE, WARNING, DANGER = Severity.NOTE, Severity.WARNING, Severity.DANGER


def _facts(**values: float | str | None) -> Facts:
    return {name: value for name, value in values.items() if value is not None}


def _oom_kill(c: Case) -> Found:
    if not c.kills:
        return None
    return DANGER, _facts(kills_count=c.kills, limit_name=c.limit_name, limit_bytes=c.limit)


def _frozen(c: Case) -> Found:
    return (DANGER, _facts(limit_name=c.limit_name, limit_bytes=c.limit)) if c.frozen else None


def _near_limit(c: Case) -> Found:
    if c.limit_name is None or c.limit is None or c.working_set is None:
        return None
    percent = 100 * c.working_set / c.limit if c.limit > 0 else 100.0
    if percent < 80:
        return None
    facts = _facts(
        limit_name=c.limit_name,
        limit_bytes=c.limit,
        used_bytes=c.working_set,
        used_percent=percent,
        cache_bytes=c.cache if c.cache and c.cache > 0.01 * c.limit else None,
        over_bytes=c.working_set - c.limit if c.working_set > c.limit else None,
        victim=c.victim if not c.group_kill and (c.victim_of or 0) > 1 else None,
        victim_of_count=c.victim_of if not c.group_kill and (c.victim_of or 0) > 1 else None,
        alone="this process" if not c.group_kill and c.victim_of == 1 else None,
        group="all" if c.group_kill else None,
    )
    return DANGER if percent >= 90 else WARNING, facts


def _growth(c: Case) -> Found:
    g = c.growth
    if g is None or not c.alarm or c.evidence is None or g.slope_bytes_per_s is None:
        return None
    early, late = g.limit_s or (None, None)
    facts = _facts(
        evidence=c.evidence.value if c.steady_live is None else Evidence.GROWING.value,
        live_bytes=c.steady_live,
        seen_s=c.seen_s,
        rate_bytes_per_min=g.slope_bytes_per_s * 60,
        rate_low_bytes_per_min=(g.slope_low_bytes_per_s or 0) * 60,
        rate_high_bytes_per_min=(g.slope_high_bytes_per_s or 0) * 60,
        early_s=early,
        late_s=late,
        limit_name=c.grows_towards if early is not None else None,
        limit_bytes=c.grows_towards_bytes if early is not None else None,
        siblings_count=c.siblings or None,
        drops_count=g.drops if g.kind is Kind.LEAK_GC else None,
        young_s=c.age_s if c.age_s is not None and c.age_s < 600 else None,
    )
    return DANGER if early is not None and early < 3600 else WARNING, facts


def _thrashing(c: Case) -> Found:
    if c.psi_full_percent is None or c.psi_full_percent < 5:
        return None
    rates = ((c.majflt_per_s, 50), (c.refault_per_s, 1000), (c.swap_in_per_s, 100))
    if not any(rate is not None and rate >= least for rate, least in rates):
        return None
    return DANGER, _facts(
        full_percent=c.psi_full_percent, of=c.psi_of or "this machine", refault_per_s=c.refault_per_s or None
    )


def _host_low(c: Case) -> Found:
    if not c.mem_total or c.mem_available is None or c.mem_available >= 0.1 * c.mem_total:
        return None
    facts = _facts(
        available_bytes=c.mem_available, available_percent=100 * c.mem_available / c.mem_total, victim=c.host_victim
    )
    return DANGER if c.mem_available < 0.05 * c.mem_total else WARNING, facts


def _throttled(c: Case) -> Found:
    if c.high_per_s is None or c.high_per_s <= 1 or c.high_limit is None:
        return None
    return WARNING, _facts(high_bytes=c.high_limit, high_per_s=c.high_per_s, full_percent=c.psi_full_percent)


def _rlimit_as(c: Case) -> Found:
    if not c.address_space or c.virt is None or c.virt <= 0.8 * c.address_space:
        return None
    return WARNING, _facts(virt_bytes=c.virt, limit_bytes=c.address_space, used_percent=100 * c.virt / c.address_space)


def _rlimit_data(c: Case) -> Found:
    if not c.data_limit or c.data is None or c.data <= 0.8 * c.data_limit:
        return None
    return WARNING, _facts(data_bytes=c.data, limit_bytes=c.data_limit, used_percent=100 * c.data / c.data_limit)


def _commit(c: Case) -> Found:
    if c.overcommit != 2 or not c.commit_limit or c.committed is None or c.committed <= 0.9 * c.commit_limit:
        return None
    return WARNING, _facts(committed_bytes=c.committed, limit_bytes=c.commit_limit)


def _mappings(c: Case) -> Found:
    if not c.mappings or not c.max_mappings or c.mappings <= 0.8 * c.max_mappings:
        return None
    return WARNING, _facts(mappings_count=c.mappings, max_count=c.max_mappings)


def _cow_lost(c: Case) -> Found:
    if c.unshared is None or c.unshared <= 20 * MIB or (c.minflt_per_s or 0) <= 1000:
        return None
    if c.still_shared is not None and c.unshared <= 0.1 * (c.still_shared + c.unshared):
        return None
    return WARNING, _facts(copied_bytes=c.unshared, more_bytes=c.still_shared)


def _go_limit(c: Case) -> Found:
    if c.go_limit is None:
        return None
    pressed = c.go_limit > 0 and (c.go_held is None or c.go_held >= 0.9 * c.go_limit)
    if pressed and (c.go_gc_per_s or 0) > 10 and (c.minflt_per_s or 0) > 10_000:
        return WARNING, _facts(gc_per_s=c.go_gc_per_s, gc_percent=c.go_gc_cpu_percent, too_low_bytes=c.go_limit)
    if c.limit is None or c.limit_name is None:
        return None
    if c.go_limit == 0 and c.go_next_gc is not None and 1.1 * c.go_next_gc > 0.9 * c.limit:
        return WARNING, _facts(next_bytes=c.go_next_gc, limit_bytes=c.limit, limit_name=c.limit_name)
    if c.go_limit >= c.limit:
        return WARNING, _facts(too_high_bytes=c.go_limit, limit_bytes=c.limit, limit_name=c.limit_name)
    return None


def _outside_heap(c: Case) -> Found:
    if c.outside is None or c.outside_of is None or c.outside <= max(32 * MIB, 0.1 * c.outside_of):
        return None
    return WARNING, _facts(outside_bytes=c.outside, held_bytes=c.outside_of)


def _heap(name: str, severity: Severity) -> Callable[[Case], Found]:
    """What the runtime's own figures say, whatever the kernel's do."""
    return lambda c: (severity, _facts(live_bytes=c.heap_live)) if c.heap_alarm == name else None


def _hidden(c: Case) -> Found:
    if c.working_set is None or c.tasks_rss is None or c.limit_name is None:
        return None
    hidden = c.working_set - c.tasks_rss
    if hidden <= max(256 * MIB, 0.2 * c.working_set):
        return None
    return WARNING, _facts(
        limit_name=c.limit_name, used_bytes=c.working_set, tasks_bytes=c.tasks_rss, hidden_bytes=hidden
    )


def _swap(c: Case) -> Found:
    if c.swap is None or c.swap <= 100 * MIB or c.swap_in_per_s is None:
        return None
    if (c.majflt_per_s or 0) > 10 and c.swap_in_per_s > 50:
        return WARNING, _facts(swap_bytes=c.swap, swap_in_per_s=c.swap_in_per_s)
    return (NOTE, _facts(swap_bytes=c.swap, idle="yes")) if c.swap_in_per_s < 1 else None


def _page_tables(c: Case) -> Found:
    if c.page_tables is None or c.rss is None or c.page_tables <= max(64 * MIB, 0.1 * c.rss):
        return None
    return WARNING, _facts(tables_bytes=c.page_tables, rss_bytes=c.rss)


def _protected(c: Case) -> Found:
    if c.protected is None or not c.mem_total or (c.protected_rss or 0) <= 0.2 * c.mem_total:
        return None
    return NOTE, _facts(giant=c.protected, rss_bytes=c.protected_rss)


def _zombies(c: Case) -> Found:
    return (WARNING if c.zombies > 20 else NOTE, _facts(zombies_count=c.zombies)) if c.zombies else None


def _virt_reserved(c: Case) -> Found:
    if not c.virt or c.rss is None or c.reserved is None or c.virt <= 10 * c.rss or c.reserved <= 0.5 * c.virt:
        return None
    return NOTE, _facts(
        virt_bytes=c.virt, rss_bytes=c.rss, reserved_percent=100 * c.reserved / c.virt, kind=c.reserved_kind
    )


def _family(c: Case) -> Found:
    if c.family is None or c.family < 3 or not c.family_rss or c.family_pss is None:
        return None
    saved = c.family_rss - c.family_pss
    if saved <= 0.2 * c.family_rss:
        return None
    return NOTE, _facts(family_count=c.family, sum_bytes=c.family_rss, pss_bytes=c.family_pss, saved_bytes=saved)


def _lazyfree(c: Case) -> Found:
    if c.lazyfree is None or c.rss is None or c.lazyfree <= max(0.1 * c.rss, 50 * MIB):
        return None
    return NOTE, _facts(lazyfree_bytes=c.lazyfree, rss_bytes=c.rss, real_bytes=c.rss - c.lazyfree)


def _keeps(c: Case) -> Found:
    if not c.peak_rss or c.rss is None or (c.flat_s or 0) < 600 or (c.minflt_per_s or 0) >= 10:
        return None
    return (
        (NOTE, _facts(rss_bytes=c.rss, peak_bytes=c.peak_rss, flat_s=c.flat_s)) if c.rss >= 0.9 * c.peak_rss else None
    )


def _gave_back(c: Case) -> Found:
    if not c.peak_rss or not c.rss or c.peak_rss <= 1.5 * c.rss or c.peak_rss - c.rss < 50 * MIB:
        return None
    return NOTE, _facts(rss_bytes=c.rss, peak_bytes=c.peak_rss)


def _deleted(c: Case) -> Found:
    return (NOTE, _facts(file=c.deleted_file)) if c.deleted_file else None


def _leader_gone(c: Case) -> Found:
    return (NOTE, {}) if c.leader_gone else None


def _denied(c: Case) -> Found:
    return (NOTE, {}) if c.denied else None


def _young(c: Case) -> Found:
    return (NOTE, _facts(age_s=c.age_s)) if c.age_s is not None and c.age_s < 60 else None


def _limit_touched(c: Case) -> Found:
    """The counter moves while the working set leaves room: the page cache fills what is left, which is its purpose."""
    if not c.limit_events_per_s or c.limit is None or c.working_set is None or c.working_set >= 0.8 * c.limit:
        return None
    return NOTE, _facts(limit_name=c.limit_name, events_per_s=c.limit_events_per_s)


def _shape(kind: Kind) -> Callable[[Case], Found]:
    def find(c: Case) -> Found:
        g = c.growth
        if g is None or g.kind is not kind or c.alarm:
            return None
        return NOTE, _facts(
            low_bytes=g.low_bytes,
            high_bytes=g.high_bytes,
            period_s=g.period_s,
            span_s=g.span_s,
            rise_bytes=g.rise_bytes,
            floor_bytes=g.floor_bytes,
            peak_bytes=g.peak_bytes,
            rate_bytes_per_min=None if g.slope_bytes_per_s is None else g.slope_bytes_per_s * 60,
            drops_count=g.drops or None,
        )

    return find


def _minor(cause: Cause) -> Callable[[Case], Found]:
    return lambda c: (NOTE, _facts(minflt_per_s=c.minflt_per_s)) if c.minor_cause is cause else None


def _major(cause: Cause) -> Callable[[Case], Found]:
    def find(c: Case) -> Found:
        if c.major_cause is not cause:
            return None
        return NOTE, _facts(majflt_per_s=c.majflt_per_s, refault_per_s=c.refault_per_s, swap_in_per_s=c.swap_in_per_s)

    return find


RULES: Final[tuple[Rule, ...]] = (
    Rule("frozen", "oom_killer", _frozen),
    Rule("near_limit", "limits", _near_limit),
    Rule("oom_kill", "oom_killer", _oom_kill, instant=True),
    Rule("growth", "verdict_growing", _growth, instant=True),  # confirmed already
    Rule("thrashing", "psi", _thrashing),
    Rule("host_low", "available", _host_low),
    Rule("throttled", "memory_high", _throttled),
    Rule("address_space", "resource_limits", _rlimit_as),
    Rule("data_limit", "resource_limits", _rlimit_data),
    Rule("commit", "overcommit", _commit),
    Rule("mappings", "resource_limits", _mappings),
    Rule("copying", "cow_family", _cow_lost),
    Rule("go_limit", "limits", _go_limit),
    Rule("heap_full", "jvm_heap", _heap("heap_full", DANGER)),
    Rule("heap_leak", "go_panel", _heap("heap_leak", WARNING)),
    Rule("goroutines", "go_goroutines", _heap("goroutines", WARNING)),
    Rule("outside_heap", "anon", _outside_heap),
    Rule("hidden", "who_pays", _hidden),
    Rule("swapping", "swap", _swap),
    Rule("page_tables", "page_tables", _page_tables),
    Rule("zombies", "special_processes", _zombies),
    Rule("swap_in", "major_faults", _major(Cause.SWAP_IN)),
    Rule("refault", "page_cache", _major(Cause.REFAULT)),
    Rule("cold_files", "major_faults", _major(Cause.COLD_FILES)),
    Rule("churn", "minor_faults", _minor(Cause.CHURN)),
    Rule("copies", "copy_on_write", _minor(Cause.COPY_ON_WRITE)),
    Rule("first_touch", "minor_faults", _minor(Cause.FIRST_TOUCH)),
    Rule("sawtooth", "verdict_sawtooth", _shape(Kind.SAWTOOTH)),
    Rule("maybe_growing", "verdict_growing", _shape(Kind.GROWTH)),
    Rule("confirming", "verdict_growing", _shape(Kind.LEAK)),
    Rule("confirming", "verdict_growing", _shape(Kind.LEAK_GC)),
    Rule("step", "verdict_step", _shape(Kind.STEP)),
    Rule("stairs", "verdict_step", _shape(Kind.STAIRS)),
    Rule("warmup", "verdict_warmup", _shape(Kind.WARMUP)),
    Rule("spike", "verdict_step", _shape(Kind.SPIKE)),
    Rule("shrink", "verdict_step", _shape(Kind.SHRINK)),
    Rule("limit_touched", "page_cache", _limit_touched),
    Rule("virt_reserved", "region_reserved", _virt_reserved),
    Rule("family", "pss", _family),
    Rule("lazyfree", "lazyfree", _lazyfree),
    Rule("keeps", "verdict_step", _keeps),
    Rule("gave_back", "peak", _gave_back),
    Rule("deleted", "region_text", _deleted),
    Rule("protected", "oom_score", _protected),
    Rule("leader_gone", "special_processes", _leader_gone),
    Rule("denied", "permissions", _denied),
    Rule("young", "verdicts", _young, instant=True),
)

LOOKS: Final = 3
"""Looks in a row that make a finding come, or go."""


def find(case: Case) -> list[Finding]:
    """All that fires, worst first, in the table's order among equals."""
    found = []
    for rule in RULES:
        result = rule.find(case)
        if result is not None:
            found.append(Finding(rule.name, result[0], rule.topic, result[1]))
    found.sort(key=lambda one: -one.severity)
    return found


_INSTANT: Final = frozenset(rule.name for rule in RULES if rule.instant)


@dataclass(frozen=True, slots=True)
class Board:
    """The findings that stand, so that none flickers. Start with ``Board()`` for another process."""

    standing: tuple[Finding, ...] = ()
    coming: tuple[tuple[str, int], ...] = ()
    """Name -> looks in a row at which it was there, though it does not stand yet."""
    leaving: tuple[tuple[str, int], ...] = ()


def post(board: Board, found: Sequence[Finding]) -> Board:
    """The board after one more look: what has come three times in a row stands, what was away three times goes.

    A finding that stands and becomes less bad keeps its place for as long.
    """
    now = {one.name: one for one in found}
    before = {one.name: one for one in board.standing}
    coming, leaving = dict(board.coming), dict(board.leaving)
    standing: list[Finding] = []
    coming = {name: coming.get(name, 0) + 1 for name in now if name not in before}
    left: dict[str, int] = {}
    for name, one in now.items():
        if name in before or name in _INSTANT or coming[name] >= LOOKS:
            old = before.get(name)
            if old is not None and one.severity < old.severity and leaving.get(name, 0) + 1 < LOOKS:
                left[name] = leaving.get(name, 0) + 1
                one = Finding(name, old.severity, one.topic, one.facts)  # noqa: PLW2901
            standing.append(one)
    for name, old in before.items():
        if name not in now and leaving.get(name, 0) + 1 < LOOKS:
            left[name] = leaving.get(name, 0) + 1
            standing.append(old)
    order = {rule.name: number for number, rule in enumerate(RULES)}
    standing.sort(key=lambda one: (-one.severity, order[one.name]))
    names = {one.name for one in standing}
    return Board(
        tuple(standing),
        tuple((name, count) for name, count in coming.items() if name not in names),
        tuple(left.items()),
    )
