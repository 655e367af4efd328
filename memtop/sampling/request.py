"""The request for one sample: which processes, which of their files, and which of the machine's."""

from enum import Flag, auto
from typing import NamedTuple

from memtop.process_key import ProcessKey


class Need(Flag):
    """Readings beyond statm, which is read of every process at every tick.

    Columns and panels declare the ones they need.
    """

    NONE = 0
    STAT = auto()
    STATUS = auto()
    OOM = auto()
    CGROUP = auto()
    MEMBERSHIP = auto()
    """/proc/PID/cgroup at once; without this every process is looked up in turn."""
    GROUPS = auto()
    """The cgroups of all processes, and their readings, from the first sample on."""
    VICTIM = auto()
    """oom_score_adj of every process, to compute the order in which the OOM killer would kill them."""
    ROLLUP = auto()
    """smaps_rollup, which costs the process something, so it is read in turn; see :mod:`memtop.sampling.smaps`."""
    MAPPINGS = auto()
    """smaps of the process in focus, which costs it more."""
    FAMILY = auto()
    """smaps_rollup of the fork relatives of the process in focus."""
    FAMILY_SOON = auto()
    """With FAMILY: the user waits for its first readings, so they follow each other without a pause."""
    RELATIVES = auto()
    """All processes, to know the fork relatives of the process in focus."""
    LAZY_FREE = auto()
    """smaps_rollup of the process in focus, for memory that it has freed and the kernel has not reclaimed."""
    LIMITS = auto()
    """oom_score_adj of every process, to compute the rank of the process in focus."""
    MACHINE = auto()
    """What the Machine panel shows beside meminfo and vmstat: slab caches, tmpfs mounts, swap areas."""
    RUNTIME = auto()
    """The settings and sockets of the runtime of the process in focus, read repeatedly."""


class ReadingsRequest(NamedTuple):
    """The readings that a view needs."""

    focus: ProcessKey | None = None
    """The process whose detail is shown."""
    visible: frozenset[ProcessKey] = frozenset()
    """Rows on screen. Their needs are read at every tick, those of other rows in turn."""
    needs: Need = Need.STAT
    """Readings for the visible rows."""
    needs_all: Need = Need.NONE
    """Readings for every row at every tick, because the order or the filter depends on them."""
    focus_needs: Need = Need.NONE
    """Readings for the process in focus, because a panel shows them."""
    smaps: bool = True
    """Whether smaps and smaps_rollup may be read at all."""
    whole_smaps: bool = False
    """With ``once``: read smaps of a process of any size, instead of its pagemap in pieces."""
    go_urls: tuple[tuple[int | None, str], ...] = ()
    """(PID, address) of Go programs whose metrics are read; None for the process on the command line."""
    once: bool = False
    """There will be no later tick. Everything is read at this one, whatever it costs, and waited for."""
    alone: bool = False
    """Near a limit, do not read the other processes too, of which one may be killed first: a recording of one process
    stays small."""
    patient: bool = False
    """The first sample waits until names are known, because no person sits before an empty screen."""
    runtimes: bool = False
    """Read the runtimes of all processes of the command line, instead of the process in focus only."""
    outlooks: bool = False
    """Assess all processes of the command line in full: limits, verdict, findings."""
    delay_s: float = 1.0
    """Planned time between samples. A much longer one is a gap (suspend, a stopped memtop)."""

    @property
    def row_needs(self) -> Need:
        """Readings that any row needs."""
        return self.needs | self.needs_all


class SamplePlan(NamedTuple):
    """The readings of one sample: what a view needs, and what the engine adds."""

    readings: ReadingsRequest = ReadingsRequest()
    pids: frozenset[int] | None = None
    """Processes to be read; None for all. With PIDs, the cost does not grow with /proc."""
    with_relatives: bool = False
    """With ``pids``, their fork relatives are read too: what they take together is judged."""
    family: frozenset[ProcessKey] = frozenset()
    """Fork relatives of the process in focus, read as often as visible rows, because their faults show which of them
    copies."""
    watched: tuple[int, ...] = ()
    """PIDs whose end is reported."""
    holders: bool = False
    """Whether it is of interest which processes have large page tables, huge pages or many threads. Only those with
    much address space can: stat and status are read of these."""
    parents: frozenset[int] = frozenset()
    """PIDs whose new children are watched from the first sample that lists them."""
    cgroups: tuple[str, ...] = ()
    """Directories of cgroups on screen. A few of them are read at every tick."""
    interval_s: float = 1.0
    """Time between samples: as planned, or that of a recording whose samples are further apart."""
    assessed: tuple[ProcessKey, ...] = ()
    """Processes that are assessed in full: the one in focus, then those of the command line if requested."""
    in_turn: frozenset[ProcessKey] = frozenset()
    """Of those, the processes that are assessed when something about them has changed, and else in turn: in a recording
    all that were not asked for by name."""
