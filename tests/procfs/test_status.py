"""proc_pid_status(5): lines that may be permuted, doubled, missing."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.errors import ParseError
from memtop.procfs.status import PidStatus, parse_status
from tests.children import python

TEXT = b"""Name:\tapi-server
Umask:\t0022
State:\tS (sleeping)
Tgid:\t42
Pid:\t42
PPid:\t1
Uid:\t1000\t1001\t1002\t1003
VmPeak:\t    1300 kB
VmSize:\t    1270 kB
VmLck:\t       4 kB
VmPin:\t       8 kB
VmHWM:\t     220 kB
VmRSS:\t     212 kB
RssAnon:\t     190 kB
RssFile:\t      20 kB
RssShmem:\t       2 kB
VmData:\t     400 kB
VmStk:\t     132 kB
VmExe:\t      16 kB
VmLib:\t      24 kB
VmPTE:\t      52 kB
VmSwap:\t      12 kB
HugetlbPages:\t    2048 kB
Kthread:\t0
Threads:\t9
CapEff:\t0000000000004000
"""
LINES = TEXT.splitlines()
KIB = 1024


def test_every_line_becomes_its_field_in_bytes() -> None:
    assert parse_status(TEXT) == PidStatus(
        uid=1001,
        virt_peak_bytes=1300 * KIB,
        virt_bytes=1270 * KIB,
        locked_bytes=4 * KIB,
        pinned_bytes=8 * KIB,
        peak_rss_bytes=220 * KIB,
        rss_bytes=212 * KIB,
        anon_bytes=190 * KIB,
        file_bytes=20 * KIB,
        shmem_bytes=2 * KIB,
        data_bytes=400 * KIB,
        stack_bytes=132 * KIB,
        exe_bytes=16 * KIB,
        lib_bytes=24 * KIB,
        page_tables_bytes=52 * KIB,
        swap_bytes=12 * KIB,
        hugetlb_bytes=2048 * KIB,
        threads=9,
        kernel_thread=False,
        thread_group=42,
        capabilities=1 << 14,
    )


def test_a_process_with_cap_ipc_lock_may_lock_more_than_its_limit() -> None:
    assert parse_status(TEXT).may_lock is True
    assert parse_status(TEXT.replace(b"4000\n", b"0000\n")).may_lock is False
    assert parse_status(b"Name:\tapp\n").may_lock is None


def test_the_sizes_that_processes_of_one_program_have_in_common_are_one_object() -> None:
    one, other = (
        parse_status(b"Name:\tworker\nPid:\t%d\nVmPeak:\t 9000 kB\nVmSize:\t 9000 kB\n" % pid) for pid in (7, 8)
    )
    assert one.virt_peak_bytes is one.virt_bytes is other.virt_bytes


@given(st.permutations(LINES), st.lists(st.integers(0, len(LINES) - 1), max_size=5))
def test_order_and_doubled_lines_change_nothing(lines: list[bytes], doubled: list[int]) -> None:
    twice = [*lines, *(LINES[index] for index in doubled)]
    assert parse_status(b"\n".join(twice)) == parse_status(TEXT)


@given(st.sets(st.sampled_from(range(6, len(LINES)))))
def test_a_line_that_is_missing_makes_its_own_field_unknown_and_no_other(missing: set[int]) -> None:
    whole = parse_status(TEXT)
    part = parse_status(b"\n".join(line for index, line in enumerate(LINES) if index not in missing))
    assert sum(value is None for value in part) == len(missing)
    assert all(after is None or after == before for before, after in zip(whole, part, strict=True))


def test_kernel_threads_and_zombies_have_no_vm_lines_and_that_is_unknown_not_zero() -> None:
    status = parse_status(b"Name:\tkthreadd\nPid:\t2\nUid:\t0\t0\t0\t0\nThreads:\t1\nKthread:\t1\n")
    assert (status.rss_bytes, status.peak_rss_bytes, status.swap_bytes) == (None, None, None)
    assert (status.uid, status.kernel_thread) == (0, True)


def test_sizes_beyond_four_tebibytes_are_exact() -> None:
    assert parse_status(b"Pid:\t1\nVmSize:\t20000000000 kB\n").virt_bytes == 20_000_000_000 * KIB


@pytest.mark.parametrize("size", [b"-4 kB", b"4 MB", b"x", b"", b"1234567890123456 kB", b"4 kB 5"])
def test_a_size_that_is_none_is_unknown(size: bytes) -> None:
    assert parse_status(b"Pid:\t1\nVmRSS:\t" + size + b"\n").rss_bytes is None


@pytest.mark.parametrize("data", [b"", b"\0" * 50, b"VmRSS:\t5 kB\n", b"no colon here"])
def test_a_file_in_which_nothing_is_recognised_is_refused(data: bytes) -> None:
    with pytest.raises(ParseError):
        parse_status(data)


@given(st.binary(max_size=200).map(b"Pid:\t1\n".__add__))
def test_bytes_of_any_kind_give_no_size_that_history_cannot_keep(data: bytes) -> None:
    assert all(value is None or 0 <= value < 2**63 for value in parse_status(data)[1:17])


def test_psutil_reads_the_same_of_a_child_at_rest() -> None:
    with python("x = bytearray(30 << 20); import time; print(flush=True); time.sleep(60)") as child:
        status = parse_status(Path(f"/proc/{child.pid}/status").read_bytes())
        oracle = psutil.Process(child.pid)
        memory = oracle.memory_full_info()
        assert status.virt_bytes == memory.vms
        assert status.uid == oracle.uids().effective
        assert status.threads == oracle.num_threads()
        assert status.swap_bytes == memory.swap
        assert status.rss_bytes == (status.anon_bytes or 0) + (status.file_bytes or 0) + (status.shmem_bytes or 0)
        assert (status.peak_rss_bytes or 0) >= (status.rss_bytes or 0) > 30 << 20
