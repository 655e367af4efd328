"""Imports Textual without modules that the dashboard does not need, or not yet: they take RES, and time at the start.

It imports nothing large, because it must come before Textual.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, Final

OPTIONAL: Final = ("ssl", "bz2", "lzma")
"""Modules that the standard library imports if it can: asyncio imports OpenSSL, which costs 4 MB of RES, and shutil
imports the compressors."""
LATE: Final = {
    "asyncio.sslproto": (),
    "difflib": ("get_close_matches",),
    "mimetypes": (),
    "platformdirs": ("user_downloads_path",),
    "textual.types": (),
    "typing_extensions": (),
    "uuid": ("uuid4",),
}
"""Modules that are imported when something of them is used, each with the functions that others import by name."""
_SAME: Final = {"textual.types": "textual._types", "typing_extensions": "typing"}
"""Modules that have most of what these only pass on."""


class _Late(ModuleType):
    """Stands for a module, and imports it when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system looks for them
            raise AttributeError(name)
        if name in LATE[self.__name__]:
            return partial(self._call, name)
        if (same := _SAME.get(self.__name__)) and hasattr(import_module(same), name):
            return getattr(import_module(same), name)
        return getattr(self._module(), name)

    def _module(self) -> ModuleType:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return import_module(self.__name__)

    def _call(self, name: str, *given: object, **named: object) -> object:
        function: Callable[..., object] = getattr(self._module(), name)
        return function(*given, **named)


@contextmanager
def without_unneeded(keep: Container[str] = ()) -> Iterator[None]:
    """Keep the OPTIONAL modules but for ``keep``, and the LATE ones, out of the imports in this block.

    No other thread may import an optional one meanwhile. After the block all can be imported, as metrics over https do.
    """
    optional = [name for name in OPTIONAL if name not in keep and name not in sys.modules]
    late = {name: _Late(name) for name in LATE if name not in sys.modules}
    sys.modules.update(dict.fromkeys(optional))  # type: ignore[arg-type]  # None: the import fails
    sys.modules.update(late)
    try:
        yield
    finally:
        for name in optional:
            del sys.modules[name]
        for name, module in late.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
