"""Runtimes and allocators by their files; arenas by their shape in a maps file."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.runtimes.native.recognition import (
    Allocator,
    Arenas,
    Native,
    Runtime,
    glibc_arenas,
    old_space_bytes,
    recognise,
)

LIB = "/usr/lib/x86_64-linux-gnu/"
C = (LIB + "libc.so.6", LIB + "ld-linux-x86-64.so.2")
MIB = 1 << 20


@pytest.mark.parametrize(
    ("paths", "exe", "native"),
    [
        (C, "/usr/bin/python3.11", Native(Runtime.CPYTHON, "3.11", Allocator.GLIBC)),
        ((*C, "/opt/lib/libpython3.12.so.1.0"), "/opt/app", Native(Runtime.CPYTHON, "3.12", Allocator.GLIBC)),
        (C, "/usr/bin/python3.13t", Native(Runtime.CPYTHON, "3.13", Allocator.GLIBC)),
        (C, "/usr/bin/node", Native(Runtime.NODE, None, Allocator.GLIBC)),
        ((*C, LIB + "libnode.so.108"), "/usr/bin/node", Native(Runtime.NODE, "108", Allocator.GLIBC)),
        (("/opt/jdk/lib/server/libjvm.so", *C), "/opt/jdk/bin/java", Native(Runtime.JVM, None, Allocator.GLIBC)),
        ((*C, LIB + "libjemalloc.so.2"), "/usr/bin/ruby3.1", Native(Runtime.RUBY, "3.1", Allocator.JEMALLOC)),
        ((*C, "/x/libtcmalloc_minimal.so.4"), "/x/a", Native(None, None, Allocator.TCMALLOC)),
        ((*C, "/x/libmimalloc.so.2.1"), "/x/a", Native(None, None, Allocator.MIMALLOC)),
        (("/lib/ld-musl-x86_64.so.1",), "/bin/busybox", Native(None, None, Allocator.MUSL)),
        (("/lib/libc-2.31.so",), "/x/a", Native(None, None, Allocator.GLIBC)),
        (
            ("/lib/libc.so.6 (deleted)",),
            "/usr/bin/python3.11 (deleted)",
            Native(Runtime.CPYTHON, "3.11", Allocator.GLIBC),
        ),
        ((*C, "/home/me/python3.11"), "/usr/bin/vim", Native(None, None, Allocator.GLIBC)),
        ((), None, Native(None, None, None)),
        (("/srv/data/libjvm.so.backup", "/x/node"), "/x/a", Native(None, None, None)),
    ],
)
def test_programs_are_recognised_by_what_they_map(paths: tuple[str, ...], exe: str | None, native: Native) -> None:
    assert recognise(paths, exe) == native


def test_build_information_of_go_comes_before_everything_else() -> None:
    assert recognise((*C, "/x/libpython3.11.so.1.0"), "/x/a", is_go=True) == Native(Runtime.GO, None, Allocator.GLIBC)


def test_this_very_process_is_python_on_its_c_library() -> None:
    paths = {line.split(maxsplit=5)[5] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
    native = recognise(paths, os.readlink("/proc/self/exe"))
    assert native.runtime is Runtime.CPYTHON
    assert native.version is not None
    assert native.version.startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert native.allocator is not None


def region(start: int, end: int, perms: str, name: str = "") -> bytes:
    return b"%x-%x %s 00000000 00:00 0 %s" % (start, end, perms.encode(), name.encode())


BASE = 0x7F0000000000


def test_an_arena_is_a_pair_of_regions_that_fills_64_mib() -> None:
    maps = b"\n".join(
        (
            region(0x1000, 0x2000, "rw-p", "[heap]"),
            region(BASE, BASE + MIB, "rw-p"),
            region(BASE + MIB, BASE + 64 * MIB, "---p"),
            region(BASE + 64 * MIB, BASE + 128 * MIB, "rw-p"),
            region(BASE + 256 * MIB + 4096, BASE + 257 * MIB, "rw-p"),
            region(BASE + 257 * MIB, BASE + 320 * MIB, "---p"),
        )
    )
    assert glibc_arenas(maps) == Arenas(2, 128 * MIB, 65 * MIB)


def test_threads_of_a_real_program_have_arenas() -> None:
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        pytest.skip("not glibc")
    program = (
        "import ctypes, threading\n"
        "c = ctypes.CDLL(None); c.malloc.restype = ctypes.c_void_p\n"
        "go = threading.Barrier(4)\n"
        "def work():\n    go.wait(); c.malloc(100_000); go.wait()\n"
        "for _ in range(3): threading.Thread(target=work).start()\n"
        "go.wait(); go.wait(); print(open('/proc/self/maps').read())\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=30)
    assert 1 <= glibc_arenas(ran.stdout).number <= 3


@given(st.binary(max_size=300))
def test_any_bytes_are_no_arenas_or_some(maps: bytes) -> None:
    arenas = glibc_arenas(maps)
    assert arenas.number >= 0
    assert arenas.usable_bytes <= arenas.reserved_bytes


@pytest.mark.parametrize(
    ("argv", "size"),
    [
        (["node", "--max-old-space-size=4096", "x.js"], 4096 * MIB),
        (["node", "--max_old_space_size=100", "--max-old-space-size=200"], 200 * MIB),
        (["node", "--max-old-space-size=lots"], None),
        ([], None),
    ],
)
def test_the_limit_of_v8_is_given_in_mib(argv: list[str], size: int | None) -> None:
    assert old_space_bytes(argv) == size
