"""Kinds of mappings: of real programs, and rule by rule."""

from __future__ import annotations

import pytest

from memtop.analysis.memory_map.classification import classify
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import Sizes
from tests.analysis.memory_map.smaps_files import real_regions, written

MIB = 1 << 20

COUNTS: list[tuple[str, dict[RegionKind, int]]] = [
    (
        "threads",
        {
            RegionKind.THREAD_STACK: 6,
            RegionKind.GUARD: 6,
            RegionKind.ARENA: 6,
            RegionKind.ARENA_RESERVED: 6,
            RegionKind.HEAP: 1,
        },
    ),
    (
        "threads",
        {
            RegionKind.TEXT: 1,
            RegionKind.DATA: 1,
            RegionKind.RODATA: 3,
            RegionKind.STACK: 1,
            RegionKind.LIB_TEXT: 2,
            RegionKind.KERNEL: 4,
        },
    ),
    (
        "go",
        {
            RegionKind.GO_HEAP: 1,
            RegionKind.GO_HEAP_RESERVED: 1,
            RegionKind.BSS: 1,
            RegionKind.TEXT: 1,
            RegionKind.RESERVED: 0,
            RegionKind.GUARD: 0,
        },
    ),
    (
        "jvm",
        {
            RegionKind.JVM_HEAP: 5,
            RegionKind.JVM_HEAP_RESERVED: 1,
            RegionKind.THREAD_STACK: 20,
            RegionKind.ARENA: 15,
            RegionKind.JIT: 3,
        },
    ),
    ("jvm", {RegionKind.JVM_ARCHIVE: 1, RegionKind.JVM_CLASSES: 5, RegionKind.JIT_RESERVED: 3, RegionKind.STACK: 1}),
    ("jvm_zgc", {RegionKind.JVM_HEAP: 3, RegionKind.MEMFD: 0, RegionKind.THREAD_STACK: 21}),
    (
        "node",
        {
            RegionKind.THREAD_STACK: 6,
            RegionKind.ARENA: 5,
            RegionKind.V8_HEAP: 111,
            RegionKind.JIT: 1,
            RegionKind.HEAP: 1,
            RegionKind.BSS: 1,
        },
    ),
    (
        "asan",
        {
            RegionKind.SANITIZER: 2,
            RegionKind.SANITIZER_RESERVED: 12,
            RegionKind.SANITIZER_HEAP: 10,
            RegionKind.THREAD_STACK: 0,
        },
    ),
    (
        "shared",
        {
            RegionKind.MEMFD: 1,
            RegionKind.SYSV: 1,
            RegionKind.SHARED_ANON: 1,
            RegionKind.TMPFS: 1,
            RegionKind.JIT: 1,
            RegionKind.RESERVED: 1,
        },
    ),
    ("huge_pages", {RegionKind.HUGETLB: 1}),
    ("postgres", {RegionKind.SHARED_ANON: 1, RegionKind.SYSV: 1, RegionKind.TMPFS: 1}),
    ("redis", {RegionKind.THREAD_STACK: 4, RegionKind.GUARD: 4, RegionKind.TEXT: 1}),
    ("cpython_parent", {RegionKind.TEXT: 1, RegionKind.DATA: 1, RegionKind.BSS: 1, RegionKind.HEAP: 1}),
    ("static", {RegionKind.TEXT: 1, RegionKind.BSS: 1, RegionKind.LIB_TEXT: 0}),
]


@pytest.mark.parametrize(("program", "counts"), COUNTS)
def test_real_programs_have_the_mappings_that_their_makers_gave_them(
    program: str, counts: dict[RegionKind, int]
) -> None:
    found = real_regions(program).kinds
    assert {kind: found.count(kind) for kind in counts} == counts


def test_the_large_parts_of_real_programs_have_their_sizes() -> None:
    def sizes(program: str, kind: RegionKind) -> Sizes:
        return next(one.sizes for one in real_regions(program).by_kind() if one.kind is kind)

    heap = sizes("jvm", RegionKind.JVM_HEAP).size_bytes + sizes("jvm", RegionKind.JVM_HEAP_RESERVED).size_bytes
    assert heap == 1 << 30  # -Xmx1g, with two pieces of the class archive that are mapped into it
    assert sizes("go", RegionKind.GO_HEAP).rss_bytes in range(48 * MIB, 50 * MIB)
    assert sizes("go", RegionKind.GO_RUNTIME_RESERVED).size_bytes > 500 * MIB
    assert sizes("asan", RegionKind.SANITIZER).size_bytes > 14 << 40
    assert sizes("postgres", RegionKind.SHARED_ANON).size_bytes > 128 * MIB
    assert real_regions("huge_pages").split().hugetlb_bytes == 4 * MIB
    assert sizes("shared", RegionKind.MEMFD).rss_bytes == 6 * MIB


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("c0000000-c0400000 rw-p 0 [anon: Go: heap]", RegionKind.GO_HEAP),
        ("c0000000-c0400000 ---p 0 [anon: Go: heap]", RegionKind.GO_HEAP_RESERVED),
        ("c0000000-c0400000 ---p 0 [anon: Go: heap reservation]", RegionKind.GO_HEAP_RESERVED),
        ("c0000000-c0400000 rw-p 0 [anon: Go: page alloc index]", RegionKind.GO_RUNTIME),
        ("1000-2000 rw-p 0 [anon: glibc: pthread stack: 4711]", RegionKind.THREAD_STACK),
        ("1000-2000 ---p 0 [anon: glibc: pthread stack: 4711]", RegionKind.GUARD),
        ("1000-2000 rw-p 0 [anon: glibc: malloc arena]", RegionKind.ARENA),
        ("1000-2000 rw-p 0 [anon: glibc: malloc]", RegionKind.ANON),
        ("1000-2000 rw-p 0 [anon:scudo:primary]", RegionKind.NAMED),
        ("1000-2000 rw-s 1 [anon_shmem:my buffer]", RegionKind.NAMED),
        ("1000-2000 rw-p 5 /dev/zero", RegionKind.ANON),
        ("1000-2000 rw-s 5 /dev/zero (deleted)", RegionKind.SHARED_ANON),
        ("1000-2000 rw-s 5 /dev/nvidia0", RegionKind.DEVICE),
        ("1000-2000 rw-s 5 /tmp/bar | | rd pf io", RegionKind.DEVICE),
        ("1000-2000 rw-s 5 /dev/shm/a b", RegionKind.TMPFS),
        ("1000-2000 rw-s 5 /run/lock/x", RegionKind.TMPFS),
        ("1000-2000 rw-s 5 /running/x", RegionKind.FILE),
        ("1000-2000 rw-s 5 anon_inode:[io_uring]", RegionKind.KERNEL_OBJECT),
        ("1000-2000 rw-s 5 /[aio] (deleted)", RegionKind.KERNEL_OBJECT),
        ("1000-2000 rw-p 5 /anon_hugepage (deleted) | | rd wr ht", RegionKind.HUGETLB),
        ("1000-2000 r--p 5 /usr/lib/libc.so.6", RegionKind.LIB_RODATA),
        ("1000-2000 ---p 5 /usr/lib/libc.so.6", RegionKind.RESERVED),
        ("1000-2000 r-xp 5 /opt/plugin", RegionKind.LIB_TEXT),
        ("1000-2000 r--p 5 /opt/libsomething.txt", RegionKind.FILE),
        ("1000-2000 r-xp 5 /bin/p (deleted)", RegionKind.TEXT),
        ("1000-2000 rwxp 0", RegionKind.JIT),
        ("1000-2000 r--p 0", RegionKind.ANON_READ),
        ("1000-2000 ---p 0", RegionKind.GUARD),
        ("1000-2000 ---p 0 | | mr mw me nr", RegionKind.RESERVED),
        ("10000000-20000000 ---p 0", RegionKind.RESERVED),
        ("7f0000000000-7f0000800000 rw-p 0 | | rd wr nh", RegionKind.THREAD_STACK),
        ("7f0000000000-7f0000020000 rw-p 0 | | rd wr nh gu", RegionKind.THREAD_STACK),
        ("7f0000000000-7f0000020000 rw-p 0 | | rd wr zz", RegionKind.ANON),
    ],
)
def test_each_rule(row: str, kind: RegionKind) -> None:
    assert classify(written(row), exe=b"/bin/p (deleted)", tmpfs=(b"/run",)).kinds == (kind,)


def test_memory_that_merged_with_a_librarys_bss_is_not_the_librarys() -> None:
    for size, kind in ((0x10000, RegionKind.LIB_DATA), (0x300000, RegionKind.ANON)):
        rows = ("100000-200000 rw-p 7 /lib/liba.so", f"200000-{0x200000 + size:x} rw-p 0")
        assert classify(written(*rows)).kinds == (RegionKind.LIB_DATA, kind)


def test_every_kind_has_a_key_of_its_own() -> None:
    assert len({kind.key for kind in RegionKind}) == len({kind.title for kind in RegionKind}) == len(RegionKind)


def test_class_space_at_low_addresses_is_no_heap_and_archived_objects_in_the_heap_are() -> None:
    """JDK 25 with compressed class pointers: archive, class space and heap all lie below 4 GiB."""
    regions = classify(
        written(
            "67000000-67001000 ---p 0",
            "67001000-67d95000 rw-p 7 /jdk/lib/server/classes.jsa | private_dirty=100 anonymous=100",
            "67d95000-68000000 ---p 0",
            "68000000-68010000 rw-p 0 | private_dirty=64 anonymous=64",
            "68010000-a8000000 ---p 0",
            "e0000000-e7e00000 rw-p 0 | rss=900 private_dirty=900 anonymous=900",
            "e7e00000-ffe00000 ---p 0",
            "ffe00000-ffe75000 rw-p 7 /jdk/lib/server/classes.jsa | rss=8 private_dirty=8 anonymous=8",
            "ffe75000-100000000 rw-p 0 | rss=8 private_dirty=8 anonymous=8",
            "7f0000000000-7f0000100000 r-xp 9 /jdk/lib/server/libjvm.so | private_clean=16",
        )
    )
    heap = next(one for one in regions.by_kind() if one.kind is RegionKind.JVM_HEAP)
    assert (heap.count, heap.sizes.rss_bytes) == (3, 916 << 10)
    assert [kind for kind in regions.kinds[1:5] if kind is RegionKind.JVM_ARCHIVE] == [RegionKind.JVM_ARCHIVE]
    assert regions.kinds[3] is RegionKind.JVM_CLASSES
