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

from memtop.runtimes.identity import decode_identity
from memtop.runtimes.native.allocators import Arenas, glibc_arenas
from memtop.runtimes.native.languages import old_space_bytes
from memtop.runtimes.registry import REGISTRY
from memtop.sources.live.runtime_access import read_runtime

LIB = "/usr/lib/x86_64-linux-gnu/"
C = (LIB + "libc.so.6", LIB + "ld-linux-x86-64.so.2")
MIB = 1 << 20


@pytest.mark.parametrize(
    ("paths", "exe", "native"),
    [
        (C, "/usr/bin/python3.11", ("python", "3.11", "glibc")),
        ((*C, "/opt/lib/libpython3.12.so.1.0"), "/opt/app", ("python", "3.12", "glibc")),
        (C, "/usr/bin/python3.13t", ("python", "3.13", "glibc")),
        (C, "/usr/bin/node", ("node", None, "glibc")),
        ((*C, LIB + "libnode.so.108"), "/usr/bin/node", ("node", "108", "glibc")),
        (("/opt/jdk/lib/server/libjvm.so", *C), "/opt/jdk/bin/java", ("jvm", None, "glibc")),
        ((*C, LIB + "libjemalloc.so.2"), "/usr/bin/ruby3.1", ("ruby", "3.1", "jemalloc")),
        ((*C, "/x/libtcmalloc_minimal.so.4"), "/x/a", (None, None, "tcmalloc")),
        ((*C, "/x/libmimalloc.so.2.1"), "/x/a", (None, None, "mimalloc")),
        (("/lib/ld-musl-x86_64.so.1",), "/bin/busybox", (None, None, "musl")),
        (("/lib/libc-2.31.so",), "/x/a", (None, None, "glibc")),
        (("/lib/libc.so.6 (deleted)",), "/usr/bin/python3.11 (deleted)", ("python", "3.11", "glibc")),
        ((*C, "/home/me/python3.11"), "/usr/bin/vim", (None, None, "glibc")),
        ((), None, (None, None, None)),
        (("/srv/data/libjvm.so.backup", "/x/node"), "/x/a", (None, None, None)),
    ],
)
def test_programs_are_recognized_by_what_they_map(
    tmp_path: Path, paths: tuple[str, ...], exe: str | None, native: tuple[str | None, str | None, str | None]
) -> None:
    folder = tmp_path / "proc" / "7"
    folder.mkdir(parents=True)
    maps = "".join(f"7f0000000000-7f0000001000 r--p 00000000 00:00 1 {path}\n" for path in paths)
    (folder / "maps").write_text(maps)
    if exe is not None:
        (folder / "exe").symlink_to(exe)
    found = decode_identity(read_runtime(REGISTRY.read, f"{tmp_path}/", "proc/7/runtime/identity"))
    assert (found.runtime, found.version, found.allocator) == native


def test_this_very_process_is_python_on_its_c_library() -> None:
    found = decode_identity(read_runtime(REGISTRY.read, "/", f"proc/{os.getpid()}/runtime/identity"))
    assert found.runtime == "python"
    assert found.version is not None
    assert found.version.startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert found.allocator is not None


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
