"""Selects the rows that are listed (filter, user, tree) and sorts them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from memtop.engine.row_builder import ordered
from memtop.model.frame import TreePlace
from memtop.model.request import RowSelection
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey

if TYPE_CHECKING:
    from memtop.engine.named_rows import NamedRows

KILLED_S: Final = 600.0
"""How long a process that the OOM killer ended stays in the list."""


def is_named(
    row: ProcessRow, selection: RowSelection, departed: Collection[ProcessKey], named: NamedRows | None
) -> bool:
    """Whether the command line asks for it. A PID that has ended does not stand for the next process with that PID."""
    if selection.only is not None and row.pid in selection.only:
        return row.key in departed or not any(key.pid == row.pid for key in departed)
    return named is not None and named.stands_for(row, selection.names)


def chosen_rows(
    rows: Sequence[ProcessRow],
    selection: RowSelection,
    departed: Collection[ProcessKey],
    focus: ProcessKey | None,
    named: NamedRows | None,
    *,
    now_s: float = 0.0,
) -> list[ProcessRow]:
    """The rows that the command line asks for, before the filter. Of departed ones, only those and the one in focus.

    ``now_s``, in seconds since the epoch, decides which OOM kills are recent.
    """
    only = selection.only
    if only is None and not selection.names:
        left_out = None if selection.kernel_threads else Note.KERNEL
        return [
            row
            for row in rows
            if (
                row.gone_s is None
                or row.key == focus
                or selection.dead
                or (selection.killed and _killed_lately(row, now_s))
            )
            and row.note is not left_out
        ]
    chosen = [row for row in rows if is_named(row, selection, departed, named)]
    if selection.names and not selection.dead:
        chosen = _latest_runs(chosen, focus, only or frozenset())
    if not selection.children:
        return chosen
    from memtop.engine.process_tree import descendants  # noqa: PLC0415 (2.4 ms; most one-shot output asks for no children)

    family = descendants(chosen, rows)
    return [row for row in rows if row.key in family]


def _latest_runs(rows: Sequence[ProcessRow], focus: ProcessKey | None, only: Collection[int]) -> list[ProcessRow]:
    """The rows without those of ended processes whose command was started again.

    That in focus and those that were asked for by PID stay.
    """
    latest: dict[str, int] = {}
    for row in rows:
        latest[row.command] = max(latest.get(row.command, 0), row.key.start_ticks)
    return [
        row
        for row in rows
        if row.gone_s is None or row.key == focus or row.pid in only or row.key.start_ticks == latest[row.command]
    ]


def _killed_lately(row: ProcessRow, now_s: float) -> bool:
    return row.note is Note.OOM_KILLED and row.gone_s is not None and now_s - row.gone_s <= KILLED_S


def listed_rows(
    chosen: Sequence[ProcessRow], selection: RowSelection
) -> tuple[tuple[ProcessRow, ...], tuple[TreePlace, ...] | None]:
    """The chosen rows that pass the filter, in order, with their places in the tree, or None for a flat list."""
    shown = [row for row in chosen if selection.where(row)] if selection.where is not None else chosen
    rows = tuple(ordered(shown, selection.sort, selection.descending))
    if not selection.tree:
        return rows, None
    from memtop.engine.process_tree import grow  # noqa: PLC0415 (2.8 ms; most one-shot output is flat)

    return grow(rows, selection.folded, by_branch=selection.descending)
