"""Reading pagemap in pieces, against smaps of the same process."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memtop.errors import ProcessGone, Unavailable
from memtop.procfs.meminfo import parse_meminfo
from memtop.procfs.pagemap import ENTRY_BYTES, PIECE_PAGES
from memtop.procfs.pagemap_report import PagemapReport, mappings_of, parse_report
from memtop.procfs.smaps import Smaps, parse_smaps
from memtop.procfs.status import parse_status
from memtop.sources.live import LiveSource, pagemap_reader, pagemap_walk
from memtop.sources.live.pagemap_reader import left_out, read_pagemap
from memtop.sources.live.pagemap_walk import Calls
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
"""
FULL = "address = make(32 * MIB); write(address, 32 * MIB)\n"
READY = "print(flush=True); sys.stdin.readline()\n"


QUICK = Calls(pause=lambda seconds: None)
"""Without a pause: a target that nobody but the test knows may be held up."""


def _report(pid: int) -> PagemapReport:
    return parse_report(read_pagemap("/", f"proc/{pid}/pagemap", calls=QUICK))


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
        # It may still be on its way to where it waits, and touch pages between two readings.
        assert eventually(lambda: _known_by_both(mappings_of(_report(child.pid)), _smaps(child.pid)))
        yield child.pid


def test_every_mapping_of_every_kind_is_as_smaps_has_it(kinds: int) -> None:
    assert eventually(lambda: _known_by_both(mappings_of(_report(kinds)), _smaps(kinds)))


@pytest.fixture
def sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process counts as large."""
    monkeypatch.setattr(pagemap_walk, "WHOLE_BYTES", 0)


@pytest.mark.usefixtures("sampling")
def test_of_a_large_process_rss_and_swap_are_counted_and_uss_is_that_of_a_sample(kinds: int) -> None:
    def agree() -> bool:
        found, smaps = mappings_of(_report(kinds)), _smaps(kinds)
        uss, expected = sum(found.sizes("Private")), sum(_uss(smaps).values())
        return abs(uss - expected) < 0.05 * expected and all(
            _sizes(found, name) == _sizes(smaps, name) for name in ("Rss", "Swap")
        )

    assert eventually(agree)
    report = _report(kinds)
    assert report.sampled == 8
    assert report.tallies != parse_report(read_pagemap("/", f"proc/{kinds}/pagemap", calls=OLD_KERNEL)).tallies


@pytest.mark.usefixtures("sampling")
def test_of_a_large_process_fewer_entries_are_read(kinds: int) -> None:
    sizes: list[int] = []

    def counting(descriptor: int, size: int, offset: int) -> bytes:
        sizes.append(size)
        return os.pread(descriptor, size, offset)

    with python(MEMORY + FULL + READY) as child:
        read_pagemap("/", f"proc/{child.pid}/pagemap", calls=QUICK._replace(pread=counting))
        rss_bytes = sum(_smaps(child.pid).sizes("Rss"))
    assert sum(sizes) // 8 * 4096 < rss_bytes - (24 << 20)


@pytest.mark.usefixtures("sampling")
def test_pages_that_change_after_they_were_counted_are_read() -> None:
    def emptied(descriptor: int, size: int, offset: int) -> bytes:
        return bytes(size)

    with python(MEMORY + FULL + READY) as child:
        report = parse_report(read_pagemap("/", f"proc/{child.pid}/pagemap", calls=QUICK._replace(pread=emptied)))
    assert not report.sampled
    assert not any(report.tallies)


def test_what_was_forked_is_shared_until_it_is_written() -> None:
    forked = FORK + "print(child, flush=True); sys.stdin.readline(); os.kill(child, 9)\n"
    with python(
        MEMORY + "plain = make(8 * MIB); read(plain, 4 * MIB); write(plain + 5 * MIB, MIB)\n" + forked
    ) as child:
        assert eventually(lambda: _known_by_both(mappings_of(_report(child.pid)), _smaps(child.pid)))
        found = mappings_of(_report(child.pid))
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

    read_pagemap("/", f"proc/{kinds}/pagemap", calls=QUICK._replace(ioctl=counting))
    assert 32 < calls < 5_000


def _old_kernel(descriptor: int, request: int, argument: bytearray) -> int:
    raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))


OLD_KERNEL = QUICK._replace(ioctl=_old_kernel)


def test_without_a_scan_holes_are_read_in_large_pieces_and_what_is_too_large_is_not_read(kinds: int) -> None:
    report = parse_report(read_pagemap("/", f"proc/{kinds}/pagemap", calls=OLD_KERNEL))
    assert not report.zero_pages_known
    found, smaps = mappings_of(report), _smaps(kinds)
    expected = _sizes(smaps, "Rss")
    rows = zip(found.starts, found.ends, found.numbers("Rss"), strict=True)
    unread = read_only = 0
    for start, end, rss in rows:
        assert (rss is None) == (end - start > pagemap_walk.MOST_WITHOUT_SCAN_BYTES)
        if rss is None:
            unread += 1
        elif rss != expected[start]:
            read_only += 1  # the zero pages of memory that was only read
            assert rss > expected[start]
    assert unread == 2
    assert read_only


def test_without_a_scan_a_hole_of_200_gib_takes_calls_by_the_thousand_and_no_more() -> None:
    hole = (
        "hole = make(200 << 30, NONE, ANONYMOUS); low = make(4 << 30, flags=ANONYMOUS); write(low + (3 << 30), MIB)\n"
    )
    with python(MEMORY + hole + READY) as child:
        sizes: list[int] = []

        def counting(descriptor: int, size: int, offset: int) -> bytes:
            sizes.append(size)
            return os.pread(descriptor, size, offset)

        calls = OLD_KERNEL._replace(pread=counting)
        found = mappings_of(parse_report(read_pagemap("/", f"proc/{child.pid}/pagemap", calls=calls)))
        assert len(sizes) < 9_000
        rows = zip(found.starts, found.ends, found.numbers("Rss"), strict=True)
        assert sum(rss or 0 for start, end, rss in rows if end - start >= 1 << 30) == 1 << 20


def test_many_small_mappings_are_read_many_at_a_time() -> None:
    with python(MEMORY + MANY + READY) as child:
        pauses: list[float] = []
        report = parse_report(read_pagemap("/", f"proc/{child.pid}/pagemap", calls=Calls(pause=pauses.append)))
        found, smaps = mappings_of(report), _smaps(child.pid)
        assert len(found) > 10_000
        assert abs(sum(found.sizes("Rss")) - sum(smaps.sizes("Rss"))) < 1 << 16
        assert len(pauses) < 500


def _calls_between_pauses(pid: int, call_s: float) -> list[int]:
    """How many calls a reading makes before each pause, if each call takes so long."""
    clock_s, between = 0.0, [0]

    def taking_long(descriptor: int, size: int, offset: int) -> bytes:
        nonlocal clock_s
        clock_s += call_s
        between[-1] += 1
        assert size <= PIECE_PAGES * ENTRY_BYTES
        return os.pread(descriptor, size, offset)

    def scanning_long(descriptor: int, request: int, argument: bytearray) -> int:
        nonlocal clock_s
        clock_s += call_s
        between[-1] += 1
        return int(fcntl.ioctl(descriptor, request, argument))

    def pause(seconds: float) -> None:
        assert seconds == pagemap_walk.PAUSE_S
        between.append(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "perf_counter", lambda: clock_s)
        read_pagemap("/", f"proc/{pid}/pagemap", calls=Calls(taking_long, scanning_long, pause))
    return between[:-1]


def test_a_pause_follows_every_call_for_which_a_writer_may_have_gone_to_sleep(kinds: int) -> None:
    between = _calls_between_pauses(kinds, 1.01 * pagemap_walk.SPIN_S)
    assert len(between) > 60
    assert max(between) <= 2  # zero pages are looked for in the piece before


def test_shorter_calls_have_a_pause_after_some_of_them(kinds: int) -> None:
    between = _calls_between_pauses(kinds, 0.99 * pagemap_walk.SPIN_S)
    assert len(between) > 5
    assert max(between) <= pagemap_walk.CALLS_PER_PAUSE + 1


def test_what_takes_too_long_is_left_unread(kinds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagemap_walk, "GIVE_UP_S", -1.0)
    report = _report(kinds)
    assert report.tallies.count(None) >= len(report.tallies) - 1


def test_a_file_maps_that_is_too_long_is_said_to_be_cut_off(kinds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _report(kinds)
    assert not whole.cut
    monkeypatch.setattr(pagemap_reader, "MAPS_LIMIT", len(whole.maps) - 10)
    report = _report(kinds)
    assert report.cut and len(report.tallies) == len(whole.tallies) - 1


def test_a_process_that_has_ended_is_gone() -> None:
    with python() as child:
        pid = child.pid
    with pytest.raises(ProcessGone):
        read_pagemap("/", f"proc/{pid}/pagemap")


def test_a_mapping_that_was_read_in_part_counts_as_not_read() -> None:
    with python(MEMORY + FULL + READY) as child:
        left, smaps = 80, _smaps(child.pid)
        expected = _sizes(smaps, "Rss")

        def goes_on() -> bool:
            nonlocal left
            left -= 1
            return left > 0

        report = parse_report(read_pagemap("/", f"proc/{child.pid}/pagemap", goes_on, QUICK))
        assert report.tallies.count(None) > 1
        found = mappings_of(report)
        rss = dict(zip(found.starts, found.numbers("Rss"), strict=True))
        assert rss[max(expected, key=expected.__getitem__)] is None
        assert any(rss.values())


def _ended(child: subprocess.Popen[bytes], action: Callable[[], None]) -> bytes:
    """The answer, where something happens to the process at the first pause."""
    done = False

    def pause(seconds: float) -> None:
        nonlocal done
        if not done:
            done = True
            action()

    try:
        return read_pagemap("/", f"proc/{child.pid}/pagemap", calls=Calls(pause=pause))
    except ProcessGone:
        return b""


ON_A_LINE = "print(address, flush=True); sys.stdin.readline();"


@pytest.mark.parametrize("whole_bytes", [0, 1 << 30])
def test_a_process_that_ends_meanwhile_is_no_zero(whole_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagemap_walk, "WHOLE_BYTES", whole_bytes)
    with python(MEMORY + FULL + READY) as child:

        def end() -> None:
            child.kill()
            child.wait()

        assert _ended(child, end) == b""


def _let_act(child: subprocess.Popen[bytes]) -> None:
    """Let it read its line, and wait until it has answered."""
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(b"\n")
    child.stdin.flush()
    child.stdout.readline()


@pytest.mark.parametrize("whole_bytes", [0, 1 << 30])
def test_a_process_that_becomes_another_program_meanwhile_is_no_zero(
    whole_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagemap_walk, "WHOLE_BYTES", whole_bytes)
    again = "print('another', flush=True); import sys; sys.stdin.readline()"
    with python(MEMORY + FULL + ON_A_LINE + f"os.execv(sys.executable, [sys.executable, '-c', {again!r}])\n") as child:
        assert _ended(child, lambda: _let_act(child)) == b""


def test_a_mapping_that_is_unmapped_meanwhile_is_left_out() -> None:
    unmap = (
        "libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(32 * MIB)); print(flush=True); sys.stdin.readline()\n"
    )
    with python(MEMORY + FULL + ON_A_LINE + unmap) as child:
        large = {start for start, rss in _sizes(_smaps(child.pid), "Rss").items() if rss >= 32 << 20}
        found = mappings_of(parse_report(_ended(child, lambda: _let_act(child))))
        assert len(large) == 1 and not large & set(found.starts)
        assert set(found.starts) == set(_smaps(child.pid).starts)


def _line(start: int, end: int) -> bytes:
    return b"%x-%x rw-p 00000000 00:00 0 \n" % (start, end)


def test_only_what_has_gone_entirely_is_left_out() -> None:
    lines = [_line(0x1000, 0x5000), _line(0x6000, 0x8000), _line(0x9000, 0xC000), _line(0xD000, 0xE000)]
    report = PagemapReport(4096, 30, 1, True, [{1: n} for n in range(4)], b"".join(lines))
    kept = left_out(report, _line(0x3000, 0x5000) + _line(0xA000, 0xB000) + _line(0xD000, 0xFF000))
    assert kept.tallies == [{1: 0}, {1: 2}, {1: 3}]
    assert kept.maps == lines[0] + lines[2] + lines[3]


def test_short_reads_are_read_on_to_the_end(kinds: int) -> None:
    def short(descriptor: int, size: int, offset: int) -> bytes:
        return os.pread(descriptor, size, offset)[: max(8, size // 3)]

    def is_alike() -> bool:
        found = parse_report(read_pagemap("/", f"proc/{kinds}/pagemap", calls=QUICK._replace(pread=short)))
        return found.tallies == _report(kinds).tallies

    assert eventually(is_alike)  # the kernel may move a page between the two readings


def test_a_mapping_whose_pages_are_refused_is_not_read_and_the_others_are(kinds: int) -> None:
    smaps = _smaps(kinds)
    start, end = max(zip(smaps.starts, smaps.ends, strict=True), key=lambda span: _sizes(smaps, "Rss")[span[0]])

    def refusing(descriptor: int, size: int, offset: int) -> bytes:
        if start <= offset * 512 < end:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return os.pread(descriptor, size, offset)

    found = mappings_of(parse_report(read_pagemap("/", f"proc/{kinds}/pagemap", calls=QUICK._replace(pread=refusing))))
    rss = dict(zip(found.starts, found.numbers("Rss"), strict=True))
    assert rss[start] is None
    assert sum(value is None for value in rss.values()) < 8
    assert all(value in (None, _sizes(smaps, "Rss")[at]) for at, value in rss.items())


def test_where_every_page_is_refused_there_is_no_pagemap(kinds: int) -> None:
    def refusing(descriptor: int, size: int, offset: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(Unavailable):
        read_pagemap("/", f"proc/{kinds}/pagemap", calls=QUICK._replace(pread=refusing))


LARGE_SPARSE = """
file = os.memfd_create("sparse"); os.ftruncate(file, 1 << 44)
both = make(1 << 44, flags=1, fd=file); write(both, 1 << 44, 1 << 40)
for size in 20, 30, 34: write(make(size << 40, flags=ANONYMOUS), 16 * MIB)
"""


def test_a_sparse_file_of_16_tib_in_100_tib_of_address_space_is_read_in_a_moment() -> None:
    with python(MEMORY + LARGE_SPARSE + READY) as child:
        calls = 0

        def counting(descriptor: int, size: int, offset: int) -> bytes:
            nonlocal calls
            calls += 1
            return os.pread(descriptor, size, offset)

        report = parse_report(read_pagemap("/", f"proc/{child.pid}/pagemap", calls=QUICK._replace(pread=counting)))
        assert calls < 3_000
        assert None not in report.tallies
        assert eventually(lambda: _known_by_both(mappings_of(_report(child.pid)), _smaps(child.pid)))


def _built(folder: Path, source: str, *options: str) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    (folder / "program.c").write_text(source)
    words = ["gcc", "-w", "-O1", *options, "-o", str(folder / "program"), str(folder / "program.c")]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip(f"gcc {' '.join(options)} does not work here")
    return folder / "program"


@contextmanager
def _started(program: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            if not child.stdout.readline():
                pytest.skip("it does not run here")
            yield child
        finally:
            child.kill()


ADDRESS_SANITIZED = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  for (int i = 0; i < 64; i++) memset(malloc(1 << 18), 1, 1 << 18);
  puts("ready"); fflush(stdout); getchar();
}
"""
OF_32_BITS = """
static long call(long number, long a, long b, long c, long d, long e) {
  long result;
  __asm__ volatile("push %%ebp; xor %%ebp, %%ebp; int $0x80; pop %%ebp"
                   : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return result;
}
void _start(void) {
  char *at = (char *)call(192, 0, 8 << 20, 3, 0x22, -1);
  for (int i = 0; i < 4 << 20; i += 4096) at[i] = 1;
  call(4, 1, (long)"ready\\n", 6, 0, 0);
  for (;;) call(29, 0, 0, 0, 0, 0);
}
"""


@pytest.mark.parametrize(
    ("source", "options", "least_bytes"),
    [
        pytest.param(ADDRESS_SANITIZED, ("-fsanitize=address", "-g"), 16 << 20, id="address-sanitizer"),
        pytest.param(
            OF_32_BITS,
            ("-m32", "-nostdlib", "-static", "-fno-pic", "-fno-stack-protector", "-fomit-frame-pointer"),
            4 << 20,
            id="32-bits",
        ),
    ],
)
def test_a_program_of_another_kind_is_as_smaps_has_it(
    tmp_path: Path, source: str, options: tuple[str, ...], least_bytes: int
) -> None:
    with _started(_built(tmp_path, source, *options)) as child:
        assert eventually(lambda: _known_by_both(mappings_of(_report(child.pid)), _smaps(child.pid)))
        found = mappings_of(_report(child.pid))
        assert None not in found.numbers("Rss")
        assert sum(found.sizes("Rss")) >= least_bytes


HUGE_PAGES = """
HUGE = 0x40000
own = make(4 * MIB, flags=PRIVATE | HUGE); write(own, 2 * MIB)
shared = make(4 * MIB, flags=SHARED | HUGE); write(shared, 2 * MIB)
"""


@pytest.mark.skipif(
    parse_meminfo(Path("/proc/meminfo").read_bytes()).hugetlb_bytes in (None, 0), reason="no pool of huge pages"
)
@pytest.mark.parametrize("whole_bytes", [0, 1 << 30])
def test_pages_of_a_pool_are_no_rss_and_are_what_the_kernel_has(
    whole_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagemap_walk, "WHOLE_BYTES", whole_bytes)
    fields = ("Private_Hugetlb", "Shared_Hugetlb", "Rss")

    def agree() -> bool:
        found, smaps = mappings_of(_report(child.pid)), _smaps(child.pid)
        return all(_sizes(found, name) == _sizes(smaps, name) for name in fields)

    with python(MEMORY + HUGE_PAGES + READY) as child:
        # It may touch pages between the two readings, on its way to where it waits.
        assert eventually(agree)
        found = mappings_of(_report(child.pid))
        status = parse_status(Path(f"/proc/{child.pid}/status").read_bytes())
    assert sum(found.sizes("Private_Hugetlb")) == status.hugetlb_bytes == 4 << 20


def test_a_kernel_without_exclusive_pages_has_no_uss(kinds: int) -> None:
    def older(descriptor: int, size: int, offset: int) -> bytes:
        data = bytearray(os.pread(descriptor, size, offset))
        data[7::8] = data[7::8].translate(bytes(one & ~1 for one in range(256)))
        return bytes(data)

    report = parse_report(read_pagemap("/", f"proc/{kinds}/pagemap", calls=QUICK._replace(pread=older)))
    found, smaps = mappings_of(report), _smaps(kinds)
    assert _sizes(found, "Rss") == _sizes(smaps, "Rss")
    assert "Private" not in found.fields


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
