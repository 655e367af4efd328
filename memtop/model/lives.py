"""The lives of one program: the same command that ended and was started again in the same cgroup."""

from __future__ import annotations

from typing import NamedTuple

from memtop.model.assessment import ExitReport
from memtop.process_key import ProcessKey


class Lives(NamedTuple):
    """What is remembered of one program that ended and came back."""

    name: str
    """For people."""
    path: str
    """Directory of its memory cgroup; empty where that is unknown."""
    cgroup_name: str
    """For people; empty where that is unknown."""
    restarts: int
    """Ends after which the program came back, since :attr:`since_s`."""
    since_s: float
    """When the first of them was noticed, on the clock of Instant.mono_s."""
    restarted_s: float
    """When the latest successor was found, on the same clock."""
    ends: tuple[ExitReport, ...]
    """How the latest lives ended, the oldest first."""
    first: ProcessKey
    """The first of all lives: the same as long as the program is remembered."""
    living: ProcessKey | None
    """The successor; None while there is none, or if it has ended too."""

    @property
    def mean_s(self) -> float | None:
        """Time from restart to restart; None before there are two."""
        return (self.restarted_s - self.since_s) / (self.restarts - 1) if self.restarts > 1 else None
