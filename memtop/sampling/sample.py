"""What was read at one instant: the facts, before any judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memtop.process_key import ProcessKey
from memtop.procfs.meminfo import Meminfo
from memtop.procfs.pressure import Pressure
from memtop.procfs.stat import PidStat
from memtop.procfs.statm import Statm
from memtop.procfs.status import PidStatus
from memtop.procfs.vmstat import Vmstat
from memtop.sources.protocol import Exit

if TYPE_CHECKING:
    from memtop.sampling.cgroups import CgroupSample


class ProcessSample:
    """What is known of one process: the sampler's own record, brought up to date in place at every tick.

    Only the engine reads it, in the sampler's thread, between two ticks.
    """

    __slots__ = (
        "changed",
        "command_raw",
        "execs",
        "key",
        "leader_gone",
        "name_raw",
        "oom_score",
        "oom_score_adj",
        "stat",
        "stat_before",
        "stat_before_s",
        "stat_s",
        "statm",
        "status",
        "uid",
        "user",
    )

    def __init__(self, key: ProcessKey, name_raw: bytes) -> None:
        self.key = key
        self.name_raw = name_raw
        self.command_raw: bytes | None = None
        """Arguments separated by NUL, at most 4 KiB; None while unread or unreadable, empty for kernel threads."""
        self.uid: int | None = None
        self.user: str = ""
        self.statm: Statm | None = None
        """None where unreadable, and for zombies and kernel threads, which have no memory."""
        self.stat: PidStat | None = None
        self.stat_s: float = 0.0
        """When stat was read, on the clock of Instant.mono_s."""
        self.stat_before: PidStat | None = None
        """The reading before, for rates; None after the first and after an exec."""
        self.stat_before_s: float = 0.0
        self.status: PidStatus | None = None
        self.oom_score: int | None = None
        self.oom_score_adj: int | None = None
        self.leader_gone: bool = False
        """The main thread has ended while others live; statm was read from one of them."""
        self.execs: int = 0
        """How many times it was seen to exec; its history starts anew each time."""
        self.changed: bool = True
        """Whether anything in here differs from the tick before."""


class SystemSample(NamedTuple):
    """What was read of the machine; None where it could not be."""

    meminfo: Meminfo | None
    vmstat: Vmstat | None
    pressure: Pressure | None


class Sample(NamedTuple):
    """Everything that was read at one instant."""

    wall_s: float
    mono_s: float
    system: SystemSample
    processes: dict[int, ProcessSample]
    """By pid."""
    gone: tuple[ProcessKey, ...]
    """Those of the sample before that have ended since."""
    exits: tuple[Exit, ...]
    """What is known of the end of watched processes."""
    hidden: int
    """Listed processes that may not be read (hidepid)."""
    problems: tuple[str, ...] = ()
    cgroups: CgroupSample | None = None
    """Limits; None in tests that have none."""
