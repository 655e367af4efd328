"""Keeps memtop's own memory small while the dashboard runs: malloc arenas, garbage collection, caches.

Imports nothing that is heavy: :func:`prepare` must come before Textual.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

M_ARENA_MAX: Final = -8
"""malloc.h"""
WIDTHS_KEPT: Final = 512
OBJECTS_BETWEEN: Final = 5_000
"""New objects after which Python looks for garbage: at its usual 700 that took a twentieth of memtop's time."""


def prepare() -> None:
    """Before anything heavy is imported.

    glibc keeps one heap for all threads: its own for each of ours costs 2 MB and gains nothing under the GIL.
    Python's garbage collector waits until :func:`settle`.
    """
    gc.disable()
    with suppress(AttributeError):  # musl has no mallopt and no arenas
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


@contextmanager
def without_openssl() -> Iterator[None]:
    """Keep OpenSSL out of what is imported in this block: asyncio imports it where it can, which is 4 MB of RES.

    No other thread may import it meanwhile. After the block ``import ssl`` works again, for metrics read by https.
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
    """Once everything is on screen: what is alive now stays, what was needed to get here goes back to the kernel."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN)
    gc.enable()
    with suppress(AttributeError):  # glibc's own, malloc_trim(3)
        ctypes.CDLL(None).malloc_trim(0)


def forget() -> None:
    """With every new frame: drop the widths of texts that Rich has measured, once they are many.

    It would keep 4,096 of them with their texts: in a few minutes a megabyte of numbers that do not come back.
    """
    from rich.cells import cached_cell_len  # noqa: PLC0415 (which prepare must come before)

    if cached_cell_len.cache_info().currsize > WIDTHS_KEPT:
        cached_cell_len.cache_clear()
