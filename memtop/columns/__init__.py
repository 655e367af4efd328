"""Columns of the list: their type (``column``), those of processes (``table``) and of groups (``group_columns``)."""

from typing import NamedTuple

from memtop.columns.column import Column, Values
from memtop.columns.table import ASCII_SPARKS, BY_NAME, COLUMNS, DEFAULT_COLUMNS, SPARKS, TREND_CELLS


class ColumnSet(NamedTuple):
    """The columns of one kind of rows."""

    columns: tuple[Column, ...]
    defaults: tuple[Column, ...]
    """Those shown unless the user chose others."""
    by_name: dict[str, Column]
    """By every name that users may type, in small letters."""


def columns_of(*, groups: bool) -> ColumnSet:
    """The columns of processes, or of groups."""
    if not groups:
        return ColumnSet(COLUMNS, DEFAULT_COLUMNS, BY_NAME)
    from memtop.columns import group_columns  # noqa: PLC0415 (0.9 ms; a single sample of processes does without)

    return ColumnSet(group_columns.GROUP_COLUMNS, group_columns.DEFAULT_GROUP_COLUMNS, group_columns.GROUP_BY_NAME)


__all__ = [
    "ASCII_SPARKS",
    "BY_NAME",
    "COLUMNS",
    "DEFAULT_COLUMNS",
    "SPARKS",
    "TREND_CELLS",
    "Column",
    "ColumnSet",
    "Values",
    "columns_of",
]
