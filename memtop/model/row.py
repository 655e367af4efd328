"""A line of the list at one instant: the row of a process, the key of any row, and the row of the machine.

None always means unknown, never "none of it". A row object is reused from frame to frame while nothing in it has
changed, so a view may compare rows by identity to know what to draw again.

Modules with tuples that a run of one sample imports do not use ``from __future__ import annotations``, because
NamedTuple compiles each annotation that is a string. All of them took 5 ms of 45, the first one 1 ms. Names that are
imported only for type checking are therefore ``object`` at run time.
"""

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from memtop.process_key import ProcessKey
from memtop.sanitize import clean

if TYPE_CHECKING:
    from memtop.analysis.ledger.process import ProcessSizes
    from memtop.model.group import GroupKey, GroupRow
    from memtop.procfs.membership import CgroupNames
    from memtop.program_name import ProgramName
else:
    CgroupNames = GroupKey = GroupRow = ProcessSizes = ProgramName = object


class Note(Enum):
    """Why a process has no ordinary numbers."""

    NONE = ""
    KERNEL = "kernel thread: it has no memory of its own"
    ZOMBIE = "zombie: it has ended and holds no memory; its parent has not collected its exit status"
    LEADER_GONE = "main thread has ended, memory read from another thread"
    DENIED = "not permitted"
    GONE = "gone"
    OOM_KILLED = "OOM-killed"


class ProcessRow(NamedTuple):
    """One process at one instant. Sizes in bytes, rates per second; None means unknown."""

    key: ProcessKey
    pid: int
    ppid: int | None
    uid: int | None
    user: str
    """Login name, or the number while the name is unknown."""
    state: str
    """One letter of proc_pid_stat(5), or ``?``."""
    name: str
    """The kernel's 15 bytes of name, cleaned."""
    command: str
    """The command line, cleaned, or the name in brackets if there is none."""
    name_raw: bytes
    command_raw: bytes | None
    virt_bytes: int | None
    rss_bytes: int | None
    anon_bytes: int | None
    """RssAnon: resident minus shared of statm."""
    file_bytes: int | None
    shmem_bytes: int | None
    shr_bytes: int | None
    swap_bytes: int | None
    peak_rss_bytes: int | None
    page_tables_bytes: int | None
    mem_percent: float | None
    """RES as a percentage of the machine's RAM."""
    growth_bytes_per_min: float | None
    """Change of RES over the last minute, or since first seen if that is less; None in its first two seconds."""
    minflt: int | None
    majflt: int | None
    minflt_per_s: float | None
    majflt_per_s: float | None
    cpu_percent: float | None
    """Percentage of one core."""
    threads: int | None
    oom_score: int | None
    oom_score_adj: int | None
    trend: tuple[int | None, ...]
    """RES over the last two minutes, oldest first: 0 to 6 within its own range, None before it was seen."""
    started_s: float | None
    """Start, seconds since the epoch."""
    note: Note
    gone_s: float | None = None
    """When it was found to have ended, seconds since the epoch; None while it is alive."""
    verdict: str = ""
    """Severity and shape of its memory curve, as a sign of two cells; empty before there is a verdict."""
    verdict_rank: int | None = None
    """The sign as a number for sorting: a higher number is worse."""
    limit_percent: float | None = None
    """Working set of the cgroup with the binding limit, as a percentage of that limit; None without one, or if it is
    not read."""
    oom_rank: int | None = None
    """OOM rank among all candidates of the machine; 1 is killed first. None if it is not computed."""
    pss_bytes: int | None = None
    """PSS: each resident page divided by the number of its mappings. It is read only while it is shown."""
    uss_bytes: int | None = None
    """USS: pages that no other process maps. They are read only while they are shown."""
    hugetlb_bytes: int | None = None
    """HugetlbPages: huge pages of a pool, RAM that RES leaves out; read with the status file."""
    same_memory_as: int | None = None
    """PID of its parent if both have one address space (vfork, CLONE_VM), which sums count once; None if not."""

    @property
    def sizes(self) -> ProcessSizes:
        """The figures of its ledgers."""
        from memtop.analysis.ledger.process import ProcessSizes  # noqa: PLC0415 (2.2 ms; a sample as JSON does without)

        return ProcessSizes(self.virt_bytes, self.rss_bytes, self.swap_bytes, self.hugetlb_bytes)

    names: CgroupNames | None = None
    """Path of its cgroup, and its container, pod and unit; None where it was not looked up, or cannot be."""

    @property
    def cgroup(self) -> str:
        """Path of the cgroup that accounts its memory; empty where unknown."""
        return self.names.path if self.names is not None else ""

    @property
    def unit(self) -> str:
        """systemd's unit, that of the container's inside for a process in a container; empty for none, or unknown."""
        return (self.names.owner.unit or "") if self.names is not None else ""

    @property
    def container(self) -> str:
        """Id or name of its container; empty for none, or unknown."""
        return (self.names.owner.container or "") if self.names is not None else ""

    @property
    def pod(self) -> str:
        """Uid of its pod; empty for none, or unknown."""
        return (self.names.owner.pod or "") if self.names is not None else ""

    @property
    def _program(self) -> ProgramName:
        from memtop.program_name import program_name  # noqa: PLC0415 (3 ms; a sample as JSON does without)

        return program_name(self.command_raw or b"")

    @property
    def short_command(self) -> str:
        """The command line, cleaned, without the path of its program or the options of its interpreter."""
        return clean(self._program.short) if self.command_raw else self.command

    @property
    def own_command(self) -> str:
        """``short_command`` without an interpreter: the script, module or main class first."""
        own = self._program.own if self.command_raw else b""
        return clean(own) or self.short_command

    @property
    def program_names(self) -> tuple[str, ...]:
        """The names of the program, cleaned: the kernel's, the file's, and that of the script, module or main class."""
        return (self.name, *(map(clean, self._program.names) if self.command_raw else ()))

    @property
    def program(self) -> str:
        """The program that a person means: the script, module or main class, else the file, else the kernel's name."""
        names = self._program.names if self.command_raw else ()
        return (clean(names[-1]) if names else "") or self.name

    @property
    def oom_share_permille(self) -> int | None:
        """The share of RAM and swap that corresponds to its oom_score, in thousandths; None if that is unknown."""
        if self.oom_score is None or self.oom_score_adj is None:
            return None
        from memtop.analysis.limits.oom_score import share_permille  # noqa: PLC0415 (1.8 ms; a column that is rarely on screen)

        return share_permille(self.oom_score, self.oom_score_adj)


class SystemRow(NamedTuple):
    """The machine at one instant. Sizes in bytes, rates per second; None means unknown."""

    mem_total_bytes: int | None
    mem_available_bytes: int | None
    mem_free_bytes: int | None
    swap_total_bytes: int | None
    swap_free_bytes: int | None
    pgfault_per_s: float | None
    pgmajfault_per_s: float | None
    oom_kills: int | None
    """Kernel OOM kills since memtop started."""
    oom_kills_boot: int | None
    """Kernel OOM kills since boot."""
    psi_memory_some_avg10: float | None
    psi_memory_full_avg10: float | None
    processes: int | None
    """None if only some processes are read."""


if TYPE_CHECKING:
    Row = ProcessRow | GroupRow
    """A line of the list."""
    RowKey = ProcessKey | GroupKey
else:
    Row = RowKey = object
