"""Kinds of mappings: of real programs, and rule by rule."""

from __future__ import annotations

import pytest

from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import Confidence, Regions, Sizes, classify, total
from memtop.procfs.smaps import Rollup, parse_rollup, parse_smaps
from tests.analysis.memory_map.smaps_files import DATA, PROGRAMS, real, real_regions, real_status, written

MIB = 1 << 20


def disagreements(regions: Regions, rollup: Rollup, changed_bytes: int = 0) -> list[str]:
    """Sums over mappings that differ from the rollup's by more than ``changed_bytes`` and rounding.

    The kernel rounds Pss down to whole KiB once for each mapping in smaps, and once in smaps_rollup.
    """
    sums = regions.total()
    pairs = (
        ("rss_bytes", sums.rss_bytes, rollup.rss_bytes, 0),
        ("pss_bytes", sums.pss_bytes, rollup.pss_bytes, 1024 * (len(regions) + 1)),
        ("private_dirty_bytes", sums.private_dirty_bytes, rollup.private_dirty_bytes, 0),
        ("swap_bytes", sums.swap_bytes, rollup.swap_bytes, 0),
    )
    return [
        field
        for field, ours, theirs, rounding in pairs
        if ours is not None and theirs is not None and abs(ours - theirs) > rounding + changed_bytes
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_sums_over_kinds_are_the_sums_over_mappings_and_virt_is_split_without_rest(program: str) -> None:
    regions = real_regions(program)
    kinds = regions.by_kind()
    assert total([one.sizes for one in kinds]) == regions.total()
    assert sum(one.count for one in kinds) == len(regions) == len(real(program))
    split = regions.split()
    assert split.virt_bytes == real_status(program).virt_bytes
    parts = [split.reserved_bytes, split.untouched_bytes, split.resident_bytes, split.swapped_bytes]
    assert split.virt_bytes == sum(parts) + split.hugetlb_bytes + split.uncounted_bytes
    assert min(parts) >= 0
    assert split.resident_bytes == regions.total().rss_bytes


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name != "jvm"])
def test_sums_agree_with_the_rollup(program: str) -> None:
    assert disagreements(real_regions(program), parse_rollup((DATA / program / "smaps_rollup").read_bytes())) == []


def test_what_changed_between_the_readings_of_a_busy_jvm_is_said_and_can_be_allowed_for() -> None:
    regions, rollup = real_regions("jvm"), parse_rollup((DATA / "jvm" / "smaps_rollup").read_bytes())
    assert set(disagreements(regions, rollup)) == {"rss_bytes", "pss_bytes", "private_dirty_bytes"}
    assert disagreements(regions, rollup, changed_bytes=2 * MIB) == []


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
            RegionKind.JVM_HEAP: 3,
            RegionKind.JVM_HEAP_RESERVED: 1,
            RegionKind.THREAD_STACK: 20,
            RegionKind.ARENA: 15,
            RegionKind.JIT: 3,
        },
    ),
    ("jvm", {RegionKind.JVM_ARCHIVE: 3, RegionKind.JVM_CLASSES: 5, RegionKind.JIT_RESERVED: 3, RegionKind.STACK: 1}),
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
    archived = 948 << 10  # two pieces of the class archive are mapped into the heap
    assert heap + archived == 1 << 30  # -Xmx1g
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


def test_names_that_programs_give_are_labels_with_their_numbers_folded() -> None:
    regions = classify(
        written(
            "1000-2000 rw-p 0 [anon:scudo:primary 12]",
            "2000-3000 rw-s 9 /memfd:wayland-42 (deleted)",
            "3000-4000 rw-p 0 [heap]",
        )
    )
    assert [region.label for region in regions] == ["scudo:primary #", "wayland-#", ""]


def test_pages_that_lost_their_access_stay_resident_and_are_not_called_reserved() -> None:
    split = classify(written("1000000-2000000 ---p 0 | rss=4096 swap=1024")).split()
    assert (split.resident_bytes, split.swapped_bytes) == (4 * MIB, MIB)
    assert split.reserved_bytes == 11 * MIB


def test_thread_stacks_are_checked_against_the_number_of_threads() -> None:
    assert real_regions("jvm").confidence(real_status("jvm").threads) is Confidence.GOOD
    # fork leaves the stacks of the other threads behind in the child
    assert real_regions("redis_bgsave").confidence(real_status("redis_bgsave").threads) is Confidence.LOW
    assert real_regions("go").confidence(4) is Confidence.UNKNOWN
    assert real_regions("threads").confidence(None) is Confidence.UNKNOWN


def test_what_the_kernel_does_not_say_is_unknown_and_not_zero() -> None:

    regions = classify(parse_smaps(b"1000-2000 rw-p 0 00:00 0\nRss: 4 kB\n2000-3000 r--p 0 00:00 0\nRss: 4 kB\n"))
    assert regions.total() == Sizes(8192, 8192, None, None, None)
    assert regions.by_kind()[0].sizes.swap_bytes is None
    assert [one.mapping.start for one in regions.largest("pss_bytes", 1)] == [0x1000]


def test_the_largest_come_first_and_equal_ones_in_address_order() -> None:
    regions = real_regions("jvm")
    for measure in Sizes._fields:
        values = [getattr(one.sizes, measure) for one in regions.largest(measure)]
        assert values == sorted(values, reverse=True)
    first, second = regions.largest("swap_bytes", 2)
    assert first.mapping.start < second.mapping.start


def test_every_kind_has_a_key_of_its_own() -> None:
    assert len({kind.key for kind in RegionKind}) == len({kind.title for kind in RegionKind}) == len(RegionKind)
