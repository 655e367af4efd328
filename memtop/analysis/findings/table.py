"""The table of rules: everything that the screen, JSON and ``--check`` know about a finding, except its sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from memtop.analysis.fault_causes import Cause
from memtop.analysis.findings import faults, growth, limits, other, runtimes
from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.findings.rule import DANGER, WARNING, Finding, Rule, Weight
from memtop.analysis.trend.classify import Shape

RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule("frozen", "oom_killer", limits.frozen, weight=Weight.ALARMING, level=True),
        Rule("near_limit", "limits", limits.near_limit, weight=Weight.ALARMING, level=True),
        Rule("crash_loop", "crash_loops", other.crash_loop, steady=True),
        Rule("oom_kill", "oom_killer", limits.oom_kill, steady=True, weight=Weight.ALARMING),
        Rule(
            "growth", "verdict_growing", growth.growth, steady=True, weight=Weight.ALARMING, open_with="heap_left_bytes"
        ),
        Rule("charge_growth", "limits", growth.charge, steady=True, weight=Weight.ALARMING),
        Rule("family_growth", "cow_family", growth.family, steady=True, weight=Weight.ALARMING),
        Rule("huge_growth", "region_huge_pages", growth.huge, steady=True, weight=Weight.ALARMING),
        Rule("held_growth", "shmem", growth.held, steady=True, weight=Weight.ALARMING),
        Rule("count_rise", "resource_limits", limits.count_rise, steady=True, weight=Weight.ALARMING),
        Rule(
            "descriptors",
            "shmem",
            growth.descriptors,
            steady=True,
            weight=Weight.UNDECIDED | Weight.OPEN | Weight.LASTS,
        ),
        Rule("thrashing", "psi", faults.thrashing, weight=Weight.ALARMING),
        Rule("host_low", "available", limits.host_low, weight=Weight.ALARMING, level=True),
        Rule("throttled", "memory_high", limits.throttled, weight=Weight.ALARMING),
        Rule("near_high", "memory_high", limits.near_high, weight=Weight.ALARMING, level=True),
        Rule("address_space", "resource_limits", limits.rlimit_as, weight=Weight.ALARMING, level=True),
        Rule("data_limit", "resource_limits", limits.rlimit_data, weight=Weight.ALARMING, level=True),
        Rule("commit", "overcommit", limits.commit, weight=Weight.ALARMING, level=True),
        Rule("mappings", "resource_limits", limits.mappings, weight=Weight.ALARMING, level=True),
        Rule("threads", "threads", limits.threads, weight=Weight.ALARMING, level=True),
        Rule("resource_limit", "resource_limits", limits.rlimit_other, weight=Weight.ALARMING, level=True),
        Rule("copying", "cow_family", faults.cow_lost),
        Rule("go_limit", "limits", runtimes.go_limit),
        Rule("go_held", "gomemlimit", runtimes.go_held, weight=Weight.UNDECIDED | Weight.OPEN),
        Rule("heap_full", "jvm_heap", runtimes.heap("heap_full", DANGER), weight=Weight.ALARMING),
        Rule("heap_leak", "go_panel", runtimes.heap_leak, weight=Weight.ALARMING),
        Rule("heap_open", "jvm_gc", runtimes.heap_open, weight=Weight.SUSPECT | Weight.UNDECIDED | Weight.OPEN),
        Rule("heap_varies", "jvm_gc", runtimes.heap_varies, weight=Weight.UNDECIDED | Weight.OPEN),
        Rule("goroutines", "go_goroutines", runtimes.heap("goroutines", WARNING), weight=Weight.ALARMING),
        Rule("outside_heap", "anon", runtimes.outside_heap),
        Rule("hidden", "who_pays", limits.hidden, weight=Weight.EXPLAINS, level=True),
        Rule("swapping", "swap", faults.swap),
        Rule("page_tables", "page_tables", other.page_tables),
        Rule("zombies", "special_processes", other.zombies),
        Rule("rising", "verdicts", growth.rising, steady=True, weight=Weight.OPEN),
        Rule("swap_in", "major_faults", faults.major(Cause.SWAP_IN)),
        Rule("refault", "page_cache", faults.major(Cause.REFAULT)),
        Rule("cold_files", "major_faults", faults.major(Cause.COLD_FILES)),
        Rule("churn", "minor_faults", faults.minor(Cause.CHURN)),
        Rule("copies", "copy_on_write", faults.minor(Cause.COPY_ON_WRITE)),
        Rule("first_touch", "minor_faults", faults.minor(Cause.FIRST_TOUCH)),
        Rule("sawtooth", "verdict_sawtooth", growth.shape(Shape.SAWTOOTH), steady=True),
        Rule(
            "maybe_growing",
            "verdict_growing",
            growth.shape(Shape.GROWTH),
            steady=True,
            weight=Weight.SUSPECT | Weight.OPEN,
        ),
        Rule("confirming", "verdict_growing", growth.confirming, steady=True, weight=Weight.OPEN),
        Rule("step", "verdict_step", growth.shape(Shape.STEP), steady=True, weight=Weight.CHANGE),
        Rule("stairs", "verdict_step", growth.shape(Shape.STAIRS), steady=True, weight=Weight.OPEN),
        Rule("warmup", "verdict_warmup", growth.shape(Shape.WARMUP), steady=True, weight=Weight.CHANGE),
        Rule("spike", "verdict_step", growth.shape(Shape.SPIKE), steady=True),
        Rule("shrink", "verdict_step", growth.shape(Shape.SHRINK), steady=True),
        Rule("cache_in_use", "page_cache", limits.cache_in_use),
        Rule("limit_touched", "page_cache", limits.limit_touched),
        Rule("virt_reserved", "region_reserved", other.virt_reserved),
        Rule("family", "pss", other.family),
        Rule("lazyfree", "lazyfree", other.lazyfree),
        Rule("merged", "ksm", other.merged),
        Rule("counted_again", "region_jvm", other.counted_again, weight=Weight.CHANGE),
        Rule("keeps", "verdict_step", growth.keeps),
        Rule("gave_back", "peak", growth.gave_back),
        Rule("deleted", "region_text", other.deleted),
        Rule("protected", "oom_score", other.protected),
        Rule("leader_gone", "special_processes", other.leader_gone),
        Rule("stopped", "state", other.stopped, weight=Weight.UNDECIDED | Weight.OPEN, level=True),
        Rule("denied", "permissions", other.denied),
        Rule("young", "verdicts", growth.young, steady=True, weight=Weight.UNDECIDED | Weight.OPEN),
    )
}
"""By name, in the order in which findings of one severity are shown."""


def find(inputs: FindingInputs) -> list[Finding]:
    """All findings whose conditions hold: the worst first, those of one severity in the order of the table."""
    found = []
    for rule in RULES.values():
        result = rule.find(inputs)
        if result is not None:
            found.append(Finding(rule.name, result[0], rule.topic, result[1]))
    found.sort(key=lambda finding: -finding.severity)
    return found


def weighing(findings: Iterable[Finding], weight: Weight) -> list[Finding]:
    """The findings among ``findings`` that have one of the weights in ``weight``."""
    return [finding for finding in findings if _weight(finding) & weight]


def _weight(finding: Finding) -> Weight:
    rule = RULES[finding.name]
    is_open = rule.open_with and rule.open_with in finding.facts
    return Weight.UNDECIDED | Weight.OPEN if is_open else rule.weight
