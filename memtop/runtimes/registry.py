"""The table of runtimes: one line adds one. The first that detects a process wins.

One that ends a program when its heap is full also has the names of such programs in ``program_names``.
"""

from __future__ import annotations

from typing import Final

from memtop.errors import Unavailable
from memtop.runtimes.go.runtime import GO
from memtop.runtimes.identity import encode_identity, read_identity
from memtop.runtimes.jvm.runtime import JVM
from memtop.runtimes.native.languages import CPYTHON, DOTNET, NODE, PHP, RUBY
from memtop.runtimes.native.runtime import UNKNOWN
from memtop.runtimes.protocol import Access, Identity, Runtime

IDENTITY: Final = "identity"
"""The reading that finds out which runtime a process has."""


class Registry:
    """Runtimes in the order in which they are tried."""

    def __init__(self, *runtimes: Runtime) -> None:
        self._runtimes = runtimes
        self._readers = {name: reader for runtime in runtimes for name, reader in runtime.readers.items()}

    def of(self, identity: Identity | None) -> Runtime:
        """The runtime of a process; UNKNOWN if it has none, or none yet."""
        if identity is None:
            return UNKNOWN
        return next((each for each in self._runtimes if each.owns(identity)), UNKNOWN)

    def with_address(self) -> Runtime:
        """The runtime whose figures are read from an address that the user gives; UNKNOWN if there is none."""
        return next((each for each in self._runtimes if each.takes_address), UNKNOWN)

    def read(self, access: Access, pid: int, name: str, argument: str) -> bytes:
        """The answer to ``proc/PID/runtime/NAME#ARGUMENT``. It runs on the blocking thread.

        Raises OSError, ParseError and MemtopError.
        """
        if name == IDENTITY:
            return encode_identity(read_identity(self._runtimes, access, pid))
        if name not in self._readers:
            raise Unavailable(f"{name}: no such reading")
        return self._readers[name](access, pid, argument)


REGISTRY: Final = Registry(GO, JVM, CPYTHON, NODE, RUBY, PHP, DOTNET)
