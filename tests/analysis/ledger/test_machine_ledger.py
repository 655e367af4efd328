"""The machine's ledger: its parts add up to MemTotal, whatever the counters say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.ledger.ledger import Ledger
from memtop.analysis.ledger.machine import RECLAIM, MachinePart, Reclaim, machine_ledger, reclaim_of
from memtop.errors import NotRecorded
from memtop.procfs.meminfo import Meminfo, parse_meminfo
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.procfs.vmstat import parse_vmstat
from memtop.procfs.zoneinfo import parse_per_cpu_pages
from memtop.sources.recording.replay import Replay

MIB = 1 << 20
DATA = Path(__file__).parents[2] / "data" / "recordings"
SIZES = st.none() | st.integers(0, 1 << 40)


def _meminfo(**kib: int) -> Meminfo:
    return parse_meminfo("".join(f"{name}: {value} kB\n" for name, value in kib.items()).encode())


def _ledger(**kib: int) -> Ledger:
    ledger = machine_ledger(_meminfo(**kib))
    assert ledger is not None
    assert sum(part.size_bytes for part in ledger.parts) == ledger.whole_bytes
    return ledger


def _kib(ledger: Ledger, *parts: MachinePart) -> int | None:
    size_bytes = ledger.size_of(*parts)
    return None if size_bytes is None else size_bytes // 1024


@given(st.lists(SIZES, min_size=len(Meminfo._fields), max_size=len(Meminfo._fields)), SIZES, SIZES, SIZES)
def test_parts_add_up_to_the_whole_whatever_the_counters_say(
    values: list[int | None], per_cpu: int | None, zspages: int | None, zram: int | None
) -> None:
    meminfo = Meminfo(*values)
    ledger = machine_ledger(meminfo, per_cpu_bytes=per_cpu, zspages_bytes=zspages, zram_bytes=zram)
    if meminfo.total_bytes is None:
        assert ledger is None
        return
    assert ledger is not None and ledger.whole_bytes == meminfo.total_bytes
    assert sum(part.size_bytes for part in ledger.parts) == ledger.whole_bytes
    for part in ledger.parts:
        assert 0 <= part.size_bytes <= ledger.whole_bytes
        assert part.at_most_bytes is None or part.size_bytes <= part.at_most_bytes <= ledger.whole_bytes
    assert len({part.name for part in ledger.parts}) == len(ledger.parts)
    assert ledger.excess_bytes == 0 or ledger.parts[-1].size_bytes == 0


def test_this_machine_is_accounted_for_within_one_percent() -> None:
    zspages = parse_vmstat(Path("/proc/vmstat").read_bytes()).zspages
    per_cpu = parse_per_cpu_pages(Path("/proc/zoneinfo").read_bytes())
    ledger = machine_ledger(
        parse_meminfo(Path("/proc/meminfo").read_bytes()),
        per_cpu_bytes=None if per_cpu is None else per_cpu * OWN_PAGE_BYTES,
        zspages_bytes=None if zspages is None else zspages * OWN_PAGE_BYTES,
    )
    assert ledger is not None
    assert ledger.parts[-1].size_bytes <= 0.01 * ledger.whole_bytes
    assert ledger.excess_bytes <= 0.01 * ledger.whole_bytes


@pytest.mark.parametrize("path", sorted(DATA.glob("*.memtop")), ids=lambda path: path.stem)
def test_recorded_machines_are_accounted_for_but_for_the_free_lists_of_the_cpus(path: Path) -> None:
    """They were recorded without /proc/zoneinfo, while processes gave gigabytes back."""
    replay = Replay(str(path))
    seen = 0
    while replay.begin() is not None:
        try:
            ledger = machine_ledger(parse_meminfo(replay.read("proc/meminfo")))
        except NotRecorded:  # instants close together share a reading of the machine
            continue
        assert ledger is not None
        assert ledger.parts[-1].size_bytes <= 0.04 * ledger.whole_bytes
        assert ledger.excess_bytes == 0
        seen += 1
    replay.close()
    assert seen


def test_shared_memory_in_cached_is_not_counted_twice() -> None:
    ledger = _ledger(MemTotal=1000, MemFree=300, Cached=500, Buffers=50, Shmem=400, Dirty=20, Writeback=10, Mapped=30)
    assert _kib(ledger, MachinePart.SHMEM) == 400
    assert _kib(ledger, MachinePart.CACHE_CLEAN, MachinePart.FILE_MAPPED) == 120
    assert _kib(ledger, MachinePart.CACHE_DIRTY, MachinePart.CACHE_WRITEBACK) == 30
    assert _kib(ledger, MachinePart.UNACCOUNTED) == 150


@pytest.mark.parametrize(
    ("lines", "unevictable"),
    [
        ({"Unevictable": 200, "Mlocked": 0}, 200),
        ({"Unevictable": 260, "Mlocked": 60}, 210),
        ({"Unevictable": 160, "Mlocked": 160}, 160),
        ({"Unevictable": 900, "Mlocked": 0}, 210),
        ({"Unevictable": 260}, 0),
    ],
    ids=[
        "files of ramfs",
        "some of them locked by processes",
        "all locked by processes",
        "shared memory that is locked too",
        "not known",
    ],
)
def test_what_the_kernel_cannot_drop_is_no_clean_page_cache(lines: dict[str, int], unevictable: int) -> None:
    ledger = _ledger(
        MemTotal=2000, Cached=1000, Buffers=10, Shmem=500, **{"Active(file)": 100, "Inactive(file)": 200}, **lines
    )
    assert _kib(ledger, MachinePart.CACHE_UNEVICTABLE) == unevictable
    assert _kib(ledger, MachinePart.CACHE_CLEAN) == 510 - unevictable
    assert reclaim_of(MachinePart.CACHE_UNEVICTABLE) is Reclaim.NO


def test_pages_that_are_mapped_and_locked_count_once() -> None:
    lists = {"Active(file)": 100, "Inactive(file)": 200}
    ledger = _ledger(MemTotal=2000, Cached=700, Shmem=100, Mapped=250, Unevictable=200, Mlocked=200, **lists)
    assert _kib(ledger, MachinePart.CACHE_UNEVICTABLE) == 200
    assert _kib(ledger, MachinePart.FILE_MAPPED) == 0
    assert _kib(ledger, MachinePart.CACHE_CLEAN) == 400


def test_mapped_files_have_two_ends_because_mapped_counts_shared_memory() -> None:
    ledger = _ledger(MemTotal=10_000, Cached=5000, Shmem=1000, Mapped=1500)
    mapped = next(part for part in ledger.parts if part.name == MachinePart.FILE_MAPPED)
    assert (mapped.size_bytes, mapped.at_most_bytes) == (500 * 1024, 1500 * 1024)


def test_swap_cache_that_is_mapped_again_is_anonymous_only() -> None:
    kib = {"MemTotal": 1000, "AnonPages": 400, "Cached": 100, "Buffers": 0, "SwapCached": 50}
    lists = {"Active": 300, "Inactive": 200, "Unevictable": 0}
    assert _kib(_ledger(**kib, **lists), MachinePart.SWAP_CACHED) == 0
    assert _kib(_ledger(**kib, **lists | {"Inactive": 230}), MachinePart.SWAP_CACHED) == 30
    assert _kib(_ledger(**kib, **lists | {"Inactive": 290}), MachinePart.SWAP_CACHED) == 50


def test_kernel_stacks_lie_in_vmalloc() -> None:
    ledger = _ledger(MemTotal=1000, KernelStack=30, VmallocUsed=100)
    assert (_kib(ledger, MachinePart.KERNEL_STACKS), _kib(ledger, MachinePart.VMALLOC)) == (30, 70)


def test_pools_of_huge_pages_used_reserved_free_and_of_other_sizes() -> None:
    lines = b"MemTotal: 40960 kB\nHugePages_Total: 8\nHugePages_Free: 5\nHugePages_Rsvd: 2\nHugePages_Surp: 1\n"
    ledger = machine_ledger(parse_meminfo(lines + b"Hugepagesize: 2048 kB\nHugetlb: 18432 kB\n"))
    assert ledger is not None
    assert _kib(ledger, MachinePart.HUGETLB_USED) == 3 * 2048
    assert _kib(ledger, MachinePart.HUGETLB_RESERVED) == 2 * 2048
    assert _kib(ledger, MachinePart.HUGETLB_FREE) == 3 * 2048
    assert _kib(ledger, MachinePart.HUGETLB_OTHER_SIZES) == 2048


@pytest.mark.parametrize(
    ("zspages", "zram", "expected"), [(500, None, 400), (500, 350, 350), (None, None, None), (50, None, 0)]
)
def test_compressed_swap_is_zswap_and_zram(zspages: int | None, zram: int | None, expected: int | None) -> None:
    meminfo = _meminfo(MemTotal=1, Zswap=0)._replace(zswap_bytes=100)
    ledger = machine_ledger(meminfo, zspages_bytes=zspages, zram_bytes=zram)
    assert ledger is not None
    assert (ledger.size_of(MachinePart.ZSWAP), ledger.size_of(MachinePart.ZRAM)) == (100, expected)


def test_a_balloon_that_left_memtotal_counts_for_nothing_more() -> None:
    ledger = _ledger(MemTotal=1000, MemFree=700, AnonPages=290, Balloon=500)
    assert (_kib(ledger, MachinePart.BALLOON), _kib(ledger, MachinePart.UNACCOUNTED)) == (10, 0)
    assert ledger.excess_bytes == 490 * 1024


def test_a_container_that_mixes_its_own_numbers_with_the_host_s_adds_up() -> None:
    ledger = _ledger(MemTotal=512, MemFree=100, AnonPages=200, Cached=150, Shmem=10, SReclaimable=5000, PageTables=900)
    assert _kib(ledger, MachinePart.ANONYMOUS) == 200
    assert _kib(ledger, MachinePart.UNACCOUNTED) == 0


def test_every_part_says_how_it_is_reclaimed() -> None:
    assert reclaim_of(MachinePart.CACHE_CLEAN) is Reclaim.DROP
    assert reclaim_of(MachinePart.PAGE_TABLES) is Reclaim.NO
    assert RECLAIM.keys() <= set(MachinePart)
