"""Beside the chart, in sentences: is this VIRT a problem, what is the demo doing, what does this number mean."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from memtop.demo.step import Step
from memtop.explain import plain, topic
from memtop.explain.facts import facts_of, virt_sentence
from memtop.explain.region_words import mark_sentence
from memtop.frame import Frame
from memtop.tui.prose import Line, Prose, wrapped


class SidePanel(VerticalScroll, can_focus=True):
    """What is going on, and why; see :meth:`show`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "What is going on"
        self._frame: Frame | None = None
        self._topic = ""
        self._step: Step | None = None

    def compose(self) -> ComposeResult:
        """One text."""
        yield Prose()

    def show(self, frame: Frame, topic_name: str, step: Step | None) -> None:
        """Take a newer frame; ``topic_name`` is the topic of what the cursor is on."""
        self._frame, self._topic, self._step = frame, topic_name, step
        self._write()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._write()

    def _write(self) -> None:
        prose = self.query_one(Prose)
        width = self.scrollable_content_region.width - 1  # a blank between the words and the scroll bar
        if self._frame is not None and width > 0:
            prose.show(self._lines(self._frame, width))

    def _lines(self, frame: Frame, width: int) -> list[Line]:
        detail = frame.detail
        if detail is None:
            return wrapped("Select a process: its memory is explained here.", width)
        lines = [*_commentary(self._step, width), Line("")] if self._step is not None else []
        lines += wrapped(virt_sentence(detail.row, frame.system), width)
        if marked := mark_sentence(detail):
            lines += [Line(""), *wrapped(marked, width, "strong")]
        text = plain(topic(self._topic).fill(facts_of(detail.row, frame.system, detail.status)), width)
        title, *body = text.splitlines()
        lines += [Line(""), Line(title, "strong"), *(Line(line, "dim") for line in body)]
        return lines


def _commentary(step: Step, width: int) -> list[Line]:
    """What the workload does, what to watch, what it measured itself."""
    lines = [Line(f"{step.number}/{step.total}  {step.title}", "strong"), *wrapped(step.commentary, width)]
    for label, words in (("Watch: ", step.watch), ("Measured: ", step.measured)):
        if words:
            lines += wrapped(label + words, width, "strong" if label == "Watch: " else "")
    return lines
