"""One column of the process list as data: its readings, cells, order, filter, topic, and priority on narrow screens."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final, NamedTuple

from memtop.model.frame import ProcessRow
from memtop.sampling.request import Need

ALWAYS: Final = 1000
"""Importance of a column that is never left out."""


class Values(Enum):
    """What a column holds, and so how the filter compares it."""

    NUMBER = auto()
    """Counts, rates and percentages: ``majflt>10``."""
    SIZE = auto()
    """Bytes, compared with sizes such as ``500m``."""
    TEXT = auto()
    """Text that contains what the filter names: ``command=nginx``."""
    WORD = auto()
    """Text that is the whole of what the filter names: ``user=app``."""


class Column(NamedTuple):
    """One column of the process list."""

    key: str
    """What users type: ``-s rss``, ``rss>500m``."""
    title: str
    """The heading, also the name in the help."""
    width: int
    """Cells; 0 takes what is left of the line."""
    field: str
    """Attribute of ProcessRow to sort and filter by; rows in which it is None come last."""
    text: Callable[[ProcessRow], str]
    """The cell's text, not yet cut to the width."""
    says: str
    """One line for the help and the column chooser."""
    topic: str
    """The explanation that belongs to the column; the column's names find it, too."""
    needs: Need = Need.NONE
    """The readings that fill ``field``; they are made only while something needs them."""
    descending: bool = True
    """The natural order of the first sort."""
    left: bool = False
    """Aligned to the left (text) instead of the right (numbers)."""
    values: Values = Values.NUMBER
    default: bool = True
    """Shown unless the user chose otherwise."""
    aliases: tuple[str, ...] = ()
    """Other names that users may type."""
    importance: int = ALWAYS
    """Columns that do not fit are left out, those of the least importance first."""
    style: str = ""
    """Name of the color of its cells: ``virt`` or ``res``, or empty for that of the row."""
    subtree: str = ""
    """Attribute of TreePlace that a folded row shows instead: the bytes of its whole subtree."""
    branch: bool = False
    """Whether a row of the tree has its branch drawn before the text."""
    marked_from: tuple[float, float] | None = None
    """Shares of the machine's RAM from which a value in bytes is a warning, and a danger."""
