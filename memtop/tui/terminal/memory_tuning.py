"""Keeps memtop's own memory small while the dashboard runs: malloc arenas, garbage collection, caches, descriptions.

It imports nothing large, because :func:`prepare` must come before Textual.
"""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from collections import defaultdict
from contextlib import suppress
from functools import cache, lru_cache
from types import CodeType, FunctionType, ModuleType, NoneType
from typing import Any, Final

_OWN_CODE: Final = 2
"""References to the code of a function that nothing else runs: its own, and that of the call that counts them. Methods
of named tuples share their code, and go on sharing it."""
_PLAIN: Final = frozenset({str, NoneType})
"""Kinds of constants of which equal ones are the same: 1 and True are not."""
_LruCache: Final = type(lru_cache(gc.collect))
M_ARENA_MAX: Final = -8
"""malloc.h"""
WIDTHS_KEPT: Final = 512
ENTRIES_KEPT: Final = 256
"""Of each other cache of Rich, Textual and the standard library."""
_caches: Final[list[Any]] = []
"""Those that would keep more."""
OBJECTS_BETWEEN: Final = 5_000
"""New objects after which Python searches for garbage. With its default of 700 that took a twentieth of memtop's
time."""


@cache
def _libc() -> ctypes.CDLL:
    """The C library. Each CDLL has two classes of its own, which only a search for garbage frees."""
    return ctypes.CDLL(None)


def prepare() -> None:
    """Prepare malloc and the garbage collector before anything large is imported.

    glibc keeps one heap for all threads: one heap per thread costs 2 MB and gains nothing under the GIL. Python's
    garbage collector waits until :func:`settle`.
    """
    gc.disable()
    with suppress(AttributeError):  # musl has no mallopt and no arenas
        _libc().mallopt(M_ARENA_MAX, 1)


def settle() -> None:
    """Freeze the objects that are alive, and return unused memory to the kernel.

    Call it when everything is on screen.
    """
    gc.collect()
    _find_caches()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN)
    gc.enable()
    trim()


def trim() -> None:
    """Return freed memory to the kernel. malloc keeps holes that the work of each second leaves between what stays."""
    with suppress(AttributeError):  # malloc_trim(3), which only glibc has
        _libc().malloc_trim(0)


def let_go() -> None:
    """Find garbage that refers to itself, free the tuples that Python keeps in reserve, and return all to the kernel.

    A dialog or a look at the past leaves some megabytes. Python's reserve, 2,000 tuples of each length, takes 1.5 MB
    after some minutes, and nothing else frees it. It visits all objects that are not frozen: some milliseconds.
    """
    gc.collect()
    _find_caches()
    trim()


def settle_again() -> None:
    """Settle when the modules of later samples are loaded."""
    drop_descriptions()
    settle()


def drop_descriptions() -> None:
    """Drop docstrings, annotations and qualified names of functions, field types of named tuples, and what imports have
    left in caches.

    Nothing reads these 4 MB while the dashboard runs: tracebacks show plain names. A later import lists the directories
    again. ``python -OO`` would drop the docstrings, too, but also checks, and it has compiled modules of its own.
    """
    sys.path_importer_cache.clear()
    re.purge()
    gc.collect()
    shared: dict[object, Any] = {}
    for one in gc.get_objects():
        if isinstance(one, FunctionType):
            if sys.getrefcount(one.__code__) <= _OWN_CODE and (one.__doc__ or one.__qualname__ != one.__name__):
                one.__code__ = _without_descriptions(one.__code__, one.__doc__, shared)
            one.__doc__ = one.__annotations__ = None  # type: ignore[assignment]  # where it is None, CPython keeps nothing
            one.__qualname__ = one.__name__
        elif isinstance(one, ModuleType):
            one.__doc__ = None
        elif isinstance(one, _LruCache) and one.__module__ == "typing":
            one.cache_clear()
        elif isinstance(one, type) and isinstance(one.__dict__.get("__doc__"), str):
            with suppress(AttributeError, TypeError):  # a class written in C
                one.__doc__ = None
            if issubclass(one, tuple) and "_fields" in one.__dict__:
                one.__annotations__ = {}


def _without_descriptions(code: CodeType, doc: str | None, shared: dict[object, Any]) -> CodeType:
    """Code without what describes it, also in the functions inside it. Equal constants become one of ``shared``."""
    consts = code.co_consts
    if doc is not None and consts and consts[0] is doc:
        consts = (None, *consts[1:])
    kinds = set(map(type, consts))
    if CodeType in kinds:
        consts = tuple([_without_descriptions(one, None, shared) if type(one) is CodeType else one for one in consts])
    elif kinds <= _PLAIN:
        consts = shared.setdefault(consts, consts)
    return code.replace(co_consts=consts, co_qualname=code.co_name)


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
    from textual import strip  # noqa: PLC0415 (93 ms; prepare must come before it)

    nothing = _NoCache()
    if hasattr(strip, "FIFOCache"):
        strip.FIFOCache = defaultdict(lambda: nothing).__getitem__  # for any size; hundreds are asked for in a second


def _find_caches() -> None:
    """Find large caches among the objects that are not frozen. memtop's own ones have a size that is wanted."""
    for one in gc.get_objects():
        if isinstance(one, _LruCache) and not str(one.__module__).startswith("memtop.") and one not in _caches:
            most = one.cache_parameters()["maxsize"]
            if most is None or most > ENTRIES_KEPT:
                _caches.append(one)


def shrink_caches() -> None:
    """Clear the caches that have many entries: widths, cut lines, places on screen, mixed colors.

    Most allow thousands, of texts and places that do not come back. In an hour they would take 2 MB.
    """
    for one in _caches:
        if one.cache_info().currsize > ENTRIES_KEPT:
            one.cache_clear()


def forget() -> None:
    """Drop the text widths that Rich has cached, if they are many. Call it with every new frame.

    Each frame adds dozens. Rich would keep 4,096 of them with their texts.
    """
    from rich.cells import cached_cell_len  # noqa: PLC0415 (2.9 ms; prepare must come before it)

    if cached_cell_len.cache_info().currsize > WIDTHS_KEPT:
        cached_cell_len.cache_clear()
