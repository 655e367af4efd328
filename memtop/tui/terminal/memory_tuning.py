"""Keeps memtop's own memory small while the dashboard runs: malloc arenas, garbage collection, caches, docstrings.

It imports nothing large, because :func:`prepare` must come before Textual.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FunctionType, ModuleType
from typing import Final

M_ARENA_MAX: Final = -8
"""malloc.h"""
WIDTHS_KEPT: Final = 512
OBJECTS_BETWEEN: Final = 5_000
"""New objects after which Python searches for garbage. With its default of 700 that took a twentieth of memtop's
time."""


def prepare() -> None:
    """Prepare malloc and the garbage collector before anything large is imported.

    glibc keeps one heap for all threads: one heap per thread costs 2 MB and gains nothing under the GIL. Python's
    garbage collector waits until :func:`settle`.
    """
    gc.disable()
    with suppress(AttributeError):  # musl has no mallopt and no arenas
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


@contextmanager
def without_openssl() -> Iterator[None]:
    """Keep OpenSSL out of the imports in this block. asyncio imports it if it can, which costs 4 MB of RES.

    No other thread may import it meanwhile. After the block ``import ssl`` works again, for metrics over https.
    """
    loaded = "ssl" in sys.modules
    if not loaded:
        sys.modules["ssl"] = None  # type: ignore[assignment]  # "import ssl" now fails, which asyncio provides for
    try:
        yield
    finally:
        if not loaded:
            del sys.modules["ssl"]


def settle() -> None:
    """Freeze the objects that are alive, and return unused memory to the kernel.

    Call it when everything is on screen.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN)
    gc.enable()
    trim()


def trim() -> None:
    """Return freed memory to the kernel: the first samples of thousands of processes leave a megabyte behind."""
    with suppress(AttributeError):  # malloc_trim(3), which only glibc has
        ctypes.CDLL(None).malloc_trim(0)


def settle_again() -> None:
    """Settle when the modules of later samples are loaded."""
    drop_docstrings()
    settle()


def drop_docstrings() -> None:
    """Drop all docstrings, and the field types of named tuples: 2 MB that nothing reads while the dashboard runs.

    ``python -OO`` would drop the docstrings, too, but also checks, and it has compiled modules of its own.
    """
    gc.collect()
    for one in gc.get_objects():
        if isinstance(one, FunctionType):
            code = one.__code__
            if one.__doc__ is not None and code.co_consts and code.co_consts[0] is one.__doc__:
                one.__code__ = code.replace(co_consts=(None, *code.co_consts[1:]))
                one.__doc__ = None
        elif isinstance(one, ModuleType):
            one.__doc__ = None
        elif isinstance(one, type) and isinstance(one.__dict__.get("__doc__"), str):
            with suppress(AttributeError, TypeError):  # a class written in C
                one.__doc__ = None
            if issubclass(one, tuple) and "_fields" in one.__dict__:
                one.__annotations__ = {}
                one.__new__.__annotations__ = {}


class _NoCache:
    """Stands for a cache of a Strip, and keeps nothing."""

    def get(self, key: object, default: None = None) -> None:
        """Find nothing."""

    def __setitem__(self, key: object, value: object) -> None:
        """Keep nothing."""


def without_strip_caches() -> None:
    """Create the lines that Textual draws without their caches.

    Each line would have seven, empty ones too, and a copy of itself for each place where it was cut: 2 MB, for lines
    that are drawn once. Call it before the first widget is drawn.
    """
    from textual import strip  # noqa: PLC0415 (prepare must come before it)

    nothing = _NoCache()
    if hasattr(strip, "FIFOCache"):
        strip.FIFOCache = lambda size: nothing


def forget() -> None:
    """Drop the text widths that Rich has cached, if they are many. Call it with every new frame.

    Rich would keep 4,096 of them with their texts: within minutes a megabyte of numbers that do not come back.
    """
    from rich.cells import cached_cell_len  # noqa: PLC0415 (prepare must come before it)

    if cached_cell_len.cache_info().currsize > WIDTHS_KEPT:
        cached_cell_len.cache_clear()
