"""The Runtime panel: breakdown of RES by the program's own figures, leak verdict, advice."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from memtop.explain.severity_signs import DANGER_MARK, WARNING_MARK
from memtop.model.detail import Detail
from memtop.model.frame import Frame
from memtop.runtimes.view import RuntimeView
from memtop.tui.chart.heap_chart import FRAME_ROWS, ROWS, heap_charts
from memtop.tui.drawing.scrolling import TEXT_KEYS
from memtop.tui.drawing.stacked_bar import StackedBar, legend
from memtop.tui.drawing.text_lines import Line, TextLines, lines_without_focus, words_of_group, wrapped
from memtop.units import duration

WAITING = "Detecting the runtime …"
_NARROW_BELOW = 100


class RuntimePanel(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Verdict, bar, charts and numbers."""

    BINDINGS: ClassVar[list[BindingType]] = [*TEXT_KEYS]

    def compose(self) -> ComposeResult:
        """The sentences above the bar, the bar, and the rest."""
        yield TextLines(id="runtime-head")
        yield StackedBar(id="runtime-bar")
        yield TextLines(id="runtime-body")

    def show_frame(self, frame: Frame) -> None:
        """Take a newer frame."""
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        runtime = frame.detail.runtime if frame.detail is not None else None
        parts = runtime.parts if runtime is not None else ()
        bar = self.query_one(StackedBar)
        bar.display = bool(parts)
        bar.show(parts)
        plain = self.app.has_class("-ascii")
        head = head_lines(frame.detail, width) or lines_without_focus(frame, width)
        room = self.scrollable_content_region.height - len(head) - len(parts[:1])
        body = body_lines(frame.detail, width, room, plain=plain)
        for name, lines in (("#runtime-head", head), ("#runtime-body", body)):
            prose = self.query_one(name, TextLines)
            prose.styles.height = max(1, len(lines))  # they scroll together, with the bar between them
            prose.show(lines)

    def caption(self, frame: Frame) -> str:
        """The age of the figures, and their source."""
        runtime = frame.detail.runtime if frame.detail is not None else None
        if runtime is None or runtime.age_s is None:
            return ""
        where = f" from {runtime.url}" if runtime.has_figures and runtime.url else ""
        return f"read {duration(runtime.age_s)} ago{where}"

    def words(self, frame: Frame) -> int | None:
        """See ``Panel``. It always has something to show of a process."""
        return words_of_group(frame, self.scrollable_content_region.width)


def head_lines(detail: Detail | None, width: int) -> list[Line]:
    """The runtime, problems with the readings, and the verdict."""
    if detail is None:
        return []
    runtime = detail.runtime
    if runtime is None or runtime.waiting:
        return wrapped(WAITING, width)
    lines = wrapped(runtime.title, width, "dim")
    if runtime.trouble:
        which = "newer " if runtime.has_figures else ""
        lines += wrapped(f"{WARNING_MARK} No {which}figures: {runtime.trouble}.", width, "warning")
    verdict, notice = runtime.verdict, runtime.notice
    if notice is not None and notice.bad:
        lines += wrapped(f"{DANGER_MARK} {notice.text}", width, "danger")
    if verdict is not None:
        sign, look = (f"{DANGER_MARK} ", "danger") if verdict.bad else ("", "strong")
        lines += wrapped(f"{sign}{verdict.title}. {verdict.evidence}", width, look)
        if verdict.bad:
            lines += wrapped(verdict.what_to_do, width)
    if notice is not None and not notice.bad:
        lines += wrapped(notice.text, width)
    return lines


def body_lines(detail: Detail | None, width: int, room: int = 99, *, plain: bool = False) -> list[Line]:
    """The bar in words, charts, numbers and advice. ``room`` is how many of its lines are visible without scrolling.

    Charts come right after the bar, as high as there is room for. Without room they come after all sentences, in full
    height.
    """
    runtime = detail.runtime if detail is not None else None
    if detail is None or runtime is None or runtime.waiting:
        return []
    sentences = [line for sentence in runtime.sentences if sentence for line in wrapped(sentence, width)]
    if not runtime.has_figures:
        return sentences
    bar = _legend(runtime, detail.row.rss_bytes, width, plain=plain)
    rows = min(ROWS, room - len(bar) - FRAME_ROWS)
    charts = heap_charts(runtime.points, runtime.chart_titles, width, rows=rows if rows > 0 else ROWS, plain=plain)
    lines = [Line(line) for line in charts]
    return [*bar, *lines, *sentences] if rows > 0 else [*bar, *sentences, *lines]


def runtime_topic(frame: Frame | None) -> str:
    """Name of the topic on the runtime of the process in focus; the topic on allocators if no runtime is known."""
    runtime = frame.detail.runtime if frame is not None and frame.detail is not None else None
    return runtime.topic if runtime is not None else "allocators"


def _legend(runtime: RuntimeView, rss_bytes: int | None, width: int, *, plain: bool) -> list[Line]:
    if not runtime.parts or rss_bytes is None:
        return []
    return [Line(text) for text in legend(rss_bytes, runtime.parts, width, narrow=width < _NARROW_BELOW, plain=plain)]
