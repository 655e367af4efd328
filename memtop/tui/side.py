"""Beside the chart, in sentences: is this VIRT a problem, what is the demo doing, what does this number mean."""

from __future__ import annotations

import textwrap

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from memtop.demo.step import Step
from memtop.explain import plain, topic
from memtop.explain.facts import facts_of, virt_sentence
from memtop.frame import Frame

_SPACE_CELLS = 3


class SidePanel(VerticalScroll, can_focus=True):
    """What is going on, and why; see :meth:`show`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "What is going on"
        self._frame: Frame | None = None
        self._topic = ""
        self._step: Step | None = None
        self._said: dict[str, Content] = {}

    def compose(self) -> ComposeResult:
        """A sentence, the demo's words, a topic."""
        yield Static(id="sentence", markup=False)
        yield Static(id="commentary", markup=False)
        yield Static(id="topic", markup=False)

    def show(self, frame: Frame, topic_name: str, step: Step | None) -> None:
        """Take a newer frame; ``topic_name`` is the topic of what the cursor is on."""
        self._frame, self._topic, self._step = frame, topic_name, step
        self._write()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._write()

    def _write(self) -> None:
        detail = self._frame.detail if self._frame is not None else None
        if self._frame is None or detail is None:
            self._say("sentence", Content("Select a process: its memory is explained here."))
            return
        system = self._frame.system
        width = max(16, self.size.width - _SPACE_CELLS)
        self._say("sentence", Content(textwrap.fill(virt_sentence(detail.row, system), width)))
        self._say("commentary", _commentary(self._step, width) if self._step is not None else Content(""))
        text = plain(topic(self._topic).fill(facts_of(detail.row, system, detail.status)), width)
        title, _, body = text.partition("\n")
        self._say("topic", Content.assemble((title, "bold"), "\n", body.strip("\n")))

    def _say(self, id: str, words: Content) -> None:
        """Write where it differs from what stands there; lay out anew only for another number of lines."""
        said = self._said.get(id)
        if said == words:
            return
        self._said[id] = words
        part = self.query_one(f"#{id}", Static)
        lines = words.plain.count("\n")
        part.update(words, layout=said is None or said.plain.count("\n") != lines)
        part.display = bool(words.plain)


def _commentary(step: Step, width: int) -> Content:
    """What the workload does, what to watch, what it measured itself."""
    lines = [Content.styled(f"{step.number}/{step.total}  {step.title}", "bold")]
    lines += map(Content, textwrap.wrap(step.commentary, width))
    for label, words in (("Watch: ", step.watch), ("Measured: ", step.measured)):
        if words:
            first, *rest = textwrap.wrap(label + words, width)
            lines += [Content.assemble((label, "bold"), first.removeprefix(label)), *map(Content, rest)]
    return Content("\n").join(lines)
