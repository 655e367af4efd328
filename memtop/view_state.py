"""What a person has chosen to look at, and the Ask that follows from it."""

from __future__ import annotations

from typing import NamedTuple

from memtop.columns import BY_NAME, Column
from memtop.filter import Query, both, of_user, parse_query
from memtop.process_key import ProcessKey
from memtop.sampling.request import Ask, Need
from memtop.settings import Settings


class View(NamedTuple):
    """Every choice that changes what is read or shown. Immutable: a choice makes a new one."""

    columns: tuple[Column, ...]
    sort: Column
    descending: bool
    query: Query
    user: str = ""
    only: frozenset[int] | None = None
    names: tuple[str, ...] = ()
    children: bool = False
    kernel_threads: bool = False
    tree: bool = False
    folded: frozenset[ProcessKey] = frozenset()
    focus: ProcessKey | None = None
    visible: frozenset[ProcessKey] = frozenset()
    frozen: bool = False
    cursor_s: float | None = None
    window_s: float | None = None
    """None lets the chart grow with what is known."""
    points: int = 120
    delay_s: float = 1.0
    panel: str = ""
    """Name of the panel on screen."""
    smaps: bool = True
    """Whether readings that cost the target something are allowed."""
    go_urls: tuple[tuple[int | None, str], ...] = ()
    """Addresses of Go programs' metrics, as given by the user; the pid is None for the process asked for."""

    @classmethod
    def of(cls, settings: Settings) -> View:
        """As the command line asks for it. Raises UsageError for an invalid filter."""
        sort = settings.sort or BY_NAME["res"]
        return cls(
            columns=settings.columns,
            sort=sort,
            descending=sort.descending,
            query=parse_query(settings.filter),
            user=settings.user,
            only=frozenset(settings.pids) if settings.pids or settings.names else None,
            names=settings.names,
            children=settings.children,
            tree=settings.tree,
            delay_s=settings.delay_s,
            smaps=settings.smaps,
            go_urls=settings.go_urls,
        )

    def ask(self) -> Ask:
        """What the engine is to find out."""
        where = self.query.where
        if self.user:
            where = both(where, of_user(self.user))
        needs = Need.NONE
        for column in self.columns:
            needs |= column.needs
        return Ask(
            focus=self.focus,
            visible=self.visible,
            needs=needs,
            needs_all=self.query.needs | self.sort.needs,
            sort=self.sort.field,
            descending=self.descending,
            where=where,
            where_needs=self.query.needs,
            only=self.only,
            names=self.names,
            children=self.children,
            kernel_threads=self.kernel_threads,
            tree=self.tree,
            folded=self.folded,
            frozen=self.frozen or self.cursor_s is not None,
            cursor_s=self.cursor_s,
            window_s=self.window_s,
            points=self.points,
            delay_s=self.delay_s,
            panel=self.panel,
            smaps=self.smaps,
            go_urls=self.go_urls,
        )

    def sorted_by(self, column: Column) -> View:
        """By a column in its natural order; by the same one again: turned round."""
        descending = not self.descending if column == self.sort else column.descending
        return self._replace(sort=column, descending=descending)
