"""Values of the placeholders in topics: numbers of one process and its machine.

Facts consist of numbers and of memtop's own words. Names and command lines are not facts, because a program chooses
them. An unknown number has no fact, and a paragraph that names one is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Final

from memtop.analysis.ledger.process import ProcessPart, address_ledger
from memtop.model.row import Note, ProcessRow, SystemRow
from memtop.procfs.statm import page_bytes
from memtop.procfs.status import PidStatus
from memtop.units import count, long_size, percent

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


def swap_bytes(row: ProcessRow, system: SystemRow) -> int | None:
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


def share_text(part: float | None, whole: float | None) -> str | None:
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


def _untouched_bytes(row: ProcessRow, system: SystemRow) -> int | None:
    """What of VIRT has neither RAM nor swap behind it."""
    swap = swap_bytes(row, system)
    address = address_ledger(row.sizes._replace(swap_bytes=swap))
    return None if address is None or swap is None else address.size_of(ProcessPart.NO_RAM)


_OF_PROCESS: Final[Mapping[str, Callable[[ProcessRow, SystemRow], str | None]]] = {
    "virt": lambda row, system: _size(row.virt_bytes),
    "rss": lambda row, system: _size(row.rss_bytes),
    "rss_pages": lambda row, system: _whole(None if row.rss_bytes is None else row.rss_bytes // page_bytes()),
    "untouched": lambda row, system: _size(_untouched_bytes(row, system)),
    "untouched_percent": lambda row, system: share_text(_untouched_bytes(row, system), row.virt_bytes),
    "anon": lambda row, system: _size(row.anon_bytes),
    "file": lambda row, system: _size(row.file_bytes),
    "shmem": lambda row, system: _size(row.shmem_bytes),
    "shr": lambda row, system: _size(row.shr_bytes),
    "swap": lambda row, system: _size(swap_bytes(row, system)),
    "peak": lambda row, system: _size(row.peak_rss_bytes),
    "page_tables": lambda row, system: _size(row.page_tables_bytes),
    "mem_percent": lambda row, system: share_text(row.rss_bytes, system.mem_total_bytes),
    "growth": lambda row, system: _signed(row.growth_bytes_per_min),
    "minor_rate": lambda row, system: _count(row.minflt_per_s),
    "major_rate": lambda row, system: _count(row.majflt_per_s),
    "minor_faults": lambda row, system: _whole(row.minflt),
    "major_faults": lambda row, system: _whole(row.majflt),
    "cpu": lambda row, system: _percent(row.cpu_percent),
    "threads": lambda row, system: _whole(row.threads),
    "oom_score": lambda row, system: _whole(row.oom_score),
    "oom_score_adj": lambda row, system: None if row.oom_score_adj is None else str(row.oom_score_adj),
    "oom_share": lambda row, system: _oom_share(row),
    "pid": lambda row, system: str(row.pid),
    "parent": lambda row, system: None if row.ppid is None else str(row.ppid),
    "state": lambda row, system: row.state if row.state in _STATES else None,
    "state_says": lambda row, system: _STATES.get(row.state),
    "note": lambda row, system: None if row.note is Note.NONE else row.note.value,
}


_OF_MACHINE: Final[Mapping[str, Callable[[SystemRow], str | None]]] = {
    "page_size": lambda system: f"{page_bytes() // 1024} KiB",
    "mem_total": lambda system: _size(system.mem_total_bytes),
    "available": lambda system: _size(system.mem_available_bytes),
    "available_percent": lambda system: share_text(system.mem_available_bytes, system.mem_total_bytes),
    "mem_free": lambda system: _size(system.mem_free_bytes),
    "machine_swap": _swap_of_machine,
    "machine_faults": lambda system: _count(system.pgfault_per_s),
    "machine_major_faults": lambda system: _count(system.pgmajfault_per_s),
    "oom_kills": lambda system: _whole(system.oom_kills),
    "oom_kills_boot": lambda system: _whole(system.oom_kills_boot),
    "psi_some": lambda system: _percent(system.psi_memory_some_avg10),
    "psi_full": lambda system: _percent(system.psi_memory_full_avg10),
    "processes": lambda system: _whole(system.processes),
}


_OF_STATUS: Final[Mapping[str, Callable[[PidStatus], str | None]]] = {
    "virt_peak": lambda status: _size(status.virt_peak_bytes),
    "exe": lambda status: _size(status.exe_bytes),
    "lib": lambda status: _size(status.lib_bytes),
    "data": lambda status: _size(status.data_bytes),
    "stack": lambda status: _size(status.stack_bytes),
    "hugetlb": lambda status: _size(status.hugetlb_bytes),
    "locked": lambda status: _size(status.locked_bytes),
    "pinned": lambda status: _size(status.pinned_bytes),
}


def facts_of(
    row: ProcessRow, system: SystemRow, status: PidStatus | None, names: Container[str] | None = None
) -> dict[str, str]:
    """Name of a fact -> its text, for Topic.fill. Unknown numbers are left out, and those not in ``names``."""
    facts: dict[str, str | None] = {}
    for of_process, process_fact in _OF_PROCESS.items():
        if names is None or of_process in names:
            facts[of_process] = process_fact(row, system)
    for of_machine, machine_fact in _OF_MACHINE.items():
        if names is None or of_machine in names:
            facts[of_machine] = machine_fact(system)
    for of_status, status_fact in _OF_STATUS.items():
        if status is not None and (names is None or of_status in names):
            facts[of_status] = status_fact(status)
    return {name: text for name, text in facts.items() if text is not None}
