"""Runtimes that report nothing of their own, recognized by the names of their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from memtop.runtimes.protocol import Detected, Identity, ProcessFiles, Reader, Tracker

if TYPE_CHECKING:
    from memtop.runtimes.native.advice import Advice, Observed


@dataclass(frozen=True, slots=True)
class MappedRuntime:
    """A runtime that is known by a library it maps, or by the name of its executable."""

    name: str
    title: str
    part: str
    """A part of every name that the pattern matches: most processes have none, and need no pattern compiled."""
    pattern: str
    """Matches the name of a library, or of an executable; its first group that matches is the version."""
    objects: str = ""
    """How its objects can be seen, which memtop does not see; empty for nothing to say."""
    topic: str = "allocators"
    """The topic that explains its memory."""
    kept_by: str = ""
    """Name of the Advice on why it keeps freed memory; empty for none of its own."""
    advise: Callable[[Observed, Sequence[str]], list[Advice]] | None = None
    """More advice, from the kernel's figures and the command line."""
    takes_address: bool = False
    readers: Mapping[str, Reader] = field(default_factory=dict)

    def detect(self, files: ProcessFiles) -> Detected | None:
        """Libraries count wherever they are mapped; executables only as the process's own."""
        if not self.part:
            return None
        own = files.exe_name
        for name in sorted(files.mapped | ({own} if own else set())):
            match = re.match(self.pattern, name) if self.part in name else None
            if match and (".so" in name or name == own):
                return Detected(next((group for group in match.groups() if group), None))
        return None

    def owns(self, identity: Identity) -> bool:
        """Whether detection found it."""
        return identity.runtime == self.name

    def track(self) -> Tracker:
        """A tracker of its identity."""
        # Most processes are never asked; the tracker brings the advice and its sentences.
        from memtop.runtimes.native.tracker import NativeTracker  # noqa: PLC0415

        return NativeTracker(self)


UNKNOWN: Final = MappedRuntime("", "", "", "")
"""A process without a runtime that memtop knows."""
