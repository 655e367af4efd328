"""View state: what the user has chosen to see, and the Request that follows from it."""

from typing import TYPE_CHECKING, NamedTuple, Self

from memtop.columns import DEFAULT_COLUMNS, Column, columns_of
from memtop.filter import Query, both, of_user, parse_query
from memtop.model.request import ChartWindow, GroupsRequest, Request, RowSelection
from memtop.sampling.request import Need, ReadingsRequest
from memtop.settings import Settings

if TYPE_CHECKING:
    from memtop.model.group import By, GroupKey
    from memtop.model.row import SystemRow
else:
    By = GroupKey = SystemRow = object  # see memtop.model.row

_SWAP = "swap"


class ListChoice(NamedTuple):
    """What was chosen for one kind of rows."""

    columns: tuple[Column, ...]
    sort: Column
    descending: bool
    query: Query


class View(NamedTuple):
    """Every choice that changes what is read or shown. It is immutable: a new choice creates a new View.

    The last three values are sent to the engine; :meth:`request` derives the rest of the Request from the others.
    """

    columns: tuple[Column, ...]
    sort: Column
    query: Query
    user: str = ""
    kept: ListChoice | None = None
    """What was chosen for the other kind of rows, processes or groups; None before that was on screen."""
    panel: str = ""
    """Name of the panel on screen."""
    readings: ReadingsRequest = ReadingsRequest()
    rows: RowSelection = RowSelection()
    window: ChartWindow = ChartWindow()
    groups: GroupsRequest = GroupsRequest()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Create the view that the command line asks for. Raises UsageError for an invalid filter."""
        groups = settings.by is not None
        there = columns_of(groups=groups)
        sort = settings.sort or there.by_name["res"]
        return cls(
            columns=there.defaults if settings.columns is DEFAULT_COLUMNS else settings.columns,
            sort=sort,
            query=parse_query(settings.filter, groups=groups),
            user=settings.user,
            readings=ReadingsRequest(delay_s=settings.delay_s, smaps=settings.smaps, go_urls=settings.go_urls),
            groups=GroupsRequest(focus=settings.inside),
            rows=RowSelection(
                descending=sort.descending,
                only=frozenset(settings.pids) if settings.pids or settings.names else None,
                names=settings.names,
                children=settings.children,
                tree=settings.tree,
                by=settings.by if settings.inside is None else settings.inside.by,
                inside=settings.inside,
                killed=True,
            ),
        )

    def request(self, panel_needs: Need = Need.NONE) -> Request:
        """The Request for the engine. ``panel_needs`` are the readings that the panel on screen declares."""
        where = self.query.where
        if self.user:
            where = both(where, of_user(self.user))
        needs, needs_all = Need.NONE, self.query.needs | self.sort.needs
        for column in self.columns:
            needs |= column.needs
        if self.rows.by is not None:
            needs_all |= Need.MEMBERSHIP | Need.GROUPS
        if self.rows.lists_groups:  # a row of a group is made of all its members
            needs, needs_all = Need.NONE, needs_all | needs
        return Request(
            self.readings._replace(needs=needs, needs_all=needs_all, focus_needs=panel_needs),
            self.rows._replace(
                sort=self.sort.field,
                where=where,
                where_needs=self.query.needs,
                groups_where=self.query.groups_where,
                dead=self.query.finds_dead and self.rows.killed,
            ),
            self.window,
            self.groups,
        )

    def titled_columns(self, system: SystemRow | None = None) -> tuple[Column, ...]:
        """The columns shown: of groups those that say something about their kind; SWAP only where there is swap.

        A column that the user has chosen, or sorts by, is always shown.
        """
        by, columns = self.rows.by, self.columns
        if (
            system is not None
            and system.swap_total_bytes == 0
            and columns == columns_of(groups=self.rows.lists_groups).defaults
        ):
            columns = tuple(one for one in columns if one.key != _SWAP or one == self.sort)
        if by is None or not self.rows.lists_groups:
            return columns
        from memtop.columns.group_columns import fitting  # noqa: PLC0415 (0.9 ms; a list of processes does without)

        return fitting(columns, by, self.sort.key)

    def grouped_by(self, by: By | None) -> Self:
        """List the groups of a kind, or processes for None; the filter stays as far as it is understood."""
        view = self._replace(rows=self.rows._replace(by=by, inside=None))
        if view.rows.lists_groups != self.rows.lists_groups:
            view = view._with_other_kind()
            view = view._replace(query=parse_query(self.query.text, groups=view.rows.lists_groups))
        return view

    def inside_of(self, group: GroupKey | None) -> Self:
        """List the processes of a group, or the groups again for None, as they were chosen before."""
        view = self._replace(
            rows=self.rows._replace(inside=group), groups=self.groups._replace(focus=group or self.groups.focus)
        )
        return view._with_other_kind() if view.rows.lists_groups != self.rows.lists_groups else view

    def _with_other_kind(self) -> Self:
        """With what was chosen for the rows that were not on screen."""
        columns = columns_of(groups=self.rows.lists_groups)
        sort = columns.by_name["res"]
        other = self.kept or ListChoice(columns.defaults, sort, sort.descending, parse_query(""))
        return self._replace(
            columns=other.columns,
            sort=other.sort,
            query=other.query,
            rows=self.rows._replace(descending=other.descending),
            kept=ListChoice(self.columns, self.sort, self.rows.descending, self.query),
        )

    def sorted_by(self, column: Column) -> Self:
        """Sort by a column in its natural order. The same column again reverses the order."""
        descending = not self.rows.descending if column == self.sort else column.descending
        return self.in_order(column, descending)

    def in_order(self, column: Column, descending: bool) -> Self:
        """Sort by a column in the given direction."""
        return self._replace(sort=column, rows=self.rows._replace(descending=descending))
