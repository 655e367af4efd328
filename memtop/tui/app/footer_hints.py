"""The keys that the footer shows: a table for each part of the screen, and which of them holds now."""

from __future__ import annotations

from typing import Final, NamedTuple

from textual.widget import Widget

from memtop.tui.bars.filter_input import FilterInput
from memtop.tui.bars.footer import Hint
from memtop.tui.bars.header import HeaderBar
from memtop.tui.chart.memory_chart import MemoryChart
from memtop.tui.panels.switcher import panel_of
from memtop.tui.side.side_panel import SidePanel

BACK_HINT: Final = Hint("Esc", "Back", "step_out")
TABLE_HINTS: Final = (
    Hint("?", "Help", "help"),
    Hint("/", "Filter", "filter"),
    Hint("s", "Sort", "sort_menu"),
    Hint("T", "Growth", "sort('growth')"),
    Hint("b", "Groups", "by"),
    Hint("Enter", "Watch", "watch_selected"),
    Hint("e", "Explain", "explain"),
    Hint("Space", "Pause", "pause"),
    Hint("q", "Quit", "quit"),
    Hint("m", "Mark", "mark"),
)
WATCH_HINTS: Final = (
    Hint("?", "Help", "help"),
    Hint("1 2 3", "Panels", "panel(1)"),
    Hint("← →", "Look back", "look(-1)"),
    Hint("m", "Mark", "mark"),
    Hint("/", "Filter", "filter"),
    Hint("Enter", "Watch", "watch_selected"),
    Hint("e", "Explain", "explain"),
    Hint("b", "Groups", "by"),
    Hint("Space", "Pause", "pause"),
    Hint("q", "Quit", "quit"),
)
"""Keys of the list beside a watched process."""
ALONE_HINTS: Final = (
    Hint("?", "Help", "help"),
    Hint("1 2 3", "Panels", "panel(1)"),
    Hint("← →", "Look back", "look(-1)"),
    Hint("m", "Mark", "mark"),
    Hint("e", "Explain", "explain"),
    Hint("a", "All processes", "everybody"),
    Hint("Space", "Pause", "pause"),
    Hint("q", "Quit", "quit"),
)
"""Keys of a list of the only process that was asked for: there is nothing to filter or to sort."""
FILTER_HINTS: Final = (Hint("Enter", "Keep the filter", "keep_filter"), Hint("Esc", "Clear the filter", "step_out"))
"""Keys while the filter is typed: all others are text."""
SIDE_HINTS: Final = (
    Hint("?", "Help", "help"),
    Hint("Enter", "Explain", "in_side('explain_first')"),
    Hint("y", "Copy next step", "copy_next"),
    Hint("Y", "Copy all", "in_side('copy_sentences')"),
    Hint("z", "Maximize", "zoom_panel"),
    Hint("Tab", "Next part", "focus_next"),
    Hint("q", "Quit", "quit"),
)
READ_ON_HINT: Final = Hint("Enter", "Read all of it", "in_side('explain_first')")
WORDS_HINTS: Final = (
    Hint("?", "Help", "help"),
    Hint("Enter", "Explain", "explain"),
    Hint("z", "Maximize", "zoom_panel"),
    Hint("Tab", "Next part", "focus_next"),
    Hint("q", "Quit", "quit"),
)
"""Keys of a panel that is only text."""
HEADER_HINTS: Final = (
    Hint("?", "Help", "help"),
    Hint("Enter", "Machine: where RAM went", "panel(6)"),
    Hint("Tab", "Next part", "focus_next"),
    Hint("q", "Quit", "quit"),
)
CHART_HINTS: Final = (
    Hint("?", "Help", "help"),
    Hint("← →", "Look back", "look(-1)"),
    Hint("+ -", "Zoom", "zoom_time(0.5)"),
    Hint("v", "Scale", "scale"),
    Hint("e", "Explain", "explain"),
    Hint("z", "Maximize", "zoom_panel"),
    Hint("Tab", "Next part", "focus_next"),
    Hint("q", "Quit", "quit"),
)
REPLAY_HINTS: Final = (
    Hint("?", "Help", "help"),
    Hint("Space", "Play or pause", "pause"),
    Hint("← →", "Step", "look(1)"),
    Hint(":", "Go to time", "seek"),
    Hint("{ }", "Events", "event(1)"),
    Hint("( )", "Speed", "speed(1)"),
    Hint("End", "Play on", "live"),
    Hint("e", "Explain", "explain"),
    Hint("q", "Quit", "quit"),
)


class KeysNow(NamedTuple):
    """What keys do now."""

    enter: str
    """What Enter does in the list; empty for nothing."""
    is_replay: bool
    is_frozen: bool
    is_marked: bool
    """Whether the process in focus has a mark, which the same key clears."""
    is_alone: bool
    """Whether the list is of one process, the only one that was asked for."""
    is_watching: bool
    """Whether the chart stays with a process of the list."""
    has_list: bool
    """Whether the list has lines on the screen."""
    is_cut: bool
    """Whether the sentences are cut, so that Enter in them shows the rest."""
    can_step_out: bool
    """Whether Esc leads back to somewhere."""


def footer_hints(focused: Widget | None, keys: KeysNow) -> tuple[Hint, ...]:
    """The keys of the widget in focus, and how to step out."""
    if isinstance(focused, FilterInput):
        return FILTER_HINTS
    hints = _hints_of(focused, keys)
    return (*hints[:1], BACK_HINT, *hints[1:]) if keys.can_step_out else hints


def _hints_of(focused: Widget | None, keys: KeysNow) -> tuple[Hint, ...]:
    if keys.is_replay:
        return REPLAY_HINTS
    if isinstance(focused, HeaderBar):
        return HEADER_HINTS
    if isinstance(focused, MemoryChart):
        return CHART_HINTS
    if focused is not None and (panel := panel_of(focused)) is not None:
        of_panel = {"mark": "Clear mark"} if keys.is_marked else {}
        if keys.has_list and not keys.is_alone:
            of_panel["focus_next"] = "List"
        hints = panel.hints or WORDS_HINTS
        return tuple(hint._replace(label=of_panel.get(hint.action, hint.label)) for hint in hints)
    if focused is not None and any(isinstance(one, SidePanel) for one in focused.ancestors):
        return (READ_ON_HINT, *SIDE_HINTS[2:]) if keys.is_cut else SIDE_HINTS
    labels = {"watch_selected": keys.enter}
    if keys.is_frozen:
        labels["pause"] = "Resume"
    if keys.is_marked:
        labels["mark"] = "Clear mark"
    if not keys.is_alone:
        labels["everybody"] = ""
    of_list = WATCH_HINTS if keys.is_watching else TABLE_HINTS
    found = (
        hint._replace(label=labels.get(hint.action, hint.label))
        for hint in (of_list if keys.has_list and not keys.is_alone else ALONE_HINTS)
    )
    return tuple(hint for hint in found if hint.label)
