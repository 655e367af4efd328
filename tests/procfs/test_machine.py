"""Files of the machine: proc_meminfo(5), proc_vmstat(5), psi.rst, and the lines they are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.procfs.lines import int_or_none, key_values, kib_to_bytes
from memtop.procfs.meminfo import parse_meminfo
from memtop.procfs.pressure import Pressure, Stall, parse_pressure
from memtop.procfs.vmstat import parse_vmstat
from memtop.procfs.zoneinfo import parse_per_cpu_pages

MEMINFO = b"""MemTotal:       24684092 kB
MemFree:        22053968 kB
MemAvailable:   22444132 kB
Cached:           612344 kB
Shmem:              1104 kB
SwapTotal:             0 kB
SwapFree:              0 kB
CommitLimit:    12342044 kB
Committed_AS:    1722316 kB
HugePages_Total:       3
Unheard_Of:            0
"""
VMSTAT = b"nr_free_pages 5513492\npgfault 123\npgmajfault 4\noom_kill 2\npswpin 5\npswpout 6\n"
PSI = b"some avg10=11.87 avg60=3.20 avg300=0.70 total=1733333\nfull avg10=100.00 avg60=3.10 avg300=0.68 total=1700000\n"


def test_meminfo_in_bytes() -> None:
    meminfo = parse_meminfo(MEMINFO)
    assert meminfo.total_bytes == 24_684_092 * 1024
    assert meminfo.available_bytes == 22_444_132 * 1024
    assert (meminfo.swap_total_bytes, meminfo.swap_free_bytes) == (0, 0)
    assert meminfo.committed_bytes == 1_722_316 * 1024


@given(st.permutations(MEMINFO.splitlines()), st.integers(0, 10))
def test_meminfo_without_one_line_and_in_any_order(lines: list[bytes], dropped: int) -> None:
    whole, part = parse_meminfo(MEMINFO), parse_meminfo(b"\n".join(lines[:dropped] + lines[dropped + 1 :]))
    lost = [before for before, after in zip(whole, part, strict=True) if after is None and before is not None]
    assert len(lost) == (lines[dropped].split(b":")[0] != b"Unheard_Of")


def test_meminfo_of_this_machine_is_what_psutil_says() -> None:
    meminfo, oracle = parse_meminfo(Path("/proc/meminfo").read_bytes()), psutil.virtual_memory()
    assert meminfo.total_bytes == oracle.total
    assert meminfo.available_bytes == pytest.approx(oracle.available, rel=0.1)
    assert meminfo.swap_total_bytes == psutil.swap_memory().total


def test_vmstat_counts_and_unknown_lines() -> None:
    vmstat = parse_vmstat(VMSTAT)
    assert (vmstat.pgfault, vmstat.pgmajfault, vmstat.oom_kill, vmstat.pswpin, vmstat.pswpout) == (123, 4, 2, 5, 6)
    assert (vmstat.refault_anon, vmstat.refault_file) == (None, None)


def test_vmstat_of_this_machine_has_the_counters() -> None:
    """No increase is expected: the kernel folds what each CPU has counted late, vm.stat_interval apart."""
    vmstat = parse_vmstat(Path("/proc/vmstat").read_bytes())
    assert vmstat.pgfault is not None and vmstat.pgmajfault is not None
    assert vmstat.pgfault > vmstat.pgmajfault >= 0


def test_free_lists_of_the_cpus_are_added_up_over_zones() -> None:
    zones = b"Node 0, zone DMA\n  pages free 9\n  pagesets\n    cpu: 0\n              count:    7\n"
    zones += b"              high:     8\n    cpu: 1\n              count:    5\nNode 0, zone Normal\n"
    assert parse_per_cpu_pages(zones + b"    cpu: 0\n              count:    100\n") == 112
    assert parse_per_cpu_pages(b"") is None


def test_pressure_of_both_kinds() -> None:
    assert parse_pressure(PSI) == Pressure(Stall(11.87, 3.20, 1_733_333, 0.70), Stall(100.0, 3.10, 1_700_000, 0.68))


@pytest.mark.parametrize(
    "data", [b"", b"some avg10=nan avg60=0.00 avg300=0.00 total=0", b"some avg10=1 total=2", b"\xff"]
)
def test_pressure_that_is_none_is_unknown(data: bytes) -> None:
    assert parse_pressure(data) == Pressure(None, None)


@pytest.mark.parametrize("parse", [parse_meminfo, parse_vmstat, parse_pressure])
@given(data=st.binary(max_size=300))
def test_no_bytes_are_an_exception(parse: Callable[[bytes], tuple[object, ...]], data: bytes) -> None:
    parse(data)


def test_the_first_of_two_lines_wins() -> None:
    assert key_values(b"a: 1\na: 2\nnothing\n: 3\n") == {b"a": b" 1", b"": b" 3"}


@pytest.mark.parametrize(
    ("value", "size"),
    [(b" 4 kB", 4096), (b"4", 4096), (b"5000000000 kB", 5_120_000_000_000), (b"-1 kB", None), (b"1" * 16, None)],
)
def test_kb_means_kib(value: bytes, size: int | None) -> None:
    assert kib_to_bytes(value) == size
    assert kib_to_bytes(None) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [(b"\t-17\n", -17), (b"0", 0), (b"1.5", None), (b"", None), (None, None), (b"%d" % (1 << 63), None)],
)
def test_a_number_or_unknown(value: bytes | None, number: int | None) -> None:
    assert int_or_none(value) == number


@pytest.mark.parametrize(
    ("free", "available"), [(b"MemFree: 300 kB\n", 300 * 1024), (b"", None), (b"MemFree: 9999 kB\n", 975 * 1024)]
)
def test_more_available_than_there_is_means_what_is_free(free: bytes, available: int | None) -> None:
    """A container showed its own MemTotal beside the machine's MemAvailable: "-185 of 975 MiB" was in use."""
    assert parse_meminfo(b"MemTotal: 975 kB\nMemAvailable: 1160 kB\n" + free).available_bytes == available
