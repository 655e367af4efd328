"""State shared by all actions: the view, the frame shown, the parts of the screen, notices."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from textual.message import Message
from textual.reactive import var

from memtop.demo.progress import Step
from memtop.engine.engine import Engine
from memtop.engine.looking_back import LookingBack
from memtop.engine.player import Player
from memtop.engine.sampler_thread import SamplerThread
from memtop.model.frame import Frame
from memtop.model.group import By, GroupKey, GroupRow
from memtop.model.request import GroupsRequest, Request
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.sources.protocol import Recording
from memtop.tui.app.carried_cursor import CarriedCursor
from memtop.tui.app.footer_hints import KeysNow, footer_hints
from memtop.tui.app.messages import FrameReady, RecordingEnded, SamplerTroubled
from memtop.tui.app.tail import tail_state
from memtop.tui.bars.filter_bar import FilterBar
from memtop.tui.bars.footer import StatusBar
from memtop.tui.bars.header import HeaderBar
from memtop.tui.bars.header_parts import state_of
from memtop.tui.chart.memory_chart import MemoryChart
from memtop.tui.drawing.severity_signs import DANGER_MARK, WARNING_MARK
from memtop.tui.panels.switcher import BY_NAME, PANEL_LINES, TALL_SHARE
from memtop.tui.side.side_panel import SidePanel
from memtop.tui.table.column_layout import SPARE_LINES, SteadyCount, table_room
from memtop.tui.table.process_list import HEADING_LINES
from memtop.tui.table.process_table import ProcessTable
from memtop.tui.table.row_painter import Sort
from memtop.tui.terminal.lifecycle import Life
from memtop.tui.terminal.safe_app import SafeApp
from memtop.view_state import View

NOTICE_S: Final = 6.0
_MARKS: Final = {"error": f"{DANGER_MARK} ", "warning": f"{WARNING_MARK} "}
"""Signs before notices that are not only information."""


class AppState(SafeApp):
    """The state of the screen. When the view changes, the sampler's thread gets a new Request."""

    view: var[View] = var(View.of(Settings()), init=False)
    table: ProcessTable
    chart: MemoryChart

    def __init__(
        self,
        engine: Engine | Player | LookingBack,
        settings: Settings,
        view: View,
        *,
        life: Life | None = None,
        commentary: Callable[[], Step | None] | None = None,
        ready: Callable[[], object] = lambda: None,
        recording: Recording | None = None,
    ) -> None:
        super().__init__(life)
        self.recording = recording
        """What writes a recording on demand; None where a recording is played."""
        self._toggling = Lock()
        self._stays_from_s = -NOTICE_S
        """When a notice that stays was last shown, on the monotonic clock."""
        self._rows_listed = SteadyCount()
        self.looking_back = engine if isinstance(engine, LookingBack) else None
        """What plays an earlier instant; None where only the engine's own numbers of the past are shown."""
        self.player = (
            engine.player if isinstance(engine, LookingBack) else engine if isinstance(engine, Player) else None
        )
        """What plays a recording; None live."""
        self.speed = 1.0
        """How many times as fast as it was recorded a recording is played."""
        self.settings = settings
        self.frame: Frame | None = None
        self.commentary = commentary
        self.topic = "virt"
        self.watched: ProcessKey | None = None
        self.cursor = CarriedCursor()
        self.is_touched = view.rows.only is not None
        """Whether the user has chosen something beside the cursor."""
        self.asked_for = (view.rows.only, view.rows.names)
        self.dialog_needs = Need.NONE
        """Readings of the process in focus that the open dialog declares; see :meth:`need_for_dialog`."""
        self.set_reactive(AppState.view, view)
        self.sampler_thread = SamplerThread(
            engine.step,
            engine.view,
            lambda frame: self._post(FrameReady(frame)),
            view.readings.delay_s,
            lambda: self._post(RecordingEnded()),
            take=engine.take,
            deliver_problem=lambda text: self._post(SamplerTroubled(text)),
            request=self.request,
            paced=not settings.replay,
            ready=ready,
            has_work=(lambda: False) if isinstance(engine, Engine) else lambda: engine.has_work,
            work=(lambda request, until_s: None) if isinstance(engine, Engine) else engine.work,
        )

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

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

    def watch_view(self) -> None:
        """Send every choice to the sampler at once."""
        view, shown = self.view, self.table.frame
        if shown is None or not self._is_other_kind(shown):  # else they come with the first of those rows
            self.table.sort = Sort(view.sort.key, view.rows.descending)
            self.table.columns = view.titled_columns(self.frame.system if self.frame is not None else None)
        self.table.filter_text = view.query.text or (f"user={view.user}" if view.user else "")
        inside = view.rows.inside
        self.table.inside_text = f"{inside.by.value} {inside.name}" if inside is not None else ""
        self.sampler_thread.request = self.request
        self.play_at_speed()
        if self.frame is not None:
            self.show_header()
            self.show_hints()
            self.show_filter()

    def _is_other_kind(self, frame: Frame) -> bool:
        """Whether the rows of a frame are groups where the view lists processes, or the other way round."""
        return (frame.groups is not None) is not self.view.rows.lists_groups

    def go_to_instant(self, at_s: float) -> None:
        """Show the instant at a wall time."""
        raise NotImplementedError

    def play_at_speed(self) -> None:
        """Set the time between samples."""
        self.sampler_thread.delay_s = self.view.readings.delay_s

    def show_table(self, frame: Frame) -> None:
        """Give a frame to the table, with the columns of its rows where they are of another kind than before."""
        before = self.table.frame
        if self._is_other_kind(frame):
            return  # it was made before the view was changed
        if before is not None and (before.groups is None) is not (frame.groups is None):
            self.table.show_other(
                frame, self.view.titled_columns(frame.system), Sort(self.view.sort.key, self.view.rows.descending)
            )
        else:
            self.table.columns = self.view.titled_columns(frame.system)
            self.table.show(frame)
        self.cursor.place(self.table, frame, self.view.rows.by)

    @property
    def panel_needs(self) -> Need:
        """Readings that the panel on screen declares, and a dialog over it."""
        of_panel = BY_NAME[self.view.panel].needs if self.view.panel else Need.NONE
        return of_panel | self.dialog_needs

    def need_for_dialog(self, needs: Need) -> None:
        """Request the readings that a dialog shows, or NONE when it is closed."""
        self.dialog_needs = needs
        self.sampler_thread.request = self.request

    @property
    def request(self) -> Request:
        """The request that follows from the view."""
        return self.view.request(self.panel_needs)

    @property
    def has_chosen(self) -> bool:
        """Whether the user has chosen a process or which are listed; until then the view follows the headline."""
        return self.is_touched or self.table.is_touched

    def choose(self, **choice: object) -> None:
        """Change the view."""
        self.is_touched = self.is_touched or bool(choice.keys() - {"readings", "window", "columns", "groups"})
        self.view = self.view._replace(**choice)  # type: ignore[arg-type]

    def choose_readings(self, **choice: object) -> None:
        """Change what is read."""
        self.choose(readings=self.view.readings._replace(**choice))  # type: ignore[arg-type]

    def choose_rows(self, **choice: object) -> None:
        """Change which rows are listed, and in which order."""
        self.choose(rows=self.view.rows._replace(**choice))  # type: ignore[arg-type]

    def choose_window(self, **choice: object) -> None:
        """Change the time window."""
        self.choose(window=self.view.window._replace(**choice))  # type: ignore[arg-type]

    @property
    def row(self) -> ProcessRow | None:
        """The process that keys act on; None where a group is selected."""
        row = self.table.selected_row
        return row if isinstance(row, ProcessRow) else None

    @property
    def selected_process(self) -> ProcessKey | None:
        """The process under the cursor; None where groups are listed."""
        key = self.table.selected
        return key if isinstance(key, ProcessKey) else None

    def follow_selection(self) -> None:
        """Show the watched process, or the selected one, in the chart, and read what is on screen."""
        rows, groups, keys = self.view.rows, self.view.groups, self.table.visible_keys
        visible = frozenset(key for key in keys if isinstance(key, ProcessKey))
        focus = self.watched or (self.selected_process if rows.inside is None else None)
        if rows.by is not None:
            on_screen = tuple(row.key for row in self.table.rows if row.key in keys and isinstance(row, GroupRow))
            selected = self.table.selected if rows.lists_groups else rows.inside
            focus_group = selected if isinstance(selected, GroupKey) else None
            groups = GroupsRequest(focus_group, on_screen, self.cursor.wanted)
        if groups != self.view.groups:
            self.choose(groups=groups)
        if focus != self.view.readings.focus or visible != self.view.readings.visible:
            self.choose_readings(focus=focus, visible=visible)

    def watch_process(self, key: ProcessKey | None) -> None:
        """Give one process the whole screen, whatever the cursor does. None shows the list again."""
        self.is_touched = self.is_touched or key is not None
        self.watched = self.table.watched = key
        if key is not None and (index := self.table.find(key)) is not None and key != self.table.selected:
            self.table.select(index)  # keys act on the process under the cursor, and the screen shows this one
        self.set_class(key is not None or self.view.rows.only is not None, "-one")
        self.follow_selection()
        self.show_hints()

    def list_by(self, by: By | None) -> None:
        """List the groups of a kind, or processes for None, with the cursor where the selected process is."""
        process = self._process_meant
        self.leave_process()
        self.cursor.move_to(process, self.frame)
        view = self.view.grouped_by(by)
        self.view = view._replace(groups=view.groups._replace(member=process))
        self.topic = "groups" if by is not None else self.view.sort.topic
        self.show_side()

    def enter_group(self, key: GroupKey) -> None:
        """List the processes of a group, with its chart above them."""
        self.view = self.view.inside_of(key)
        self.table.action_first()
        self.cursor.enter(key, self.frame)

    def leave_group(self) -> None:
        """List the groups again, with the cursor where it was."""
        inside = self.view.rows.inside
        if inside is not None:
            self.cursor.leave(inside, self._process_meant)
        self.leave_process()
        self.view = self.view.inside_of(None)
        self.table.selected = inside

    @property
    def _process_meant(self) -> ProcessKey | None:
        group = self.frame.group if self.frame is not None else None
        return self.cursor.process(self.watched or self.table.selected, group)

    def leave_process(self) -> None:
        """Watch no process any longer."""
        if self.watched is not None:
            self.watch_process(None)

    def fit_points(self) -> None:
        """Request as many points as the chart can show."""
        points = self.chart.points
        if points != self.view.window.points:
            self.choose_window(points=points)

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

    def fit_table(self, frame: Frame) -> None:
        """Leave to the chart what a short list does not need.

        Processes that come and go do not move the chart, see ``SteadyCount``.
        """
        rows = self.view.rows
        listed = (self.view.query, self.view.user, rows.only, rows.by, rows.inside, rows.kernel_threads)
        count = self._rows_listed.count(listed, len(frame.listed), time.monotonic())
        panel = BY_NAME.get(self.view.panel)
        share = 0.0 if panel is None else TALL_SHARE if panel.tall else PANEL_LINES / max(1, self.size.height)
        lines = count + HEADING_LINES + SPARE_LINES
        few = (
            bool(frame.listed)
            and not self.has_class("-one")
            and lines < table_room(self.size.height, panel_share=share)
        )
        self.table.wanted_lines = lines if few else 0
        self.set_class(few, "-few")

    def show_hints(self) -> None:
        """Show the keys of the widget in focus in the footer, and how to step out."""
        view, only = self.view, self.view.rows.only
        keys = KeysNow(
            enter=self._enter_label,
            is_replay=bool(self.settings.replay),
            is_frozen=view.window.frozen,
            is_marked=self.has_class("-marked"),
            is_alone=self.is_alone,
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

    def show_header(self) -> None:
        """Write the first line again."""
        if self.frame is None:
            return
        state = state_of(self.settings, self.recording.state if self.recording is not None else None)._replace(
            paused=self.view.window.frozen or self.sampler_thread.pause_stepping,
            looking_back_s=self.view.window.cursor_s,
            speed=self.speed,
            tail=tail_state(self.player.growth, follows=self.player.is_following) if self.player is not None else "",
        )
        self.query_one(HeaderBar).show(self.frame, self.view.readings.delay_s, state)
