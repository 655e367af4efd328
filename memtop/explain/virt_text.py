"""The answer to "is this VIRT a problem?": one sentence, and one short line, about one process."""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.analysis.ledger.process import ProcessPart, address_ledger
from memtop.explain.exit_text import how as how_it_ended
from memtop.explain.limit_names import short
from memtop.explain.placeholders import share_text, swap_bytes
from memtop.model.assessment import Assessment, Limit, LimitRow
from memtop.model.row import Note, ProcessRow, SystemRow
from memtop.units import long_size

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


def _cgroup_ceiling(outlook: Assessment | None) -> LimitRow | None:
    """The limit below the machine's RAM that RES is compared with: the cgroup limit with the least room."""
    if outlook is None or outlook.autopsy is not None:
        return None
    of_cgroups = (row for row in outlook.limits if row.limit in (Limit.CGROUP, Limit.HIGH))
    return min(of_cgroups, key=lambda row: row.headroom_max_bytes, default=None)


def _of_limit(rss_bytes: int, row: LimitRow) -> str:
    """``, 52 % of the 100 MiB that app.scope allows``, and how full that is if other processes use it as well."""
    share = share_text(rss_bytes, row.limit_bytes) or "more than 100"
    allowed = long_size(row.limit_bytes)
    text = f", {share} % of the {allowed} that {short(row.name)} allows"
    if row.limit is Limit.HIGH:
        text = f", {share} % of {short(row.name)} ({allowed}), beyond which it is slowed down"
    if row.used_bytes > rss_bytes + _NOTABLE_OTHERS_SHARE * row.limit_bytes:
        of_all = share_text(row.used_bytes, row.limit_bytes) or "more than 100"
        text += f" ({of_all} % including everything else charged to it)"
    return text


def _of_machine(rss_bytes: int, system: SystemRow) -> str:
    """``, 0.9 % of this machine's 23.5 GiB``, or nothing if the machine's RAM is unknown."""
    share = share_text(rss_bytes, system.mem_total_bytes)
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
        f"{share_text(row.used_bytes, row.limit_bytes)} % of {row.name}, {long_size(row.limit_bytes)}, is in use; "
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
    swap = swap_bytes(row, system)
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


class VirtAnswer(NamedTuple):
    """The answer to "is this VIRT a problem?" in one line."""

    says: str
    is_known: bool = True
    """False if the process has no VIRT that is known."""
    shorter: str = ""
    """The same without the size of VIRT; empty if there is no shorter wording."""


def has_virt_answer(row: ProcessRow, outlook: Assessment | None = None) -> bool:
    """Whether the VIRT of a process is known, so that there is an answer."""
    return None not in (row.virt_bytes, row.rss_bytes) and _without_memory(row, outlook) is None


def virt_answer(row: ProcessRow, system: SystemRow, outlook: Assessment | None = None) -> VirtAnswer:
    """The answer to "is this VIRT a problem?" about one process."""
    without, found = _without_memory(row, outlook), _virt(row, system, outlook)
    if without is not None or found is None:
        return VirtAnswer(without or "", is_known=False)
    says = _judged(found, unread=outlook is None or bool(outlook.unread))
    brief = "Yes: little address space is left" if found.near_end is not None else says
    return VirtAnswer(f"VIRT {long_size(found.virt_bytes)} a problem? {says}", shorter=f"VIRT a problem? {brief}")


def _judged(found: _Virt, *, unread: bool) -> str:
    """Whether it is a problem, and why; ``unread``: some limit is not known."""
    if found.near_end is not None:
        return f"Yes: {found.near_end}"
    if found.is_multiple:
        why = "RES counts pages several times" if found.ceiling is None else "the cgroup is charged less than RES"
        return f"{'Probably not' if unread else 'No'}; {why}"
    if found.share >= LOOK_SHARE or found.rss_bytes > (1 - _CLOSE_SHARE) * found.virt_bytes:
        return f"{'Probably not' if unread else 'No'}; watch RES: {long_size(found.rss_bytes)}"
    uses_no_ram = f"{_nearly(found.virt_bytes, found.untouched_bytes)} uses no RAM"
    return f"{'Probably not' if unread else 'No'}: {'nearly all in use' if found.in_use else uses_no_ram}"


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
