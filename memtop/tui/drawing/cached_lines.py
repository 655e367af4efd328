"""Lines that are drawn once and cached: the compositor asks for all lines of a widget whenever one cell changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Self

from rich.console import RenderableType
from rich.style import Style
from textual.content import Content
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from memtop.tui.drawing.part_styles import StyledParts


class NotedWidget(Widget):
    """A widget that itself tells its screen that it is to be painted, while a frame is shown.

    Textual's way is a message to the widget, and another one from there to the screen: 20 of them for each frame. Then
    a timer wakes up twice to paint.
    """

    _noted: ClassVar[dict[Screen[object], bool] | None] = None
    """The screens that the frame being shown has changed, and whether it has changed only their lines; None outside of
    a frame."""

    @staticmethod
    @contextmanager
    def painted_at_once() -> Iterator[None]:
        """Show a frame, and paint it. Outside of it the order of messages is Textual's, on which ``call_after_refresh``
        relies."""
        noted = NotedWidget._noted = dict[Screen[object], bool]()
        try:
            yield
        finally:
            NotedWidget._noted = None
            for screen, lines_only in noted.items():
                _paint(screen, lines_only=lines_only)

    def check_idle(self) -> None:
        """As in Widget, which posts the first of the messages."""
        asks_for_more = self._layout_required or self._scroll_required or self._refresh_styles_required
        noted = NotedWidget._noted if self._is_mounted and not self._closing else None
        if asks_for_more or noted is None or not self._repaint_required:
            if noted is not None and asks_for_more:
                noted[self.screen] = False
            super().check_idle()
            return
        self._repaint_required = False
        screen = self.screen
        if self.display and screen in screen._compositor:
            screen._dirty_widgets.add(self)
            noted.setdefault(screen, True)


def _paint(screen: Screen[object], *, lines_only: bool) -> None:
    """Paint the changed widgets now, or let Textual do it in its order where it has more to do, such as a layout."""
    more = screen._layout_required, screen._scroll_required, screen._repaint_required, screen._callbacks
    if lines_only and not any(more) and not screen.message_queue_size:
        screen._on_timer_update()
    else:
        screen.check_idle()


class KeptLines(NotedWidget):
    """A container whose lines, mostly a frame and blanks, are cached until :meth:`refresh`.

    The container comes first among the bases, because Textual inherits style rules from the first one only.
    """

    _kept_lines: tuple[Region, list[Strip]] | None = None
    _stale_lines: frozenset[int] = frozenset()
    """Those of them that are to be drawn again."""

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As in Widget. The lines in the regions, or all, will be drawn again."""
        if repaint and regions and not layout:
            top = self.content_offset.y
            self._stale_lines = self._stale_lines.union(*(one.translate((0, top)).line_range for one in regions))
        elif repaint:
            self._kept_lines = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_lines(self, crop: Region) -> list[Strip]:
        """As in Widget, but without checking each line: the cache key is the requested region."""
        if self._kept_lines is None or self._kept_lines[0] != crop:
            self._kept_lines = crop, super().render_lines(crop)
        else:
            for y in self._stale_lines.intersection(crop.line_range):
                self._kept_lines[1][y - crop.y] = super().render_lines(Region(crop.x, y, crop.width, 1))[0]
        self._stale_lines = frozenset()
        return self._kept_lines[1]

    def notify_style_update(self) -> None:
        """Drop the cache, because colors may have changed with the theme or the focus."""
        super().notify_style_update()
        self._kept_lines = None


class CachedLines(NotedWidget, StyledParts):
    """A widget that draws line by line in ``render_line``, and draws a line again only after a :meth:`refresh` of it.

    Its lines go straight to the compositor. Textual's own way adds borders and padding, and costs more than the drawing
    itself. It is used only for a widget with a border or padding.
    """

    ALLOW_SELECT = False
    """Rows and charts are no text: there the mouse chooses. TextLines allow it."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.line_size = Size(0, 0)
        """Size of the content during a request for lines. Textual would compute it from the styles for each line."""
        self._part_styles: dict[str, Style] = {}
        self._lines_of: tuple[Region, Size] | None = None
        self._shown_lines: dict[int, Strip] = {}

    def render(self) -> RenderableType:
        """Never called for drawing: lines come from ``render_line``."""
        return ""

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As in Widget. The lines in the regions, or all, will be drawn again."""
        if repaint and regions:
            for region in regions:
                for y in region.line_range:
                    self._shown_lines.pop(y, None)
        elif repaint:
            self._shown_lines.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def redraw_lines(self, lines: Iterable[int], width: int) -> None:
        """Draw these lines again, if there are any. Neighbors are one region: each region costs as much as a line."""
        bands: list[Region] = []
        for y in sorted(lines):
            if bands and bands[-1].bottom == y:
                bands[-1] = bands[-1].grow((0, 0, 1, 0))
            else:
                bands.append(Region(0, y, width, 1))
        if bands:
            self.refresh(*bands)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines as last drawn. Invalid ones are drawn again."""
        if self._lines_of != (crop, self.outer_size):  # the size of the content takes a search through the screen
            self._lines_of = crop, self.outer_size
            self._shown_lines.clear()
        lines = self._shown_lines
        if len(lines) < crop.height:
            self.line_size = self.content_size
            if self.styles.gutter:
                return super().render_lines(crop)
            filters = self.get_line_filters()
            for y in crop.line_range:
                if y not in lines:
                    lines[y] = self._finished(self.render_line(y), crop, filters)
        return [lines[y] for y in crop.line_range]

    def _finished(self, strip: Strip, crop: Region, filters: Sequence[LineFilter]) -> Strip:
        """The line as Textual would finish it."""
        for line_filter in filters:
            strip = strip.apply_filter(line_filter, self.background_colors[1])
        return strip if crop.width == strip.cell_length else strip.crop(crop.x, crop.right)

    def style_of(self, part: str = "") -> Style:
        """The style of one of its COMPONENT_CLASSES combined with its own, or its own alone.

        It is looked up once for each theme, because a look-up costs more than drawing a line.
        """
        if part not in self._part_styles:
            own = self.rich_style
            self._part_styles[part] = own + self.get_component_rich_style(part, partial=True) if part else own
        return self._part_styles[part]

    def notify_style_update(self) -> None:
        """Drop the styles, because colors may have changed with the theme or the focus."""
        super().notify_style_update()
        self._part_styles.clear()
        self._shown_lines.clear()


def entitle(widget: Widget, title: Content | None, subtitle: Content | None) -> None:
    """Write the titles on the frame of a widget, of one line each, and draw only the lines on which they stand again.

    Textual would draw all of the widget and its children again.
    """
    width, height = widget.outer_size
    left, top = widget.content_offset
    changed: list[Region] = []
    if title != widget._border_title:
        changed.append(Region(-left, -top, width, 1))
    if subtitle != widget._border_subtitle:
        changed.append(Region(-left, height - 1 - top, width, 1))
    widget._border_title, widget._border_subtitle = title, subtitle
    if changed:
        widget.refresh(*changed)
