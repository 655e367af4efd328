"""Scrolling lines: they scroll without a layout, and repaint only what changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.binding import Binding
from textual.geometry import Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from memtop.tui.drawing.cached_lines import CachedLines, KeptLines

TEXT_KEYS: Final = (
    Binding("up,k", "scroll_up", "Up", show=False, id="text.up", tooltip="One line up"),
    Binding("down,j", "scroll_down", "Down", show=False, id="text.down", tooltip="One line down"),
    Binding("pageup", "page_up", "Page up", show=False, id="text.page_up", tooltip="One screen up"),
    Binding("pagedown", "page_down", "Page down", show=False, id="text.page_down", tooltip="One screen down"),
    Binding("home,g", "scroll_home", "First", show=False, id="text.first", tooltip="To the first line"),
    Binding("G", "scroll_end", "Last", show=False, id="text.last", tooltip="To the last line"),
)
"""Keys of a text that scrolls. The main screen has other uses for End and the arrows to the sides."""
PAGE_KEYS: Final = (
    *TEXT_KEYS,
    Binding("end", "scroll_end", "Last", show=False, id="text.end", tooltip="To the last line"),
)
"""Keys of a text in a dialog."""


class KeptScrollBar(ScrollBar, KeptLines):
    """A scroll bar whose lines are cached."""


class ScrollingLines(CachedLines, ScrollView):
    """A list of lines. A subclass draws line ``y`` of the view in :meth:`line`, and calls :meth:`refresh_changed`."""

    DEFAULT_CSS = """
    ScrollingLines {
        width: 1fr;
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size: 0 1;
    }
    """

    # A new number of lines only moves the scroll bar. Unlike in ScrollView, it causes no layout of the whole screen.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawn: dict[int, Strip] = {}
        self._ready: dict[int, Strip] = {}
        """Lines that were drawn to find out whether they changed, and wait to be shown."""

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """As in Widget, which has no other way to set its class."""
        if self._vertical_scrollbar is None:
            bar = self._vertical_scrollbar = KeptScrollBar(vertical=True, name="vertical", thickness=1)
            bar.display = False
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    def line(self, y: int) -> Strip:
        """Line ``y`` of the widget, from the top of what is in view."""
        raise NotImplementedError

    def set_length(self, lines: int) -> None:
        """Set the number of lines, in view or not."""
        if lines == self.virtual_size.height:
            return
        self.virtual_size = Size(0, lines)
        if self.styles.overflow_y == "auto":
            self.show_vertical_scrollbar = lines > self.container_size.height
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = lines
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def refresh_changed(self, lines: Iterable[int]) -> None:
        """Ask for a repaint of the lines that would look different from how they were drawn last."""
        self.line_size = self.content_size
        if not self.line_size:
            return  # it has no place yet, and is drawn as soon as it has one
        fresh = {y: self.line(y) for y in lines}
        self._ready = {y: strip for y, strip in fresh.items() if strip != self._drawn.get(y)}
        if self._ready:
            self.redraw_lines(self._ready, self.line_size.width)

    def render_line(self, y: int) -> Strip:
        """What :meth:`line` draws."""
        strip = self._ready.pop(y, None)
        if strip is None or strip.cell_length != self.line_size.width:  # the widget has had another width since
            strip = self.line(y)
        self._drawn[y] = strip
        return strip

    def repaint(self) -> None:
        """Draw everything again."""
        self._drawn.clear()
        self._ready.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """Redraw after a change of the theme, the style sheet or the focus."""
        super().notify_style_update()
        self.repaint()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Drop the lines that wait, because every line is another one."""
        self._ready.clear()
        super().watch_scroll_y(old_value, new_value)
