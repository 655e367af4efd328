"""Keeps memtop's own memory small while the dashboard runs: malloc arenas, garbage collection, caches, descriptions.

It imports nothing large, because :func:`prepare` must come before Textual.
"""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
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
M_MMAP_THRESHOLD: Final = -3
"""malloc.h"""
OWN_MAPPING_BYTES: Final = 128 << 10
"""Smallest block that has a mapping of its own. Without it the first large block that is freed raises this to its own
size for all that follow, and they leave holes in the heap."""
WIDTHS_KEPT: Final = 128
ENTRIES_KEPT: Final = 64
"""Of each other cache of Rich, Textual and the standard library."""
_WRAPPERS: Final = frozenset({_LruCache, property, staticmethod, classmethod})
_DEFINITIONS: Final = _WRAPPERS | {FunctionType, ModuleType}
"""Beside classes."""
_searched: Final[set[str]] = set()
"""Names of the modules that were searched for caches."""
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

    glibc keeps one heap for all threads: one heap per thread costs 2 MB and gains nothing under the GIL. Large blocks
    go back to the kernel when they are freed. Python's garbage collector waits until :func:`settle`.
    """
    gc.disable()
    with suppress(AttributeError):  # musl has no mallopt and no arenas
        _libc().mallopt(M_ARENA_MAX, 1)
        _libc().mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES)


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
    for one in _definitions(list(sys.modules.values())):
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


def _definitions(modules: Iterable[ModuleType]) -> Iterator[Any]:
    """The modules, and all classes, functions and caches in them, also nested ones; each once.

    A list of all objects (``gc.get_objects``) would refer to each tuple that another thread is filling, and tuple()
    fails with SystemError where there is a second reference: a sample was lost that way.
    """
    found: list[Any] = list(modules)
    seen = set(map(id, found))
    kinds: dict[type, bool] = {}
    """Whether objects of a kind are such definitions."""
    for one in found:
        yield one
        for part in _parts(one):
            kind = type(part)
            if kind not in kinds:
                kinds[kind] = kind in _DEFINITIONS or issubclass(kind, type)
            if kinds[kind] and id(part) not in seen:
                seen.add(id(part))
                found.append(part)


def _parts(one: Any) -> Iterable[Any]:
    """The values of a namespace, what a function closes over, or what a method or a cache wraps."""
    kind = type(one)
    if kind is FunctionType:
        return gc.get_referents(*one.__closure__) if one.__closure__ else ()
    return gc.get_referents(one) if kind in _WRAPPERS else list(vars(one).values())


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
    """Find large caches in modules that were not searched yet. memtop's own ones have a size that is wanted."""
    for name in sys.modules.keys() - _searched:
        _searched.add(name)
        if name.partition(".")[0] != "memtop":
            _caches.extend(one for one in _caches_in(sys.modules[name]) if _is_large(one) and one not in _caches)


def _caches_in(module: ModuleType) -> Iterator[Any]:
    """The caches of its functions and of the methods of its classes."""
    for one in list(vars(module).values()):
        for part in list(vars(one).values()) if issubclass(type(one), type) else (one,):
            wraps = type(part) in (classmethod, staticmethod)
            function = part.__func__ if wraps else part.fget if type(part) is property else part
            if type(function) is _LruCache:
                yield function


def _is_large(cache: Any) -> bool:
    most = cache.cache_parameters()["maxsize"]
    return most is None or most > ENTRIES_KEPT


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
