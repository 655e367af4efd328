"""The signal dialog: which signals it offers, and in which order."""

from __future__ import annotations

import signal

import pytest
from textual.widgets import Label, OptionList, Static

from memtop.process_control import hold
from memtop.tui.app import actions_process
from memtop.tui.dialogs.signal_dialog import SIGNALS, SignalDialog
from tests.children import python
from tests.fakes import FakeProcess, FakeSource
from tests.rows import MIB
from tests.test_process_control import row_of
from tests.tui.app.test_app import board
from tests.tui.details import make_detail
from tests.tui.frames import WidgetApp, frame


def test_the_safe_signals_come_first_and_the_deadly_one_last() -> None:
    numbers = [number for number, _ in SIGNALS]
    assert (numbers[0], numbers[-1]) == (signal.SIGTERM, signal.SIGKILL)
    assert len(set(numbers)) == len(numbers)


async def test_one_click_on_a_signal_only_moves_the_cursor_and_the_second_one_chooses() -> None:
    with python() as child:
        target = hold(row_of(child.pid))
        app = WidgetApp(Static())
        async with app.run_test() as pilot:
            answers: list[object] = []
            await app.push_screen(SignalDialog(target), answers.append)
            lines = app.screen.query_one(OptionList)
            for chosen in ([], [SIGNALS[2][0]]):
                assert await pilot.click(lines, offset=(4, 3))
                assert (lines.highlighted, answers) == (2, chosen)
        target.close()


async def test_of_a_long_command_line_the_beginning_is_shown() -> None:
    with python() as child:
        target = hold(row_of(child.pid, command="x" * 1000))
        app = WidgetApp(Static())
        async with app.run_test():
            await app.push_screen(SignalDialog(target))
            (about,) = app.screen.query(".dialog-about").results(Label)
            assert str(about.content).count("x") == 120
        target.close()


async def test_its_res_is_that_of_now() -> None:
    with python() as child:
        target = hold(row_of(child.pid, rss_bytes=262 * MIB))
        app = WidgetApp(Static())
        async with app.run_test():
            dialog = SignalDialog(target)
            await app.push_screen(dialog)
            (about,) = dialog.query(".dialog-about").results(Label)
            assert str(about.content).startswith("RES 262 MiB")
            detail = make_detail()
            fallen = detail._replace(row=detail.row._replace(key=target.key, rss_bytes=73 * MIB))
            dialog.show(frame(detail=fallen))
            assert str(about.content).startswith("RES 73.0 MiB")
        target.close()


async def test_it_says_which_signals_have_no_effect_and_later_that_the_process_still_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(actions_process, "STILL_RUNS_S", 0.01)
    code = "import signal; signal.signal(15, signal.SIG_IGN); import time; print(flush=True); time.sleep(60)"
    with python(code) as child:
        fake = FakeProcess(child.pid, b"deaf", start_ticks=row_of(child.pid).key.start_ticks)
        async with board(source=FakeSource(fake)) as it:
            await it.press("K")
            lines = it.app.screen.query_one(OptionList)
            shown = [lines.get_option_at_index(number).prompt for number in range(2)]
            assert [str(prompt).count("it ignores SIGTERM: use SIGKILL") for prompt in shown] == [1, 0]
            await it.press("enter")
            await it.until(lambda: any("still runs" in said for said in it.said), "it is said")
            assert any("it ignores SIGTERM; K sends SIGKILL" in said for said in it.said)


async def test_while_the_screen_is_frozen_its_numbers_are_those_of_the_past() -> None:
    with python() as child:
        fake = FakeProcess(child.pid, b"server", start_ticks=row_of(child.pid).key.start_ticks)
        async with board(source=FakeSource(fake)) as it:
            await it.press("space", "K")
            about = it.app.screen.query_one(".dialog-about", Label)
            await it.until(lambda: "nothing is read while the screen is frozen" in str(about.content), "it says so")
            assert str(about.content).startswith("RES was ")


async def test_while_one_looks_back_its_numbers_are_those_of_the_past() -> None:
    with python() as child:
        fake = FakeProcess(child.pid, b"server", start_ticks=row_of(child.pid).key.start_ticks)
        async with board(source=FakeSource(fake)) as it:
            await it.tick()
            it.app.choose_readings(delay_s=1.0)
            await it.press("left")
            for key, says in (("m", "a mark is set at now"), ("R", "mappings of the past are not kept")):
                await it.press(key)
                await it.until(lambda says=says: any(says in said for said in it.said), says)  # type: ignore[misc]
            await it.press("K")
            assert isinstance(it.app.screen, SignalDialog)
            about = it.app.screen.query_one(".dialog-about", Label)
            assert str(about.content).startswith("RES was ")
            await it.until(lambda: "is not known while you look back" in str(about.content), "it says so")
            assert str(about.content).startswith("RES was ")
