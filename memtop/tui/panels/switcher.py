"""The panels under the chart, one at a time: a line of tabs, and the chosen panel.

A panel is a widget that takes frames with ``show_frame``. The table :data:`PANELS` is the only place that lists them.
Its entry declares the readings that a panel needs as ``needs``; they are made only while the panel is on screen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Final, NamedTuple, Protocol

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from memtop.model.frame import Frame
from memtop.sampling.request import Need
from memtop.tui.bars.footer import Hint
from memtop.tui.drawing.cached_lines import KeptLines
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_parts import EDGE_CELLS, GAP_CELLS, LinePart, cells
from memtop.tui.panels.runtime import runtime_topic

RUNTIME: Final = "runtime"
TAB_LINES: Final = 1
PANEL_LINES: Final = 12
TALL_SHARE: Final = 0.45
"""The height of a panel and of a tall one above a list, as app.tcss has it: lines, and a part of the screen."""


class Panel(Protocol):
    """The interface of every panel."""

    def show_frame(self, frame: Frame) -> None:
        """Take a newer frame."""
        ...

    def caption(self, frame: Frame) -> str:
        """Text beside the tabs: the age of the numbers."""
        ...

    def words(self, frame: Frame) -> int | None:
        """The number of lines if the panel can only say why it has nothing to show; None if it has something."""
        ...


class PanelKind(NamedTuple):
    """One panel in the table, with its tab."""

    name: str
    title: str
    says: str
    """One line for the help."""
    widget: str
    """Its class as ``module:name``. A panel uses memory only after it was opened."""
    needs: Need = Need.NONE
    """Readings of the process in focus that it shows."""
    cursor: str = ""
    """ID of the widget with its cursor; empty if the panel has none."""
    hints: tuple[Hint, ...] = ()
    """Keys that the footer shows while the panel has the focus; empty for those of the table."""
    topic: Callable[[Frame | None], str] | None = None
    """Name of the topic that ``e`` opens while the panel has the focus; None for that of the sorted column."""
    tall: bool = False
    """Whether the panel takes nearly half of the screen."""
    opens: bool = False
    """Whether it opens automatically under the chart of a watched process, on a screen that is high enough."""
    of_machine: bool = False
    """Whether it shows the machine, whichever process is in focus."""

    @property
    def takes_keys(self) -> str:
        """ID of the widget that gets the focus when the panel is opened."""
        return self.cursor or f"panel-{self.name}"


PANELS: Final = (
    PanelKind(
        "regions",
        "Regions",
        "memory by kind and by mapping",
        "memtop.tui.panels.regions:RegionsPanel",
        Need.MAPPINGS,
        cursor="regions-table",
        hints=(
            Hint("?", "Help", "help"),
            Hint("Enter", "Open", "in_panel('choose')"),
            Hint("< >", "Sort", "in_panel('sort(1)')"),
            Hint("m", "Mark", "mark"),
            Hint("R", "Read now", "read_now"),
            Hint("Tab", "Next part", "focus_next"),
            Hint("q", "Quit", "quit"),
        ),
        opens=True,
    ),
    PanelKind(
        "sharing",
        "Sharing",
        "shared memory of its fork family",
        "memtop.tui.panels.sharing:SharingPanel",
        Need.MAPPINGS | Need.FAMILY,
    ),
    PanelKind(
        "limits",
        "Limits",
        "limits, the room left, and the OOM rank",
        "memtop.tui.panels.limits:LimitsPanel",
        Need.LIMITS,
    ),
    PanelKind(
        RUNTIME,
        "Runtime",
        "heap, collections and leak verdict of its runtime",
        "memtop.tui.panels.runtime:RuntimePanel",
        Need.RUNTIME | Need.LAZY_FREE | Need.MAPPINGS,
        topic=runtime_topic,
        tall=True,
    ),
    PanelKind("status", "Status", "/proc/PID/status, line by line", "memtop.tui.panels.status:StatusPanel"),
    PanelKind(
        "machine",
        "Machine",
        "where the machine's RAM went: parts, holders, swap, pressure",
        "memtop.tui.panels.machine:MachinePanel",
        Need.MACHINE,
        topic=lambda frame: "machine",
        tall=True,
        of_machine=True,
    ),
)
_CLAUSES: Final = re.compile(r"(?=, | from | in )")
"""Places where a caption may be cut."""
_AGE: Final = re.compile(r"read (\d+ \w+) ago")
BY_NAME: Final = {panel.name: panel for panel in PANELS}


def panel_of(widget: Widget) -> PanelKind | None:
    """The panel that ``widget`` is, or is part of; None if it is part of none."""
    names = (str(one.id).removeprefix("panel-") for one in widget.ancestors_with_self)
    return next((BY_NAME[name] for name in names if name in BY_NAME), None)


class Tabs(Bar):
    """The titles of the panels with their keys, the chosen one in brackets."""

    chosen: var[str] = var("")
    caption: var[str] = var("")
    """The age of the numbers in the chosen panel."""

    @dataclass
    class Chosen(Message):
        """A click on a tab."""

        name: str

    def parts(self, width: int) -> tuple[list[LinePart], list[LinePart]]:
        """All tabs, and as much of the caption as fits beside them. If not all tabs fit, the last ones are dropped."""
        left: list[LinePart] = []
        for number, panel in enumerate(BY_NAME.values(), 1):
            mine, after_mine = panel.name == self.chosen, bool(left) and left[-1].text.endswith("]")
            text = f"[{number} {panel.title}]" if mine else f"{'' if after_mine else ' '}{number} {panel.title}"
            left.append(LinePart(text, 0 if mine else number, panel.name, "strong" if mine else "dim", glued=True))
        room = width - cells(left) - GAP_CELLS - 2 * EDGE_CELLS
        clauses = _CLAUSES.split(self.caption)  # the end is least important: the address, the cost, the next reading
        forms = ["".join(clauses[:many]) for many in range(len(clauses), 0, -1)]
        forms += [_AGE.sub(age, clauses[0]) for age in (r"\1 ago", r"\1")]  # an age stays, in fewer words
        caption = next((form for form in forms if len(form) <= room), "")
        return left, [LinePart(caption, len(BY_NAME) + 1, "permissions", "dim")] if caption else []

    def watch_caption(self) -> None:
        """Redraw for another caption."""
        self.redraw_if_changed()

    def watch_chosen(self) -> None:
        """Redraw for another panel."""
        self.redraw_if_changed()

    def clicked(self, target: str) -> None:
        """Choose the clicked tab."""
        if target in BY_NAME:
            self.post_message(self.Chosen(target))
        else:
            super().clicked(target)


class Switcher(ContentSwitcher, KeptLines):
    """Shows one panel at a time."""


class Panels(Vertical, KeptLines):
    """Tabs and the chosen panel. It is hidden while no panel is chosen."""

    chosen: var[str] = var("")
    """Name of the panel on screen; empty for none."""

    @dataclass
    class Opened(Message):
        """The chosen panel is on screen."""

        name: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._frame: Frame | None = None

    def compose(self) -> ComposeResult:
        """Tabs over panels."""
        yield Tabs()
        yield Switcher()

    async def watch_chosen(self) -> None:
        """Show another panel, with the numbers that are known. It is created when it is first opened."""
        self.set_class(not self.chosen, "-closed")  # an own style would be stronger than that of a maximized part
        self.query_one(Tabs).chosen = self.chosen
        switcher, name = self.query_one(ContentSwitcher), self.chosen
        if name and not self.query(f"#panel-{name}"):
            await switcher.add_content(resolve_name(BY_NAME[name].widget)(id=f"panel-{name}"))
        if name != self.chosen:
            return  # another key was faster
        switcher.current = f"panel-{name}" if name else None
        self.call_after_refresh(self._show_again)  # a panel that was just created has no width yet
        if name:
            self.post_message(self.Opened(name))

    def on_descendant_focus(self) -> None:
        """Mark the tab of the panel that has the keys."""
        self.query_one(Tabs).add_class("-focused")

    def on_descendant_blur(self) -> None:
        """Mark it no more."""
        self.query_one(Tabs).remove_class("-focused")

    def _show_again(self) -> None:
        if self._frame is not None:
            self.show(self._frame)

    def show(self, frame: Frame) -> None:
        """Give a newer frame to the panel on screen."""
        self._frame = frame
        if self.chosen and self.query_one(ContentSwitcher).current == f"panel-{self.chosen}":
            panel: Panel = self.query_one(f"#panel-{self.chosen}")  # type: ignore[assignment]
            panel.show_frame(frame)
            self.query_one(Tabs).caption = panel.caption(frame)
            lines = panel.words(frame)
            if lines is not None:
                self.styles.max_height = TAB_LINES + lines
            elif self.styles.inline.has_rule("max_height"):  # to clear what is not set would lay out the whole screen
                self.styles.max_height = None
            self.app.set_class(lines is not None, "-words")
