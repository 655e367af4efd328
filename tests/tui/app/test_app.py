"""The whole application over a small world: every key does what its tooltip says, dialogs open and close."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, Label, Markdown, OptionList

from memtop.columns import BY_NAME, DEFAULT_COLUMNS
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied
from memtop.explain.topic_loader import topic
from memtop.model.detail import Detail
from memtop.model.row import ProcessRow
from memtop.settings import Settings
from memtop.sources.protocol import Instant
from memtop.tui.app.app import MemtopApp
from memtop.tui.app.bindings import BINDINGS
from memtop.tui.app.messages import FrameReady
from memtop.tui.app.palette_commands import can_run
from memtop.tui.bars.footer import StatusBar
from memtop.tui.bars.header import HeaderBar
from memtop.tui.chart.axes import Scale
from memtop.tui.chart.memory_chart import MemoryChart
from memtop.tui.dialogs.column_chooser import ColumnChooser
from memtop.tui.dialogs.dialog import Menu, Prompt
from memtop.tui.dialogs.help import Help
from memtop.tui.dialogs.topic_viewer import TopicViewer
from memtop.tui.panels.switcher import PANELS
from memtop.view_state import View
from tests.fakes import KERNEL_FLAGS, MIB_PAGES, FakeProcess, FakeSource
from tests.tui.frames import line

SIZE: Final = (120, 40)
DEADLINE_S: Final = 30.0
LONG_S: Final = 60.0
"""Between samples: a test takes them by itself."""


def world() -> FakeSource:
    """A shell with two children, a third process of somebody else's, a kernel thread."""
    return FakeSource(
        FakeProcess(10, b"shell", rss_pages=5 * MIB_PAGES, cmdline=b"shell\0", uid=1000),
        FakeProcess(20, b"api", ppid=10, rss_pages=50 * MIB_PAGES, cmdline=b"api\0--port\x0080\0", cpu_ticks=900),
        FakeProcess(30, b"batch", ppid=10, rss_pages=30 * MIB_PAGES, cmdline=b"batch\0"),
        FakeProcess(40, b"db", rss_pages=80 * MIB_PAGES, shr_pages=70 * MIB_PAGES, cmdline=b"db\0", uid=0),
        FakeProcess(50, b"kswapd0", flags=KERNEL_FLAGS, cmdline=b"", uid=0),
    )


class Board:
    """The application, its world, and a hand on the keys."""

    def __init__(self, app: MemtopApp, pilot: Pilot[None], source: FakeSource) -> None:
        self.app = app
        self.pilot = pilot
        self.source = source

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until ``condition`` holds."""
        limit_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < limit_s, f"waited in vain until {what}"
            await self.pilot.pause(0.01)

    async def press(self, *keys: str) -> None:
        """Press keys, and let what they ask for arrive."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def tick(self) -> None:
        """Take one sample."""
        assert self.app.frame is not None
        before = self.app.frame.tick
        self.app.sampler_thread.step_once()
        await self.until(lambda: self.app.frame is not None and self.app.frame.tick > before, "there is a new sample")

    async def shows(self, *pids: int) -> None:
        """The table shows these processes, in this order."""
        await self.until(lambda: self.pids == list(pids), f"{pids} are shown")

    @property
    def pids(self) -> list[int]:
        """In the table's order."""
        return [row.pid for row in self.app.table.rows if isinstance(row, ProcessRow)]

    @property
    def selected(self) -> int | None:
        """The pid under the cursor."""
        return self.app.row.pid if self.app.row is not None else None

    @property
    def screen(self) -> object:
        """What is on top."""
        return self.app.screen

    def at_rest(self) -> bool:
        """No dialog is open."""
        return len(self.app.screen_stack) == 1

    @property
    def said(self) -> list[str]:
        """The notices on screen."""
        return [notice.message for notice in self.app._notifications]


@asynccontextmanager
async def board(
    settings: Settings | None = None, source: FakeSource | None = None, size: tuple[int, int] = SIZE
) -> AsyncIterator[Board]:
    """The application with two samples taken."""
    source = source if source is not None else world()
    settings = settings if settings is not None else Settings(delay_s=LONG_S)
    app = MemtopApp(Engine(source), settings, View.of(settings))
    async with app.run_test(size=size) as pilot:
        it = Board(app, pilot, source)
        await it.until(lambda: app.frame is not None, "there is a first frame")
        await it.tick()
        await it.until(
            lambda: app.view.window.points != View.of(settings).window.points or size != SIZE, "the chart has its size"
        )
        yield it


async def test_a_thread_id_on_the_command_line_is_said_once_the_screen_is_there() -> None:
    async with board(Settings(pids=(20,), delay_s=LONG_S, notice="21 is a thread of process 20")) as b:
        await b.until(lambda: "21 is a thread of process 20" in b.said, "it is said")


async def test_the_largest_comes_first_and_its_chart_is_shown() -> None:
    async with board() as it:
        await it.shows(40, 20, 30, 10)
        assert it.selected == 40
        await it.until(lambda: it.app.chart.detail is not None and it.app.chart.detail.row.pid == 40, "40 is charted")


# The order


async def test_the_keys_of_the_order() -> None:
    async with board() as it:
        for key, pids in (
            ("I", (10, 30, 20, 40)),
            ("M", (40, 20, 30, 10)),
            ("greater_than_sign", (20, 30, 40, 10)),  # ANON
            ("less_than_sign", (40, 20, 30, 10)),
            ("N", (10, 20, 30, 40)),
            ("I", (40, 30, 20, 10)),
        ):
            await it.press(key)
            await it.shows(*pids)


async def test_a_key_sorts_by_its_column_and_explains_it() -> None:
    async with board() as it:
        for key, column in (("P", "cpu"), ("M", "res"), ("N", "pid"), ("T", "growth")):
            await it.press(key)
            assert it.app.view.sort is BY_NAME[column]
            assert it.app.topic == BY_NAME[column].topic


async def test_an_order_that_was_asked_for_begins_at_its_top_wherever_the_selected_process_is() -> None:
    many = FakeSource(*(FakeProcess(pid, rss_pages=pid * MIB_PAGES) for pid in range(10, 100)))
    async with board(source=many) as it:
        table = it.app.table
        for key in ("T", "M", "greater_than_sign", "T"):
            await it.press("G")
            await it.until(lambda: table.scroll_offset.y > 0, "the last process is in view")
            last = it.selected
            await it.press(key)
            await it.until(lambda: table.scroll_offset.y == 0, "the top of the order is in view")
            assert it.selected == last, "a signal would still go to the same process"
        await it.press("F", "G", "M")
        await it.until(lambda: table.selected in table.visible_keys, "one that is followed stays in view")


async def test_the_sort_menu_sorts_by_the_chosen_column() -> None:
    async with board() as it:
        await it.press("s")
        assert isinstance(it.screen, Menu)
        await it.press("home", "enter")
        await it.shows(10, 20, 30, 40)


async def test_the_tree_puts_children_below_their_parents_and_folds() -> None:
    async with board() as it:
        await it.press("t")
        await it.until(lambda: it.app.frame is not None and it.app.frame.tree is not None, "it is a tree")
        pids = it.pids
        assert pids.index(10) < pids.index(20) < pids.index(30)
        await it.press("p", "1", "0", "enter", "o")
        await it.until(lambda: 20 not in it.pids, "the children are folded away")
        await it.press("o")
        await it.until(lambda: 20 in it.pids, "they are back")
        await it.press("t")
        await it.shows(40, 20, 30, 10)


# Which processes


async def test_filtering_as_one_types_with_complaint_and_way_back() -> None:
    async with board() as it:
        await it.press("slash")
        assert it.app.query_one("#filter", Input).has_focus
        await it.press(*"rss>")
        complaint = it.app.query_one("#filter-complaint", Label)
        assert "needs a size" in str(complaint.render())
        await it.press(*"40m")
        assert str(complaint.render()) == "rss: a size such as 500m or 1.5g; > < ="
        await it.shows(40, 20)
        await it.press("enter")
        assert it.app.table.has_focus
        await it.shows(40, 20)
        await it.press("escape")
        await it.shows(40, 20, 30, 10)


async def test_the_key_of_the_filter_is_text_while_one_types() -> None:
    async with board() as it:
        await it.press("slash", "a", "slash", "b")
        assert it.app.query_one("#filter", Input).value == "a/b"


async def test_escape_in_the_filter_clears_it() -> None:
    async with board() as it:
        await it.press("slash", *"batch")
        await it.shows(30)
        await it.press("escape")
        await it.shows(40, 20, 30, 10)
        assert it.app.table.has_focus


async def test_one_users_processes() -> None:
    async with board() as it:
        await it.tick()
        await it.press("u")
        assert isinstance(it.screen, Menu)
        await it.press("down", "enter")
        await it.shows(20, 30, 10)
        await it.press("escape")
        await it.shows(40, 20, 30, 10)


async def test_kernel_threads_come_and_go() -> None:
    async with board() as it:
        await it.press("H")
        await it.until(lambda: 50 in it.pids, "the kernel thread is shown")
        await it.press("H")
        await it.until(lambda: 50 not in it.pids, "it is hidden")


async def test_all_processes_or_those_asked_for() -> None:
    async with board(Settings(pids=(20,), delay_s=LONG_S)) as it:
        await it.shows(20)
        await it.press("a")
        await it.tick()  # until now, only the one asked for was looked at
        await it.shows(40, 20, 30, 10)
        await it.press("a")
        await it.shows(20)


async def test_where_all_are_shown_the_key_says_so() -> None:
    async with board() as it:
        await it.press("a")
        assert it.said == ["all processes are already shown"]


# The selection


async def test_the_selection_stays_with_its_process() -> None:
    async with board() as it:
        await it.press("down")
        assert it.selected == 20
        await it.press("I")
        await it.shows(10, 30, 20, 40)
        assert it.selected == 20
        it.source.processes[20].rss_pages = 200 * MIB_PAGES
        await it.tick()
        assert it.selected == 20


async def test_going_to_a_pid_and_being_told_that_there_is_none() -> None:
    async with board() as it:
        await it.press("p", *"99", "enter")
        assert isinstance(it.screen, Prompt)
        assert "no process 99" in str(it.app.screen.query_one(".dialog-complaint", Label).render())
        await it.press(*"88", "enter")  # what was refused is replaced, not added to
        assert "no process 88" in str(it.app.screen.query_one(".dialog-complaint", Label).render())
        await it.press("escape", "p", *"30", "enter")
        assert it.selected == 30


async def test_enter_watches_a_process_whatever_the_cursor_does_and_escape_gives_the_screen_back() -> None:
    async with board() as it:
        await it.press("down", "enter")
        assert it.app.watched is not None and it.app.watched.pid == 20
        await it.press("down")
        await it.until(lambda: it.app.chart.detail is not None and it.app.chart.detail.row.pid == 20, "20 is charted")
        await it.press("escape")
        assert it.app.watched is None


async def test_a_watched_process_that_ends_keeps_its_chart() -> None:
    async with board(Settings(pids=(20,), delay_s=LONG_S)) as it:
        await it.tick()
        del it.source.processes[20]
        await it.tick()
        detail = it.app.chart.detail
        assert detail is not None and detail.gone
        assert detail.row.rss_bytes == 50 << 20
        assert any(point is not None for point in detail.series.rss_bytes)


# Time


async def test_pausing_stops_the_picture_while_sampling_goes_on() -> None:
    async with board() as it:
        await it.press("space")
        assert it.app.view.window.frozen
        it.source.processes[20].rss_pages = 300 * MIB_PAGES
        it.app.sampler_thread.step_once()
        await it.pilot.pause(0.1)
        assert it.pids == [40, 20, 30, 10]
        await it.press("space")
        await it.shows(20, 40, 30, 10)


@pytest.mark.parametrize("back", ["left", "left_square_bracket"])
async def test_looking_back_shows_what_was_and_end_returns_to_now(back: str) -> None:
    async with board() as it:
        for mib in (50, 60, 70, 80, 90):
            it.source.processes[20].rss_pages = mib * MIB_PAGES
            await it.tick()
        await it.shows(20, 40, 30, 10)
        assert it.app.frame is not None
        now_s = it.app.frame.at_s
        it.app.choose_readings(delay_s=1.0)  # the world's own; a key moves the cursor by at least one sample
        await it.press(back)
        assert it.app.view.window.cursor_s is not None and it.app.view.window.cursor_s < now_s
        await it.until(lambda: it.app.frame is not None and it.app.frame.detail is not None
                       and it.app.frame.detail.window.cursor_s is not None, "the past is shown")  # fmt: skip
        await it.press("end")
        assert it.app.view.window.cursor_s is None


async def _mark_of(it: Board, pid: int) -> object:
    """The mark of a process, once it is in focus."""
    await it.press("p", *str(pid), "enter")
    await it.tick()
    await it.until(lambda: _detail(it).row.pid == pid, f"{pid} is in focus")
    return _detail(it).mark


def _detail(it: Board) -> Detail:
    assert it.app.frame is not None and it.app.frame.detail is not None
    return it.app.frame.detail


@asynccontextmanager
async def sampling_held_up(it: Board) -> AsyncIterator[None]:
    """The sampler is busy with one sample meanwhile."""
    begin, begun, go_on = it.source.begin, threading.Event(), threading.Event()

    def slowly() -> Instant:
        begun.set()
        assert go_on.wait(DEADLINE_S)
        return begin()

    it.source.begin = slowly  # type: ignore[method-assign]
    it.app.sampler_thread.step_once()
    await it.until(begun.is_set, "the sampler is busy")
    yield
    it.source.begin = begin  # type: ignore[method-assign]
    go_on.set()


async def test_a_mark_is_set_on_the_process_that_was_selected_when_the_key_was_pressed() -> None:
    async with board() as it:
        async with sampling_held_up(it):
            await it.press("m", "down")
            assert it.selected == 20
        await it.tick()
        assert await _mark_of(it, 20) is None
        assert await _mark_of(it, 40) is not None


async def test_marks_set_in_quick_succession_are_all_set() -> None:
    async with board() as it:
        async with sampling_held_up(it):
            await it.press("m", "down", "m", "down", "m", "m")
        await it.tick()
        marks = [await _mark_of(it, pid) for pid in (40, 20, 30)]
        assert [mark is not None for mark in marks] == [True, True, False]


async def test_r_reads_the_process_that_was_selected_when_the_key_was_pressed() -> None:
    async with board() as it:
        async with sampling_held_up(it):
            await it.press("R", "down")
        await it.tick()
        await it.tick()
        assert [path for path in it.source.asked_ever if path.endswith("smaps")] == ["proc/40/smaps"]


async def test_keys_of_time_work_wherever_the_focus_is() -> None:
    """No part of the screen, and nothing around it, takes them for itself."""
    async with board() as it:
        await it.tick()
        it.app.choose_readings(delay_s=1.0)

        def looks() -> list[bool]:
            return [it.app.view.window.cursor_s is not None, it.app.view.window.window_s is not None]

        parts: set[type[Widget]] = set()
        for panel in PANELS:
            it.app.choose_panel(panel.name)
            await it.pilot.pause()
            for part in it.app.screen.focus_chain:
                if type(part) in parts:
                    continue
                parts.add(type(part))
                part.focus()
                await it.press("left", "minus", "v")
                assert all(looks()) and it.app.chart.scale is not Scale.AUTO, part
                it.app.chart.scale = Scale.AUTO
                it.app.choose_window(cursor_s=None)  # not by End, which scrolls a text that is longer than its panel
                await it.press("equals_sign")
                assert not any(looks()), part
        assert len(parts) > 5


async def test_looking_back_does_not_leave_what_is_known() -> None:
    async with board() as it:
        await it.tick()
        it.app.choose_readings(delay_s=1.0)
        await it.press("left")
        await it.press(*["left_square_bracket"] * 5)
        await it.until(lambda: it.app.frame is not None and it.app.frame.detail is not None
                       and it.app.frame.detail.window.cursor_s is not None, "the past is shown")  # fmt: skip
        assert it.app.row is not None and it.app.row.rss_bytes is not None


async def test_end_selects_the_last_process_where_there_is_nothing_to_return_from() -> None:
    async with board() as it:
        await it.press("end")
        assert it.selected == 10


async def test_zooming_in_time_and_back() -> None:
    async with board() as it:
        await it.press("minus")
        wide_s = it.app.view.window.window_s
        assert wide_s is not None
        await it.press("plus", "plus")
        assert it.app.view.window.window_s is not None and it.app.view.window.window_s < wide_s
        await it.press("equals_sign")
        assert it.app.view.window.window_s is None


async def test_the_delay_is_asked_for_and_kept_within_limits() -> None:
    async with board() as it:
        await it.press("d", *"99", "enter")
        assert "between 0.1 and 60 seconds" in str(it.app.screen.query_one(".dialog-complaint", Label).render())
        await it.press("backspace", "backspace", *"2.5", "enter")
        assert it.app.view.readings.delay_s == 2.5
        assert it.app.sampler_thread.delay_s == 2.5


# How it is shown


async def test_the_scale_goes_round() -> None:
    async with board() as it:
        seen = []
        for _ in Scale:
            seen.append(it.app.chart.scale)
            await it.press("v")
        assert set(seen) == set(Scale)
        assert it.app.chart.scale is seen[0]


async def test_one_panel_alone_and_back_by_escape() -> None:
    async with board() as it:
        await it.press("z")
        assert not it.app.query_one("#upper").display
        await it.press("escape")
        assert it.app.query_one("#upper").display
        it.app.query_one(MemoryChart).focus()
        await it.pilot.pause()
        await it.press("z")
        assert not it.app.table.display
        await it.press("z")
        assert it.app.table.display


async def test_choosing_columns() -> None:
    async with board() as it:
        await it.press("c")
        assert isinstance(it.screen, ColumnChooser)
        await it.press("space", "enter")
        assert [column.key for column in it.app.view.columns] == [column.key for column in DEFAULT_COLUMNS[1:]]
        await it.press("c", "d", "greater_than_sign", "enter")
        assert [column.key for column in it.app.view.columns][:2] == ["user", "pid"]
        await it.press("c", "space", "escape")
        assert [column.key for column in it.app.view.columns][:2] == ["user", "pid"]


@pytest.mark.parametrize("size", [(1, 1), (59, 15), (200, 60)])
async def test_every_size_draws(size: tuple[int, int]) -> None:
    async with board(size=size) as it:
        await it.tick()
        for other in ((10, 3), (30, 6), (80, 24), SIZE):
            await it.pilot.resize_terminal(*other)
        await it.tick()
        assert it.app.query_one(HeaderBar).display


async def test_the_table_of_those_asked_for_grows_with_them() -> None:
    source = world()
    late = [source.processes.pop(pid) for pid in (20, 30)]
    async with board(Settings(delay_s=LONG_S, pids=(10,), children=True), source) as it:
        await it.shows(10)
        before = it.app.table.size.height
        for process in late:
            source.add(process)
        await it.tick()
        await it.until(lambda: len(it.pids) == 3, "the children are listed")
        await it.until(lambda: it.app.table.size.height == before + 2, "there is a line for each")


async def test_the_footer_says_how_to_step_out_of_where_one_has_stepped_in() -> None:
    async with board() as it:
        footer = it.app.query_one(StatusBar)
        assert "Esc Back" not in footer.render_line(0).text
        for key in ("z", "space", "left", "enter"):
            await it.press(key)
            await it.until(lambda: "Esc Back" in footer.render_line(0).text, f"it says so after {key}")
            await it.press("escape")
            await it.until(lambda: "Esc Back" not in footer.render_line(0).text, f"{key} has been undone")


async def test_a_problem_is_told_once_however_often_it_happens() -> None:
    source = world()
    source.files["proc/40/status"] = AccessDenied("proc/40/status: Permission denied")
    async with board(source=source) as it:
        await it.until(lambda: it.said, "it is told")
        for _ in range(4):
            await it.tick()
        assert len(it.said) == 1


async def test_kernel_threads_are_said_to_be_shown() -> None:
    async with board() as it:
        await it.press("H")
        assert any("kernel" in text for text in it.said)
        await it.until(lambda: 50 in it.pids, "they are listed")


async def test_only_the_newest_of_the_frames_that_wait_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    async with board() as it:
        assert it.app.frame is not None
        drawn: list[int] = []
        monkeypatch.setattr(it.app, "take", lambda frame: drawn.append(frame.tick))
        for tick in (101, 102, 103):
            it.app.post_message(FrameReady(it.app.frame._replace(tick=tick)))
        await it.until(lambda: bool(drawn), "a frame is drawn")
        await it.pilot.pause()
        assert drawn == [103]


# Help and explanations


async def test_the_help_holds_every_key_and_closes() -> None:
    async with board() as it:
        for closes in ("escape", "q", "question_mark"):
            await it.press("question_mark")
            help_screen = it.screen
            assert isinstance(help_screen, Help)
            text = [cell for _, lines in help_screen.sections() for line in lines for cell in line]
            assert {str(binding.tooltip) for binding in BINDINGS} <= set(text)
            assert {"F1", "PgUp", "Enter", "Ctrl+U", "Tab"} <= {key for cell in text for key in cell.split()}
            await it.press(closes)
            assert it.at_rest(), closes
            assert it.app.is_running, closes


def shown_topic(viewer: TopicViewer) -> str:
    """The Markdown on screen."""
    return viewer.query_one(Markdown).source


def sentence(viewer: TopicViewer) -> str:
    """What is said of the process above the topic."""
    return str(viewer.query_one(".explain-sentence", Label).content)


async def test_what_is_of_the_machine_is_explained_without_a_word_on_the_process() -> None:
    async with board() as it:
        header = it.app.query_one(HeaderBar)
        await it.pilot.click(HeaderBar, offset=(line(header, 0).index("avail"), 0))
        await it.until(lambda: isinstance(it.screen, TopicViewer), "it opens")
        assert isinstance(it.screen, TopicViewer)
        assert f"# {topic('available').title}\n" in shown_topic(it.screen)
        assert sentence(it.screen) == ""
        await it.press("escape", "e")
        await it.until(lambda: isinstance(it.screen, TopicViewer), "it opens again")
        assert isinstance(it.screen, TopicViewer) and "VIRT" in sentence(it.screen)


async def test_an_explanation_goes_on_goes_back_and_closes() -> None:
    async with board() as it:
        await it.press("e")
        explainer = it.screen
        assert isinstance(explainer, TopicViewer)
        first = shown_topic(explainer)
        await it.press("n")
        assert shown_topic(explainer) != first
        await it.press("backspace")
        assert shown_topic(explainer) == first
        await it.press("backspace")
        assert shown_topic(explainer) == first, "there is none before it"
        await it.press("c")
        assert isinstance(it.screen, Menu)
        await it.press("escape", "escape")
        assert it.at_rest()


# What may do harm


async def test_signals_are_refused_where_nothing_may_be_touched() -> None:
    async with board(Settings(delay_s=LONG_S, readonly=True)) as it:
        await it.press("K", "r")
        assert it.said == ["! read-only mode: memtop sends nothing to processes"]
        assert it.at_rest()
        it.app.settings = it.app.settings._replace(replay="server.memtop")
        await it.press("K")
        assert it.said == ["! a recording is being played: memtop sends nothing to processes"]


async def test_escape_never_quits() -> None:
    async with board() as it:
        await it.press(*["escape"] * 5)
        assert it.app.is_running
        assert it.app.return_code is None


@pytest.mark.parametrize("key", ["q", "ctrl+c", "f10"])
async def test_quitting(key: str) -> None:
    async with board() as it:
        await it.press(key)
        await it.until(lambda: not it.app.is_running, "it has ended")


async def test_copying_what_identifies_a_process() -> None:
    async with board() as it:
        await it.press("down", "y")
        assert it.app.clipboard == "20"
        await it.tick()
        await it.press("Y")
        assert it.app.clipboard == "api --port 80"


async def test_every_dialog_closes_by_escape_without_a_change() -> None:
    async with board() as it:
        before = it.app.view
        for key in ("s", "c", "d", "p", "u", "question_mark", "e"):
            await it.press(key)
            assert not it.at_rest(), key
            await it.press("escape")
            assert it.at_rest(), key
            assert it.app.view == before, key


def test_no_two_keys_of_the_screen_collide() -> None:
    keys = [key for binding in BINDINGS for key in binding.key.split(",")]
    assert len(keys) == len(set(keys))


def test_every_key_has_an_id_and_says_what_it_does() -> None:
    assert all(isinstance(binding, Binding) and binding.id and binding.tooltip for binding in BINDINGS)
    assert len({binding.id for binding in BINDINGS}) == len(BINDINGS)


async def test_the_palette_has_every_key_as_a_command() -> None:
    async with board() as it:
        commands = {command.title for command in it.app.get_system_commands(it.app.screen)}
        now = {binding.description for binding in BINDINGS if can_run(it.app, binding.action)}
        assert now <= commands
        assert len(now) > 35
        for topic in ("minor_faults", "json", "rss"):
            assert any(f"({topic})" in command for command in commands)
        await it.press("ctrl+p")
        assert not it.at_rest()
        await it.press("escape")
        assert it.at_rest()


async def test_a_list_to_choose_from_starts_with_the_safe_line() -> None:
    async with board() as it:
        await it.press("u")
        assert it.app.screen.query_one(OptionList).highlighted == 0
