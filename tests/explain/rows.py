"""Rows to explain: one with every number known, to be changed a little by each test."""

from __future__ import annotations

from memtop.process_key import ProcessKey
from memtop.procfs.status import PidStatus
from tests.rows import GIB, KIB, MIB, proc_row, system_row

FULL = proc_row(
    key=ProcessKey(4242, 1),
    name="api-server",
    command="api-server --port 80",
    name_raw=b"api-server",
    command_raw=b"api-server\0--port\x0080\0",
    virt_bytes=1270 * MIB,
    page_tables_bytes=900 * KIB,
    mem_percent=0.88,
    growth_bytes_per_min=12.4 * MIB,
    minflt=128_000,
    majflt=12,
    minflt_per_s=3100.0,
    cpu_percent=3.4,
    threads=9,
    trend=(0, 1, 2, 3, 4, 5, 6, 7, 7),
    started_s=1.0,
)

MACHINE = system_row(
    mem_total_bytes=24 * GIB,
    mem_available_bytes=8 * GIB,
    mem_free_bytes=2 * GIB,
    swap_total_bytes=4 * GIB,
    swap_free_bytes=3 * GIB,
    pgfault_per_s=5000.0,
    oom_kills_boot=2,
)

STATUS = PidStatus(
    uid=1000,
    virt_peak_bytes=1300 * MIB,
    virt_bytes=1270 * MIB,
    locked_bytes=0,
    pinned_bytes=0,
    peak_rss_bytes=212 * MIB,
    rss_bytes=212 * MIB,
    anon_bytes=190 * MIB,
    file_bytes=22 * MIB,
    shmem_bytes=0,
    data_bytes=400 * MIB,
    stack_bytes=132 * KIB,
    exe_bytes=8 * MIB,
    lib_bytes=4 * MIB,
    page_tables_bytes=900 * KIB,
    swap_bytes=0,
    hugetlb_bytes=0,
    threads=9,
    kernel_thread=False,
)
