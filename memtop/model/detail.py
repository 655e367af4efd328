"""What is known of the process or group in focus: its past for the chart, and what each panel shows of it.

None always means unknown, never "none of it".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # readings and verdicts, each imported with the first view that needs it
    from memtop.analysis.trend.classify import Growth
    from memtop.analysis.trend.hysteresis import Confirmation
    from memtop.model.assessment import Assessment
    from memtop.model.group import GroupRow
    from memtop.model.row import ProcessRow
    from memtop.procfs.status import PidStatus
    from memtop.runtimes.view import RuntimeView
    from memtop.sampling.smaps.smaps_view import MarkView, RegionsView, SharingView


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


class ShownWindow(NamedTuple):
    """The stretch of time on the chart, and the instant in it whose numbers are shown."""

    window_s: float
    """Its length."""
    right_edge_s: float
    """Wall time at the chart's right edge, seconds since the epoch."""
    cursor_s: float | None
    """Seconds from the right edge to the cursor, negative for the past; None when live."""
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


class Detail(NamedTuple):
    """All data about the process in focus."""

    row: ProcessRow
    """Its numbers at the instant shown: now, or under the chart's cursor."""
    status: PidStatus | None
    """The last status file read. None before that, and for kernel threads and zombies."""
    series: Series
    window: ShownWindow
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
    window: ShownWindow
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
    standing: Mapping[str, int] = MappingProxyType({})
    """By rule the severities of the incidents that its cgroup and those above it have; empty while looking back."""
    brake: tuple[str, int, float] | None = None
    """The memory.high that leaves it least: whose it is, its bytes, and the percentage of it in use for good."""
    swap_unread: str = ""
    """Why it is not known what its cgroup has on swap, and what its processes say of it; empty where it is known."""
