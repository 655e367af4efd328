"""The sampler's record of one process from tick to tick. Only the ProcessSample made of it leaves the sampler."""

from __future__ import annotations

from typing import Final

from memtop.process_key import ProcessKey
from memtop.procfs.stat import PidStat
from memtop.procfs.statm import Statm
from memtop.procfs.status import PidStatus
from memtop.sampling.sample import ProcessSample, folder_of

STALE_TICKS: Final = 10
"""Ticks after which status and oom_score are read again even if statm has not changed."""
NEVER: Final = -STALE_TICKS
"""A tick that is long ago. It is one object for all processes."""


class ProcessRecord:
    """The fields of a ProcessSample, updated in place, and the bookkeeping of their readings."""

    __slots__ = (
        "command_raw",
        "command_wanted",
        "execs",
        "key",
        "living_tid",
        "name_raw",
        "oom_score",
        "oom_score_adj",
        "oom_tick",
        "own_memory",
        "same_memory_as",
        "stat",
        "stat_before",
        "stat_before_s",
        "stat_raw",
        "stat_read_s",
        "stat_s",
        "statm",
        "statm_raw",
        "statm_tick",
        "status",
        "status_tick",
        "still",
        "uid",
        "user",
        "user_wanted",
    )

    def __init__(self, key: ProcessKey, name_raw: bytes) -> None:
        self.key = key
        self.name_raw = name_raw
        self.command_raw: bytes | None = None
        self.uid: int | None = None
        self.user = ""
        self.statm: Statm | None = None
        self.stat: PidStat | None = None
        self.stat_s = 0.0
        self.stat_before: PidStat | None = None
        self.stat_before_s = 0.0
        self.status: PidStatus | None = None
        self.oom_score: int | None = None
        self.oom_score_adj: int | None = None
        self.living_tid: int | None = None
        self.execs = 0
        self.same_memory_as: int | None = None
        self.own_memory = False
        """Whether it is known to have an address space of its own, which stays so until its end."""

        self.statm_raw = b""
        self.statm_tick = -1
        """Tick at which statm changed last."""
        self.stat_raw = b""
        self.stat_read_s = 0.0
        """When stat was last read, changed or not, on the clock of Instant.mono_s."""
        self.still = False
        """Whether stat was the same twice, so the rates are 0."""
        self.status_tick = NEVER
        self.oom_tick = NEVER
        self.command_wanted = True
        self.user_wanted = False

    @property
    def folder(self) -> str:
        """The directory of its files: see ProcessSample.folder."""
        return folder_of(self.key.pid, self.living_tid)

    def become_another_program(self) -> None:
        """Drop what was read of the previous program, after an exec. Its arguments are not those of the new one."""
        self.execs += 1
        self.own_memory = False
        self.command_raw = None
        self.stat_before = None
        self.status = None
        self.status_tick = self.oom_tick = NEVER

    def sample(self) -> ProcessSample:
        """The current state of the process."""
        return ProcessSample(
            self.key,
            self.name_raw,
            self.command_raw,
            self.uid,
            self.user,
            self.statm,
            self.stat,
            self.stat_s,
            self.stat_before,
            self.stat_before_s,
            self.status,
            self.oom_score,
            self.oom_score_adj,
            self.living_tid,
            self.execs,
            self.same_memory_as,
        )
