"""Reading pagemap in pieces, against smaps of the same process."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtop.errors import MemtopError, ProcessGone
from memtop.procfs.pagemap_report import PagemapReport, mappings_of, parse_report
from memtop.procfs.smaps import Smaps, parse_smaps
from memtop.sources.live import LiveSource, pagemap_reader
from memtop.sources.live.pagemap_reader import read_pagemap
from tests.children import eventually, python

MEMORY = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
for name in ("madvise", "mprotect"):
    getattr(libc, name).argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
MIB = 1 << 20
NONE, WRITABLE, SHARED, PRIVATE, ANONYMOUS = 0, 3, 0x21, 0x22, 0x4022
NOHUGEPAGE, HUGEPAGE, GUARD_INSTALL = 15, 14, 102
def make(size, access=WRITABLE, flags=PRIVATE, fd=-1, advice=NOHUGEPAGE):
    address = libc.mmap(None, size, access, flags, fd, 0)
    libc.madvise(address, size, advice)
    return address
def write(address, size, step=4096):
    for at in range(address, address + size, step):
        ctypes.memset(at, 1, 1)
def read(address, size, step=4096):
    for at in range(address, address + size, step):
        ctypes.string_at(at, 1)
"""
"""For children: memory of any kind."""

KINDS = """
plain = make(8 * MIB); read(plain, 4 * MIB); write(plain + 5 * MIB, MIB)
huge = make(8 * MIB, advice=HUGEPAGE); write(huge, 8 * MIB)
huge_zero = make(8 * MIB, advice=HUGEPAGE); read(huge_zero, 8 * MIB)
closed = make(4 * MIB); write(closed, 2 * MIB); libc.mprotect(closed, 4 * MIB, NONE)
shared = make(8 * MIB, flags=SHARED); write(shared, 4 * MIB)
memfd = os.memfd_create("twice"); os.ftruncate(memfd, 4 * MIB)
write(make(4 * MIB, flags=1, fd=memfd), 2 * MIB); read(make(4 * MIB, flags=1, fd=memfd), MIB)
program = os.open(sys.executable, os.O_RDONLY); size = os.path.getsize(sys.executable) // 4096 * 4096
file = make(size, flags=2, fd=program); read(file, size); write(file, size // 2)
guarded = make(4 * MIB); write(guarded, 4 * MIB); libc.madvise(guarded, MIB, GUARD_INSTALL)
"""
SPARSE = "sparse = make(1 << 44, flags=ANONYMOUS); write(sparse, 1 << 44, 1 << 39); make(1 << 45, NONE, ANONYMOUS)\n"
MANY = """
many = make(40 * MIB)
for at in range(0, 40 * MIB, 8192):
    libc.mprotect(many + at, 4096, 1)
write(many + 4096, MIB, 8192)
"""
FORK = """
child = os.fork()
if not child:
    write(plain + 5 * MIB, MIB // 2)
    import signal; signal.pause()
import time; time.sleep(0.05)
"""
READY = "print(flush=True); sys.stdin.readline()\n"


def _no_pause(seconds: float) -> None:
    """A target that nobody but the test knows may be held up."""


def _report(pid: int) -> PagemapReport:
    return parse_report(read_pagemap("/", f"proc/{pid}/pagemap", _no_pause))


def _smaps(pid: int) -> Smaps:
    return parse_smaps(Path(f"/proc/{pid}/smaps").read_bytes())


def _sizes(smaps: Smaps, field: str) -> dict[int, int]:
    return dict(zip(smaps.starts, smaps.sizes(field), strict=True))


def _uss(smaps: Smaps) -> dict[int, int]:
    clean, dirty = _sizes(smaps, "Private_Clean"), _sizes(smaps, "Private_Dirty")
    return {start: size + dirty[start] for start, size in clean.items()}


def _known_by_both(found: Smaps, smaps: Smaps) -> bool:
    """Whether the two agree; at first the process may still be on its way to where it waits."""
    fields = ("Rss", "Anonymous", "Swap")
    return _sizes(found, "Private") == _uss(smaps) and all(
        _sizes(found, name) == _sizes(smaps, name) for name in fields
    )


@pytest.fixture(scope="module")
def kinds() -> Iterator[int]:
    with python(MEMORY + KINDS + SPARSE + READY) as child:
        yield child.pid


def test_every_mapping_of_every_kind_is_as_smaps_has_it(kinds: int) -> None:
    assert eventually(lambda: _known_by_both(mappings_of(_report(kinds)), _smaps(kinds)))


def test_what_was_forked_is_shared_until_it_is_written() -> None:
    forked = FORK + "print(child, flush=True); sys.stdin.readline(); os.kill(child, 9)\n"
    with python(
        MEMORY + "plain = make(8 * MIB); read(plain, 4 * MIB); write(plain + 5 * MIB, MIB)\n" + forked
    ) as child:
        found = mappings_of(_report(child.pid))
        assert eventually(lambda: _known_by_both(mappings_of(_report(child.pid)), _smaps(child.pid)))
        assert sum(found.sizes("Private")) < sum(found.sizes("Rss"))
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.wait()


def test_a_sparse_address_space_of_terabytes_takes_calls_for_what_was_touched_only(
    kinds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def counting(descriptor: int, request: int, argument: bytearray) -> int:
        nonlocal calls
        calls += 1
        return int(fcntl.ioctl(descriptor, request, argument))

    read_pagemap("/", f"proc/{kinds}/pagemap", _no_pause, counting)
    assert 32 < calls < 5_000


def _old_kernel(descriptor: int, request: int, argument: bytearray) -> int:
    raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))


def test_without_a_scan_large_and_reserved_mappings_are_not_read_and_the_others_are(kinds: int) -> None:
    report = parse_report(read_pagemap("/", f"proc/{kinds}/pagemap", _no_pause, _old_kernel))
    assert not report.zero_pages_known
    found, smaps = mappings_of(report), _smaps(kinds)
    expected = _sizes(smaps, "Rss")
    rows = zip(found.starts, found.ends, found.perms, found.numbers("Rss"), strict=True)
    unread = read_only = 0
    for start, end, perms, rss in rows:
        if rss is None:
            unread += 1
            assert perms.startswith("---") or end - start > pagemap_reader.MOST_WITHOUT_SCAN_BYTES
        elif rss != expected[start]:
            read_only += 1  # the zero pages of memory that was only read
            assert rss > expected[start]
    assert unread >= 2
    assert read_only


def test_many_small_mappings_are_read_many_at_a_time() -> None:
    with python(MEMORY + MANY + READY) as child:
        pauses: list[float] = []
        report = parse_report(read_pagemap("/", f"proc/{child.pid}/pagemap", pauses.append))
        found, smaps = mappings_of(report), _smaps(child.pid)
        assert len(found) > 10_000
        assert abs(sum(found.sizes("Rss")) - sum(smaps.sizes("Rss"))) < 1 << 16
        assert len(pauses) < 500


def test_a_pause_follows_every_piece(kinds: int) -> None:
    pauses: list[float] = []
    read_pagemap("/", f"proc/{kinds}/pagemap", pauses.append)
    assert len(pauses) > 15
    assert set(pauses) == {pagemap_reader.PAUSE_S}


def test_what_takes_too_long_is_left_unread(kinds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagemap_reader, "GIVE_UP_S", -1.0)
    report = _report(kinds)
    assert report.tallies.count(None) >= len(report.tallies) - 1


def test_a_process_that_has_ended_is_gone() -> None:
    with python() as child:
        pid = child.pid
    with pytest.raises(ProcessGone):
        read_pagemap("/", f"proc/{pid}/pagemap")


def test_a_process_that_ends_meanwhile_is_no_zero(kinds: int) -> None:
    with python(MEMORY + "write(make(32 * MIB), 32 * MIB)\n" + READY) as child:

        def end(seconds: float) -> None:
            child.kill()
            child.wait()

        with pytest.raises(MemtopError):
            read_pagemap("/", f"proc/{child.pid}/pagemap", end)


def test_the_live_machine_answers_with_a_report_when_asked(kinds: int) -> None:
    source = LiveSource()
    try:
        source.begin()
        source.pids()
        assert source.ask(f"proc/{kinds}/pagemap", 1 << 20) is None
        source.settle(10.0)
        answer = source.ask(f"proc/{kinds}/pagemap", 1 << 20)
    finally:
        source.close()
    assert answer is not None
    assert _sizes(mappings_of(parse_report(answer.data)), "Rss") == _sizes(_smaps(kinds), "Rss")
