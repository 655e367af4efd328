"""What is asked of one instant, and what was found: the facts, before any judgement."""

from __future__ import annotations

from collections.abc import Callable
from enum import Flag, auto
from typing import TYPE_CHECKING, Final, NamedTuple

from memtop.procfs.meminfo import Meminfo
from memtop.procfs.pressure import Pressure
from memtop.procfs.stat import PidStat
from memtop.procfs.statm import Statm
from memtop.procfs.status import PidStatus
from memtop.procfs.vmstat import Vmstat
from memtop.sources.protocol import Exit

if TYPE_CHECKING:
    from memtop.cgroups import CgroupSample
    from memtop.frame import ProcRow


REGIONS: Final = "regions"
SHARING: Final = "sharing"
"""Names of the panels that dear readings are made for; see :mod:`memtop.smaps`."""
RUNTIME: Final = "runtime"
"""Name of the panel that the insides of runtimes are shown in; see :mod:`memtop.introspection`."""


class ProcKey(NamedTuple):
    """Who a process is. Pid and start time alone collide when pids are reused within one clock tick."""

    pid: int
    start_ticks: int
    life: int = 0
    """Counts the processes seen with the same pid and start time."""


class Need(Flag):
    """The readings beyond statm (which is read for every process at every tick) that something on screen wants."""

    NONE = 0
    STAT = auto()
    STATUS = auto()
    OOM = auto()
    CGROUP = auto()
    VICTIM = auto()
    """oom_score_adj of every process, to reckon whom the OOM killer would take."""
    ROLLUP = auto()
    """smaps_rollup, which costs the target something: in turn; see :mod:`memtop.smaps`."""


class Ask(NamedTuple):
    """What the view wants to know next: small, immutable, the only thing that flows from a view to the engine."""

    focus: ProcKey | None = None
    """The process whose detail is wanted."""
    visible: frozenset[ProcKey] = frozenset()
    """Rows on screen: their needs are read at every tick, those of the others in turn."""
    needs: Need = Need.STAT
    """Readings wanted for the visible rows."""
    needs_all: Need = Need.NONE
    """Readings wanted for every row at every tick, because the order or the filter depends on them."""
    sort: str = "rss_bytes"
    """Attribute of ProcRow."""
    descending: bool = True
    where: Callable[[ProcRow], bool] | None = None
    """The filter; None lets every process pass."""
    where_needs: Need = Need.NONE
    """Readings that the filter depends on."""
    only: frozenset[int] | None = None
    """Pids to be shown, whatever the filter says; None for all."""
    names: tuple[str, ...] = ()
    """Names to be shown beside ``only``: a process matches when its name or command contains one."""
    children: bool = False
    """Show the descendants of ``only`` and ``names`` too."""
    kernel_threads: bool = False
    tree: bool = False
    folded: frozenset[ProcKey] = frozenset()
    frozen: bool = False
    """Show the instant at which freezing began; sampling goes on."""
    cursor_s: float | None = None
    """Wall time to look back at; None for now (or for the frozen instant)."""
    window_s: float | None = None
    """Seconds of past in the chart; None for as much as is known, between half a minute and five."""
    points: int = 120
    """Points of the chart's series."""
    panel: str = ""
    """Name of the panel on screen: what is dear is read for it only."""
    smaps: bool = True
    """Whether smaps and smaps_rollup may be read at all."""
    read_now: int = 0
    """One more than before: read the mappings of the process in focus once, whatever it costs."""
    mark_now: int = 0
    """One more than before: set the mark of the process in focus, or clear it."""
    go_urls: tuple[tuple[int | None, str], ...] = ()
    """(pid, address) of Go programs whose metrics are to be read; None for the process asked for."""
    once: bool = False
    """There will be no later tick: what is asked for is read at this one, whatever it costs, and waited for."""
    runtimes: bool = False
    """Look into the runtimes of those asked for; otherwise of the one in focus only."""
    outlooks: bool = False
    """Judge those asked for as the one in focus is judged: limits, verdict, findings."""
    studied: tuple[ProcKey, ...] = ()
    """Whom that means; the engine fills it in."""
    delay_s: float = 1.0
    """Planned time between samples; a much longer one is a gap (suspend, a stopped memtop)."""

    @property
    def judged(self) -> tuple[ProcKey, ...]:
        """Those that are judged in full: the one in focus, then those asked for where that is wanted."""
        return self.studied if self.focus is None else (self.focus, *(key for key in self.studied if key != self.focus))

    @property
    def everybody(self) -> bool:
        """Whether all processes must be looked at; where not, the cost does not grow with /proc."""
        return self.only is None or bool(self.names) or self.children or self.panel == SHARING


class ProcSample:
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

    def __init__(self, key: ProcKey, name_raw: bytes) -> None:
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
    processes: dict[int, ProcSample]
    """By pid."""
    gone: tuple[ProcKey, ...]
    """Those of the sample before that have ended since."""
    exits: tuple[Exit, ...]
    """What is known of the end of watched processes."""
    hidden: int
    """Listed processes that may not be read (hidepid)."""
    problems: tuple[str, ...] = ()
    cgroups: CgroupSample | None = None
    """Limits; None in tests that have none."""
