"""Actions on the panels under the chart: choose one, or maximize it."""

from __future__ import annotations

from memtop.model.row import RowKey
from memtop.tui.app import metrics_prompt
from memtop.tui.app.app_state import AppState
from memtop.tui.app.when_shown import when_shown
from memtop.tui.bars.header import HeaderBar
from memtop.tui.drawing.text_lines import TextLines
from memtop.tui.panels.switcher import BY_NAME, Panels, Tabs
from memtop.tui.side.side_panel import SidePanel


class PanelActions(AppState):
    """Which panel is on screen, and whether it is maximized."""

    _opened: tuple[str, RowKey | None] | None = None
    """The panel that the user opened, and the row under the cursor then, until the panel has the focus."""

    def action_panel(self, number: int) -> None:
        names = list(BY_NAME)
        if number <= len(names):
            self.choose_panel(names[number - 1])

    def on_tabs_chosen(self, message: Tabs.Chosen) -> None:
        """A click on a tab."""
        self.choose_panel(message.name)

    def on_header_bar_machine_asked(self) -> None:
        """A click on the machine's RAM, or Enter on it."""
        if self.view.panel != "machine":
            self.choose_panel("machine")

    def action_focus_previous(self) -> None:
        """Focus the part before; before the first part of the main screen comes the RAM in the header."""
        first, header = next(iter(self.screen.focus_chain), None), self.query_one(HeaderBar)
        if len(self.screen_stack) == 1 and self.focused is first and header.display:
            header.take_focus()
        else:
            super().action_focus_previous()

    def choose_panel(self, name: str) -> None:
        """Show a panel under the chart, which gets the focus. The same panel again closes it."""
        panels = self.query_one(Panels)
        within = self.focused is not None and panels in self.focused.ancestors
        self.choose(panel="" if name == self.view.panel else name)
        self._opened = (name, self.table.selected) if self.view.panel else None
        if not (self.view.panel and self.has_class("-zoom-panels")):
            self.leave_zoom()
        self.show_panel()
        if within:
            self.set_focus(self.table)

    def open_panel(self, name: str) -> bool:
        """Show a panel if it is not on screen; False if there is no such panel."""
        if name in BY_NAME and name != self.view.panel:
            self.choose_panel(name)
        return name in BY_NAME

    def show_panel(self) -> None:
        """Open the chosen panel, or close it."""
        self.query_one(Panels).chosen = self.view.panel
        name = self.view.panel
        self.update_classes({"-panel": bool(name), "-tall": bool(name) and BY_NAME[name].tall})
        self.fit()
        self.call_after_refresh(self.fit_points)

    def on_panels_opened(self) -> None:
        """Move the focus to a panel that the user opened."""
        self.keep_focus()

    def keep_focus(self) -> None:
        """Move the focus to a panel that the user opened as soon as what takes its keys is on the screen.

        The list gets it when what had it has left the screen, and keeps it while the panel only says that it shows no
        group.
        """
        if self._opened != (self.view.panel, self.table.selected):
            self._opened = None  # the user has moved on in the list
        frame = self.frame
        if self._opened is not None and frame is not None and frame.detail is None and frame.group is not None:
            self._opened = self._opened if BY_NAME[self._opened[0]].of_machine else None
        for widget in self.query(f"#{BY_NAME[self._opened[0]].takes_keys}") if self._opened is not None else ():
            if widget.display:
                widget.focus()
                self._opened = None
        if self.screen.focused is None and self.app_focus and len(self.screen_stack) == 1:
            self.table.focus()

    def page_panel(self, screens: float) -> bool:
        """Scroll the panel on screen; False if there is none, or if all of it is in view."""
        name = self.view.panel
        for panel in self.query(f"#{BY_NAME[name].takes_keys}") if name else ():
            if panel.max_scroll_y > 0:
                panel.scroll_relative(y=int(panel.size.height * screens), animate=False)
                return True
        return False

    def action_go_url(self) -> None:
        when_shown(self, lambda: metrics_prompt.ask_go_url(self, self.show_panel))

    async def action_in_side(self, action: str) -> None:
        """Run an action of the sentences beside the chart."""
        await self.run_action(action, self.query_one(SidePanel))

    async def action_in_panel(self, action: str) -> None:
        """Run an action of the widget with the cursor in the panel on screen."""
        if self.view.panel and (cursor := BY_NAME[self.view.panel].cursor):
            await self.run_action(action, self.query_one(f"#{cursor}"))

    def action_zoom_panel(self) -> None:
        zoomed_already = self.leave_zoom()
        ids = [] if self.focused is None else [widget.id for widget in self.focused.ancestors_with_self]
        panel = next((name for name in ("chart", "side", "panels") if name in ids), "table")
        if not zoomed_already:
            self.add_class(f"-zoom-{panel}")
        self.show_hints()
        self.call_after_refresh(self.fit_points)

    def on_side_panel_more_asked(self) -> None:
        """Give the sentences the whole screen, where all of them can be read. Esc goes back."""
        self.query_one(SidePanel).query_one(TextLines).focus()
        if not self.zoomed:
            self.add_class("-zoom-side")
            self.call_after_refresh(self.show_hints)

    def leave_zoom(self) -> bool:
        """Show all panels again. Returns whether one was maximized."""
        zoomed = self.zoomed
        self.remove_class(*[name for name in self.classes if name.startswith("-zoom-")])
        self.show_hints()
        self.call_after_refresh(self.show_hints)  # sentences may be cut again
        return zoomed
