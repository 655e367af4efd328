"""The frame: one immutable value with everything that a view draws at one instant, such as rows and Detail.

None always means unknown, never "none of it". Modules with tuples that a run of one sample imports have their imports
for type checking as in :mod:`memtop.model.row`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from memtop.model.row import ProcessRow, Row, SystemRow
from memtop.process_key import ProcessKey
from memtop.sources.protocol import OwnCost

if TYPE_CHECKING:  # what is imported with the first view that needs it
    from memtop.model.assessment import Assessment, ExitReport
    from memtop.model.detail import Detail, GroupDetail
    from memtop.model.group import By, GroupKey, GroupRow
    from memtop.model.incidents import IncidentReport
    from memtop.model.machine import MachineView
    from memtop.model.name_choice import NameChoice
    from memtop.model.timeline import Timeline
else:
    Assessment = By = Detail = ExitReport = GroupDetail = GroupKey = GroupRow = IncidentReport = object
    MachineView = NameChoice = Timeline = object


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
    said: int = 0
    """Length of the beginning of a group's name that the row of its parent says too, slash included."""


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
        if self.newest_s is not None or detail is None or detail.window.cursor_s is None:
            return self.at_s
        return detail.window.shown_s

    @property
    def listed(self) -> tuple[Row, ...]:
        """The rows of the list: groups or processes."""
        return self.rows if self.groups is None else self.groups
