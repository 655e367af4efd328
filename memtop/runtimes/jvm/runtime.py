"""The JVM as a runtime of the protocol. Its readers and analysis are imported with the first JVM."""

# ruff: noqa: PLC0415 (most processes are no JVM; these modules take 21 ms to import)

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from memtop.runtimes.protocol import Access, Detected, Identity, ProcessFiles, Reader, Tracker


def _counters(access: Access, pid: int, argument: str) -> bytes:
    from memtop.runtimes.jvm.reading import read_counters

    return read_counters(access, pid)


class _Jvm:
    """The JVM as a Runtime; see the module."""

    __slots__ = ()
    name: Final = "jvm"
    takes_address: Final = False
    readers: Final[Mapping[str, Reader]] = {"jvm": _counters}

    def detect(self, files: ProcessFiles) -> Detected | None:
        """Detect a JVM by its library."""
        return Detected() if "libjvm.so" in files.mapped else None

    def owns(self, identity: Identity) -> bool:
        """Whether detection found it."""
        return identity.runtime == self.name

    def track(self) -> Tracker:
        """A new tracker."""
        from memtop.runtimes.jvm.tracker import JvmTracker

        return JvmTracker()


JVM: Final = _Jvm()
