"""The application: frames go down to the widgets, choices go up to the sampler's thread as an Ask."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.filter import LineFilter
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Input, Label

from memtop.analysis.autopsy import Oom
from memtop.columns import BY_NAME, Column
from memtop.demo.step import Step
from memtop.engine import Engine
from memtop.errors import UsageError
from memtop.explain.facts import cgroup_ceiling, facts_of, virt_sentence
from memtop.frame import Frame, ProcRow
from memtop.past import ORDINARY_WINDOW_S
from memtop.query import parse_query
from memtop.sample import RUNTIME, ProcKey
from memtop.settings import Settings
from memtop.tui import lean, palette, questions, runtime_keys
from memtop.tui.bar import Bar
from memtop.tui.chart import MemoryChart, zoomed
from memtop.tui.faults import FaultChart
from memtop.tui.footer import StatusBar
from memtop.tui.header import HeaderBar, HeaderState
from memtop.tui.keys import BINDINGS, CHART_HINTS, REGIONS_HINTS, REPLAY_HINTS, TABLE_HINTS
from memtop.tui.lifecycle import Life
from memtop.tui.limits_panel import chart_forecast, chart_limits
from memtop.tui.panels import BY_NAME as PANEL_BY_NAME
from memtop.tui.panels import PANELS, Panels, Tabs
from memtop.tui.plain_lines import AsciiLines
from memtop.tui.pump import Pump
from memtop.tui.rows import Sort
from memtop.tui.safe_app import SafeApp
from memtop.tui.scales import Scale
from memtop.tui.side import SidePanel
from memtop.tui.table import ProcessTable
from memtop.view import View

if TYPE_CHECKING:
    from memtop.tui.regions_table import RegionsTable

NARROW_BELOW: Final = 100
SHORT_BELOW: Final = 30
TINY_BELOW: Final = (60, 16)
DOT_BELOW: Final = (30, 6)
PANEL_FROM: Final = 36
"""Lines from which a watched process has a panel open under its chart."""
NOTICE_S: Final = 6.0


class FrameReady(Message):
    """A newer frame; it takes the place of one that waits."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame

    def can_replace(self, message: Message) -> bool:
        """A frame is no longer of interest once there is a newer one."""
        return isinstance(message, FrameReady)


@dataclass
class SamplerTroubled(Message):
    """The sampler failed and was started again."""

    text: str


class RecordingEnded(Message):
    """A replay has come to its end."""


class MemtopApp(SafeApp):
    """The dashboard. ``commentary`` gives the demo's latest step; ``first`` is a frame taken before."""

    CSS_PATH = "app.tcss"
    TITLE = "memtop"
    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]

    view: var[View] = var(View.of(Settings()), init=False)

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        view: View,
        *,
        first: Frame | None = None,
        life: Life | None = None,
        commentary: Callable[[], Step | None] | None = None,
    ) -> None:
        super().__init__(life)
        self.settings = settings
        self.frame: Frame | None = None
        self.first = first
        self.commentary = commentary
        self.topic = "virt"
        self.told: set[str] = set()
        self.keys_to_panel = False
        self.watched: ProcKey | None = None
        self._plain_lines = [AsciiLines()] if settings.ascii else []
        self.asked_for = (view.only, view.names)
        self.set_reactive(MemtopApp.view, view)
        self.pump = Pump(
            engine.step,
            engine.view,
            lambda frame: self._post(FrameReady(frame)),
            view.delay_s,
            lambda: self._post(RecordingEnded()),
            take=engine.take,
            deliver_problem=lambda text: self._post(SamplerTroubled(text)),
            ask=view.ask(),
            paced=not settings.replay,
        )

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    # -- the screen

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The data colours and severities."""
        return palette.variables(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """With --ascii, nothing else reaches the terminal."""
        return [*super().get_line_filters(), *self._plain_lines]

    def compose(self) -> ComposeResult:
        """Header, chart and sentences, table, footer."""
        ascii_only = self.settings.ascii
        yield HeaderBar(id="header")
        with Horizontal(id="upper"):
            with Vertical(id="charts"):
                yield MemoryChart(ascii_only=ascii_only, id="chart")
                yield FaultChart(ascii_only=ascii_only, id="faults")
            yield SidePanel(id="side")
        yield Panels(id="panels")
        yield ProcessTable(id="table")
        with Horizontal(id="filter-line"):
            yield Label("Filter:")
            yield Input(placeholder="text, !regex, or rss>500m user=app", id="filter")
            yield Label("", id="filter-complaint")
        yield StatusBar(REPLAY_HINTS if self.settings.replay else TABLE_HINTS, id="status")

    def on_mount(self) -> None:
        """Show what is known already, then let the sampler run."""
        self.set_class(self.settings.ascii, "-ascii")
        self.set_class(self.commentary is not None, "-demo")
        for bar in self.query(Bar):
            bar.ascii = self.settings.ascii
        self.table = self.query_one(ProcessTable)
        self.chart = self.query_one(MemoryChart)
        self.chart.framed = self.query_one("#charts")
        self.table.ascii = self.settings.ascii
        self.table.focus()
        self.watch_view()
        self.query_one(Panels).display = False
        if self.view.only is not None:
            self.set_class(True, "-one")
            if self.view.panel:
                self.show_panel()
            elif self.size.height >= PANEL_FROM and self.commentary is None:
                self.choose_panel(PANELS[0].name)
        if self.first is not None:
            self.take(self.first)
        self.pump.start()
        self.call_after_refresh(lean.settle)

    def on_unmount(self) -> None:
        """The sampler ends with the screen."""
        self.pump.stop()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for the size."""
        width, height = event.size
        self.set_class(width < NARROW_BELOW, "-narrow")
        self.set_class(height < SHORT_BELOW, "-short")
        tiny = width < TINY_BELOW[0] or height < TINY_BELOW[1]
        self.set_class(tiny, "-tiny")
        self.set_class(width < DOT_BELOW[0] or height < DOT_BELOW[1], "-dot")
        self.call_after_refresh(self._fit_points)

    def _fit_points(self) -> None:
        points = self.chart.points
        if points != self.view.points:
            self.view = self.view._replace(points=points)

    # -- frames down

    def on_frame_ready(self, message: FrameReady) -> None:
        """Draw it."""
        self.take(message.frame)

    def take(self, frame: Frame) -> None:
        """Give a frame to every widget."""
        self.frame = frame
        self.table.show(frame)
        if self.watched is None and self.view.only is not None and frame.rows:
            self.watch_process(frame.rows[0].key)
        self._follow_selection()
        outlook = frame.detail.outlook if frame.detail is not None else None
        self.chart.limits, self.chart.forecast = chart_limits(outlook), chart_forecast(outlook)
        self.chart.detail = frame.detail
        self._fit_points()
        self._tell_exits(frame)
        self.query_one(FaultChart).detail = frame.detail
        self.query_one(Panels).show(frame)
        self._show_side()
        self._show_header()
        self.query_one(StatusBar).show_cost(frame.own)
        for problem in frame.problems:
            if problem not in self.told:
                self.told.add(problem)
                self.say(problem, severity="warning")
        if self.settings.iterations is not None and frame.tick + 1 >= self.settings.iterations:
            self.exit()

    def _tell_exits(self, frame: Frame) -> None:
        """An OOM kill elsewhere than in focus is worth a notice."""
        for autopsy in frame.exits:
            if autopsy.oom in (Oom.CERTAIN, Oom.PROBABLE) and autopsy.key != self.view.focus:
                self.say(f"{autopsy.name} ({autopsy.key.pid}) was taken by the OOM killer", severity="error")

    def action_successor(self) -> None:
        outlook = self.frame.detail.outlook if self.frame is not None and self.frame.detail is not None else None
        heir = outlook.autopsy.successor if outlook is not None and outlook.autopsy is not None else None
        if heir is None:
            self.say("no successor: n follows one when the process in focus has ended and another takes its place")
            return
        if self.view.only is not None:
            self.choose(only=self.view.only | {heir.pid})
        self.watch_process(heir)

    def _show_side(self) -> None:
        if self.frame is not None:
            step = self.commentary() if self.commentary is not None else None
            self.query_one(SidePanel).show(self.frame, self.topic, step)

    def _show_header(self) -> None:
        assert self.frame is not None
        state = HeaderState(
            host="" if self.settings.replay else platform.node(),
            paused=self.view.frozen or self.pump.pause_stepping,
            looking_back_s=self.view.cursor_s,
            recording_bytes=questions.file_size(self.settings.record),
            readonly=self.settings.readonly and not self.settings.replay,
        )
        self.query_one(HeaderBar).show(self.frame, self.view.delay_s, state)

    def on_sampler_troubled(self, message: SamplerTroubled) -> None:
        """Say that numbers stood still for a moment, and why."""
        self.say(message.text, severity="error")

    def on_recording_ended(self) -> None:
        """The last frame stays."""
        self.pump.pause_stepping = True
        self.say("end of the recording; ← → look through it, q quits")
        self._show_header()

    def say(self, text: str, *, severity: str = "information") -> None:
        """A notice that goes away by itself; ``text`` is never read as markup."""
        level = "error" if severity == "error" else "warning" if severity == "warning" else "information"
        self.notify(text, severity=level, timeout=NOTICE_S, markup=False)  # type: ignore[arg-type]

    # -- choices up

    def watch_view(self) -> None:
        """Every choice reaches the sampler at once."""
        view = self.view
        self.table.sort = Sort(view.sort.key, view.descending)
        self.table.columns = view.columns
        self.table.filter_text = view.query.text or (f"user={view.user}" if view.user else "")
        self.pump.ask = view.ask()
        self.pump.delay_s = view.delay_s
        if self.frame is not None:
            self._show_header()

    def choose(self, **choice: object) -> None:
        """Change the view."""
        self.view = self.view._replace(**choice)  # type: ignore[arg-type]

    @property
    def row(self) -> ProcRow | None:
        """The process that keys act on."""
        return self.table.selected_row

    def _follow_selection(self) -> None:
        focus = self.watched or self.table.selected
        visible = self.table.visible_keys
        if focus != self.view.focus or visible != self.view.visible:
            self.choose(focus=focus, visible=visible)

    def on_process_table_selection_moved(self) -> None:
        """The chart is of the selected process, unless one is watched."""
        self._follow_selection()

    def on_process_table_viewport_moved(self) -> None:
        """Other rows are on screen: their numbers are read from now on."""
        self._follow_selection()

    def on_process_table_process_chosen(self, message: ProcessTable.ProcessChosen) -> None:
        """Enter: watch it; Enter on the watched one: back to the list."""
        self.watch_process(None if message.key == self.watched else message.key)

    def watch_process(self, key: ProcKey | None) -> None:
        """Give one process the screen, whatever the cursor does; None gives it back to the list."""
        self.watched = self.table.watched = key
        self.set_class(key is not None or self.view.only is not None, "-one")
        self._follow_selection()

    def on_process_table_sort_chosen(self, message: ProcessTable.SortChosen) -> None:
        """A click on a heading."""
        self.sort_by(BY_NAME[message.column_key])

    def on_process_table_fold_toggled(self, message: ProcessTable.FoldToggled) -> None:
        """Fold or open a subtree."""
        self.choose(folded=self.view.folded ^ {message.key})

    def on_memory_chart_cursor_moved(self, message: MemoryChart.CursorMoved) -> None:
        """Look at another instant."""
        if message.delta_points is None:
            self.action_live()
        else:
            self.action_look(message.delta_points)

    def on_memory_chart_window_zoomed(self, message: MemoryChart.WindowZoomed) -> None:
        """Look at another stretch of time."""
        self.action_zoom_time(message.factor or 0.0)

    def on_bar_explain_asked(self, message: Bar.ExplainAsked) -> None:
        """A click on a value of the header."""
        self.explain(message.topic)

    async def on_status_bar_hint_clicked(self, message: StatusBar.HintClicked) -> None:
        """A click on a key of the footer."""
        await self.run_action(message.action)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The footer and the explanation belong to what is in focus."""
        chart = isinstance(event.widget, MemoryChart)
        self.topic = "memory_chart" if chart else self.view.sort.topic
        if event.widget.id == f"panel-{RUNTIME}":
            self.topic = runtime_keys.topic_of(self.frame)
        if not self.settings.replay:
            regions = event.widget.id == PANELS[0].cursor
            self.query_one(StatusBar).show_hints(REGIONS_HINTS if regions else CHART_HINTS if chart else TABLE_HINTS)
        self._show_side()

    def sort_by(self, column: Column) -> None:
        """Sort, and explain what is sorted by."""
        self.view = self.view.sorted_by(column)
        self.topic = column.topic
        self._show_side()

    def explain(self, name: str, about: RegionsTable.ExplainAsked | None = None) -> None:
        """Open a topic, filled with the numbers of the process in focus."""
        from memtop.tui.explainer import Explainer  # noqa: PLC0415 (Markdown costs 3 MB, and few runs ask for it)

        detail = self.frame.detail if self.frame is not None else None
        if self.frame is None or detail is None:
            self.push_screen(Explainer(name, {}, ""))
            return
        facts = facts_of(detail.row, self.frame.system, detail.status)
        reading = about.reading if about is not None else detail.regions.reading if detail.regions else None
        if reading is not None:
            from memtop.explain.region_facts import facts_of_regions, facts_of_rollup  # noqa: PLC0415

            kind = about.kind if about is not None else None
            facts |= facts_of_regions(reading.regions, kind) | facts_of_rollup(reading.rollup)
        facts |= runtime_keys.facts_of_inside(detail.inside)
        sentence = virt_sentence(detail.row, self.frame.system, cgroup_ceiling(detail.outlook))
        if about is not None and about.start is not None:
            from memtop.explain.region_facts import mapping_sentence  # noqa: PLC0415

            sentence = mapping_sentence(about.reading.regions, about.start)
        self.push_screen(Explainer(name, facts, sentence))

    def on_regions_table_explain_asked(self, message: RegionsTable.ExplainAsked) -> None:
        """Enter on a mapping, or e: its kind, with its numbers; a mapping's flags in words."""
        self.explain(message.kind.topic, message)

    def on_tabs_chosen(self, message: Tabs.Chosen) -> None:
        """A click on a tab."""
        self.choose_panel(message.name)

    def choose_panel(self, name: str) -> None:
        """Show a panel under the chart; the same one again puts it away."""
        panels = self.query_one(Panels)
        within = self.focused is not None and panels in self.focused.ancestors
        self.choose(panel="" if name == self.view.panel else name)
        self.show_panel()
        if within:
            self.table.focus()

    def show_panel(self) -> None:
        """Bring the chosen panel on screen, or put it away."""
        self.query_one(Panels).chosen = self.view.panel
        self.set_class(bool(self.view.panel), "-panel")
        self.set_class(self.view.panel == RUNTIME, "-runtime")
        self.call_after_refresh(self._fit_points)

    # -- actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """The filter's own key is text where one types."""
        return action != "filter" or not isinstance(self.focused, Input)

    def action_panel(self, number: int) -> None:
        if number <= len(PANELS):
            panel = PANELS[number - 1]
            self.choose_panel(panel.name)
            self.keys_to_panel = bool(self.view.panel)

    def on_panels_opened(self, message: Panels.Opened) -> None:
        """A panel that was opened by its key takes the keys, if there is anything to move in."""
        if self.keys_to_panel and (cursor := PANEL_BY_NAME[message.name].cursor):
            self.query_one(f"#{cursor}").focus()
        self.keys_to_panel = False

    async def action_open_region(self) -> None:
        await self.run_action("choose", self.query_one(f"#{PANELS[0].cursor}"))

    async def action_sort_regions(self, step: int) -> None:
        await self.run_action(f"sort({step})", self.query_one(f"#{PANELS[0].cursor}"))

    def action_mark(self) -> None:
        self.choose(mark_now=self.view.mark_now + 1)

    def action_read_now(self) -> None:
        if not self.view.smaps:
            self.say("memtop was started with --no-smaps: smaps are not read", severity="warning")
            return
        self.choose(read_now=self.view.read_now + 1)

    def action_go_url(self) -> None:
        runtime_keys.ask_go_url(self)

    def action_explain(self) -> None:
        self.explain(self.topic)

    def action_watch_selected(self) -> None:
        self.table.action_choose()

    def action_help(self) -> None:
        questions.show_help(self)

    def action_sort(self, name: str) -> None:
        column = BY_NAME[name]
        self.view = self.view._replace(sort=column, descending=column.descending)
        self.topic = column.topic
        self._show_side()

    def action_sort_menu(self) -> None:
        questions.ask_sort(self)

    def action_neighbour(self, step: int) -> None:
        columns = self.view.columns
        at = columns.index(self.view.sort) if self.view.sort in columns else 0
        self.action_sort(columns[(at + step) % len(columns)].key)

    def action_reverse(self) -> None:
        self.choose(descending=not self.view.descending)

    def action_tree(self) -> None:
        self.choose(tree=not self.view.tree)

    def action_columns(self) -> None:
        questions.ask_columns(self)

    def action_pause(self) -> None:
        if self.settings.replay:
            self.pump.pause_stepping = not self.pump.pause_stepping
            self.choose(cursor_s=None)
            self._show_header()
        else:
            self.choose(frozen=not self.view.frozen, cursor_s=None)

    def action_live(self) -> None:
        if self.view.cursor_s is None and not self.view.frozen and not self.pump.pause_stepping:
            self.table.action_last()
            return
        self.choose(frozen=False, cursor_s=None)
        if self.settings.replay:
            self.pump.pause_stepping = False

    def action_look(self, points: int) -> None:
        if self.frame is None:
            return
        if self.settings.replay:
            self.pump.pause_stepping = True
            if self.view.cursor_s is None and points > 0:
                self.pump.step_once()
                return
        step_s = max(self.view.delay_s, self._window_s / max(1, self.view.points))
        cursor_s = (self.view.cursor_s or self.frame.at_s) + points * step_s
        first_s = self._first_known_s
        if points < 0 and first_s is not None:
            cursor_s = max(cursor_s, first_s)
        self.choose(cursor_s=None if cursor_s >= self.frame.at_s else cursor_s)

    @property
    def _first_known_s(self) -> float | None:
        """Wall time of the first number, where the chart shows it; None where the past goes on beyond the chart."""
        detail = self.frame.detail if self.frame is not None else None
        if detail is None or detail.series.rss_bytes[0] is not None:
            return None
        known = (
            at_s for at_s, rss in zip(detail.series.times_s, detail.series.rss_bytes, strict=True) if rss is not None
        )
        first_s = next(known, None)
        return None if first_s is None else detail.right_edge_s + first_s

    def action_zoom_time(self, factor: float) -> None:
        self.choose(window_s=zoomed(self._window_s, factor) if factor else None)

    @property
    def _window_s(self) -> float:
        detail = self.frame.detail if self.frame is not None else None
        return self.view.window_s or (detail.window_s if detail is not None else ORDINARY_WINDOW_S)

    def action_scale(self) -> None:
        scales = list(Scale)
        self.chart.scale = scales[(scales.index(self.chart.scale) + 1) % len(scales)]

    def action_zoom_panel(self) -> None:
        zoomed_already = any(name.startswith("-zoom-") for name in self.classes)
        self._leave_zoom()
        ids = [] if self.focused is None else [widget.id for widget in self.focused.ancestors_with_self]
        panel = next((name for name in ("chart", "side", "panels") if name in ids), "table")
        if not zoomed_already:
            self.add_class(f"-zoom-{panel}")
        self.call_after_refresh(self._fit_points)

    def _leave_zoom(self) -> bool:
        names = [name for name in self.classes if name.startswith("-zoom-")]
        self.remove_class(*names)
        return bool(names)

    def action_everybody(self) -> None:
        if self.asked_for == (None, ()):
            self.say("all processes are shown already")
            return
        only, names = self.asked_for if self.view.only is None else (None, ())
        self.set_class(only is not None, "-one")
        self.choose(only=only, names=names)

    def action_kernel_threads(self) -> None:
        self.choose(kernel_threads=not self.view.kernel_threads)

    def action_go_to_pid(self) -> None:
        questions.ask_pid(self)

    def action_user(self) -> None:
        questions.ask_user(self)

    def action_delay(self) -> None:
        questions.ask_delay(self)

    def action_signal(self) -> None:
        questions.ask_signal(self)

    def action_renice(self) -> None:
        questions.ask_nice(self)

    def action_copy_pid(self) -> None:
        if self.row is not None:
            self.copy_to_clipboard(str(self.row.pid))
            self.say(f"copied {self.row.pid}")

    def action_copy_command(self) -> None:
        if self.row is not None:
            self.copy_to_clipboard(self.row.command)
            self.say("copied the command line")

    # -- the filter

    def action_filter(self) -> None:
        self.query_one("#filter-line").add_class("-open")
        line = self.query_one("#filter", Input)
        line.value = self.view.query.text
        self.screen.set_focus(line)  # at once: line.focus() would let the next keys through to the table

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types; what is not complete yet changes nothing, and says what is missing."""
        if event.input.id != "filter":
            return
        complaint = self.query_one("#filter-complaint", Label)
        try:
            query = parse_query(event.value)
        except UsageError as error:
            complaint.update(Content(str(error)))
            return
        complaint.update("")
        self.choose(query=query)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter keeps the filter and goes back to the list."""
        if event.input.id == "filter":
            self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter-line").remove_class("-open")
        self.table.focus()

    def action_step_out(self) -> None:
        """One step out; never quits."""
        line = self.query_one("#filter-line")
        if line.has_class("-open"):
            self._close_filter()
            self.choose(query=parse_query(""))
        elif self._leave_zoom():
            self.call_after_refresh(self._fit_points)
        elif self.view.cursor_s is not None or self.view.frozen:
            self.action_live()
        elif self.view.query.where is not None or self.view.user:
            self.choose(query=parse_query(""), user="")
        elif self.view.panel:
            self.choose_panel(self.view.panel)
        elif self.watched is not None and self.view.only is None:
            self.watch_process(None)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every key of the screen as a command, and Textual's themes."""
        for binding in BINDINGS:
            yield SystemCommand(binding.description, binding.tooltip, self._runner(binding.action))
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)

    def _runner(self, action: str) -> Callable[[], None]:
        def run() -> None:
            self.call_later(self.run_action, action)

        return run
