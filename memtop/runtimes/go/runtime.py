"""Go as a runtime of the protocol. Its readers and analysis are imported with the first Go program."""

# ruff: noqa: PLC0415 (most processes are not Go programs; these modules take 37 ms to import)

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from memtop.runtimes.go.buildinfo import extract_build_info
from memtop.runtimes.protocol import Access, Detected, Identity, ProcessFiles, Reader, Tracker


def _environ(access: Access, pid: int, argument: str) -> bytes:
    from memtop.runtimes.go.reading import read_environ

    return read_environ(access, pid)


def _container(access: Access, pid: int, argument: str) -> bytes:
    from memtop.runtimes.container_limit import read_container

    return read_container(access, pid)


def _listeners(access: Access, pid: int, argument: str) -> bytes:
    from memtop.runtimes.go.reading import read_listeners

    return read_listeners(access, pid)


def _metrics(access: Access, pid: int, argument: str) -> bytes:
    from memtop.runtimes.go.reading import read_metrics

    return read_metrics(access, pid, argument)


class _Go:
    """Go as a Runtime; see the module."""

    __slots__ = ()
    name: Final = "go"
    takes_address: Final = True
    readers: Final[Mapping[str, Reader]] = {
        "environ": _environ,
        "container": _container,
        "listeners": _listeners,
        "metrics": _metrics,
    }

    def detect(self, files: ProcessFiles) -> Detected | None:
        """Detect Go by the build information that its linker leaves.

        Raises ParseError for a file that is no ELF file.
        """
        with files.executable() as read_at:
            build = extract_build_info(read_at) if read_at is not None else b""
        return Detected(build=build) if build else None

    def owns(self, identity: Identity) -> bool:
        """Whether detection found Go, by name or by build information alone.

        Old recordings name no runtime if maps could not be read.
        """
        return identity.runtime == self.name or (identity.runtime is None and bool(identity.build))

    def track(self) -> Tracker:
        """A new tracker."""
        from memtop.runtimes.go.tracker import GoTracker

        return GoTracker()


GO: Final = _Go()
