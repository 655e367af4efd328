"""The Sample: the facts that were read at one instant, before any analysis."""

from collections.abc import Collection, Mapping, Set
from itertools import compress
from operator import is_not
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
    from memtop.procfs.dentry_state import DentryState
    from memtop.procfs.membership import CgroupNames
    from memtop.sampling.cgroup_reading import CgroupSample
    from memtop.sampling.machine_reading import MachineReading
else:
    CgroupNames = CgroupSample = DentryState = MachineReading = object  # see memtop.model.row


def folder_of(pid: int, living_tid: int | None) -> str:
    """The directory in which a process's files answer: that of a living thread if the main thread has ended."""
    return f"proc/{pid}" if living_tid is None else f"proc/{pid}/task/{living_tid}"


class ProcessSample(NamedTuple):
    """One process at one instant.

    It is immutable. A process that has not changed keeps the object of the previous instant, so two samples may be
    compared by identity.
    """

    key: ProcessKey
    name_raw: bytes
    command_raw: bytes | None = None
    """Arguments separated by NUL, at most 4 KiB; None while unread or unreadable, empty for kernel threads."""
    uid: int | None = None
    user: str = ""
    statm: Statm | None = None
    """None if unreadable, and for zombies and kernel threads, which have no memory."""
    stat: PidStat | None = None
    stat_s: float = 0.0
    """When stat last changed, on the clock of Instant.mono_s."""
    stat_before: PidStat | None = None
    """The previous reading, for rates; None after the first and after an exec."""
    stat_before_s: float = 0.0
    status: PidStatus | None = None
    oom_score: int | None = None
    oom_score_adj: int | None = None
    living_tid: int | None = None
    """A living thread, if the main thread has ended; None while that lives."""
    execs: int = 0
    """Number of execs that were seen. Its history starts again at each."""
    same_memory_as: int | None = None
    """PID of its parent if both have one address space (vfork, CLONE_VM); None if not, or unknown."""

    @property
    def leader_gone(self) -> bool:
        """Whether the main thread has ended while others live."""
        return self.living_tid is not None

    @property
    def ending(self) -> bool:
        """Whether it has ended or begun to end. One whose main thread alone has ended lives on."""
        return self.stat is not None and self.stat.ending and not self.leader_gone

    @property
    def folder(self) -> str:
        """The directory of its files.

        For a main thread that has ended the kernel shows no memory, mounts or program.
        """
        return folder_of(self.key.pid, self.living_tid)


class SystemSample(NamedTuple):
    """The readings of the machine; None for what could not be read."""

    meminfo: Meminfo | None
    vmstat: Vmstat | None
    pressure: Pressure | None
    dentries: DentryState | None = None
    """Not read for the first sample."""
    per_cpu_bytes: int | None = None
    """Free pages on the lists of the CPUs, which MemFree leaves out. They are read at the same instant as MemFree,
    because the two exchange pages all the time, and only while the Machine panel is on screen."""


class Sample(NamedTuple):
    """Everything that was read at one instant."""

    wall_s: float
    mono_s: float
    system: SystemSample
    processes: dict[int, ProcessSample]
    """By pid."""
    gone: tuple[ProcessKey, ...]
    """Processes of the previous sample that have ended since."""
    exits: tuple[Exit, ...]
    """Exits of watched processes."""
    hidden: int | None
    """Number of processes that may not be read (hidepid); None where /proc does not even list them."""
    problems: tuple[str, ...] = ()
    machine: MachineReading | None = None
    """What the Machine panel wants; None while nothing wants it."""
    cgroups: CgroupSample | None = None
    """Limits; None in the first sample of a run of one, and in tests that have none."""
    names: Mapping[ProcessKey, CgroupNames] = {}
    """Path of the cgroup of each process that was looked up, and its container, pod and unit."""
    moved: Collection[ProcessKey] = ()
    """Processes whose names were found or have changed at this instant."""
    everybody: bool = True
    """Whether all processes of the machine were looked at: not in a sample, or a recording, of only some."""
    own_pid: int | None = None
    """The PID of the memtop that reads, or that has recorded; None if unknown."""
    stat_pids: Set[int] = frozenset()
    """Processes whose stat was read at this instant, whether it has changed or not."""


class SampleChanges(NamedTuple):
    """The processes that have changed from one sample to another."""

    before: Mapping[int, ProcessSample]
    now: Mapping[int, ProcessSample]
    """All of each sample by PID."""
    changed: list[tuple[int, ProcessSample]]
    """Those that have changed or come, as they are now."""

    def are_between(self, before: Mapping[int, ProcessSample], now: Mapping[int, ProcessSample]) -> bool:
        """Whether these are the changes between exactly these samples."""
        return self.before is before and self.now is now


def changes_between(before: Mapping[int, ProcessSample], now: Mapping[int, ProcessSample]) -> SampleChanges:
    """The changes from one sample to another. Most processes have none and are the same object: those cost no
    bytecode."""
    return SampleChanges(before, now, list(compress(now.items(), map(is_not, now.values(), map(before.get, now)))))
