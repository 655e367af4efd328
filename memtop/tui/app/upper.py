"""The upper part of the screen: containers of the charts and of the sentences about them."""

from textual.containers import Horizontal, Vertical

from memtop.tui.drawing.cached_lines import KeptLines


class Upper(Horizontal, KeptLines):
    """The charts, and the sentences about them."""


class Charts(Vertical, KeptLines):
    """The memory chart above the fault chart, in one frame."""
