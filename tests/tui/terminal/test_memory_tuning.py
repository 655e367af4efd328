"""memtop's own memory: what is left out of it, and that nothing misses it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
from rich.cells import cached_cell_len, cell_len

from memtop.tui.terminal import memory_tuning

CODE = """
import gc, sys
from memtop.tui.terminal import late_imports, memory_tuning
memory_tuning.prepare()
assert not gc.isenabled()
with late_imports.without_unneeded():
    import memtop.tui.app.app
assert not {"ssl", "_ssl", "bz2", "lzma"} & set(sys.modules)
memory_tuning.without_strip_caches()
from textual.strip import Segment, Strip
line = Strip([Segment("VIRT RES")])
assert [part.text for _ in range(2) for part in line.divide([4, 8])] == ["VIRT", " RES"] * 2
assert line.crop(5).text == line.crop(5).text == "RES" and line.crop(5) is not line.crop(5)
from rich.style import Style
from textual.geometry import Region
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
settle = memory_tuning.settle
assert settle.__doc__ and settle.__annotations__ and ProcessRow.__doc__ and ProcessRow.__annotations__
memory_tuning.drop_descriptions()
assert not (memory_tuning.settle.__doc__ or ProcessRow.__doc__ or gc.__doc__ or ProcessRow.__annotations__)
assert not memory_tuning.settle.__annotations__ and not ProcessRow.__new__.__annotations__
assert Strip.divide.__qualname__ == Strip.divide.__code__.co_qualname == "divide"
assert ProcessRow._replace.__code__ is ProcessKey._replace.__code__
assert not isinstance(memory_tuning.settle.__code__.co_consts[0], str)
inner = [code for code in memtop.tui.app.app.MemtopApp.compose.__code__.co_consts if hasattr(code, "co_qualname")]
assert inner and all(code.co_qualname == code.co_name for code in inner)
assert ProcessRow._field_defaults and ProcessRow._fields[0] == "key"
memory_tuning.settle()
assert gc.isenabled() and gc.get_freeze_count() > 10_000
for number in range(memory_tuning.ENTRIES_KEPT + 1):
    assert Region(0, number, 9, 1).translate((1, 1)).y == number + 1
    assert Segment(f"RES {number}").split_cells(3)[0].text == "RES"
    shared = Style.parse(f"color({number % memory_tuning.ENTRIES_KEPT})")
memory_tuning.shrink_caches()
kept = [cache.cache_info().currsize for cache in (vars(Region)["translate"], Segment._split_cells, Style.parse)]
assert kept == [0, 0, memory_tuning.ENTRIES_KEPT], kept
import textual.fuzzy
for number in range(memory_tuning.ENTRIES_KEPT + 1):
    textual.fuzzy.FuzzySearch.get_first_letters(str(number))
memory_tuning.let_go()
memory_tuning.shrink_caches()
assert not textual.fuzzy.FuzzySearch.get_first_letters.cache_info().currsize  # it was imported later
import memtop.sources.http_get
assert sys.modules["ssl"].create_default_context
"""


@pytest.mark.parametrize("allocator", ["glibc's", "one without mallopt and malloc_trim"])
def test_the_screen_does_without_openssl_and_keeps_the_collector_out_of_the_start(allocator: str) -> None:
    before = "import ctypes; ctypes.CDLL = lambda name: object()\n" if "without" in allocator else ""
    subprocess.run([sys.executable, "-c", before + CODE], check=True)


LARGE_BLOCKS = """
import ctypes
from memtop.tui.terminal import memory_tuning
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
def is_mapped(address):
    ends = [line.split()[0].split("-") for line in open("/proc/self/maps")]
    return any(int(begin, 16) <= address < int(end, 16) for begin, end in ends)
memory_tuning.prepare()
libc.free(libc.malloc(16 << 20))
block = libc.malloc(1 << 20)
keeps_the_heap = libc.malloc(1024)
assert is_mapped(block)
libc.free(block)
assert not is_mapped(block)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_a_large_block_goes_back_to_the_kernel_after_a_larger_one_was_freed() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE_BLOCKS], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_widths_of_texts_are_kept_while_they_are_few_and_forgotten_once_they_are_many() -> None:
    cached_cell_len.cache_clear()
    for number in range(memory_tuning.WIDTHS_KEPT):
        assert cell_len(f"RES {number:>6} ▁") == 12
    memory_tuning.forget()
    assert cached_cell_len.cache_info().currsize == memory_tuning.WIDTHS_KEPT

    cell_len("one more")
    memory_tuning.forget()

    assert cached_cell_len.cache_info().currsize == 0


FILLING = """
import sys, threading
from memtop.tui.terminal import memory_tuning
sys.setswitchinterval(1e-6)
errors, stop = [], threading.Event()

def fill():
    try:
        while not stop.is_set():
            tuple(number for number in range(50))
    except SystemError as error:
        errors.append(error)

sampler = threading.Thread(target=fill)
sampler.start()
for _ in range(20):
    memory_tuning.let_go()
memory_tuning.drop_descriptions()
stop.set()
sampler.join()
print(errors)
"""


def test_tuples_that_another_thread_is_filling_are_not_touched() -> None:
    """Python's tuple() fails with SystemError where a list of all objects refers to the tuple."""
    done = subprocess.run([sys.executable, "-c", FILLING], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
