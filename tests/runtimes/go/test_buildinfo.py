"""Which Go built it: real files built in many ways, files that lie, and files that are something else."""

from __future__ import annotations

import gzip
import json
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtop.errors import ParseError
from memtop.runtimes.go.buildinfo import GoBuild, extract_build_info, parse_build_info
from memtop.runtimes.go.elf import BUDGET_BYTES, Elf
from tests.lab.points import DATA
from tests.lab.record_elf import WAYS, reader

SLICES = json.loads(gzip.decompress((DATA / "elf_slices.json.gz").read_bytes()))
ReadAt = Callable[[int, int], bytes]


def whole(data: bytes) -> ReadAt:
    return lambda offset, size: data[offset : offset + size]


def go_build(read_at: ReadAt) -> GoBuild | None:
    return parse_build_info(extract_build_info(read_at))


@pytest.mark.parametrize("way", SLICES)
def test_every_way_of_building_tells_its_version(way: str) -> None:
    build = go_build(reader(SLICES[way]))
    assert build is not None
    assert build.version == "go1.19.8"
    assert build.release == (1, 19)
    assert build.setting("-compiler") == "gc"


def test_all_ways_are_there_and_stripped_and_headless_ones_too() -> None:
    assert SLICES.keys() == WAYS.keys() | {"stripped", "without section headers"}


def test_the_settings_tell_of_cgo_and_the_machine() -> None:
    static, big = go_build(reader(SLICES["static"])), go_build(reader(SLICES["big endian"]))
    assert static is not None
    assert big is not None
    assert static.setting("CGO_ENABLED") == "0"
    assert big.setting("GOARCH") == "s390x"
    plain = go_build(reader(SLICES["plain"]))
    assert plain is not None
    assert plain.setting("CGO_ENABLED") == "1"


def test_texts_of_a_file_are_kept_as_far_as_they_fit_on_the_screen() -> None:
    build = parse_build_info(b"go1." + b"9" * 50_000 + b"\npath\t" + b"x" * 50_000 + b"\n")
    assert build is not None and build.version is not None and build.path is not None
    assert max(len(build.version), len(build.path)) <= 200


def test_what_is_read_of_a_file_is_little() -> None:
    assert max(sum(len(part[1]) for part in parts) for _, parts in SLICES.values()) < 64 << 10


def elf64(segments: list[tuple[int, int, int, bytes]], sections: bytes = b"") -> bytes:
    """A little-endian ELF file with the segments (kind, flags, address, content) and nothing else."""
    at = 64 + 56 * len(segments)
    headers, contents = b"", b""
    for kind, flags, address, content in segments:
        size = len(content)
        headers += struct.pack("<IIQQQQQQ", kind, flags, at + len(contents), address, 0, size, size, 16)
        contents += content
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, len(segments), 64, 0, 0)
    return head + headers + contents + sections


MODULE = (
    b"0" * 16
    + b'path\tx/y\nmod\tx\tv1.2.3\t\nbuild\tCGO_ENABLED=1\nbuild\t-ldflags="-X main.key=hunter2"\n'
    + b"1" * 16
)


def inline(version: bytes, module: bytes) -> bytes:
    def prefixed(text: bytes) -> bytes:
        length, head = len(text), b""
        while length >= 0x80:
            head, length = head + bytes([length & 0x7F | 0x80]), length >> 7
        return head + bytes([length]) + text

    return b"\xff Go buildinf:" + b"\x08\x02" + bytes(16) + prefixed(version) + prefixed(module)


def test_the_form_before_1_18_is_followed_by_its_pointers() -> None:
    base = 0x500000
    version = b"go1.16.15"
    strings = base + 64
    block = b"\xff Go buildinf:" + b"\x08\x00" + struct.pack("<QQ", strings, strings + 16)
    headers = struct.pack("<QQQQ", strings + 32, len(version), strings + 32 + len(version), len(MODULE))
    data = block.ljust(64, b"\0") + headers + version + MODULE
    build = go_build(whole(elf64([(1, 6, base, data)])))
    assert build is not None
    assert (build.version, build.release) == ("go1.16.15", (1, 16))
    assert (build.path, build.module, build.setting("CGO_ENABLED")) == ("x/y", "x", "1")


def test_secrets_in_linker_flags_do_not_leave_the_extraction() -> None:
    found = extract_build_info(whole(elf64([(1, 6, 0x1000, inline(b"go1.22.3", MODULE))])))
    assert b"hunter2" not in found
    assert found.startswith(b"go1.22.3\npath\tx/y\n")


def test_the_block_is_found_behind_the_beginning_of_a_segment_and_only_where_it_is_aligned() -> None:
    block = inline(b"go1.25rc1", b"")
    build = go_build(whole(elf64([(1, 6, 0x1000, bytes(4096) + b"\xff Go buildinf:" + bytes(18) + block)])))
    assert build is not None
    assert build.release == (1, 25)
    assert go_build(whole(elf64([(1, 6, 0x1008, block)]))) is None


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("go1.22.3", (1, 22)),
        ("go1.23.1 X:boringcrypto", (1, 23)),
        ("devel go1.24-abcdef Tue", (1, 24)),
        ("go1.20.5-google", (1, 20)),
        ("something", None),
    ],
)
def test_releases_of_all_kinds_of_versions(version: str, release: tuple[int, int] | None) -> None:
    assert GoBuild(version, None, None).release == release


def test_a_version_that_would_move_the_cursor_is_made_visible() -> None:
    build = go_build(whole(elf64([(1, 6, 0x1000, inline(b"go1.22\x1b[2J", b""))])))
    assert build is not None
    assert build.version == "go1.22^[[2J"


def test_an_old_go_without_the_block_is_known_by_its_note() -> None:
    note = struct.pack("<III", 4, 8, 4) + b"Go\0\0" + b"buildid!"
    build = go_build(whole(elf64([(4, 4, 0x1000, note), (1, 6, 0x2000, b"\0" * 100)])))
    assert build == GoBuild(None, None, None)


def test_programs_that_go_did_not_build_are_no_go_programs() -> None:
    executable = os.open(sys.executable, os.O_RDONLY)
    try:
        assert go_build(lambda offset, size: os.pread(executable, size, offset)) is None
    finally:
        os.close(executable)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an ELF"),
        (b"#!/bin/sh\n", "not an ELF"),
        (b"\x7fELF", "cut short"),
        (b"\x7fELF\x02\x01" + bytes(50), "cut short"),
        (b"\x7fELF\x07\x01" + bytes(80), "unknown class"),
        (elf64([(1, 5, 0x1000, b"UPX!" + bytes(100))]), "packed by UPX"),
    ],
)
def test_what_is_no_readable_executable_is_said_in_words(data: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        extract_build_info(whole(data))


def test_a_huge_binary_costs_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    data = elf64([(1, 6, 0x400000, inline(b"go1.22.3", MODULE).ljust(1000, b"\0"))])
    with path.open("wb") as file:
        file.write(data)
        file.truncate(8 << 30)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        started_s = time.process_time()
        assert go_build(lambda offset, size: os.pread(descriptor, size, offset)) is not None
        assert time.process_time() - started_s < 0.1
    finally:
        os.close(descriptor)


def test_headers_that_claim_the_whole_address_space_cost_no_more_than_the_budget() -> None:
    segments = [(1, 6, 0x1000 * place, b"") for place in range(128)]
    data = bytearray(elf64(segments))
    for place in range(128):
        struct.pack_into("<Q", data, 64 + 56 * place + 32, (1 << 63) - 1)
    read = 0

    def endless(offset: int, size: int) -> bytes:
        nonlocal read
        read += size
        return bytes(data[offset : offset + size]).ljust(size, b"\0")

    with pytest.raises(ParseError, match="more data than memtop reads"):
        extract_build_info(endless)
    assert read <= BUDGET_BYTES


@pytest.mark.parametrize(("others", "is_found"), [(127, True), (128, False)])
def test_of_very_many_segments_only_the_first_are_looked_at(others: int, is_found: bool) -> None:
    segments = [(4, 4, 0, b"")] * others + [(1, 6, 0x1000, inline(b"go1.22.3", MODULE))]
    assert (go_build(whole(elf64(segments))) is not None) is is_found


@pytest.mark.parametrize(("sections", "are_read"), [(4096, True), (5000, False)])
def test_of_a_file_with_very_many_sections_none_is_looked_at(sections: int, are_read: bool) -> None:
    data = bytearray(elf64([]))
    struct.pack_into("<Q", data, 40, len(data))
    struct.pack_into("<HHH", data, 58, 64, sections, 0)
    assert bool(Elf(whole(bytes(data) + bytes(64 * sections))).sections()) is are_read


def test_no_single_part_of_a_file_is_read_whole_however_large_it_claims_to_be() -> None:
    data = bytearray(elf64([(1, 6, 0x1000, inline(b"go1.22.3", MODULE))]))
    struct.pack_into("<Q", data, 64 + 32, 3 << 20)  # the size of the segment
    sizes = []

    def read_at(offset: int, size: int) -> bytes:
        sizes.append(size)
        return bytes(data[offset : offset + size])

    assert extract_build_info(read_at)
    assert 4096 < max(sizes) <= 1 << 20
    sizes.clear()
    struct.pack_into("<Q", data, 40, len(data))
    struct.pack_into("<HHH", data, 58, 64, 1, 0)
    data += struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, len(data), 3 << 20, 0, 0, 1, 0)  # the section with the names
    assert Elf(read_at).sections()
    assert 4096 < max(sizes) <= 256 << 10


@pytest.mark.parametrize("size", [1 << 10, (1 << 20) + 1])
def test_a_text_that_claims_to_be_huge_is_none(size: int) -> None:
    block = inline(b"v" * size, MODULE)
    assert bool(go_build(whole(elf64([(1, 6, 0x1000, block)])))) is (size < 1 << 20)


SAMPLE = elf64([(1, 6, 0x1000, inline(b"go1.22.3", MODULE))])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=12), st.integers(0, 1000))
def test_a_damaged_file_is_an_answer_or_a_parse_error(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(SAMPLE)
    for at, byte in changes:
        data[at] = byte
    try:
        build = go_build(whole(bytes(data[: len(data) - cut])))
    except ParseError as error:
        assert str(error).isprintable()
    else:
        assert build is None or build.version is None or build.version.isprintable()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=4000))
def test_any_bytes_as_extracted_text_are_parsed(data: bytes) -> None:
    build = parse_build_info(data)
    assert (build is None) == (not data)
