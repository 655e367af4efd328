"""Values of the placeholders in topics: numbers of one process and its machine; and the sentence about its VIRT.

Facts consist of numbers and of memtop's own words. Names and command lines are not facts, because a program chooses
them. An unknown number has no fact, and a paragraph that names one is not shown.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.analysis.ledger.process import ProcessPart, address_ledger
from memtop.explain.exit_text import how as how_it_ended
from memtop.explain.limit_names import short
from memtop.model.assessment import Assessment, Limit, LimitRow
from memtop.model.frame import Note, ProcessRow, SystemRow
from memtop.procfs.statm import PAGE_BYTES
from memtop.procfs.status import PidStatus
from memtop.units import count, long_size, percent

LOOK_SHARE: Final = 0.5
"""Share of RAM, or of the cgroup's limit, from which RES is the number to watch."""
ACT_SHARE: Final = 0.8
"""Share of RAM, or of the cgroup's limit, from which RES is a danger."""
_NOTABLE_OTHERS_SHARE: Final = 0.05
"""Share of a limit from which the use by other processes is mentioned."""
_CLOSE_SHARE: Final = 0.1
"""VIRT counts as in use if less than this share of it has no RAM or swap behind it."""
_NOTABLE_SWAP_SHARE: Final = 0.05
"""Share of RES + SWAP from which swap is mentioned."""

_STATES: Final = {
    "R": "it is running or ready to run",
    "S": "it sleeps until something happens, as most processes do",
    "D": "it is in an uninterruptible wait, usually for storage",
    "T": "it is stopped by a signal",
    "t": "it is stopped by a debugger",
    "Z": "it has ended, and its parent has not collected the exit status yet",
    "X": "it is about to disappear",
    "I": "it is an idle kernel thread",
    "P": "it is a parked kernel thread",
}


def _swap_bytes(row: ProcessRow, system: SystemRow) -> int | None:
    """Bytes on swap; 0 if the machine uses no swap, None if unknown."""
    if row.swap_bytes is None and system.swap_total_bytes is not None:
        return 0 if system.swap_total_bytes in (0, system.swap_free_bytes) else None
    return row.swap_bytes


def _swap_of_machine(system: SystemRow) -> str | None:
    if system.swap_total_bytes == 0:
        return "this machine has no swap"
    if system.swap_total_bytes is None or system.swap_free_bytes is None:
        return None
    used = system.swap_total_bytes - system.swap_free_bytes
    return f"the machine uses {long_size(used)} of {long_size(system.swap_total_bytes)} of swap"


def _oom_share(row: ProcessRow) -> str | None:
    """The percentage of RAM and swap that oom_score stands for: the inverse of the kernel's formula since 5.9."""
    if not row.oom_score or row.oom_score_adj is None:
        return None
    per_mille = row.oom_score * 1.5 - 1000 - row.oom_score_adj
    return percent(max(0.0, per_mille) / 10) if per_mille >= -3 else None  # far below -3: a kernel with the old formula


def _share(part: float | None, whole: float | None) -> str | None:
    """``part`` as a percentage of ``whole``, without the percent sign."""
    if part is None or not whole:
        return None
    value = 100 * part / whole
    return "less than 0.1" if 0 < value < 0.05 else percent(value)


def _signed(size_bytes: float | None) -> str | None:
    if size_bytes is None:
        return None
    text = long_size(size_bytes)
    return text if text.startswith(("-", "0 ")) else f"+{text}"


def _size(size_bytes: float | None) -> str | None:
    return None if size_bytes is None else long_size(size_bytes)


def _count(number: float | None) -> str | None:
    return None if number is None else count(number)


def _whole(number: int | None) -> str | None:
    return None if number is None else f"{number:,}"


def _percent(value: float | None) -> str | None:
    return None if value is None else percent(value)


def _process_facts(row: ProcessRow, system: SystemRow) -> dict[str, str | None]:
    swap = _swap_bytes(row, system)
    address = address_ledger(row.sizes._replace(swap_bytes=swap))
    untouched = None if address is None or swap is None else address.size_of(ProcessPart.NO_RAM)
    return {
        "virt": _size(row.virt_bytes),
        "rss": _size(row.rss_bytes),
        "rss_pages": _whole(None if row.rss_bytes is None else row.rss_bytes // PAGE_BYTES),
        "untouched": _size(untouched),
        "untouched_percent": _share(untouched, row.virt_bytes),
        "anon": _size(row.anon_bytes),
        "file": _size(row.file_bytes),
        "shmem": _size(row.shmem_bytes),
        "shr": _size(row.shr_bytes),
        "swap": _size(swap),
        "peak": _size(row.peak_rss_bytes),
        "page_tables": _size(row.page_tables_bytes),
        "mem_percent": _share(row.rss_bytes, system.mem_total_bytes),
        "growth": _signed(row.growth_bytes_per_min),
        "minor_rate": _count(row.minflt_per_s),
        "major_rate": _count(row.majflt_per_s),
        "minor_faults": _whole(row.minflt),
        "major_faults": _whole(row.majflt),
        "cpu": _percent(row.cpu_percent),
        "threads": _whole(row.threads),
        "oom_score": _whole(row.oom_score),
        "oom_score_adj": None if row.oom_score_adj is None else str(row.oom_score_adj),
        "oom_share": _oom_share(row),
        "pid": str(row.pid),
        "parent": None if row.ppid is None else str(row.ppid),
        "state": row.state if row.state in _STATES else None,
        "state_says": _STATES.get(row.state),
        "note": None if row.note is Note.NONE else row.note.value,
    }


def _machine_facts(system: SystemRow) -> dict[str, str | None]:
    return {
        "page_size": f"{PAGE_BYTES // 1024} KiB",
        "mem_total": _size(system.mem_total_bytes),
        "available": _size(system.mem_available_bytes),
        "available_percent": _share(system.mem_available_bytes, system.mem_total_bytes),
        "mem_free": _size(system.mem_free_bytes),
        "machine_swap": _swap_of_machine(system),
        "machine_faults": _count(system.pgfault_per_s),
        "machine_major_faults": _count(system.pgmajfault_per_s),
        "oom_kills": _whole(system.oom_kills),
        "oom_kills_boot": _whole(system.oom_kills_boot),
        "psi_some": _percent(system.psi_memory_some_avg10),
        "psi_full": _percent(system.psi_memory_full_avg10),
        "processes": _whole(system.processes),
    }


def _status_facts(status: PidStatus) -> dict[str, str | None]:
    return {
        "virt_peak": _size(status.virt_peak_bytes),
        "exe": _size(status.exe_bytes),
        "lib": _size(status.lib_bytes),
        "data": _size(status.data_bytes),
        "stack": _size(status.stack_bytes),
        "hugetlb": _size(status.hugetlb_bytes),
        "locked": _size(status.locked_bytes),
        "pinned": _size(status.pinned_bytes),
    }


def facts_of(row: ProcessRow, system: SystemRow, status: PidStatus | None) -> dict[str, str]:
    """Name of a fact -> its text, for Topic.fill. Unknown numbers are left out."""
    facts = _process_facts(row, system) | _machine_facts(system) | (_status_facts(status) if status else {})
    return {name: text for name, text in facts.items() if text is not None}


def _cgroup_ceiling(outlook: Assessment | None) -> LimitRow | None:
    """The limit below the machine's RAM that RES is compared with: the cgroup limit with the least room."""
    if outlook is None or outlook.autopsy is not None:
        return None
    of_cgroups = (row for row in outlook.limits if row.limit in (Limit.CGROUP, Limit.HIGH))
    return min(of_cgroups, key=lambda row: row.headroom_max_bytes, default=None)


def _of_limit(rss_bytes: int, row: LimitRow) -> str:
    """``, 52 % of the 100 MiB that app.scope allows``, and how full that is if other processes use it as well."""
    share = _share(rss_bytes, row.limit_bytes) or "more than 100"
    allowed = long_size(row.limit_bytes)
    text = f", {share} % of the {allowed} that {short(row.name)} allows"
    if row.limit is Limit.HIGH:
        text = f", {share} % of {short(row.name)} ({allowed}), beyond which it is slowed down"
    if row.used_bytes > rss_bytes + _NOTABLE_OTHERS_SHARE * row.limit_bytes:
        text += (
            f" ({_share(row.used_bytes, row.limit_bytes) or 'more than 100'} % including everything else charged to it)"
        )
    return text


def _of_machine(rss_bytes: int, system: SystemRow) -> str:
    """``, 0.9 % of this machine's 23.5 GiB``, or nothing if the machine's RAM is unknown."""
    share = _share(rss_bytes, system.mem_total_bytes)
    return "" if share is None else f", {share} % of this machine's {long_size(system.mem_total_bytes)} of RAM"


def _nearly(whole_bytes: int, part_bytes: int) -> str:
    """A part of VIRT in words, where its size would look like that of the whole beside it."""
    return "nearly all of it" if long_size(part_bytes) == long_size(whole_bytes) else long_size(part_bytes)


def _nothing_behind(virt_bytes: int, untouched_bytes: int, swap_known: bool) -> str:
    """How much of VIRT has neither RAM nor swap behind it. A size alone does not say why."""
    if long_size(untouched_bytes) == long_size(virt_bytes):
        return "almost all of it uses no RAM now (never written, freed, or only read)"
    about = "about" if swap_known else "up to"
    return f"{about} {long_size(untouched_bytes)} of it uses no RAM now (never written, freed, or only read)"


def _near_end(outlook: Assessment | None) -> str | None:
    """Limits on address space that are nearly reached: ulimit -v and -d, strict overcommit, the number of mappings."""
    if outlook is None or outlook.autopsy is not None:
        return None
    found = [
        f"{_share(row.used_bytes, row.limit_bytes)} % of {row.name}, {long_size(row.limit_bytes)}, is in use; "
        f"when full: {row.limit.value}"
        for row in outlook.limits
        if row.limit in (Limit.ADDRESS_SPACE, Limit.DATA, Limit.COMMIT)
        and row.used_bytes > ACT_SHARE * row.limit_bytes > 0
    ]
    found += [
        f"{one.facts['mappings_count']:,} of {one.facts['max_count']:,} mappings are in use; beyond that mmap fails"
        for one in outlook.findings
        if one.name == "mappings"
    ]
    return "; ".join(found) or None


def _without_memory(row: ProcessRow, outlook: Assessment | None) -> str | None:
    """The sentence for a row without VIRT, empty where the next sample will tell; None for all others."""
    if row.gone_s is not None or row.note in (Note.GONE, Note.OOM_KILLED):
        last = f"; its last numbers were VIRT {long_size(row.virt_bytes)} and RES {long_size(row.rss_bytes)}"
        how = " (OOM-killed)" if row.note is Note.OOM_KILLED else ""
        report = outlook.autopsy if outlook is not None else None
        if report is not None:
            now = f"; PID {report.successor.pid} runs the same command now" if report.successor is not None else ""
            how = f" ({how_it_ended(report)}{now})"
        return f"This process has ended{how}{last if row.virt_bytes and row.rss_bytes is not None else ''}."
    if row.note is Note.KERNEL:
        return "This is a kernel thread: it runs inside the kernel and has no memory of its own."
    if row.note is Note.ZOMBIE:
        return "This is a zombie: it has ended and holds no memory; its parent has not collected its exit status yet."
    if row.note is Note.DENIED:
        return "The kernel does not let this user read VIRT and RES of this process; unknown does not mean 0."
    if row.virt_bytes is None or row.rss_bytes is None:
        return ""  # a process that is ending, for a moment: what is not known is waited for
    if row.virt_bytes == 0:
        return "This process has no address space left: it is ending."
    return None


class _Virt(NamedTuple):
    """What decides whether VIRT is a problem. Sizes in bytes."""

    virt_bytes: int
    rss_bytes: int
    untouched_bytes: int
    """What has neither RAM nor swap behind it."""
    swap_bytes: int | None
    huge_bytes: int
    ceiling: LimitRow | None
    """The limit that RES is compared with; None for the machine's RAM."""
    share: float
    """RES as a share of that."""
    near_end: str | None
    """Which limit on address space is nearly reached; None if none is."""
    is_multiple: bool = False
    """Whether RES is more than all that is in use there: it counts pages several times, or pages charged elsewhere."""

    @property
    def in_use(self) -> bool:
        """Whether nearly all of VIRT has RAM or swap behind it."""
        return self.untouched_bytes < _CLOSE_SHARE * self.virt_bytes


def _virt(row: ProcessRow, system: SystemRow, outlook: Assessment | None) -> _Virt | None:
    """None without VIRT or RES."""
    if row.virt_bytes is None or row.rss_bytes is None:
        return None
    swap = _swap_bytes(row, system)
    address = address_ledger(row.sizes._replace(swap_bytes=swap))
    untouched = (address.size_of(ProcessPart.NO_RAM) if address is not None else None) or 0
    huge, ceiling = row.hugetlb_bytes or 0, _cgroup_ceiling(outlook)
    whole = system.mem_total_bytes if ceiling is None else ceiling.limit_bytes
    share = (row.rss_bytes + (huge if ceiling is None else 0)) / whole if whole else 0.0
    in_use = max(ceiling.limit_bytes, ceiling.used_bytes) if ceiling is not None else _in_use_bytes(system)
    is_multiple = in_use is not None and row.rss_bytes > in_use
    return _Virt(row.virt_bytes, row.rss_bytes, untouched, swap, huge, ceiling, share, _near_end(outlook), is_multiple)


def _in_use_bytes(system: SystemRow) -> int | None:
    """RAM in use for whatever; None if unknown."""
    if system.mem_total_bytes is None or system.mem_free_bytes is None:
        return None
    return system.mem_total_bytes - system.mem_free_bytes


def virt_answer(row: ProcessRow, system: SystemRow, outlook: Assessment | None = None) -> tuple[str, bool]:
    """The answer to "is this VIRT a problem?" in one short line; False if the process has no VIRT that is known."""
    without, found = _without_memory(row, outlook), _virt(row, system, outlook)
    if without is not None or found is None:
        return without or "", False
    asked = f"VIRT {long_size(found.virt_bytes)} a problem?"
    if found.near_end is not None:
        return f"{asked} Yes: {found.near_end}", True
    unread = outlook is None or bool(outlook.unread)
    if found.is_multiple:
        return f"{asked} {'No known limit' if unread else 'No'}; RES counts pages several times", True
    if found.share >= LOOK_SHARE:
        says = f"watch RES: {long_size(found.rss_bytes)}"
        return f"{asked} {'No known limit' if unread else 'No'}; {says}", True
    says = f"{_nearly(found.virt_bytes, found.untouched_bytes)} uses no RAM"
    if found.in_use:
        says = "nearly all in use" if unread else "nearly all of it is in use"
    return f"{asked} {'No known limit;' if unread else 'No:'} {says}", True


def virt_sentence(row: ProcessRow, system: SystemRow, outlook: Assessment | None = None) -> str:
    """One plain sentence that answers: is this VIRT a problem?

    It compares RES with the limit of the cgroup, or with the machine if there is none.
    """
    without, found = _without_memory(row, outlook), _virt(row, system, outlook)
    if without is not None or found is None:
        return without or ""
    virt, rss, total, swap = found.virt_bytes, found.rss_bytes, system.mem_total_bytes, found.swap_bytes
    of_whole = _of_machine(rss, system) if found.ceiling is None else _of_limit(rss, found.ceiling)
    behind = _nothing_behind(virt, found.untouched_bytes, swap is not None)
    on_swap = f", and {long_size(swap)} is on swap" if swap and swap > _NOTABLE_SWAP_SHARE * (rss + swap) else ""
    huge = found.huge_bytes
    in_huge = f", and {long_size(huge)} is in huge pages, which RES does not count" if huge else ""
    resident = f"RES is {long_size(rss)}{of_whole}{on_swap}{in_huge}"
    if found.near_end is not None:
        return f"Address space is nearly exhausted: {found.near_end}; VIRT is {long_size(virt)}; {resident}."
    if found.is_multiple:
        where = "this machine" if found.ceiling is None else short(found.ceiling.name)
        why = "it maps the same pages several times" + ("" if found.ceiling is None else ", or pages charged elsewhere")
        return f"RES is {long_size(rss)}, more than {where} can have in use: {why}. VIRT is {long_size(virt)}."
    if found.share >= LOOK_SHARE:
        if row.file_bytes is not None and row.file_bytes > rss / 2:
            verdict = f"but {long_size(row.file_bytes)} of that is file pages, which the kernel can reclaim"
        elif found.share >= ACT_SHARE:
            verdict = "which is the danger, not VIRT"
        else:
            verdict = "which is the number to watch, not VIRT"
        return f"{resident}, {verdict}; VIRT is {long_size(virt)}{'' if found.in_use else f', and {behind}'}."
    if found.in_use:
        return f"VIRT {long_size(virt)} is nearly all in use: {resident}."
    if total and virt > total:
        return f"VIRT {long_size(virt)} is more than the RAM of this machine, which is allowed: {behind}; {resident}."
    known = " (its limits were not read)" if outlook is None else ""
    if outlook is not None and outlook.unread:
        known = ", as far as its limits could be read"
    return f"VIRT {long_size(virt)} is no danger in itself{known}: {behind}; {resident}."
