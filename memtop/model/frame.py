"""The frame: one immutable value with everything that a view draws at one instant, such as rows and Detail.

None always means unknown, never "none of it". A row object is reused from frame to frame while nothing in it has
changed, so a view may compare rows by identity to know what to draw again.

The values are in one module because every command imports all of them, and a module more would cost memory.

Modules with tuples that a run of one sample imports do not use ``from __future__ import annotations``, because
NamedTuple compiles each annotation that is a string. All of them took 5 ms of 45, the first one 1 ms. Names that are
imported only for type checking are therefore ``object`` at run time.
"""

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from memtop.process_key import ProcessKey
from memtop.procfs.status import PidStatus
from memtop.sanitize import clean
from memtop.sources.protocol import OwnCost

if TYPE_CHECKING:  # types of readings and verdicts that are imported with the first view that needs them
    from memtop.analysis.ledger.process import ProcessSizes
    from memtop.analysis.limits.cgroup_names import CgroupNames
    from memtop.analysis.trend.classify import Growth
    from memtop.analysis.trend.hysteresis import Confirmation
    from memtop.model.assessment import Assessment, ExitReport
    from memtop.model.group import By, GroupKey, GroupRow
    from memtop.model.incidents import IncidentReport
    from memtop.model.machine import MachineView
    from memtop.model.name_choice import NameChoice
    from memtop.model.timeline import Timeline
    from memtop.runtimes.view import RuntimeView
    from memtop.sampling.smaps.smaps_view import MarkView, RegionsView, SharingView
else:
    Assessment = By = CgroupNames = Confirmation = ExitReport = Growth = GroupKey = GroupRow = IncidentReport = object
    MachineView = MarkView = NameChoice = ProcessSizes = RegionsView = RuntimeView = SharingView = Timeline = object


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
    def short_command(self) -> str:
        """The command line, cleaned, without the path of its program or the options of its interpreter."""
        from memtop.program_name import program_name  # noqa: PLC0415 (3 ms; a sample as JSON does without)

        return clean(program_name(self.command_raw).short) if self.command_raw else self.command

    @property
    def own_command(self) -> str:
        """``short_command`` without an interpreter: the script, module or main class first."""
        from memtop.program_name import program_name  # noqa: PLC0415 (as above)

        own = program_name(self.command_raw).own if self.command_raw else b""
        return clean(own) or self.short_command

    @property
    def program_names(self) -> tuple[str, ...]:
        """The names of the program, cleaned: the kernel's, the file's, and that of the script, module or main class."""
        from memtop.program_name import program_name  # noqa: PLC0415 (as above)

        return (self.name, *(map(clean, program_name(self.command_raw).names) if self.command_raw else ()))

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


class Series(NamedTuple):
    """A process's past, resampled to one point per bucket, oldest first. Every tuple has the same length.

    A point is None where nothing was read (before the first sample, while the machine was suspended).
    """

    times_s: tuple[float, ...]
    """Seconds relative to the right edge of the chart: 0 is the right edge, the past is negative."""
    virt_bytes: tuple[float | None, ...]
    rss_bytes: tuple[float | None, ...]
    anon_bytes: tuple[float | None, ...]
    file_bytes: tuple[float | None, ...]
    shmem_bytes: tuple[float | None, ...]
    minflt_per_s: tuple[float | None, ...]
    majflt_per_s: tuple[float | None, ...]


class Mark(NamedTuple):
    """Something that happened, to be drawn on the chart's time axis."""

    at_s: float
    """Seconds relative to the right edge of the chart."""
    kind: str
    """``exec``, ``mark``, ``gone``, ``start`` and, later, ``gc``, ``oom`` ..."""
    label: str


class Detail(NamedTuple):
    """All data about the process in focus."""

    row: ProcessRow
    """Its numbers at the instant shown: now, or under the chart's cursor."""
    status: PidStatus | None
    """The last status file read. None before that, and for kernel threads and zombies."""
    series: Series
    window_s: float
    right_edge_s: float
    """The wall time at the chart's right edge, seconds since the epoch."""
    cursor_s: float | None
    """Position of the cursor relative to the right edge; None when live."""
    marks: tuple[Mark, ...]
    gone: bool
    slope_bytes_per_min: float | None
    """Least-squares slope of RES over the last minute."""
    why_unknown: dict[str, str]
    """Attribute of ProcessRow -> reason why it is None."""
    outlook: Assessment | None = None
    """The assessment; None while looking back, and before the first assessment."""
    regions: RegionsView | None = None
    """Its mappings, while the Regions or the Sharing panel is on screen."""
    sharing: SharingView | None = None
    """Its family, while the Sharing panel is on screen."""
    mark: MarkView | None = None
    runtime: RuntimeView | None = None
    """Its runtime, while the Runtime panel is on screen."""
    paused: bool = False
    """Whether the display is frozen. What was not read before that is not read now."""
    mark_dropped: bool = False
    """Whether the user's mark was dropped because the process became another program."""
    edge_age_s: float = 0.0
    """Age of the chart's right edge: 0 where it is now, more where the chart shows an earlier window."""

    @property
    def shown_s(self) -> float:
        """Wall time of the instant shown: under the cursor, or at the right edge."""
        return self.right_edge_s + (self.cursor_s or 0.0)

    @property
    def shown_age_s(self) -> float:
        """Age of the instant shown."""
        return self.edge_age_s - (self.cursor_s or 0.0)


class GroupDetail(NamedTuple):
    """What is known of the group in focus."""

    row: GroupRow
    """Its numbers at the instant looked at."""
    series: Series
    """As of a process, but VIRT is the charge, RES the working set (or the sums over the members), and its three parts
    are the two largest members and the rest."""
    largest: tuple[ProcessRow, ...]
    """The two largest members, at most."""
    rest_bytes: int | None
    """What the working set (or the sum of RES) is more than the RES of those two."""
    window_s: float
    right_edge_s: float
    """Wall time at the chart's right edge, seconds since the epoch."""
    cursor_s: float | None
    """Seconds from the right edge to the cursor, negative for the past; None when live."""
    limit_name: str = ""
    """Whose limit binds it; empty for none."""
    growth: Growth | None = None
    """What stands, with its numbers; None before the first look, and while looking back."""
    state: Confirmation | None = None
    unread: str = ""
    """Why nothing is known of a charge, as a clause; empty where it is known."""
    blind_name: str = ""
    """The nearest cgroup whose limit could not be read, its own or one above it; empty where all limits were read."""
    undivided: bool = False
    """Whether it is unknown how much of what is in use where its limit stands can be reclaimed."""
    swaps: bool = True
    """Whether anything may go to swap at its limit, or whether that is unknown."""
    brake: tuple[str, int, float] | None = None
    """The memory.high that leaves it least: whose it is, its bytes, and the percentage of it in use for good."""
    edge_age_s: float = 0.0
    """Age of the chart's right edge: 0 where it is now, more where the chart shows an earlier window."""

    @property
    def shown_s(self) -> float:
        """Wall time of the instant shown: under the cursor, or at the right edge."""
        return self.right_edge_s + (self.cursor_s or 0.0)

    @property
    def shown_age_s(self) -> float:
        """Age of the instant shown."""
        return self.edge_age_s - (self.cursor_s or 0.0)


if TYPE_CHECKING:
    Row = ProcessRow | GroupRow
    """A line of the list."""
    RowKey = ProcessKey | GroupKey
else:
    Row = RowKey = object


class TreePlace(NamedTuple):
    """The position of a row in the tree, and the totals of its subtree."""

    depth: int
    prefix: str
    """Lines that lead to the row, such as ``│  └─ ``; a view may replace them for --ascii."""
    has_children: bool
    folded: bool
    rss_bytes: int | None
    """Sum of RES of the whole subtree. It is an upper bound, because shared pages count in each of its processes."""
    virt_bytes: int | None
    pss_bytes: int | None = None
    """Sum of PSS of the whole subtree; None if that of any process in it is unknown."""


class Shares(NamedTuple):
    """For how many processes PSS and USS are known. They are read in turn."""

    wanted: int
    """Processes whose PSS is wanted."""
    unknown: Mapping[ProcessKey, str]
    """The processes whose PSS is unknown, with the reason: a name of ``Missing`` in lower case."""
    decides: bool
    """Whether the order or the filter depends on PSS or USS, so that rows without it are out of place."""


class Frame(NamedTuple):
    """Everything to draw at one instant. It is all that crosses from the sampler's thread to a view."""

    tick: int
    at_s: float
    """Wall time of the sample, seconds since the epoch."""
    elapsed_s: float | None
    """Real time since the previous sample; None for the first."""
    late_s: float
    """How much later than planned the sample was taken."""
    system: SystemRow
    rows: tuple[ProcessRow, ...]
    """The processes that match, in order; empty where groups are listed."""
    tree: tuple[TreePlace, ...] | None
    """The place of each row in the tree; None when the list is flat."""
    total: int
    """Number of living processes before the filter."""
    detail: Detail | None
    own: OwnCost
    hidden: int | None
    """Number of processes that /proc does not let memtop read (hidepid); None where it does not even list them."""
    problems: tuple[str, ...]
    """Sentences about failed readings: parse errors with their path, a sampler that was restarted."""
    runtimes: Mapping[ProcessKey, dict[str, Any]] = {}
    """The ``runtime`` object of the JSON contract for each process, if it was requested and is known."""
    shares: Shares | None = None
    """None where neither PSS nor USS is requested."""
    replay_position: tuple[int, int] | None = None
    """(sample, samples) of a recording being played."""
    outlooks: Mapping[ProcessKey, Assessment] = {}
    """The assessment of each process, if it was requested and is known."""
    exits: tuple[ExitReport, ...] = ()
    """Processes that were watched, large or killed and whose end was found at this instant."""
    ended: tuple[ExitReport, ...] = ()
    """All of these that ended since memtop started and are remembered, the latest first."""
    incidents: IncidentReport | None = None
    """What deserves attention on the machine; None before the second sample."""
    machine: MachineView | None = None
    """The machine's memory by its use, while the Machine panel is on screen."""
    oom_victim: str = ""
    """Name and PID of the last process that the OOM killer ended since memtop started; empty if none is known."""
    choices: tuple[NameChoice, ...] = ()
    """What each name of the command line stands for, as it was decided last."""
    groups: tuple[GroupRow, ...] | None = None
    """The groups that match, in order; None where processes are listed."""
    group: GroupDetail | None = None
    """The group in focus, while groups or its members are listed."""
    group_of_member: GroupKey | None = None
    """The group of the process that the request asks for; None where it is not among those listed."""
    groupings: frozenset[By] = frozenset()
    """Kinds of groups that there are, where a view can list groups."""
    timeline: Timeline | None = None
    """The whole span, in a replay and while looking back."""
    newest_s: float | None = None
    """Wall time of the newest sample, where all of this frame is of an earlier instant; None where it is not."""
    past_percent: int | None = None
    """How much was played of what precedes the instant, 0 to 99, while verdicts wait for it; None where they do not."""

    @property
    def is_settled(self) -> bool:
        """Whether what precedes the instant was played. If not, a frame with verdicts of more past follows soon."""
        return self.past_percent is None

    @property
    def now_s(self) -> float:
        """Wall time of the newest sample."""
        return self.at_s if self.newest_s is None else self.newest_s

    @property
    def shown_s(self) -> float:
        """Wall time of the instant whose numbers are shown."""
        detail = self.detail
        if self.newest_s is not None or detail is None or detail.cursor_s is None:
            return self.at_s
        return detail.shown_s

    @property
    def listed(self) -> tuple[Row, ...]:
        """The rows of the list: groups or processes."""
        return self.rows if self.groups is None else self.groups
