"""State shared by all actions: what is chosen and watched, the request that follows from it, the sampler's thread."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from textual.message import Message

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
from memtop.tui.app.messages import FrameReady, RecordingEnded, SamplerTroubled
from memtop.tui.app.screen_parts import ScreenParts
from memtop.tui.app.tail import tail_state
from memtop.tui.bars.header import HeaderBar
from memtop.tui.bars.header_parts import state_of
from memtop.tui.panels.switcher import BY_NAME
from memtop.tui.table.row_painter import Sort
from memtop.tui.terminal.lifecycle import Life
from memtop.view_state import View


class AppState(ScreenParts):
    """The state of the screen. When the view changes, the sampler's thread gets a new Request."""

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
        super().__init__(settings, view, life=life, commentary=commentary)
        self.recording = recording
        """What writes a recording on demand; None where a recording is played."""
        self._toggling = Lock()
        self.looking_back = engine if isinstance(engine, LookingBack) else None
        """What plays an earlier instant; None where only the engine's own numbers of the past are shown."""
        self.player = (
            engine.player if isinstance(engine, LookingBack) else engine if isinstance(engine, Player) else None
        )
        """What plays a recording; None live."""
        self.speed = 1.0
        """How many times as fast as it was recorded a recording is played."""
        self.cursor = CarriedCursor()
        self.is_touched = view.rows.only is not None
        """Whether the user has chosen something beside the cursor."""
        self.asked_for = (view.rows.only, view.rows.names)
        self.dialog_needs = Need.NONE
        """Readings of the process in focus that the open dialog declares; see :meth:`need_for_dialog`."""
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
        """Change the view. A panel that shows the machine is no choice of a process, nor is to close one."""
        panel = choice.get("panel")
        of_machine = {"panel"} if not panel or BY_NAME[str(panel)].of_machine else set()
        chosen = choice.keys() - {"readings", "window", "columns", "groups"} - of_machine
        self.is_touched = self.is_touched or bool(chosen)
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

    def fit_points(self) -> None:
        """Request as many points as the chart can show."""
        points = self.chart.points
        if points != self.view.window.points:
            self.choose_window(points=points)

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
        self.fit()
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
        self.fit()
