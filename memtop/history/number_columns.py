"""Numbers at many instants, in columns: a number that stays the same is kept once, and takes no memory."""

from array import array
from typing import Any


class NumberColumns:
    """One entry for each instant, oldest first. What a number means, and which one is unknown, the owner says."""

    __slots__ = ("_codes", "_columns", "times_s")

    def __init__(self, codes: str) -> None:
        """``codes`` has the type code of array(3) for each column: ``q`` for integers, ``d`` for floats."""
        self.times_s = array("d")
        self._codes = codes
        self._columns: list[Any] = [0] * len(codes)
        """For each column its one value, or an array of its values."""

    def __len__(self) -> int:
        return len(self.times_s)

    def append(self, at_s: float, values: list[Any]) -> None:
        """Add an entry, with a number for each column."""
        before, columns = len(self.times_s), self._columns
        if not before:
            columns[:] = values
        for number, (column, value) in enumerate(zip(columns, values, strict=True)):
            if isinstance(column, array):
                column.append(value)
            elif column != value:
                code = self._codes[number]
                columns[number] = array(code, [column]) * before + array(code, [value])
        self.times_s.append(at_s)

    def drop(self, entries: slice) -> None:
        """Drop some entries."""
        del self.times_s[entries]
        for column in self._columns:
            if isinstance(column, array):
                del column[entries]

    def column(self, number: int, start: int = 0, end: int | None = None) -> "array[Any]":
        """The values of a column, of some entries."""
        column = self._columns[number]
        if isinstance(column, array):
            return column[start:end]
        return array(self._codes[number], [column]) * len(self.times_s[start:end])

    def value(self, number: int, index: int) -> Any:
        """The value of one column in the entry at an index."""
        column = self._columns[number]
        return column[index] if isinstance(column, array) else column

    def values(self, index: int) -> list[Any]:
        """The values of all columns in the entry at an index."""
        return [column[index] if isinstance(column, array) else column for column in self._columns]
