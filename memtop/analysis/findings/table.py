"""The table of rules, in the order in which equals are told."""

from __future__ import annotations

from typing import Final

from memtop.analysis.fault_causes import Cause
from memtop.analysis.findings import faults, growth, limits, other, runtimes
from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.findings.rule import DANGER, WARNING, Finding, Rule
from memtop.analysis.trend.classify import Shape

RULES: Final[tuple[Rule, ...]] = (
    Rule("frozen", "oom_killer", limits.frozen),
    Rule("near_limit", "limits", limits.near_limit),
    Rule("oom_kill", "oom_killer", limits.oom_kill, steady=True),
    Rule("growth", "verdict_growing", growth.growth, steady=True),
    Rule("thrashing", "psi", faults.thrashing),
    Rule("host_low", "available", limits.host_low),
    Rule("throttled", "memory_high", limits.throttled),
    Rule("address_space", "resource_limits", limits.rlimit_as),
    Rule("data_limit", "resource_limits", limits.rlimit_data),
    Rule("commit", "overcommit", limits.commit),
    Rule("mappings", "resource_limits", limits.mappings),
    Rule("copying", "cow_family", faults.cow_lost),
    Rule("go_limit", "limits", runtimes.go_limit),
    Rule("heap_full", "jvm_heap", runtimes.heap("heap_full", DANGER)),
    Rule("heap_leak", "go_panel", runtimes.heap("heap_leak", WARNING)),
    Rule("heap_open", "jvm_gc", runtimes.heap_open),
    Rule("goroutines", "go_goroutines", runtimes.heap("goroutines", WARNING)),
    Rule("outside_heap", "anon", runtimes.outside_heap),
    Rule("hidden", "who_pays", limits.hidden),
    Rule("swapping", "swap", faults.swap),
    Rule("page_tables", "page_tables", other.page_tables),
    Rule("zombies", "special_processes", other.zombies),
    Rule("swap_in", "major_faults", faults.major(Cause.SWAP_IN)),
    Rule("refault", "page_cache", faults.major(Cause.REFAULT)),
    Rule("cold_files", "major_faults", faults.major(Cause.COLD_FILES)),
    Rule("churn", "minor_faults", faults.minor(Cause.CHURN)),
    Rule("copies", "copy_on_write", faults.minor(Cause.COPY_ON_WRITE)),
    Rule("first_touch", "minor_faults", faults.minor(Cause.FIRST_TOUCH)),
    Rule("sawtooth", "verdict_sawtooth", growth.shape(Shape.SAWTOOTH), steady=True),
    Rule("maybe_growing", "verdict_growing", growth.shape(Shape.GROWTH), steady=True),
    Rule("confirming", "verdict_growing", growth.confirming, steady=True),
    Rule("step", "verdict_step", growth.shape(Shape.STEP), steady=True),
    Rule("stairs", "verdict_step", growth.shape(Shape.STAIRS), steady=True),
    Rule("warmup", "verdict_warmup", growth.shape(Shape.WARMUP), steady=True),
    Rule("spike", "verdict_step", growth.shape(Shape.SPIKE), steady=True),
    Rule("shrink", "verdict_step", growth.shape(Shape.SHRINK), steady=True),
    Rule("limit_touched", "page_cache", limits.limit_touched),
    Rule("virt_reserved", "region_reserved", other.virt_reserved),
    Rule("family", "pss", other.family),
    Rule("lazyfree", "lazyfree", other.lazyfree),
    Rule("keeps", "verdict_step", growth.keeps),
    Rule("gave_back", "peak", growth.gave_back),
    Rule("deleted", "region_text", other.deleted),
    Rule("protected", "oom_score", other.protected),
    Rule("leader_gone", "special_processes", other.leader_gone),
    Rule("denied", "permissions", other.denied),
    Rule("young", "verdicts", growth.young, steady=True),
)


def find(case: FindingInputs) -> list[Finding]:
    """All that fires, worst first, in the table's order among equals."""
    found = []
    for rule in RULES:
        result = rule.find(case)
        if result is not None:
            found.append(Finding(rule.name, result[0], rule.topic, result[1]))
    found.sort(key=lambda one: -one.severity)
    return found
