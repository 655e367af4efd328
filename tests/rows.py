"""Rows made of as few words as a test needs."""

from __future__ import annotations

from typing import Any

from memtop.model.row import Note, ProcessRow, SystemRow
from memtop.process_key import ProcessKey

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40


def proc_row(pid: int = 4242, **changes: Any) -> ProcessRow:
    """An ordinary process, with what the test says of it."""
    values: dict[str, Any] = {
        "key": ProcessKey(pid, 1000 + pid),
        "pid": pid,
        "ppid": 1,
        "uid": 1000,
        "user": "app",
        "state": "S",
        "name": f"proc-{pid}",
        "command": f"proc-{pid} --serve",
        "name_raw": b"proc",
        "virt_bytes": 1200 * MIB,
        "rss_bytes": 212 * MIB,
        "anon_bytes": 190 * MIB,
        "file_bytes": 22 * MIB,
        "shmem_bytes": 0,
        "shr_bytes": 22 * MIB,
        "swap_bytes": 0,
        "peak_rss_bytes": 212 * MIB,
        "page_tables_bytes": MIB,
        "mem_percent": 0.9,
        "growth_bytes_per_min": 0.0,
        "minflt": 100,
        "majflt": 0,
        "minflt_per_s": 12.0,
        "majflt_per_s": 0.0,
        "cpu_percent": 1.5,
        "threads": 4,
        "oom_score": 671,
        "oom_score_adj": 0,
        "trend": (None, 0, 1, 2, 3, 4, 5, 6, 7),
        "started_s": 1.7e9,
        "note": Note.NONE,
    }
    command = changes.get("command", values["command"])
    values["command_raw"] = command.replace(" ", "\0").encode("utf-8", "surrogateescape")
    return ProcessRow(**{**values, **changes})


def system_row(**changes: Any) -> SystemRow:
    """A machine at ease."""
    values: dict[str, Any] = {
        "mem_total_bytes": int(23.5 * GIB),
        "mem_available_bytes": int(8.3 * GIB),
        "mem_free_bytes": GIB,
        "swap_total_bytes": 2 * GIB,
        "swap_free_bytes": 2 * GIB,
        "pgfault_per_s": 3100.0,
        "pgmajfault_per_s": 0.0,
        "oom_kills": 0,
        "oom_kills_boot": 0,
        "psi_memory_some_avg10": 0.0,
        "psi_memory_full_avg10": 0.0,
        "processes": 312,
    }
    return SystemRow(**{**values, **changes})
