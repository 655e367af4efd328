"""Columns of the process list: the type of a column (``column``) and the table of all of them (``table``)."""

from memtop.columns.column import Column, Values
from memtop.columns.table import ASCII_SPARKS, BY_NAME, COLUMNS, DEFAULT_COLUMNS, SPARKS, TREND_CELLS

__all__ = ["ASCII_SPARKS", "BY_NAME", "COLUMNS", "DEFAULT_COLUMNS", "SPARKS", "TREND_CELLS", "Column", "Values"]
