"""The parts of the screen beside the list: each is written from the frame shown and the view. And the notices."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from textual.geometry import Size
from textual.reactive import var

from memtop.demo.progress import Step
from memtop.explain.severity_signs import DANGER_MARK, WARNING_MARK
from memtop.model.frame import Frame
from memtop.process_key import ProcessKey
from memtop.settings import Settings
from memtop.tui.app.footer_hints import KeysNow, footer_hints
from memtop.tui.bars.filter_bar import FilterBar
from memtop.tui.bars.footer import StatusBar
from memtop.tui.bars.header import HeaderBar
from memtop.tui.chart.memory_chart import MemoryChart
from memtop.tui.panels.switcher import BY_NAME, PANEL_LINES, TALL_SHARE
from memtop.tui.screen_layout import ANSWERS, SPARE_LINES, GivenWay, SteadyCount, given_way, table_room
from memtop.tui.side.side_panel import SidePanel
from memtop.tui.table.process_list import HEADING_LINES
from memtop.tui.table.process_table import ProcessTable
from memtop.tui.terminal.lifecycle import Life
from memtop.tui.terminal.safe_app import SafeApp
from memtop.view_state import View

NOTICE_S: Final = 6.0
_MARKS: Final = {"error": f"{DANGER_MARK} ", "warning": f"{WARNING_MARK} "}
"""Signs before notices that are not only information."""


class ScreenParts(SafeApp):
    """What the parts show: a view of a frame."""

    view: var[View] = var(View.of(Settings()), init=False)
    table: ProcessTable
    chart: MemoryChart

    def __init__(
        self, settings: Settings, view: View, *, life: Life | None, commentary: Callable[[], Step | None] | None
    ) -> None:
        super().__init__(life)
        self.settings = settings
        self.frame: Frame | None = None
        self.commentary = commentary
        self.topic = "virt"
        self.watched: ProcessKey | None = None
        self.set_reactive(ScreenParts.view, view)
        self._stays_from_s = -NOTICE_S
        """When a notice that stays was last shown, on the monotonic clock."""
        self._rows_listed = SteadyCount()

    def say(self, text: str, *, severity: str = "information", stays: bool = False) -> None:
        """Show a notice that disappears by itself. ``text`` is never parsed as markup.

        It replaces the notice before. One that ``stays``, or is an error, is not replaced: no key asked for it.
        """
        level = severity if severity in _MARKS else "information"
        now_s = time.monotonic()
        if now_s - self._stays_from_s >= NOTICE_S:
            self.clear_notifications()
            for screen in self.screen_stack:  # Textual leaves a row of each, and some rows fill the place
                screen.query("ToastHolder").remove()
        if stays or level == "error":
            self._stays_from_s = now_s
        self.notify(_MARKS.get(level, "") + text, severity=level, timeout=NOTICE_S, markup=False)  # type: ignore[arg-type]

    @property
    def is_alone(self) -> bool:
        """Whether the list is of one process, the only one that was asked for."""
        rows = self.view.rows
        one = rows.only is not None and rows.by is None and not self.view.query.selects
        return one and self.frame is not None and len(self.frame.rows) == 1

    @property
    def zoomed(self) -> bool:
        """Whether one part of the screen is maximized."""
        return any(name.startswith("-zoom-") for name in self.classes)

    def show_filter(self) -> None:
        """Show the filter that is on, and how many rows it leaves, where it is not being typed."""
        text = " ".join(
            filter(None, (self.view.query.text.strip(), f"user={self.view.user}" if self.view.user else ""))
        )
        is_on = self.view.query.selects or bool(self.view.user)
        self.set_class(is_on, "-filtered")
        if is_on and self.frame is not None:
            self.query_one(FilterBar).show(text, self.frame)

    def fit(self, size: Size | None = None) -> None:
        """Share the lines of the screen between list and chart. ``size`` is the new one where it changes."""
        if self.frame is not None:
            self._fit_table(self.frame, size or self.size)
            self._fit_chart(size or self.size)

    def _fit_table(self, frame: Frame, size: Size) -> None:
        """Leave to the chart what a short list does not need.

        Processes that come and go do not move the chart, see ``SteadyCount``.
        """
        rows = self.view.rows
        listed = (self.view.query, self.view.user, rows.only, rows.by, rows.inside, rows.kernel_threads)
        count = self._rows_listed.count(listed, len(frame.listed), time.monotonic())
        panel = BY_NAME.get(self.view.panel)
        share = 0.0 if panel is None else TALL_SHARE if panel.tall else PANEL_LINES / max(1, size.height)
        lines = count + HEADING_LINES + SPARE_LINES
        few = bool(frame.listed) and not self.has_class("-one") and lines < table_room(*size, panel_share=share)
        self.table.wanted_lines = lines if few else 0
        self.set_class(few, "-few")

    def _fit_chart(self, size: Size) -> None:
        """Leave ten rows of plot to a watched process; see :func:`given_way`."""
        has = self.has_class
        gone = GivenWay()
        if has("-one") and not (has("-several") or has("-panel") or has("-filtering")):
            gone = given_way(
                *size,
                wanted=ANSWERS + (has("-demo") or has("-marked")),
                bars=has("-timeline") + has("-filtered"),
                header_stays=self.query_one(HeaderBar).has_state,
            )
        if gone.table and not has("-no-table") and (at := self.table.find(self.watched)) is not None:
            self.table.select(at, by_user=False)  # keys act on the process that is in view
        modes = {
            "-no-table": gone.table,
            "-no-header": gone.header,
            "-no-frame": gone.frame,
            **{f"-lines-{lines}": gone.sentences == lines for lines in range(1, ANSWERS + 1)},
        }
        if any(is_on is not has(name) for name, is_on in modes.items()):
            self.update_classes(modes)
            self.show_hints()

    def show_hints(self) -> None:
        """Show the keys of the widget in focus in the footer, and how to step out."""
        view, only = self.view, self.view.rows.only
        keys = KeysNow(
            enter=self._enter_label,
            is_replay=bool(self.settings.replay),
            is_frozen=view.window.frozen,
            is_marked=self.has_class("-marked"),
            is_alone=self.is_alone,
            is_watching=self.watched is not None and view.rows.by is None,
            has_list=not self.has_class("-no-table"),
            is_cut=self.query_one(SidePanel).is_cut,
            can_step_out=view.window.stands_still
            or view.query.selects
            or bool(view.user)
            or self.zoomed
            or view.rows.by is not None
            or (self.watched is not None and only is None),
        )
        self.query_one(StatusBar).show_hints(footer_hints(self.focused, keys))

    @property
    def _enter_label(self) -> str:
        """What Enter does in the list; empty where the process under the cursor is watched and no others are listed."""
        if self.view.rows.lists_groups:
            return "Members"
        if self.watched is None or self.watched != self.table.selected:
            return "Watch"
        return "All" if self.view.rows.only is None else ""

    def show_side(self) -> None:
        """Write the sentences again."""
        if self.frame is not None:
            step = self.commentary() if self.commentary is not None else None
            self.query_one(SidePanel).show(self.frame, self.topic, step)
