"""The Request of a view to the engine: the readings, the rows and their order, the time window.

A Request is small and immutable. A newer one may replace it before the engine reads it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need, ReadingsRequest

if TYPE_CHECKING:
    from memtop.model.group import By, GroupKey, GroupRow
else:
    By = GroupKey = GroupRow = object  # see memtop.model.row


_OF_ALL: Final = Need.FAMILY | Need.RELATIVES
"""Readings of one process for which all are read."""


class RowSelection(NamedTuple):
    """Which processes are listed, and in which order."""

    sort: str = "rss_bytes"
    """Attribute of ProcessRow."""
    descending: bool = True
    where: Callable[[ProcessRow], bool] | None = None
    """The filter; None lets every process pass."""
    where_needs: Need = Need.NONE
    """Readings that the filter depends on."""
    only: frozenset[int] | None = None
    """PIDs to be shown, whatever the filter says; None for all."""
    names: tuple[str, ...] = ()
    """Names to be shown in addition to ``only``: of programs that have one of them, or contain it if none has it."""
    children: bool = False
    """Show also the descendants of ``only`` and ``names``."""
    kernel_threads: bool = False
    killed: bool = False
    """Also list processes that the OOM killer ended, for some minutes."""
    dead: bool = False
    """Also list processes that were watched, large or killed and have ended, if they pass the filter."""
    trends: bool = True
    """Whether their trends are shown, which are a third of the cost of rows."""
    tree: bool = False
    folded: frozenset[ProcessKey | GroupKey] = frozenset()
    by: By | None = None
    """List groups of processes instead of processes; ``where`` then selects their members."""
    groups_where: Callable[[GroupRow], bool] | None = None
    """The filter of groups; None lets every group pass."""
    inside: GroupKey | None = None
    """List the processes of this group instead of the groups."""

    @property
    def lists_groups(self) -> bool:
        """Whether rows are groups."""
        return self.by is not None and self.inside is None


class ChartWindow(NamedTuple):
    """The time window to show."""

    frozen: bool = False
    """Show the instant at which the display was frozen. Sampling continues."""
    cursor_s: float | None = None
    """Wall time to look back at; None for now (or for the frozen instant)."""
    window_s: float | None = None
    """Seconds of past in the chart. None for all that is known, between half a minute and five minutes."""
    points: int = 120
    """Points of the chart's series; 0 where there is no chart."""

    @property
    def stands_still(self) -> bool:
        """Whether the display is frozen: it was paused, or the user looks at the past."""
        return self.frozen or self.cursor_s is not None


class GroupsRequest(NamedTuple):
    """Which groups a view shows, beside their rows."""

    focus: GroupKey | None = None
    """The group whose detail is wanted."""
    visible: tuple[GroupKey, ...] = ()
    """Groups on screen, whose cgroups are read at every tick while they are few."""
    member: ProcessKey | None = None
    """The process whose group is asked for."""
    judged: tuple[GroupKey, ...] = ()
    """Groups that are judged as soon as is due, and not in turn; their cgroups are read at every tick too."""

    @property
    def looked_at(self) -> tuple[GroupKey, ...]:
        """The one in focus, then those on screen and those that are judged."""
        others = (*self.visible, *self.judged)
        return others if self.focus is None else (self.focus, *others)


class Request(NamedTuple):
    """All that a view sends to the engine, apart from commands."""

    readings: ReadingsRequest = ReadingsRequest()
    rows: RowSelection = RowSelection()
    window: ChartWindow = ChartWindow()
    groups: GroupsRequest = GroupsRequest()

    @property
    def everybody(self) -> bool:
        """Whether all processes must be read. If not, the cost does not grow with the number of processes."""
        rows = self.rows
        return rows.only is None or bool(rows.names) or rows.children or bool(_OF_ALL & self.readings.focus_needs)
