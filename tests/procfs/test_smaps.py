"""smaps and smaps_rollup: whatever the lines, the stride and the line-by-line way give the same."""

from __future__ import annotations

import contextlib
import gzip
import os
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.errors import ParseError
from memtop.procfs import smaps as module
from memtop.procfs.smaps import Smaps, parse_smaps
from memtop.procfs.smaps_rollup import parse_rollup

DATA = Path(__file__).parent.parent / "data" / "smaps"
PROGRAMS = sorted(room.name for room in DATA.iterdir() if (room / "smaps.gz").exists())

FIELDS = ("Size", "Rss", "Pss", "Private_Dirty", "Swap", "NewInLinux9")
FLAGS = ("rd", "wr", "mr", "nh", "??", "zz")
NAMES = (
    b"",
    b"[heap]",
    b"/usr/lib/a b.so (deleted)",
    b"/tmp/line\nbreak",
    b"/tmp/\xff\xfe",
    b"/a: b kB",
    b"/Rss: 1 kB",
)


def text(program: str) -> bytes:
    """A real smaps file."""
    return gzip.decompress((DATA / program / "smaps.gz").read_bytes())


def header(start: int, end: int, name: bytes) -> bytes:
    """As show_map_vma() of fs/proc/task_mmu.c writes it."""
    line = b"%08x-%08x rw-p 00001000 fe:00 12345 " % (start, end)
    return (line.ljust(73) if name else line) + name.replace(b"\n", rb"\012") + b"\n"


mappings = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.lists(st.integers(0, 2**40), min_size=len(FIELDS), max_size=len(FIELDS)),
        st.sets(st.sampled_from(FLAGS)),
    ),
    min_size=1,
    max_size=12,
)


def written(rows: list[tuple[bytes, list[int], set[str]]]) -> list[bytes]:
    """The lines of a smaps file with these rows."""
    lines = []
    for place, (name, values, flags) in enumerate(rows):
        lines.append(header(place << 21, (place << 21) + 4096, name))
        lines += [b"%-16s%8d kB\n" % (field.encode() + b":", kib) for field, kib in zip(FIELDS, values, strict=True)]
        lines.append(b"THPeligible:           1\n")
        lines.append(b"VmFlags: " + b"".join(flag.encode() + b" " for flag in sorted(flags)) + b"\n")
    return lines


def same(one: Smaps, other: Smaps) -> bool:
    """Whether both hold the same mappings."""
    return list(one) == list(other)


@given(mappings)
def test_what_the_kernel_wrote_is_read_back(rows: list[tuple[bytes, list[int], set[str]]]) -> None:
    smaps = parse_smaps(b"".join(written(rows)))
    assert smaps.names == [name for name, _, _ in rows]
    for place, field in enumerate(FIELDS):
        assert smaps.sizes(field) == [values[place] * 1024 for _, values, _ in rows]
    assert smaps.flags == [frozenset(flags) for _, _, flags in rows]
    assert smaps.numbers("THPeligible") == [1] * len(rows)
    assert [one.size_bytes for one in smaps] == [4096] * len(rows)


@given(mappings, st.data())
def test_a_lost_a_doubled_and_a_strange_line_harm_only_their_mapping(
    rows: list[tuple[bytes, list[int], set[str]]], data: st.DataObject
) -> None:
    lines = written(rows)
    place = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(("delete", "double", "garbage")))
    broken = {
        "delete": lines[:place] + lines[place + 1 :],
        "double": lines[: place + 1] + lines[place:],
        "garbage": [*lines[:place], b"\xff what: is this\n", *lines[place:]],
    }[how]
    if not any(b"-" in line[:20] for line in broken):
        return
    whole, found = parse_smaps(b"".join(lines)), parse_smaps(b"".join(broken))
    if how == "garbage":
        assert same(whole, found)
        return
    hit = place // (len(FIELDS) + 3)
    known = {one.start: one for one in found}
    for number, one in enumerate(whole):
        if number != hit:
            # a lost header leaves its fields to the mapping before, which has its own already
            assert known[one.start].name == one.name
            assert dict(known[one.start].fields) == dict(one.fields)
        elif how == "double" and one.start in known:
            assert set(known[one.start].fields) <= set(one.fields)


@given(mappings, st.integers(0, 4000))
def test_a_read_that_was_cut_off_gives_no_wrong_number(
    rows: list[tuple[bytes, list[int], set[str]]], length: int
) -> None:
    whole = b"".join(written(rows))
    try:
        found = parse_smaps(whole[:length])
    except ParseError:
        assert b"\n" not in whole[:length]
        return
    for ours, theirs in zip(found, parse_smaps(whole), strict=False):
        assert ours.start == theirs.start
        assert set(ours.fields) <= set(theirs.fields)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_stride_reads_real_files_as_line_by_line_does(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = parse_smaps(text(program))
    monkeypatch.setattr(module, "PIECE_BYTES", 4096)
    assert same(parse_smaps(text(program)), fast)
    irregular = b"a line of no mapping\n" + text(program)  # nothing repeats from its first line on
    assert same(parse_smaps(irregular), fast)
    assert len(fast) == text(program).count(b"VmFlags:")
    assert fast.sizes("Size") == [one.size_bytes for one in fast]


# a JVM compiles and a saving Redis writes between the two readings
@pytest.mark.parametrize("program", [name for name in PROGRAMS if name not in ("jvm", "redis_bgsave")])
def test_a_rollup_is_the_sum_of_the_mappings_in_every_field(program: str) -> None:
    rollup, smaps = parse_rollup((DATA / program / "smaps_rollup").read_bytes()), parse_smaps(text(program))
    for field, value in rollup.fields:
        if field in smaps.fields and isinstance(value, int):
            rounding = len(smaps) * 1024 if field in ("Pss", "Pss_Dirty", "SwapPss", "Locked") else 0
            assert abs(sum(smaps.sizes(field)) - value) <= rounding, field


def test_fields_beyond_four_tebibytes_and_of_no_number_are_kept() -> None:
    smaps = parse_smaps(header(0, 4096, b"") + b"Rss: 99999999999 kB\nOdd: maybe 3\nFlagless:\n")
    assert smaps[0].number("Rss") == 99999999999 * 1024
    assert smaps[0].get("Odd") == "maybe 3"
    assert smaps[0].number("Odd") is None
    assert smaps[0].flags is None


def test_maps_is_read_too() -> None:
    smaps = parse_smaps(Path("/proc/self/maps").read_bytes())
    assert b"[stack]" in smaps.names
    assert smaps.fields == ()
    assert smaps.numbers("Rss") == [None] * len(smaps)


def test_an_empty_file_has_no_mappings_and_other_text_is_refused() -> None:
    assert len(parse_smaps(b"")) == 0
    with pytest.raises(ParseError, match="no line that begins a mapping"):
        parse_smaps(b"hello\n")
    with pytest.raises(ParseError):
        parse_rollup(b"")


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    for parse in (parse_smaps, parse_rollup):
        with contextlib.suppress(ParseError):
            parse(data)


def test_rollup_knows_uss_and_keeps_unknown_fields() -> None:
    rollup = parse_rollup(
        b"1000-2000 ---p 00000000 00:00 0    [rollup]\n"
        b"Rss: 100 kB\nPrivate_Clean: 4 kB\nPrivate_Dirty: 8 kB\nNew: 3 kB\n"
    )
    assert rollup.rss_bytes == 102400
    assert rollup.uss_bytes == 12 * 1024
    assert rollup.number("New") == 3072
    assert rollup.pss_bytes is None
    assert rollup.shared_bytes is None


def test_sums_agree_with_psutil() -> None:
    process = psutil.Process()
    theirs = process.memory_maps(grouped=False)
    ours = parse_smaps(Path(f"/proc/{os.getpid()}/smaps").read_bytes())
    slack = 2 << 20  # reading it takes memory
    assert abs(sum(one.rss for one in theirs) - sum(ours.sizes("Rss"))) <= slack
    assert abs(sum(one.private_dirty for one in theirs) - sum(ours.sizes("Private_Dirty"))) <= slack
