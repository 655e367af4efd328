"""What a recording is written to: a file or a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from memtop.sources.recording.tick import Block


class Sink(Protocol):
    """Where blocks go: a file or a pipe. Each method may raise RecordingError or OSError."""

    @property
    def path(self) -> str:
        """Its name."""
        ...

    @property
    def gone(self) -> str:
        """What is said where the blocks go nowhere."""
        ...

    @property
    def silent(self) -> str:
        """What is said where it takes no block for some time."""
        ...

    @property
    def waiting_bytes(self) -> int:
        """Most memory that ticks may use while they wait for it."""
        ...

    @property
    def removed(self) -> bool:
        """Whether it is known that the blocks go nowhere."""
        ...

    def write(self, blocks: Sequence[Block]) -> None:
        """Write blocks, all or none."""
        ...

    def keep_house(self) -> None:
        """Do what is due from time to time."""
        ...

    def look(self) -> bool:
        """Whether it is still there."""
        ...

    def size_bytes(self) -> int:
        """What was written to it."""
        ...

    def finish(self, *, complete: bool) -> None:
        """Write no more. ``complete`` is whether it got every block."""
        ...
