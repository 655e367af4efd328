"""The list of incidents: everything that deserves attention on the machine, the worst first."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from memtop.analysis.incidents import Incident
from memtop.explain.incident_text import incident_sentences, not_looked_at
from memtop.explain.severity_signs import SIGNS
from memtop.model.incidents import IncidentReport
from memtop.tui.bars.footer import Hint
from memtop.tui.colors import LOOKS
from memtop.tui.dialogs.choice_list import ChoiceList
from memtop.tui.dialogs.dialog import CANCEL_HINT, Dialog
from memtop.tui.dialogs.keys_line import ACCEPT, KeysLine
from memtop.tui.drawing.hanging_text import HangingText, Paragraph
from memtop.units import duration

_NONE: Final = "No incidents now."


class IncidentList(Dialog[Incident]):
    """Each incident with its numbers, since when, and what to do next. Enter answers with the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_next", "Copy", id="incidents.copy", tooltip="Copy the next step of this incident")
    ]

    @dataclass
    class CopyAsked(Message):
        """The user wants to copy the next step of an incident."""

        text: str

    def __init__(self, report: IncidentReport, now_s: float, earlier: str = "") -> None:
        """``now_s`` is the time of the frame, seconds since the epoch; ``earlier`` is what happened before memtop
        started, as a clause."""
        super().__init__()
        self._earlier = earlier
        self._report = report
        self._now_s = now_s

    def compose(self) -> ComposeResult:
        """Title, list, what was not looked at, keys."""
        with Vertical(classes="dialog -wide"):
            yield Label("Incidents of this machine", classes="dialog-title")
            yield ChoiceList(*self._options())
            yield Label(Content(self._words()), classes="dialog-says", id="incident-words")
            steps = any(incident_sentences(one).next for one in self._report.standing)
            copy = [Hint("y", "copy next step", "copy_next")] if steps else []
            yield KeysLine(Hint("↑ ↓", "move", ""), Hint("Enter", "go there", ACCEPT), *copy, CANCEL_HINT)

    def on_mount(self) -> None:
        """The worst is under the cursor."""
        self.query_one(OptionList).highlighted = 0

    def show(self, report: IncidentReport, now_s: float) -> None:
        """Take a newer report; the cursor stays with its incident."""
        choices = self.query_one(OptionList)
        at = choices.highlighted
        chosen = self._report.standing[at] if at is not None and at < len(self._report.standing) else None
        self._report, self._now_s = report, now_s
        choices.set_options(self._options())
        names = [(one.subject.identity, one.story) for one in report.standing]
        if chosen is not None and (chosen.subject.identity, chosen.story) in names:
            choices.highlighted = names.index((chosen.subject.identity, chosen.story))
        elif names:
            choices.highlighted = min(at or 0, len(names) - 1)
        self.query_one("#incident-words", Label).update(Content(self._words()))

    def action_copy_next(self) -> None:
        """Copy the next step of the incident under the cursor."""
        at, standing = self.query_one(OptionList).highlighted, self._report.standing
        if at is not None and at < len(standing) and (text := incident_sentences(standing[at]).next):
            self.post_message(self.CopyAsked(text))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        event.stop()
        standing = self._report.standing
        self.dismiss(standing[event.option_index] if event.option_index < len(standing) else None)

    def _options(self) -> list[Option]:
        if not self._report.standing:
            return [Option(Content(_NONE), disabled=True)]
        return [Option(HangingText(self._lines(one))) for one in self._report.standing]

    def _lines(self, incident: Incident) -> list[Paragraph]:
        words, since_s = incident_sentences(incident), self._report.since_wall_s(incident)
        clock = time.strftime("%H:%M:%S", time.localtime(since_s))
        since = f"since {clock}, {duration(max(0.0, self._now_s - since_s))}"
        about = " ".join(f"{text[0].upper()}{text[1:]}." for text in (since, *words.evidence))
        sign, look = SIGNS[incident.severity], LOOKS[incident.severity]
        lines = [Paragraph(f"{sign} ", words.says, look=look), Paragraph("  ", about)]
        if words.next:
            lines.append(Paragraph("  Next: ", words.next))
        return lines

    def _words(self) -> str:
        said = [*([self._earlier] if self._earlier else []), *not_looked_at(self._report.unseen)]
        return " ".join(f"{one[0].upper()}{one[1:]}." for one in said)
