"""The application: composes the screen and shows each newer frame. Key actions are in ``actions_*.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult, SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.command import Provider
from textual.containers import Horizontal
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import ThemeProvider
from textual.widget import Widget
from textual.widgets import Input, Label

from memtop.demo.progress import Step
from memtop.engine.engine import Engine
from memtop.engine.looking_back import LookingBack
from memtop.engine.player import Player
from memtop.explain.chart_levels import chart_forecast, chart_limits
from memtop.filter import parse_query
from memtop.model.frame import Frame
from memtop.sampling.problems import announcer
from memtop.settings import Settings
from memtop.sources.protocol import Recording
from memtop.tui import colors
from memtop.tui.app.actions_explain import ExplainActions
from memtop.tui.app.actions_list import ListActions
from memtop.tui.app.actions_panels import PanelActions
from memtop.tui.app.actions_process import ProcessActions
from memtop.tui.app.actions_recording import RecordingActions
from memtop.tui.app.actions_replay import ReplayActions
from memtop.tui.app.actions_time import TimeActions
from memtop.tui.app.bindings import BINDINGS
from memtop.tui.app.footer_hints import REPLAY_HINTS, TABLE_HINTS
from memtop.tui.app.messages import FrameReady, SamplerTroubled
from memtop.tui.app.overdue import Overdue
from memtop.tui.app.palette_commands import Commands, commands
from memtop.tui.app.tail import follow_tail, tail_words
from memtop.tui.app.upkeep import Upkeep
from memtop.tui.app.upper import Charts, Upper
from memtop.tui.app.word_pace import WordPace
from memtop.tui.bars.filter_bar import FilterBar
from memtop.tui.bars.filter_input import FilterInput
from memtop.tui.bars.footer import StatusBar
from memtop.tui.bars.header import HeaderBar
from memtop.tui.bars.headline import HeadlineBar
from memtop.tui.bars.timeline_bar import TimelineBar
from memtop.tui.chart.fault_chart import FaultChart
from memtop.tui.chart.memory_chart import MemoryChart
from memtop.tui.dialogs.address_prompt import AddressPrompt
from memtop.tui.dialogs.palette import Palette
from memtop.tui.dialogs.signal_dialog import SignalDialog
from memtop.tui.drawing.cached_lines import NotedWidget
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_filters import own_filters, wanted
from memtop.tui.drawing.steady_size import SteadyScreen
from memtop.tui.drawing.text_lines import without_focus
from memtop.tui.panels.switcher import PANELS, Panels, panel_of
from memtop.tui.screen_layout import size_classes
from memtop.tui.side.side_panel import SidePanel
from memtop.tui.table.process_list import HEADING_LINES
from memtop.tui.table.process_table import ProcessTable
from memtop.tui.terminal import memory_tuning
from memtop.tui.terminal.lifecycle import Life
from memtop.view_state import View

COLORLESS_THEME: Final = "ansi-dark"
"""Has the terminal's own background, so that only cursors and selections have one to be reversed."""
OVER_DIALOGS: Final = frozenset({"quit", "focus_next", "focus_previous", "suspend_process"})
"""Actions of the application that keys may run while a dialog is open."""
PANEL_FROM: Final = 36
"""Screen height, in lines, from which a watched process has a panel open under its chart."""


class MemtopApp(
    TimeActions, RecordingActions, ReplayActions, ListActions, ProcessActions, PanelActions, ExplainActions
):
    """The dashboard.

    ``commentary`` gives the demo's latest step; ``first`` is a frame from before the start of the screen. ``ready``
    waits for a first sample that is still being taken. ``recording`` writes a recording on demand.
    """

    CSS_PATH = "app.tcss"
    TITLE = "memtop"
    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}

    def __init__(
        self,
        engine: Engine | Player | LookingBack,
        settings: Settings,
        view: View,
        *,
        first: Frame | None = None,
        life: Life | None = None,
        commentary: Callable[[], Step | None] | None = None,
        ready: Callable[[], object] = lambda: None,
        recording: Recording | None = None,
    ) -> None:
        super().__init__(engine, settings, view, life=life, commentary=commentary, ready=ready, recording=recording)
        self._first = first
        self.is_following = settings.follow
        self._overdue = Overdue(self.sampler_thread, replay=bool(settings.replay))
        self._watch: asyncio.TimerHandle | None = None
        """The next time that it is looked whether samples come."""
        self._announce = announcer(lambda problem: self.say(problem, severity="warning", stays=True))
        self._upkeep = Upkeep()
        self._pace = WordPace()
        self._own_filters = own_filters(
            ascii_only=settings.ascii, no_color=self.no_color, color_system=self.console.color_system
        )

    # -- the screen

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The data colors and severities."""
        return colors.variables(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters and ours.

        Textual calls this for each line of each widget, so filters without effect are left out.
        """
        return [*wanted(super().get_line_filters()), *self._own_filters]

    def get_default_screen(self) -> Screen[None]:
        """A screen that survives being resized twice at once."""
        return SteadyScreen(id="_default")

    def compose(self) -> ComposeResult:
        """Headline, header, chart and sentences, table, footer."""
        ascii_only = self.settings.ascii
        modes = {"-ascii": ascii_only, "-demo": self.commentary is not None, "-one": self.view.rows.only is not None}
        self.update_classes(
            modes | size_classes(*self.size), update=False
        )  # each later change styles all widgets again
        yield HeadlineBar(id="headline")
        yield HeaderBar(id="header")
        yield Label("", id="overdue", markup=False)
        with Upper(id="upper"):
            with Charts(id="charts"):
                yield MemoryChart(ascii_only=ascii_only, id="chart")
                yield FaultChart(ascii_only=ascii_only, id="faults")
            yield SidePanel(id="side")
        yield TimelineBar(id="timeline")
        yield Panels(id="panels")
        yield ProcessTable(id="table")
        with Horizontal(id="filter-line"):
            yield Label("Filter:")
            yield FilterInput(lambda: self.view.rows.lists_groups, id="filter")
            yield Label("", id="filter-complaint", markup=False)
        yield FilterBar(id="filter-bar")
        yield StatusBar(REPLAY_HINTS if self.settings.replay else TABLE_HINTS, id="status", classes="front")

    def on_mount(self) -> None:
        """Show what is known already, then start the sampler."""
        if self.no_color:
            self.theme = COLORLESS_THEME
        for notices in self.query("ToastRack"):  # of two widgets docked at one edge the later one is on top
            self.screen.move_child(notices, after=self.query_one(StatusBar))
        for bar in (*self.query(Bar), *self.query(TimelineBar)):
            bar.ascii = self.settings.ascii
        self.table = self.query_one(ProcessTable)
        self.chart = self.query_one(MemoryChart)
        self.chart.framed = self.query_one("#charts")
        self.table.ascii = self.settings.ascii
        self.table.page_beside = self.page_panel
        self.table.focus()
        self.watch_view()
        self.query_one(Panels).add_class("-closed")
        if self.view.rows.only is not None:
            if self.view.panel:
                self.show_panel()
            elif self.size.height >= PANEL_FROM and self.commentary is None:
                self.choose(panel=next(panel.name for panel in PANELS if panel.opens))
                self.show_panel()  # the list keeps the focus
        if self._first is not None:
            self.take(self._first)
            self._first = None  # its rows would stay in memory
        if self.settings.notice:
            self.say(self.settings.notice)
        self.sampler_thread.start()
        if self.player is not None:
            follow_tail(self.player, self.sampler_thread)
        self.watch_sampler()
        self._upkeep.begin(self)

    def pop_screen(self) -> AwaitComplete:
        """Close a dialog."""
        self._upkeep.has_closed = True
        return super().pop_screen()

    def watch_sampler(self) -> None:
        """Say across the screen that samples do not come, and how old is what it shows."""
        words = self._overdue.words(known=self.frame is not None)
        if not words and self.player is not None:
            words = tail_words(self.player.growth)
        if bool(words) != self.has_class("-overdue"):
            self.set_class(bool(words), "-overdue")
        if words:
            self.query_one("#overdue", Label).update(words)
        if self._watch is not None:
            self._watch.cancel()
        after_s = self._overdue.next_look_s
        self._watch = asyncio.get_running_loop().call_later(after_s, self.call_later, self.watch_sampler)

    def on_unmount(self) -> None:
        """Stop the sampler with the screen."""
        if self._watch is not None:
            self._watch.cancel()
        self.sampler_thread.stop()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for the size."""
        self.update_classes(size_classes(*event.size))
        self.fit(event.size)
        self.call_after_refresh(self.fit_points)

    # -- frames down

    def on_frame_ready(self, message: FrameReady) -> None:
        """Draw the frame, unless the screen is being taken down."""
        if self.chart.is_attached:
            with NotedWidget.painted_at_once():
                self.take(message.frame)

    def take(self, frame: Frame) -> None:
        """Give a frame to every widget."""
        if self.frame is not None and self.frame.newest_s is not None and frame.newest_s is None:
            self._upkeep.has_closed = True
        more_rows = self.frame is None or len(frame.listed) > len(self.frame.listed)
        self.frame = frame
        self.watch_sampler()
        if isinstance(self.screen, SignalDialog | AddressPrompt):
            self.screen.show(frame)
        self.show_table(frame)
        if more_rows and self.has_class("-one") and len(frame.listed) > self.table.size.height - HEADING_LINES:
            self.table.refresh(layout=True)  # its height is that of its rows, up to a share of the screen
        if self.watched is None and self.view.rows.only is not None and frame.rows:
            self.watch_process(frame.rows[0].key)
        self.show_filter()
        self.follow_headline(frame)
        self.follow_selection()
        outlook = frame.detail.outlook if frame.detail is not None else None
        modes = {
            "-marked": frame.detail is not None and frame.detail.mark is not None,
            "-alone": self.is_alone,
            "-several": self.view.rows.only is not None and len(frame.rows) > 1,
        }
        if any(is_on is not self.has_class(name) for name, is_on in modes.items()):
            self.update_classes(modes)
            self.show_hints()
        self.chart.limits, self.chart.forecast = chart_limits(outlook), chart_forecast(outlook)
        self.chart.group = frame.group if frame.detail is None else None
        self.chart.rests = self._pace.can_wait(frame)
        self.chart.detail, self.chart.words = frame.detail, without_focus(frame)
        self.fit_points()
        self.set_class(frame.timeline is not None, "-timeline")
        self.fit()
        self.query_one(TimelineBar).show(frame.timeline)
        self.announce_choices(frame)
        self.announce_exits(frame)
        self.show_ended(frame)
        if not self._pace.can_wait(frame):
            self._pace.worded = frame
            self.show_headline(frame)
            faults = self.query_one(FaultChart)
            faults.picture, faults.detail = self.chart.picture, frame.detail
            self.query_one(Panels).show(frame)
            self.keep_focus()
            self._follow_panel(self.focused)
            self.show_side()
            self.show_header()
            self.query_one(StatusBar).show_cost(frame.own)
        memory_tuning.forget()
        self._announce(frame.problems)
        if self.settings.iterations is not None and frame.tick + 1 >= self.settings.iterations:
            self.exit()

    def on_sampler_troubled(self, message: SamplerTroubled) -> None:
        """Say that the numbers stood still for a moment, and why."""
        self.say(message.text, severity="error")

    # -- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action may run now. While a dialog or the palette is open, actions of the screen below may not.

        Keys with priority reach the application past a dialog. The key of the filter is text while the user types text.
        """
        if self._running and self.screen.is_modal:
            return action in OVER_DIALOGS
        return action != "filter" or not isinstance(self.focused, Input)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the keys and the explanation of the widget in focus."""
        if not self.screen_stack:
            return  # the end has begun
        chart = isinstance(event.widget, MemoryChart)
        self.topic = "memory_chart" if chart else self.view.sort.topic
        self._follow_panel(event.widget)
        self.show_hints()
        self.show_side()

    def _follow_panel(self, focused: Widget | None) -> None:
        """Explain what the panel in focus shows, which may be something else than before."""
        if focused is not None and (panel := panel_of(focused)) is not None and panel.topic is not None:
            self.topic = panel.topic(self.frame)

    async def on_status_bar_hint_clicked(self, message: StatusBar.HintClicked) -> None:
        """Run the action of a key that was clicked in the footer."""
        await self.run_action(message.action)

    def action_command_palette(self) -> None:
        """Open the palette: every key of the screen, by name."""
        self.push_screen(Palette())

    def action_change_theme(self) -> None:
        """Open the palette of Textual's themes."""
        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def action_step_out(self) -> None:
        """Go one step out. This never quits."""
        line = self.query_one("#filter-line")
        if line.has_class("-open"):
            self.close_filter()
            self.choose(query=parse_query(""))
        elif self.leave_zoom():
            self.call_after_refresh(self.fit_points)
        elif self.view.window.cursor_s is not None or self.view.window.frozen:
            self.action_live()
        elif self.view.query.selects or self.view.user:
            self.choose(query=parse_query(""), user="")
        elif self.view.panel:
            self.choose_panel(self.view.panel)
        elif self.watched is not None and (self.view.rows.only is None or self.view.rows.inside is not None):
            self.watch_process(None)
        elif self.view.rows.inside is not None:
            self.leave_group()
        elif self.view.rows.by is not None:
            self.list_by(None)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: what can be done now, the panels, and all topics."""
        yield from commands(self)
