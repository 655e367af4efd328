"""Widget that shows one process's VIRT and RES over time. Its cursor looks back.

It does not store the time window: a click and the wheel become messages, which the app turns into a request to the
engine. The time keys are bindings of the app, so they work wherever the focus is.
"""

from __future__ import annotations

from typing import Final

from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from memtop.explain.chart_levels import Forecast
from memtop.history.process_history import WINDOWS_S
from memtop.model.detail import Detail, GroupDetail
from memtop.tui.chart.axes import Scale
from memtop.tui.chart.canvas import foot_rows
from memtop.tui.chart.chart_title import facts, looking_back_text, title_text, topic_at
from memtop.tui.chart.curves import DrawnCurves
from memtop.tui.chart.group_chart import group_picture, group_title
from memtop.tui.chart.picture import Limits, picture_of
from memtop.tui.chart.plot import filled, memory_strips, message_strips, points_for
from memtop.tui.chart.timed_chart import TimedChart
from memtop.tui.drawing.cached_lines import entitle
from memtop.tui.drawing.cell_text import LOADING, to_ascii
from memtop.tui.drawing.clickable_line import Bar

_FACTS_FROM_ROWS: Final = 3
NO_BORDER: Final = frozenset({"", "none"})
"""Textual's names for an edge without a line."""
_DOT_S: Final = 0.5
"""The time between two frames, at most."""


def zoomed(window_s: float, factor: float) -> float:
    """The window in seconds after :class:`TimedChart.WindowZoomed`: the next wider (factor > 1) or narrower (< 1) one.

    At either end it stays the same.
    """
    if factor > 1:
        return next((step for step in WINDOWS_S if step > window_s), WINDOWS_S[-1])
    return next((step for step in reversed(WINDOWS_S) if step < window_s), WINDOWS_S[0])


class MemoryChart(TimedChart, can_focus=True):
    """VIRT and RES of the process in focus."""

    DEFAULT_CSS = """
    MemoryChart {
        border: round $border-blurred;
        border-title-color: $foreground;
        border-subtitle-color: $foreground;
        &:focus { border: round $border; }
        &.-ascii { border: ascii $border-blurred; }
        &.-ascii:focus { border: ascii $border; }
    }
    """
    TITLE_LINES = 1
    detail: reactive[Detail | None] = reactive(None, repaint=False)
    """The process in focus; None if there is none."""
    group: reactive[GroupDetail | None] = reactive(None, repaint=False)
    """The group in focus, which is drawn while no process is."""
    words: reactive[str] = reactive(LOADING, repaint=False)
    """Text to show while there is none."""
    scale: reactive[Scale] = reactive(Scale.AUTO, repaint=False)
    """How VIRT and RES share the chart."""

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:
        super().__init__(ascii_only=ascii_only, id=id)
        self.set_class(ascii_only, "-ascii")
        self.framed: Widget = self
        """The widget whose border shows the title. A border of the chart itself would make drawing more expensive."""
        self.limits: Limits = ()
        """(label, bytes) of the binding limits. Those within the scale are drawn with the next detail."""
        self.forecast: Forecast | None = None
        """How RES will reach a limit, if that can be predicted. It is drawn with the next detail."""
        self.rests = False
        """Whether the curves may stay as they are if the next detail only has newer numbers, in a window of which a
        dot is longer than the time between two frames."""
        self._is_behind = False
        """Whether there are newer numbers than the curves were built from."""
        self._drawn = DrawnCurves()
        self._facts: Strip | None = None

    @property
    def points(self) -> int:
        """The number of points of the past that fit into its current size."""
        picture = self.picture
        if picture is None:
            return points_for(self.content_size.width)
        return points_for(self.content_size.width, picture.scale, ahead=picture.forecast is not None)

    def watch_detail(self) -> None:
        """Redraw for new numbers."""
        self._renew()

    def watch_group(self) -> None:
        """Redraw for new numbers of a group."""
        self._renew()

    def watch_words(self) -> None:
        """Redraw for another text, which shows while there is no process."""
        if self.detail is None and self.group is None:
            self.invalidate()

    def watch_scale(self) -> None:
        """Redraw for another scale."""
        self._renew()

    def _renew(self) -> None:
        """Take the changes, and build the chart again only if its cells may have changed."""
        detail = self.detail
        before = self.picture
        if detail is None and self.group is not None:
            self.picture = group_picture(self.group, self.scale, before.scale if before else Scale.ONE)
            self._entitle(group_title(self.group, self.picture.scale), looking_back_text(self.group))
            self.invalidate()
            return
        if detail is None:
            self.picture = None
            entitle(self.framed, None, None)
            self.invalidate()
            return
        scale = before.scale if before else Scale.ONE
        self.picture = picture_of(detail, self.scale, self.limits, scale, self.forecast)
        self._entitle(title_text(detail, self.picture.scale), looking_back_text(detail))
        self._is_behind = self._is_behind or not self.picture.looks_like(before)
        may_rest = self.rests and not detail.paused and detail.window.window_s >= _DOT_S * self.points
        if self._built is None or (self._is_behind and not (may_rest and self.picture.has_only_newer_numbers(before))):
            self.invalidate()
        elif self._facts is not None:
            fresh = self._facts_strip(detail, self._built_size.width, self._built_size.height)
            if fresh != self._facts:
                self._facts = self._built[0] = fresh
                self.refresh(Region(0, 0, self._built_size.width, 1))

    def _entitle(self, title: str, subtitle: str) -> None:
        """Write the title on the frame."""
        if self.ascii_only:
            title, subtitle = to_ascii(title), to_ascii(subtitle)
        if self.framed.styles.border_left[0] in NO_BORDER:
            title = f" {title} "  # Textual leaves blanks beside corners only
        entitle(self.framed, Content(title), Content(subtitle) if subtitle else None)

    def on_click(self, event: events.Click) -> None:
        """Explain the number under the pointer, in the line above the chart."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y == 0 and self._facts is not None:
            topic = topic_at(self._facts.text, offset.x)
            if topic:
                self.post_message(Bar.ExplainAsked(topic))

    def _facts_strip(self, detail: Detail | GroupDetail, width: int, height: int) -> Strip:
        scale = self.picture.scale if self.picture else Scale.ONE
        return facts(
            detail,
            width,
            self.inks(),
            areas=filled(scale, height - 1 - foot_rows(width, height - 1)),
            shows_virt=scale is not Scale.RES_ONLY,
            look=self.look,
            named=self.framed.styles.border_top[0] in NO_BORDER,
        )

    def build(self, width: int, height: int) -> list[Strip]:
        """The line of numbers with the chart below it; the numbers alone if there is no room for both."""
        detail, picture, inks = self.detail or self.group, self.picture, self.inks()
        if detail is None or picture is None:
            return message_strips(self.words, width, height, inks, self.look)
        self._is_behind = False
        self._facts = self._facts_strip(detail, width, height)
        if height < _FACTS_FROM_ROWS:
            return [self._facts]
        return [self._facts, *memory_strips(picture, width, height - 1, inks, look=self.look, drawn=self._drawn)]
