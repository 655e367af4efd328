"""One column of the process list as data: its readings, cells, order, filter, topic, and priority on narrow screens."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from memtop.sampling.request import Need

ALWAYS: Final = 1000
"""Importance of a column that is never left out."""


class Values(Enum):
    """The kind of values in a column, which decides how the filter compares them."""

    NUMBER = auto()
    """Counts, rates and percentages: ``majflt>10``."""
    SIZE = auto()
    """Bytes, compared with sizes such as ``500m``."""
    TEXT = auto()
    """Text. It matches if it contains the filter's text: ``command=nginx``."""
    WORD = auto()
    """Text. It matches if it equals the filter's text: ``user=app``."""


class Column(NamedTuple):
    """One column of the process list."""

    key: str
    """What users type: ``-s rss``, ``rss>500m``."""
    title: str
    """The heading, also the name in the help."""
    width: int
    """Cells; 0 takes the rest of the line."""
    field: str
    """Attribute of ProcessRow to sort and filter by; rows in which it is None come last."""
    text: Callable[[Any], str]
    """The cell's text, before it is cut to the width."""
    says: str
    """One line for the help and the column chooser."""
    topic: str
    """The topic that explains the column. The column's names also find it."""
    needs: Need = Need.NONE
    """The readings that fill ``field``. They are made only while something needs them."""
    descending: bool = True
    """The natural order of the first sort."""
    left: bool = False
    """Aligned to the left (text) instead of the right (numbers)."""
    values: Values = Values.NUMBER
    default: bool = True
    """Whether it is shown by default."""
    aliases: tuple[str, ...] = ()
    """Other names that users may type."""
    importance: int = ALWAYS
    """Priority on narrow screens: the least important columns are left out first."""
    quiet: bool = False
    """Whether it is left out first while it says nothing: 0 or unknown in all rows, or the same word."""
    shorter: Callable[[Any, int], str] | None = None
    """The text for a cell of so many cells into which ``text`` does not fit, which is cut as well."""
    style: str = ""
    """``dim`` for cells that must not draw the eye; empty for the color of the row."""
    by_verdict: bool = False
    """Whether its cells take the color of the severity of the row's verdict."""
    subtree: str = ""
    """Attribute of TreePlace that a folded row shows instead: the bytes of its whole subtree."""
    branch: bool = False
    """Whether a row of the tree has its branch drawn before the text."""
    marked_from: tuple[float, float] | None = None
    """Shares of the machine's RAM at which a value in bytes is a warning, and a danger."""
