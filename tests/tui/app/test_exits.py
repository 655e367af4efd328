"""The list of those that ended (D), their last minute, the filter, and successors that are followed (n, --follow)."""

from __future__ import annotations

import signal
from functools import partial

from textual.widgets import Label, OptionList

from memtop.settings import Settings
from memtop.sources.protocol import Exit
from memtop.tui.bars.filter_bar import FilterBar
from memtop.tui.dialogs.ended_list import EndedList
from tests.fakes import FakeProcess
from tests.tui.app.test_app import LONG_S, Board, board
from tests.tui.frames import line

API = 20
DB = 40


def watches(b: Board, pid: int) -> bool:
    return b.app.watched is not None and b.app.watched.pid == pid


async def end(b: Board, pid: int, status: int) -> None:
    b.source.ended = [Exit(pid, b.source.wall_s, status)]
    del b.source.processes[pid]
    await b.tick()
    await b.pilot.pause()


def lines(b: Board) -> list[str]:
    choices = b.app.screen.query_one(OptionList)
    return [str(choices.get_option_at_index(index).prompt) for index in range(choices.option_count)]


async def test_the_list_names_a_large_one_that_was_killed_while_another_was_watched() -> None:
    async with board() as b:
        await b.press("enter")
        assert b.app.watched is not None and b.app.watched.pid == DB
        await end(b, API, signal.SIGKILL)
        await b.press("D")
        assert isinstance(b.app.screen, EndedList)
        (line,) = lines(b)
        assert f"api ({API}) killed by SIGKILL" in line and "peak 50.0 MiB" in line
        await b.press("enter")
        await b.until(lambda: b.app.chart.detail is not None and b.app.chart.detail.row.pid == API, "it is charted")
        assert b.app.chart.detail is not None and b.app.chart.detail.gone


async def test_the_list_says_that_there_is_nothing_and_whom_it_leaves_out() -> None:
    async with board(Settings(pids=(API,), delay_s=LONG_S)) as b:
        await b.press("D")
        assert "no watched or large process" in lines(b)[0]
        assert any("Only the 1" in str(label.content) for label in b.app.screen.query(Label))
        await b.press("escape")
        assert b.at_rest()


async def test_the_list_grows_while_it_is_open_and_the_cursor_stays() -> None:
    async with board() as b:
        await end(b, API, signal.SIGKILL)
        await b.press("D")
        await end(b, DB, signal.SIGSEGV)
        await b.until(lambda: len(lines(b)) == 2, "the second is there")
        assert "db (40)" in lines(b)[0], "the latest first"
        assert b.app.screen.query_one(OptionList).highlighted == 1


async def test_the_filter_finds_the_dead() -> None:
    async with board() as b:
        await end(b, API, signal.SIGKILL)
        await b.press("slash", *"dead")
        await b.shows(API)
        await b.press("escape", "slash", *"api")
        await b.shows(API)
        living = b.app.frame.total if b.app.frame is not None else 0
        await b.press("enter")
        await b.until(lambda: f"0 of {living}, 1 ended" in line(b.app.query_one(FilterBar), 0), "no living one matches")


async def test_a_successor_is_followed_again_and_again_once_that_was_asked_for() -> None:
    async with board() as b:
        await b.press("down")
        await b.press("enter")
        assert b.app.watched is not None and b.app.watched.pid == API
        for pid in (60, 61):
            old = b.app.watched.pid
            await end(b, old, signal.SIGSEGV)
            assert b.app.watched.pid == old
            if old == API:
                await b.press("n")
                assert "following its successor" in b.said
            b.source.add(FakeProcess(pid, b"api", cmdline=b"api\0--port\x0080\0", start_ticks=900 + pid))
            for _ in range(3):
                await b.tick()
            await b.until(partial(watches, b, pid), "it is followed")
        await b.press("n")
        assert "no longer following successors" in b.said and b.app.watched.pid == 61
        await end(b, 61, signal.SIGSEGV)
        b.source.add(FakeProcess(62, b"api", cmdline=b"api\0--port\x0080\0", start_ticks=962))
        for _ in range(4):
            await b.tick()
        assert b.app.watched.pid == 61


async def test_follow_begins_with_the_option() -> None:
    async with board(Settings(pids=(API,), follow=True, delay_s=LONG_S)) as b:
        await end(b, API, 1 << 8)
        b.source.add(FakeProcess(60, b"api", cmdline=b"api\0--port\x0080\0", start_ticks=960))
        for _ in range(3):
            await b.tick()
        await b.until(lambda: b.app.watched is not None and b.app.watched.pid == 60, "it is followed")
