"""IncidentReport: what deserves attention on the machine, and what was not looked at."""

from __future__ import annotations

from typing import NamedTuple

from memtop.analysis.incidents import Incident


class Unseen(NamedTuple):
    """What the incidents say nothing about. Counts."""

    hidden: int | None = 0
    """Processes that /proc does not let memtop read (hidepid); None where it does not even list them."""
    unplaced: int = 0
    """Processes whose cgroup has not been looked up yet, or is not known."""
    unread_cgroups: int = 0
    """Cgroups whose limit has not been read yet, or cannot be."""
    only: int | None = None
    """Processes that were asked for, where not all of them were read; None where they were."""
    unassessed: int = 0
    """Processes that are not watched: their ulimits and the number of their mappings were not read."""


class IncidentReport(NamedTuple):
    """The incidents that stand at one instant, the worst first."""

    standing: tuple[Incident, ...] = ()
    unseen: Unseen = Unseen()
    watched_s: float = 0.0
    """For how long the machine has been watched, without gaps in sampling: what has grown before is not known."""
    verdict_s: float = 90.0
    """After so long slow growth is confirmed, so that its absence can be said too."""
    clock_offset_s: float = 0.0
    """Seconds since the epoch, minus the clock of :attr:`Incident.since_s`."""
    grows_unseen: str = ""
    """What grows of a process that was asked for or is in focus, while its RES does not: its fork family as a whole,
    or memory outside RES; empty for none."""
    killed_before: tuple[tuple[str, int], ...] = ()
    """Names of cgroups in which the OOM killer had killed before memtop started, and how often; most kills first."""

    def since_wall_s(self, incident: Incident) -> float:
        """When an incident began, seconds since the epoch."""
        return incident.since_s + self.clock_offset_s
