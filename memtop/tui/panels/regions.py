"""The Regions panel: the split of VIRT by kind of memory and by mapping, or the reason why it is unknown."""

from __future__ import annotations

import os
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical

from memtop.explain.region_sentences import caption, is_without_memory, what_is_known, why_no_reading
from memtop.model.detail import Detail
from memtop.model.frame import Frame
from memtop.sampling.smaps.smaps_view import Missing
from memtop.tui.drawing.cached_lines import KeptLines
from memtop.tui.drawing.text_lines import Line, TextLines, lines_without_focus, words_of_group, wrapped
from memtop.tui.panels.regions_table import RegionsTable
from memtop.tui.side.virt_bar import VirtBar

_MAY_COME: Final = (Missing.NOTHING, Missing.UNREAD)


class RegionsPanel(Vertical, KeptLines):
    """A bar of VIRT above the table of kinds, or sentences."""

    DEFAULT_CSS = """
    RegionsPanel.-old { opacity: 60%; }
    """

    def compose(self) -> ComposeResult:
        """Bar, table, and the sentences that replace them until there is a reading."""
        for shown_with_reading in (VirtBar(), RegionsTable(id="regions-table")):
            shown_with_reading.display = False
            yield shown_with_reading
        yield TextLines(classes="panel-words")

    def show_frame(self, frame: Frame) -> None:
        """Take a newer frame."""
        detail = frame.detail
        view = detail.regions if detail is not None else None
        reading = view.reading if view is not None else None
        table, bar, prose = self.query_one(RegionsTable), self.query_one(VirtBar), self.query_one(TextLines)
        self.set_class(view is not None and view.is_old, "-old")
        table.display = bar.display = reading is not None
        prose.display = reading is None
        if view is not None and reading is not None:
            bar.show(reading.split)
            table.show(view)
        elif detail is not None:
            prose.show(missing_lines(detail, max(20, self.content_region.width - 2)))
        else:
            prose.show(lines_without_focus(frame, max(20, self.content_region.width - 2)))

    def caption(self, frame: Frame) -> str:
        """The age of the reading, and its cost."""
        return caption(frame.detail.regions, frame.detail.row.rss_bytes) if frame.detail is not None else ""

    def words(self, frame: Frame) -> int | None:
        """See ``Panel``."""
        return lines_of_reason(frame, max(20, self.content_region.width - 2))


def lines_of_reason(frame: Frame, width: int) -> int | None:
    """The number of lines that say why there are no mappings; None if there are some, or may be in a moment.

    Also those that say that a group has none.
    """
    view = frame.detail.regions if frame.detail is not None else None
    if frame.detail is None:
        return words_of_group(frame, width)
    if view is None or view.reading is not None or view.missing in _MAY_COME:
        return None
    return len(missing_lines(frame.detail, width))


def missing_lines(detail: Detail, width: int) -> list[Line]:
    """Why there are no mappings, and what is known without them."""
    view = detail.regions
    if view is None:
        return []
    if detail.window.cursor_s is not None:
        return wrapped("Mappings of the past are not kept. End returns to now.", width)
    lines = wrapped(why_no_reading(view, detail.row, os.geteuid()), width)
    known = what_is_known(detail)
    if known and not is_without_memory(view):
        lines += wrapped(known, width)
    return lines
