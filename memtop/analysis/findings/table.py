"""The table of rules, in the order in which equals are told."""

from __future__ import annotations

from typing import Final

from memtop.analysis.faults import Cause
from memtop.analysis.findings import faults, growth, limits, oddities, runtimes
from memtop.analysis.findings.case import Case
from memtop.analysis.findings.rule import DANGER, WARNING, Finding, Rule
from memtop.analysis.growth import Kind

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
    Rule("goroutines", "go_goroutines", runtimes.heap("goroutines", WARNING)),
    Rule("outside_heap", "anon", runtimes.outside_heap),
    Rule("hidden", "who_pays", limits.hidden),
    Rule("swapping", "swap", faults.swap),
    Rule("page_tables", "page_tables", oddities.page_tables),
    Rule("zombies", "special_processes", oddities.zombies),
    Rule("swap_in", "major_faults", faults.major(Cause.SWAP_IN)),
    Rule("refault", "page_cache", faults.major(Cause.REFAULT)),
    Rule("cold_files", "major_faults", faults.major(Cause.COLD_FILES)),
    Rule("churn", "minor_faults", faults.minor(Cause.CHURN)),
    Rule("copies", "copy_on_write", faults.minor(Cause.COPY_ON_WRITE)),
    Rule("first_touch", "minor_faults", faults.minor(Cause.FIRST_TOUCH)),
    Rule("sawtooth", "verdict_sawtooth", growth.shape(Kind.SAWTOOTH), steady=True),
    Rule("maybe_growing", "verdict_growing", growth.shape(Kind.GROWTH), steady=True),
    Rule("confirming", "verdict_growing", growth.confirming, steady=True),
    Rule("step", "verdict_step", growth.shape(Kind.STEP), steady=True),
    Rule("stairs", "verdict_step", growth.shape(Kind.STAIRS), steady=True),
    Rule("warmup", "verdict_warmup", growth.shape(Kind.WARMUP), steady=True),
    Rule("spike", "verdict_step", growth.shape(Kind.SPIKE), steady=True),
    Rule("shrink", "verdict_step", growth.shape(Kind.SHRINK), steady=True),
    Rule("limit_touched", "page_cache", limits.limit_touched),
    Rule("virt_reserved", "region_reserved", oddities.virt_reserved),
    Rule("family", "pss", oddities.family),
    Rule("lazyfree", "lazyfree", oddities.lazyfree),
    Rule("keeps", "verdict_step", growth.keeps),
    Rule("gave_back", "peak", growth.gave_back),
    Rule("deleted", "region_text", oddities.deleted),
    Rule("protected", "oom_score", oddities.protected),
    Rule("leader_gone", "special_processes", oddities.leader_gone),
    Rule("denied", "permissions", oddities.denied),
    Rule("young", "verdicts", growth.young, steady=True),
)


def find(case: Case) -> list[Finding]:
    """All that fires, worst first, in the table's order among equals."""
    found = []
    for rule in RULES:
        result = rule.find(case)
        if result is not None:
            found.append(Finding(rule.name, result[0], rule.topic, result[1]))
    found.sort(key=lambda one: -one.severity)
    return found
