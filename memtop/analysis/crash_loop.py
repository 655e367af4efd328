"""The rule on crash loops: when a program that crashes and comes back is in one; the facts of its sentence."""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.analysis.limits.large import FAILED_BYTES
from memtop.process_key import ProcessKey

RESTARTS: Final = 2
"""Restarts from which on a program is in a loop that the OOM killer or a signal ended, or that was large ..."""
RESTARTS_OF_SMALLER: Final = 3
"""... and any other: a command that a person repeats once or twice is no loop."""
QUIET_S: Final = 120.0
"""A loop is over when it has not restarted for so long, or for three times its usual interval."""
_STEP_S: Final = 5.0
_SIGKILL: Final = 9


class LoopFacts(NamedTuple):
    """A program that ends and comes back. Times are on the clock of Instant.mono_s."""

    key: ProcessKey
    """The life to be shown: the successor, or the latest that ended."""
    first: ProcessKey
    """The first life, which stands for all of them."""
    keys: frozenset[ProcessKey]
    """The latest lives that have ended."""
    name: str
    restarts: int
    since_s: float
    """When its first end was noticed."""
    restarted_s: float
    """When it came back last."""
    mean_s: float | None
    """Time from restart to restart; None before there are two."""
    ends: int
    """Number of ends that are remembered."""
    alike: int
    """How many of them had the cause of the last one."""
    is_oom: bool
    signal: int | None
    exit_code: int | None
    peak_bytes: int | None
    """Median over the lives that ended alike."""
    large: bool
    cgroup_path: str = ""
    cgroup_name: str = ""
    limit_name: str = ""
    """The limit at which the last one was OOM-killed; empty if that is unknown, or if it was not."""
    limit_bytes: int | None = None
    limit_path: str | None = None
    """Directory of its cgroup; None where it is not certain whose it was."""
    limit_file: str | None = None
    """The file that takes a higher limit; None where there is none."""
    kills: int | None = None
    """OOM kills in its cgroup since that was made; None where they are not counted."""

    @property
    def about_memory(self) -> bool:
        """Whether memory may be the cause: the OOM killer, a signal of its own doing, or a process of notable size.

        A small process that got SIGKILL, and not from the OOM killer, was ended by another program.
        """
        return self.is_oom or self.is_sizable or self.signal not in (None, _SIGKILL)

    @property
    def is_sizable(self) -> bool:
        """Whether its runs were large, or usually reached some tens of MiB."""
        return self.large or (self.peak_bytes or 0) >= FAILED_BYTES

    def is_loop(self, now_s: float) -> bool:
        """Whether it has come back often enough, and has not stopped to do so.

        Once is enough where the OOM killer has been in its cgroup before memtop started.
        """
        quiet_s = max(QUIET_S, 3 * (self.mean_s or 0.0))
        known = self.is_oom and self.kills is not None and self.kills > self.ends
        certain = self.is_oom or self.large or self.signal is not None
        needed = 1 if known else RESTARTS if certain else RESTARTS_OF_SMALLER
        return self.restarts >= needed and now_s - self.restarted_s <= quiet_s

    def numbers(self, now_s: float) -> dict[str, float | str]:
        """The facts of the sentence about it. Those that are unknown are left out."""
        found: dict[str, float | str | None] = {
            "restarts_count": self.restarts,
            "restarted": "once" if self.restarts == 1 else f"{self.restarts} times",
            "loop_s": max(_STEP_S, (now_s - self.since_s) // _STEP_S * _STEP_S),
            "each": "that run ended"
            if self.ends == 1
            else "each run ends"
            if self.alike == self.ends
            else f"{self.alike} of {self.ends} runs ended",
            "end_bytes": self.peak_bytes,
        }
        if self.is_oom:
            known = bool(self.limit_name) and self.limit_bytes is not None
            found["oom"] = "OOM"
            found["limit_file"] = self.limit_file
            if self.kills is not None and self.kills > self.ends:
                found["kills_count"] = self.kills
            found |= {"limit_name": self.limit_name, "limit_bytes": self.limit_bytes} if known else {"killer": "OOM"}
        elif self.signal is not None:
            found["signal_number"] = self.signal
        elif self.exit_code is not None:
            found["code"] = self.exit_code
        else:
            found["how"] = "unknown"
        return {name: value for name, value in found.items() if value is not None}
