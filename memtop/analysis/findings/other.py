"""Rules about page tables, zombies, reserved addresses, process families, deleted files, permissions."""

from __future__ import annotations

from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.findings.rule import DANGER, MIB, NOTE, WARNING, Found, facts


def page_tables(c: FindingInputs) -> Found:
    """Page tables of more than a tenth of RES."""
    if c.page_tables is None or c.rss is None or c.page_tables <= max(64 * MIB, 0.1 * c.rss):
        return None
    return WARNING, facts(tables_bytes=c.page_tables, rss_bytes=c.rss)


def protected(c: FindingInputs) -> Found:
    """A large process that the OOM killer may not kill."""
    if c.protected is None or not c.mem_total or (c.protected_rss or 0) <= 0.2 * c.mem_total:
        return None
    return NOTE, facts(giant=c.protected, rss_bytes=c.protected_rss)


def zombies(c: FindingInputs) -> Found:
    """Ended children that it has not waited for."""
    return (WARNING if c.zombies > 20 else NOTE, facts(zombies_count=c.zombies)) if c.zombies else None


def virt_reserved(c: FindingInputs) -> Found:
    """A VIRT that is mostly reserved address space."""
    virt, rss = c.reserved_virt, c.reserved_rss
    if not virt or rss is None or c.reserved is None or virt <= 10 * rss or c.reserved <= 0.5 * virt:
        return None
    return NOTE, facts(
        virt_bytes=virt, rss_bytes=rss, reserved_percent=100 * c.reserved / virt, past_s=c.reserved_past_s
    )


def family(c: FindingInputs) -> Found:
    """A family of processes whose RES, added up, counts shared memory several times."""
    if c.family is None or c.family < 3 or not c.family_rss or c.family_pss is None:
        return None
    saved = c.family_rss - c.family_pss
    if saved <= 0.2 * c.family_rss:
        return None
    return NOTE, facts(
        family_count=c.family, sum_bytes=c.family_rss, pss_bytes=c.family_pss, saved_bytes=saved, past_s=c.family_past_s
    )


def lazyfree(c: FindingInputs) -> Found:
    """Memory given back by MADV_FREE and still in RES."""
    size, rss = c.given_back, c.given_back_rss
    if size is None or rss is None or size <= max(0.1 * rss, 50 * MIB):
        return None
    return NOTE, facts(lazyfree_bytes=size, rss_bytes=rss, real_bytes=rss - size, past_s=c.given_back_past_s)


def merged(c: FindingInputs) -> Found:
    """Pages in RES of which the RAM holds one copy for several (KSM)."""
    if c.merged is None or c.merged_rss is None or c.merged <= max(0.05 * c.merged_rss, 8 * MIB):
        return None
    return NOTE, facts(merged_bytes=c.merged, rss_bytes=c.merged_rss, past_s=c.merged_past_s)


def counted_again(c: FindingInputs) -> Found:
    """A heap that is mapped several times: RES has it as often."""
    if c.rss is None or c.counted_again <= max(0.1 * c.rss, 50 * MIB):
        return None
    return NOTE, facts(again_bytes=c.counted_again, rss_bytes=c.rss, real_bytes=c.rss - c.counted_again)


def crash_loop(c: FindingInputs) -> Found:
    """A program that crashes and comes back, of which this process is the latest life."""
    if c.loop is None or c.now_s is None or not c.loop.is_loop(c.now_s):
        return None
    severity = DANGER if c.loop.is_oom else WARNING if c.loop.signal is not None or c.loop.exit_code else NOTE
    return severity, c.loop.numbers(c.now_s)


def deleted(c: FindingInputs) -> Found:
    """A program or library that was deleted, or replaced on disk, so an old version runs."""
    if not c.deleted_file:
        return None
    return NOTE, facts(file=c.deleted_file) | (facts(**{c.deleted_state: "yes"}) if c.deleted_state else {})


def leader_gone(c: FindingInputs) -> Found:
    """A process whose main thread has ended."""
    return (NOTE, {}) if c.leader_gone else None


def stopped(c: FindingInputs) -> Found:
    """A process that is stopped by a signal, a debugger or its cgroup: that its memory stands still says nothing."""
    by = {"T": "a signal", "t": "a debugger"}.get(c.state, "the freezer of its cgroup" if c.cgroup_frozen else None)
    return (NOTE, facts(by=by)) if by is not None else None


def denied(c: FindingInputs) -> Found:
    """Mappings that this user may not read."""
    return (NOTE, {}) if c.denied else None
