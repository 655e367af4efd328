"""View state: what the user has chosen to see, and the Request that follows from it."""

from typing import NamedTuple, Self

from memtop.columns import BY_NAME, Column
from memtop.filter import Query, both, of_user, parse_query
from memtop.model.request import ChartWindow, Request, RowSelection
from memtop.sampling.request import Need, ReadingsRequest
from memtop.settings import Settings


class View(NamedTuple):
    """Every choice that changes what is read or shown. It is immutable: a new choice creates a new View.

    The last three values are sent to the engine; :meth:`request` derives the rest of the Request from the others.
    """

    columns: tuple[Column, ...]
    sort: Column
    query: Query
    user: str = ""
    panel: str = ""
    """Name of the panel on screen."""
    readings: ReadingsRequest = ReadingsRequest()
    rows: RowSelection = RowSelection()
    window: ChartWindow = ChartWindow()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Create the view that the command line asks for. Raises UsageError for an invalid filter."""
        sort = settings.sort or BY_NAME["res"]
        return cls(
            columns=settings.columns,
            sort=sort,
            query=parse_query(settings.filter),
            user=settings.user,
            readings=ReadingsRequest(delay_s=settings.delay_s, smaps=settings.smaps, go_urls=settings.go_urls),
            rows=RowSelection(
                descending=sort.descending,
                only=frozenset(settings.pids) if settings.pids or settings.names else None,
                names=settings.names,
                children=settings.children,
                tree=settings.tree,
                killed=True,
            ),
        )

    def request(self, panel_needs: Need = Need.NONE) -> Request:
        """The Request for the engine. ``panel_needs`` are the readings that the panel on screen declares."""
        where = self.query.where
        if self.user:
            where = both(where, of_user(self.user))
        needs = Need.NONE
        for column in self.columns:
            needs |= column.needs
        return Request(
            self.readings._replace(needs=needs, needs_all=self.query.needs | self.sort.needs, focus_needs=panel_needs),
            self.rows._replace(sort=self.sort.field, where=where, where_needs=self.query.needs),
            self.window,
        )

    def sorted_by(self, column: Column) -> Self:
        """Sort by a column in its natural order. The same column again reverses the order."""
        descending = not self.rows.descending if column == self.sort else column.descending
        return self.in_order(column, descending)

    def in_order(self, column: Column, descending: bool) -> Self:
        """Sort by a column in the given direction."""
        return self._replace(sort=column, rows=self.rows._replace(descending=descending))
