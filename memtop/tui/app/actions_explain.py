"""Actions that open explanations: a topic with the numbers of the process in focus; the help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

from memtop.explain.placeholders import facts_of
from memtop.explain.region_placeholders import (
    BESIDE_NOW,
    facts_of_regions,
    facts_of_rollup,
    mapping_sentence,
    sizes_then,
)
from memtop.explain.virt_text import virt_sentence
from memtop.tui.app.app_state import AppState
from memtop.tui.app.bindings import THEMES
from memtop.tui.app.when_shown import when_shown
from memtop.tui.dialogs.help import Found, Help
from memtop.tui.drawing.clickable_line import Bar

if TYPE_CHECKING:
    from memtop.tui.panels.regions_table import RegionsTable

_OF_VIRT: Final = frozenset(
    {"virt", "rss", "which_number", "virt_matters", "address_space", "resident_set", "memory_chart", "mem_percent"}
)
"""Topics that begin with the answer to "is this VIRT a problem?" for the process in focus."""


class ExplainActions(AppState):
    """Topics and help."""

    def explain(self, name: str, about: RegionsTable.ExplainAsked | None = None) -> None:
        """Open a topic, filled with the numbers of the process in focus."""
        from memtop.tui.dialogs.topic_viewer import TopicViewer  # noqa: PLC0415 (Markdown costs 3 MB and 51 ms, and few runs need it)

        detail = self.frame.detail if self.frame is not None else None
        if self.frame is None or detail is None:
            self.push_screen(TopicViewer(name, {}, ""))
            return
        facts = facts_of(detail.row, self.frame.system, detail.status)
        reading = about.reading if about is not None else detail.regions.reading if detail.regions else None
        if reading is not None:
            kind = about.kind if about is not None else None
            facts |= facts_of_regions(reading.regions, kind) | facts_of_rollup(reading.rollup)
            if name in BESIDE_NOW:
                age_s = detail.regions.age_s if detail.regions is not None else None
                facts |= sizes_then(detail.row, reading, age_s)
        facts |= dict(detail.runtime.facts) if detail.runtime is not None else {}
        sentence = ""
        if name in _OF_VIRT:
            sentence = virt_sentence(detail.row, self.frame.system, detail.outlook)
        if about is not None and about.start is not None:
            sentence = mapping_sentence(about.reading.regions, about.start)
        self.push_screen(TopicViewer(name, facts, sentence))

    def action_explain_topic(self, name: str) -> None:
        when_shown(self, lambda: self.explain(name))

    def action_explain(self) -> None:
        when_shown(self, lambda: self.explain(self.topic))

    def on_bar_explain_asked(self, message: Bar.ExplainAsked) -> None:
        """A click on a value of the header."""
        self.explain(message.topic)

    def on_regions_table_explain_asked(self, message: RegionsTable.ExplainAsked) -> None:
        """Open the topic of a mapping's kind, with its numbers and the mapping's flags in words (Enter or e)."""
        self.explain(message.kind.topic, message)

    def action_help(self) -> None:
        parts = self.focused.ancestors_with_self if self.focused is not None else []
        own = {  # they come first
            binding: part
            for part in parts
            if isinstance(part, Widget) and not isinstance(part, Screen)
            for binding in type(part).BINDINGS
            if isinstance(binding, Binding)
        }

        def run(found: Found | None) -> None:
            if found is not None:  # later: until the help has closed, keys of the screen below do nothing
                part = next(
                    (part for binding, part in own.items() if found.own and binding.action == found.action), None
                )
                self.call_later(self.run_action, found.action, part)

        self.push_screen(Help(own, THEMES), run)
