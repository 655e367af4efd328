"""What a name of the command line stands for."""

from __future__ import annotations

from typing import NamedTuple


class NameChoice(NamedTuple):
    """A name, the processes that have it, and the other names that contain it."""

    name: str
    exact: int
    """Number of the processes that have exactly this name. They are chosen if there are any."""
    containing: tuple[str, ...] = ()
    """Names of other programs that contain it, the most frequent first. Their processes are chosen if none has it
    exactly."""
    processes: int = 0
    """Number of the processes that have those."""
