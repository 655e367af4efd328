"""Selects the rows that are listed (filter, user, tree) and sorts them."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from memtop.engine.row_builder import ordered
from memtop.model.frame import Note, ProcessRow, TreePlace
from memtop.model.request import RowSelection
from memtop.process_key import ProcessKey


def is_named(row: ProcessRow, selection: RowSelection, departed: Collection[ProcessKey]) -> bool:
    """Whether the command line asks for it. A pid that has ended does not stand for the next process that has it."""
    if selection.only is not None and row.pid in selection.only:
        return row.key in departed or not any(key.pid == row.pid for key in departed)
    return any(name in row.command or name in row.name for name in selection.names)


def chosen_rows(
    rows: Sequence[ProcessRow], selection: RowSelection, departed: Collection[ProcessKey], focus: ProcessKey | None
) -> list[ProcessRow]:
    """Those that the command line asks for, before the filter; of the departed, those and the one in focus."""
    only = selection.only
    if only is None and not selection.names:
        return [
            row
            for row in rows
            if (row.gone_s is None or row.key == focus) and (selection.kernel_threads or row.note is not Note.KERNEL)
        ]
    own_pid = os.getpid()
    chosen = [
        row
        for row in rows
        if is_named(row, selection, departed) and (row.pid != own_pid or (only is not None and row.pid in only))
    ]
    if not selection.children:
        return chosen
    from memtop.engine.process_tree import descendants  # noqa: PLC0415 (most one-shot output asks for no children)

    family = descendants(chosen, rows)
    return [row for row in rows if row.key in family]


def listed_rows(
    chosen: Sequence[ProcessRow], selection: RowSelection
) -> tuple[tuple[ProcessRow, ...], tuple[TreePlace, ...] | None]:
    """Those of the chosen that pass the filter, in order; their places in the tree, or None where the list is flat."""
    shown = [row for row in chosen if selection.where(row)] if selection.where is not None else chosen
    rows = tuple(ordered(shown, selection.sort, selection.descending))
    if not selection.tree:
        return rows, None
    from memtop.engine.process_tree import grow  # noqa: PLC0415 (most one-shot output is flat)

    return grow(rows, selection.folded)
