"""Files of the machine that only its panel reads: slab caches, swap areas, System V segments, tmpfs mounts."""

from __future__ import annotations

import pytest

from memtop.errors import ParseError
from memtop.procfs.arcstats import parse_arc_size
from memtop.procfs.memfds_report import Memfd, MemfdsReport, format_memfds_report, parse_memfds_report
from memtop.procfs.mounts_report import MountsReport, TmpfsMount, parse_mounts_report
from memtop.procfs.slabinfo import SlabCache, parse_slabinfo
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.procfs.swaps import SwapDevice, ZramStat, parse_mm_stat, parse_swaps
from memtop.procfs.sysv_shm import Segment, parse_sysv_shm

SLABINFO = b"""\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> ...
ext4_inode_cache    1200   1300   1184   27    8 : tunables    0    0    0 : slabdata     49     50      0
kmalloc-512       64     64    512   32    4 : tunables    0    0    0 : slabdata      2      2      0
dentry          210000 210000    192   21    1 : tunables    0    0    0 : slabdata  10000  10000      0
empty                0      0    312   13    1 : tunables    0    0    0 : slabdata      0      0      0
cut off     1
"""


def test_slab_caches_come_largest_first_with_the_ram_of_their_slabs() -> None:
    assert parse_slabinfo(SLABINFO) == (
        SlabCache("dentry", 10000 * OWN_PAGE_BYTES, 210000, True),
        SlabCache("ext4_inode_cache", 400 * OWN_PAGE_BYTES, 1200, True),
        SlabCache("kmalloc-512", 8 * OWN_PAGE_BYTES, 64, False),
    )


def test_swap_areas_have_their_names_unescaped_and_negative_priorities() -> None:
    text = (
        b"Filename\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        b"/dev/sda2                               partition\t2097148\t\t1024\t\t-2\n"
        b"/my\\040swap                             file\t\t1048572\t\t0\t\t5\n"
        b"/broken partition 12\n"
    )
    assert parse_swaps(text) == (
        SwapDevice(b"/dev/sda2", "partition", 2097148 << 10, 1024 << 10, -2),
        SwapDevice(b"/my swap", "file", 1048572 << 10, 0, 5),
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            b" 4096000  1200000  1310720        0  1310720      12        0        0        0\n",
            (4096000, 1200000, 1310720),
        ),
        (b"", None),
        (b"1 2", None),
        (b"a b c", None),
    ],
)
def test_the_ram_of_a_zram_device_is_the_third_number(line: bytes, found: tuple[int, int, int] | None) -> None:
    assert parse_mm_stat(line) == (None if found is None else ZramStat(*found))


def test_system_v_segments_are_read_by_the_headings_of_their_columns() -> None:
    text = (
        b"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
        b"      atime      dtime      ctime                   rss                  swap\n"
        b"         0      32793  1600              50331648  9694 10514      0   113   113   113   113"
        b" 1764408000          0 1764408000              50331648                  4096\n"
        b"  0 1 2\n"
    )
    assert parse_sysv_shm(text) == (Segment(32793, 50331648, 50331648, 4096, 0, 113, 9694),)
    assert parse_sysv_shm(b"") == ()


def test_the_report_on_mounts_holds_paths_with_blanks_and_says_whose_view_it_is() -> None:
    text = b"tmpfs 4096 67108864 /dev/shm\ntmpfs 8192 1048576 /a b\\012c\ntmpfs x y z\ncontained\nlxcfs"
    assert parse_mounts_report(text) == MountsReport(
        (TmpfsMount(b"/a b\nc", 8192, 1048576), TmpfsMount(b"/dev/shm", 4096, 67108864)), contained=True, lxcfs=True
    )
    assert parse_mounts_report(b"") == MountsReport()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"9 1 0x01 123\nname      type data\nhits 4 7\nsize      4    8589934592\n", 8 << 30),
        (b"9 1 0x01 123\nname type data\nhits 4 7\n", None),
        (b"size 4 many\n", None),
        (b"", None),
    ],
)
def test_the_cache_of_zfs_is_its_line_size(text: bytes, found: int | None) -> None:
    assert parse_arc_size(text) == found


def test_the_report_on_memfds_brings_any_name_back_and_nothing_that_is_cut_off() -> None:
    report = MemfdsReport(1234.5, (Memfd(7, 8192, b"a\nb \\012 \x1b[31m"), Memfd(9, 4096, b"")), is_cut=True)
    text = format_memfds_report(report)
    assert parse_memfds_report(text) == report
    assert parse_memfds_report(
        b"at 1234.500\nx 1 y\n5\n5 z a\n5 -4096 a\n5 %b a\n" % (b"9" * 5000) + text[:-1]
    ) == report._replace(is_cut=False)
    assert parse_memfds_report(b"at 5.000\n7 8192 a\n9 40") == MemfdsReport(5.0, (Memfd(7, 8192, b"a"),))
    for broken in (b"", b"at 5.0", b"at x\n", b"at inf\n", b"7 8192 a\n"):
        with pytest.raises(ParseError):
            parse_memfds_report(broken)
