"""The request for one sample: which processes, which of their files, and which of the machine's."""

from enum import Flag, auto
from typing import NamedTuple

from memtop.process_key import ProcessKey


class Need(Flag):
    """Readings beyond statm, which is read of every process at every tick. Columns and panels declare theirs."""

    NONE = 0
    STAT = auto()
    STATUS = auto()
    OOM = auto()
    CGROUP = auto()
    MEMBERSHIP = auto()
    """/proc/PID/cgroup at once; without this every process is looked up in turn."""
    VICTIM = auto()
    """oom_score_adj of every process, to compute in which order the OOM killer would take them."""
    ROLLUP = auto()
    """smaps_rollup, which costs the process something: in turn; see :mod:`memtop.sampling.smaps`."""
    MAPPINGS = auto()
    """smaps of the process in focus, which costs it more."""
    FAMILY = auto()
    """smaps_rollup of the fork relatives of the process in focus."""
    LAZY_FREE = auto()
    """smaps_rollup of the process in focus, which reports what it has given back and the kernel has not taken."""
    LIMITS = auto()
    """oom_score_adj of every process, to compute the place of the process in focus."""
    RUNTIME = auto()
    """The settings and sockets of the runtime of the process in focus, again and again."""


class ReadingsRequest(NamedTuple):
    """What a view wants to have read."""

    focus: ProcessKey | None = None
    """The process whose detail is wanted."""
    visible: frozenset[ProcessKey] = frozenset()
    """Rows on screen: their needs are read at every tick, those of the others in turn."""
    needs: Need = Need.STAT
    """Readings wanted for the visible rows."""
    needs_all: Need = Need.NONE
    """Readings wanted for every row at every tick, because the order or the filter depends on them."""
    focus_needs: Need = Need.NONE
    """Readings wanted for the process in focus, because a panel shows them."""
    smaps: bool = True
    """Whether smaps and smaps_rollup may be read at all."""
    whole_smaps: bool = False
    """With ``once``: read smaps of a process of any size, in place of its pagemap in pieces."""
    go_urls: tuple[tuple[int | None, str], ...] = ()
    """(pid, address) of Go programs whose metrics are to be read; None for the process asked for."""
    once: bool = False
    """There will be no later tick: what is wanted is read at this one, whatever it costs, and waited for."""
    runtimes: bool = False
    """Read the runtimes of those asked for; otherwise of the process in focus only."""
    outlooks: bool = False
    """Assess those asked for as the process in focus is assessed: limits, verdict, findings."""
    delay_s: float = 1.0
    """Planned time between samples; a much longer one is a gap (suspend, a stopped memtop)."""

    @property
    def row_needs(self) -> Need:
        """Readings wanted for any row."""
        return self.needs | self.needs_all


class SamplePlan(NamedTuple):
    """What is read for one sample: what a view wants, and what the engine has determined beside it."""

    readings: ReadingsRequest = ReadingsRequest()
    pids: frozenset[int] | None = None
    """Processes to be read; None for all. With pids, the cost does not grow with /proc."""
    family: frozenset[ProcessKey] = frozenset()
    """Fork relatives of the process in focus, read as often as visible rows: their faults tell which of them copies."""
    watched: tuple[int, ...] = ()
    """Pids whose end is to be noticed."""
    parents: frozenset[int] = frozenset()
    """Pids whose new children are watched from the sample on at which they are first listed."""
    cgroups: tuple[str, ...] = ()
    """Directories of cgroups on screen, which are read at every tick while they are few."""
    assessed: tuple[ProcessKey, ...] = ()
    """Processes that are assessed in full: the one in focus, then those asked for where that is wanted."""
