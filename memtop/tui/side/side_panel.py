"""The side panel, in sentences: findings about the process, commentary of a demo, the meaning of a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from memtop.analysis.severity import Severity
from memtop.demo.progress import Step
from memtop.explain.placeholders import facts_of
from memtop.explain.plain_text import plain
from memtop.explain.topic_loader import topic
from memtop.explain.virt_text import has_virt_answer, virt_sentence
from memtop.model.detail import Detail
from memtop.model.frame import Frame
from memtop.model.row import RowKey, SystemRow
from memtop.tui.drawing.cached_lines import KeptLines, entitle
from memtop.tui.drawing.cell_text import ELLIPSIS, LOADING, to_ascii, whole_words
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.text_lines import Line, TextLines, led, wrapped
from memtop.tui.side.finding_lines import (
    MORE,
    SideLines,
    brief_lines,
    full_lines,
    group_lines,
    of_one_topic,
    paragraphs,
)

_FRAME_CELLS = 6


class SidePanel(Vertical, KeptLines):
    """Explains what is going on and why; see :meth:`show`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "explain_first", "Explain", id="side.explain", tooltip="Explain the worst finding"),
        Binding("y", "copy_next", "Copy", id="side.copy", tooltip="Copy the command of the next step"),
        Binding("Y", "copy_sentences", "Copy all", id="side.copy_all", tooltip="Copy what is going on, as text"),
    ]

    @dataclass
    class CopyAsked(Message):
        """The user wants to copy a text."""

        text: str
        says: str
        """What was copied, for the notice."""

    @dataclass
    class KeyPressed(Message):
        """A key means what is going on in the process in focus, of which the sentences may not be yet."""

        act: Callable[[], None]
        """To run as soon as they are."""

    class MoreAsked(Message):
        """The user wants to read all of a text that is cut."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._is_cut = False
        self.border_title = "What is going on"
        self._frame: Frame | None = None
        self._topic = ""
        self._step: Step | None = None
        self._shown = SideLines([], {})
        self._steps: Mapping[int, str] = {}
        """What to copy of each next step, whether or not its line is on screen."""

    def compose(self) -> ComposeResult:
        """One text."""
        prose = TextLines()
        prose.can_focus = True
        yield prose

    def show(self, frame: Frame, topic_name: str, step: Step | None) -> None:
        """Take a newer frame. ``topic_name`` is the topic of the value under the cursor."""
        before, self._frame, self._topic, self._step = self._frame, frame, topic_name, step
        if before is not None and subject_of(before) != subject_of(frame):
            self.query_one(TextLines).scroll_home(animate=False)  # the answers of another process are read from the top
        self._write()

    def on_resize(self) -> None:
        """Wrap again."""
        self._write()

    @property
    def frame(self) -> Frame | None:
        """The frame that the sentences are about."""
        return self._frame

    @property
    def is_cut(self) -> bool:
        """Whether it shows only a part of what it says, and cannot be scrolled to the rest."""
        return self._is_cut

    def action_explain_first(self) -> None:
        """Read on where the text is cut; open the topic of the worst finding where all of it can be read."""
        self.post_message(self.KeyPressed(self._explain_first))

    def _explain_first(self) -> None:
        if self._is_cut:
            self.post_message(self.MoreAsked())
            return
        detail = self._frame.detail if self._frame is not None else None
        found = detail.outlook.findings if detail is not None and detail.outlook is not None else ()
        topics = [found[0].topic] if found and found[0].severity > Severity.NOTE else list(self._shown.topics.values())
        self.post_message(Bar.ExplainAsked(topics[0] if topics else self._topic))

    @property
    def next_step(self) -> str:
        """The command of the first next step, or its sentence if it has no command; empty if there is none."""
        return next(iter(self._steps.values()), "")

    def _show_step(self) -> None:
        """Write the next step on the lower edge of the frame if the evidence is so long that it is not in view."""
        in_view = any(line < self.query_one(TextLines).size.height for line in self._shown.steps)
        text = f"Next: {self.next_step}" if self.next_step and not in_view else ""
        if self.app.has_class("-ascii"):
            text = to_ascii(text)
        room = self.size.width - _FRAME_CELLS
        step = Content(whole_words(text, room)) if text and room > 0 else None
        entitle(self, self._border_title, step)

    @property
    def sentences(self) -> str:
        """All that is known of the process, in lines as long as it is wide, also where only a part of it is in view."""
        width = self.query_one(TextLines).scrollable_content_region.width - 1
        if self._frame is None or width <= 0:
            return ""
        return "\n".join(line.text for line in self._lines(self._frame, width, brief=False).lines).strip()

    def action_copy_next(self) -> None:
        """Copy the command of the next step; what is going on if there is no step."""
        self.post_message(self.KeyPressed(self._copy_next))

    def _copy_next(self) -> None:
        step = self.next_step
        self.post_message(self.CopyAsked(step or self.sentences, step or "what is going on"))

    def action_copy_sentences(self) -> None:
        """Copy what is going on."""
        self.post_message(self.KeyPressed(self._copy_sentences))

    def _copy_sentences(self) -> None:
        self.post_message(self.CopyAsked(self.sentences, "what is going on"))

    def on_click(self, event: events.Click) -> None:
        """Copy the next step under the pointer, or open the topic of what is under it; nothing after a selection."""
        if self.screen.get_selected_text():
            return
        offset, prose = event.get_content_offset(self), self.query_one(TextLines)
        if offset is None:
            return
        at = offset.y + prose.scroll_offset.y
        if step := self._shown.steps.get(at):
            self.post_message(self.CopyAsked(step, step))
        elif self._is_cut and any(map(_says_more, self._shown.lines[at : at + 1])):
            self.post_message(self.MoreAsked())
        elif name := self._shown.topics.get(at):
            self.post_message(Bar.ExplainAsked(name))

    def _write(self) -> None:
        prose = self.query_one(TextLines)
        width = prose.scrollable_content_region.width - 1  # one blank between the text and the scroll bar
        if self._frame is None or width <= 0:
            return
        brief = prose.styles.overflow_y == "hidden"  # a few lines under the chart, which do not scroll
        whole = self._lines(self._frame, width, brief=brief)
        self._steps = whole.steps
        self._is_cut = False
        if brief:
            cut = whole.cut(self.content_size.height, width)
            self._is_cut = any(_says_more(line) for line in cut.lines)
            whole = cut
        elif self._frame.detail is not None or self._frame.group is not None:
            whole = whole.then(SideLines(self._explanation(self._frame, self._frame.detail, width), {}))
        self._shown = whole
        self._show_step()
        prose.show(whole.lines)

    def _lines(self, frame: Frame, width: int, *, brief: bool) -> SideLines:
        """The three answers, the commentary of a demo, and the evidence; then VIRT in full.

        In a few lines the meaning of the value under the cursor takes the place of the last.
        """
        detail = frame.detail
        if detail is None and frame.group is not None:
            return group_lines(frame.group, width, frame)
        if detail is None:
            words = LOADING if frame.rows else "No process is selected. Its memory is explained here."
            return SideLines(wrapped(words, width), {})
        demo = SideLines(_commentary(self._step, width, brief=brief) if self._step is not None else [], {})
        if brief:
            lines = brief_lines(detail, frame.system, width, self.content_size.height, frame.past_percent, demo=demo)
            meaning = whole_words(topic(self._topic).summary, width)
            return lines.then(of_one_topic([Line(meaning, "dim")], self._topic))
        full = SideLines(wrapped(_virt_in_full(detail, frame.system), width), {})
        return paragraphs(full_lines(detail, frame.system, width, frame.past_percent, demo=demo), full)

    def _explanation(self, frame: Frame, detail: Detail | None, width: int) -> list[Line]:
        """The topic of the value under the cursor."""
        shown = topic(self._topic)
        facts = facts_of(detail.row, frame.system, detail.status, shown.facts) if detail is not None else {}
        lines = plain(shown.fill(facts), width).splitlines()
        body = next(number for number, line in enumerate(lines) if line.startswith("═"))  # a long title is wrapped
        return [Line(""), *(Line(line, "strong") for line in lines[:body]), *(Line(line) for line in lines[body:])]


def _says_more(line: Line) -> bool:
    """Whether a line is cut, or says that there is more below it."""
    return line.text.rstrip().endswith((ELLIPSIS, MORE))


def subject_of(frame: Frame) -> RowKey | None:
    """What a frame is about: a process, a group, or nothing."""
    if frame.detail is not None:
        return frame.detail.row.key
    return frame.group.row.key if frame.group is not None else None


def _virt_in_full(detail: Detail, system: SystemRow) -> str:
    """The sentence about VIRT and RES; empty where an answer or the exit report says the same."""
    over = detail.outlook is not None and detail.outlook.autopsy is not None
    if over or not has_virt_answer(detail.row, detail.outlook):
        return ""
    return virt_sentence(detail.row, system, detail.outlook)


def _commentary(step: Step, width: int, *, brief: bool) -> list[Line]:
    """The workload's action, what to watch, and what it measured itself. In a few lines the title has no own line."""
    title = f"{step.number}/{step.total}  {step.title}"
    if brief:
        lines = led(f"{title}: {step.commentary}", width, "strong")
    else:
        lines = wrapped(title, width, "strong", indent="     ") + wrapped(step.commentary, width)
    for label, words in (("Watch: ", step.watch), ("Measured: ", step.measured)):
        if words:
            lines += wrapped(label + words, width, "strong" if label == "Watch: " else "")
    return lines
