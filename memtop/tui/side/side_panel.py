"""The side panel, in sentences: findings about the process, commentary of a demo, the meaning of a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from memtop.demo.progress import Step
from memtop.explain import plain, topic
from memtop.explain.placeholders import facts_of, virt_sentence
from memtop.model.frame import Detail, Frame
from memtop.tui.chart.axes import clock
from memtop.tui.drawing.cached_lines import KeptLines
from memtop.tui.drawing.cell_text import ELLIPSIS, LOADING, fit
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.text_lines import Line, TextLines, wrapped
from memtop.tui.side.finding_lines import finding_lines, group_lines


class SidePanel(Vertical, KeptLines):
    """Explains what is going on and why; see :meth:`show`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "explain_first", "Explain", id="side.explain", tooltip="Explain the worst finding")
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "What is going on"
        self._frame: Frame | None = None
        self._topic = ""
        self._step: Step | None = None
        self._topics: dict[int, str] = {}
        """Line -> the topic of its finding."""

    def compose(self) -> ComposeResult:
        """One text."""
        prose = TextLines()
        prose.can_focus = True
        yield prose

    def show(self, frame: Frame, topic_name: str, step: Step | None) -> None:
        """Take a newer frame. ``topic_name`` is the topic of the value under the cursor."""
        self._frame, self._topic, self._step = frame, topic_name, step
        self._write()

    def on_resize(self) -> None:
        """Wrap again."""
        self._write()

    def action_explain_first(self) -> None:
        """Open the topic of the worst finding."""
        self.post_message(Bar.ExplainAsked(next(iter(self._topics.values()), self._topic)))

    def on_click(self, event: events.Click) -> None:
        """Open the topic of the finding under the pointer."""
        offset, prose = event.get_content_offset(self), self.query_one(TextLines)
        if offset is not None and (name := self._topics.get(offset.y + prose.scroll_offset.y)):
            self.post_message(Bar.ExplainAsked(name))

    def _write(self) -> None:
        prose = self.query_one(TextLines)
        width = prose.scrollable_content_region.width - 1  # one blank between the text and the scroll bar
        if self._frame is None or width <= 0:
            return
        lines, self._topics = self._lines(self._frame, width)
        if prose.styles.overflow_y == "hidden":  # a few lines under the chart, which do not scroll
            lines, self._topics = _cut(lines, self._topics, self.content_size.height, width)
        elif self._frame.detail is not None or self._frame.group is not None:
            lines += self._explanation(self._frame, self._frame.detail, width)
        prose.show(lines)

    def _lines(self, frame: Frame, width: int) -> tuple[list[Line], dict[int, str]]:
        """The sentences, and the topic of each line that has one."""
        detail = frame.detail
        if detail is None and frame.group is not None:
            return group_lines(frame.group, width)
        if detail is None:
            words = LOADING if frame.rows else "No process is selected. Its memory is explained here."
            return wrapped(words, width), {}
        lines = [*_commentary(self._step, width), Line("")] if self._step is not None else []
        if detail.cursor_s is not None:
            at = clock(detail.right_edge_s + detail.cursor_s)
            lines += [*wrapped(f"As of {at}. End returns to now.", width, "strong"), Line("")]
        found, topics = finding_lines(detail, width)
        topics = {len(lines) + line: name for line, name in topics.items()}
        if found:
            lines += [*found, Line("")]
        lines += wrapped(virt_sentence(detail.row, frame.system, detail.outlook), width)
        return lines, topics

    def _explanation(self, frame: Frame, detail: Detail | None, width: int) -> list[Line]:
        """The topic of the value under the cursor."""
        facts = facts_of(detail.row, frame.system, detail.status) if detail is not None else {}
        text = plain(topic(self._topic).fill(facts), width)
        title, *body = text.splitlines()
        return [Line(""), Line(title, "strong"), *(Line(line) for line in body)]


def _commentary(step: Step, width: int) -> list[Line]:
    """The workload's action, what to watch, and what it measured itself."""
    lines = wrapped(f"{step.number}/{step.total}  {step.title}", width, "strong", indent="     ")
    lines += wrapped(step.commentary, width)
    for label, words in (("Watch: ", step.watch), ("Measured: ", step.measured)):
        if words:
            lines += wrapped(label + words, width, "strong" if label == "Watch: " else "")
    return lines


def _cut(
    lines: Sequence[Line], topics: Mapping[int, str], height: int, width: int
) -> tuple[list[Line], dict[int, str]]:
    """As many lines as fit. Blank ones are dropped first, and the last line says where the rest is."""
    kept = [number for number, line in enumerate(lines) if line.text or len(lines) <= height]
    shown = [lines[number] for number in kept[:height]]
    if len(kept) > height > 0:
        last = shown[-1]
        shown[-1] = last._replace(text=fit(f"{last.text} {ELLIPSIS}", width, left=True))
    return shown, {at: topics[number] for at, number in enumerate(kept[:height]) if number in topics}
