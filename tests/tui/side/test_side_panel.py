"""The sentences beside the chart: whole where there is room, cut where there is not, and never about another moment."""

from __future__ import annotations

import pytest

from memtop.demo.progress import Step
from memtop.engine.engine import Engine
from memtop.settings import Settings
from memtop.tui.app.app import MemtopApp
from memtop.tui.bars.footer import StatusBar
from memtop.tui.bars.header import HeaderBar
from memtop.tui.drawing.text_lines import TextLines
from memtop.tui.panels.switcher import Panels
from memtop.tui.side.side_panel import SidePanel
from memtop.view_state import View
from tests.tui.app.test_app import LONG_S, board, world
from tests.tui.frames import line
from tests.tui.rules import warn_of_size

STEP = Step(4, 4, "GCs become rarer, and RES is twice what is alive, which surprises", "It grows. " * 20, "RES.", "")


def said(app: MemtopApp) -> list[str]:
    """The lines of the panel that are on screen."""
    panel = app.query_one(SidePanel)
    prose = panel.query_one(TextLines)
    height = min(prose.size.height, panel.content_size.height)
    return [prose.render_line(y).text.rstrip() for y in range(height)]


async def test_under_the_chart_there_are_no_blank_lines_and_the_last_one_says_that_there_is_more() -> None:
    settings = Settings(delay_s=LONG_S)
    app = MemtopApp(Engine(world()), settings, View.of(settings), commentary=lambda: STEP)
    async with app.run_test(size=(80, 24)) as pilot:
        while not any(line.startswith("4/4") for line in said(app)):
            await pilot.pause(0.01)
        lines = said(app)
    assert len(lines) == 7
    assert all(lines)
    assert lines[-1].endswith("  … more"), "so that no word looks cut"
    assert not any("…" in line for line in lines[:-1])


@pytest.mark.parametrize("size", [(60, 18), (80, 24)])
async def test_a_mark_takes_a_line_of_the_sentences_below_a_chart_and_none_of_the_chart(size: tuple[int, int]) -> None:
    async with board(size=size) as it:
        high = it.app.chart.size.height
        await it.press("m")
        await it.until(lambda: any("since the mark" in line for line in said(it.app)), "it is there")
        assert answered(it.app)
        assert it.app.chart.size.height == high


async def test_all_sentences_are_in_view_after_the_screen_has_grown() -> None:
    async with board(Settings(delay_s=LONG_S, pids=(40,)), size=(60, 18)) as it:
        await it.until(lambda: answered(it.app), "they are there on the small screen")
        await it.pilot.resize_terminal(80, 24)
        await it.pilot.pause()
        side = it.app.query_one(SidePanel)
        shown = [line(side, y).strip() for y in range(side.size.height)]
        assert len(shown) == 5 and all(shown)
        assert [one.partition("?")[0] for one in shown[:3]] == ["· Growing", "· VIRT 100 MiB a problem", "· Limit"]


async def test_under_the_chart_the_next_step_is_right_below_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    warn_of_size(monkeypatch, {"says": ["It has {rss_bytes}."], "next": "Buy RAM." + " Soon" * 40})
    async with board(size=(80, 24)) as it:
        await it.until(lambda: any("Next:" in each for each in said(it.app)), "the next step is there")
        lines = said(it.app)
        assert lines[0].strip().startswith("! It has")
        assert lines[1].strip().startswith("Next: Buy RAM. Soon") and lines[1].endswith("…")
        assert any("VIRT" in each for each in lines)


async def test_a_cut_sentence_is_read_by_tab_and_enter_and_esc_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"says": ["It has {rss_bytes}."], "next": "Buy RAM." + " Soon" * 40 + " or never."}
    warn_of_size(monkeypatch, texts)
    async with board(size=(80, 24)) as it:
        await it.until(lambda: any("Next:" in each for each in said(it.app)), "the next step is there")
        assert not any("or never." in each for each in said(it.app))
        panel = it.app.query_one(SidePanel)
        for _ in range(6):
            if it.app.focused is not None and panel in it.app.focused.ancestors:
                break
            await it.press("tab")
        await it.press("enter")
        await it.until(lambda: any("or never." in each for each in said(it.app)), "all of it is there")
        assert not panel.is_cut
        hints = it.app.query_one(StatusBar)
        await it.until(lambda: "Read all" not in hints.render_line(0).text, "there is no more to read")
        await it.press("escape")
        await it.until(lambda: panel.is_cut, "the chart is back")


async def test_on_a_high_narrow_screen_the_sentences_are_whole() -> None:
    async with board(size=(80, 70)) as it:
        await it.until(lambda: any("VIRT" in each for each in said(it.app)), "the answers are there")
        assert len(said(it.app)) > 10
        assert not any(each.endswith("…") for each in said(it.app))


async def test_a_long_title_of_a_step_is_wrapped() -> None:
    settings = Settings(delay_s=LONG_S)
    app = MemtopApp(Engine(world()), settings, View.of(settings), commentary=lambda: STEP)
    async with app.run_test(size=(120, 40)) as pilot:
        while not any(line.startswith("4/4") for line in said(app)):
            await pilot.pause(0.01)
        lines = said(app)
    first = next(at for at, line in enumerate(lines) if line.startswith("4/4"))
    assert lines[first].startswith("4/4  GCs become rarer")
    assert lines[first + 1].startswith("     ")
    assert "…" not in lines[first] + lines[first + 1]


async def test_what_is_shown_of_the_past_is_said_to_be_past_and_nothing_is_said_of_a_mark() -> None:
    async with board(size=(120, 60)) as it:
        it.source.processes[40].rss_pages += 1000
        await it.press("m")
        await it.tick()
        await it.until(lambda: "since the mark" in " ".join(said(it.app)), "the mark is spoken of")
        await it.press("left")
        await it.until(lambda: is_past(it.app), "it is the past")
        assert "mark" not in " ".join(said(it.app))


async def test_sentences_do_not_change_faster_than_anybody_reads() -> None:
    async with board(size=(120, 60)) as it:
        it.source.step_s = 0.4
        before = said(it.app)
        shown = []
        for _ in range(3):
            it.source.processes[40].rss_pages += 10_000
            await it.tick()
            await it.pilot.pause()
            shown.append(said(it.app) == before)
        assert shown == [True, True, False]


async def test_a_clock_that_is_set_back_does_not_stop_the_sentences() -> None:
    async with board(size=(120, 60)) as it:
        before = said(it.app)
        it.source.wall_s -= 3600
        it.source.processes[40].rss_pages += 10_000
        await it.tick()
        await it.until(lambda: said(it.app) != before, "the sentences tell the new RES")


def is_past(app: MemtopApp) -> bool:
    """Whether the screen says so, and the numbers are those of the past."""
    cursor_s = app.frame.detail.window.cursor_s if app.frame is not None and app.frame.detail is not None else None
    return cursor_s is not None and "LOOKING BACK " in line(app.query_one(HeaderBar), 0)


ANSWERS = ("Growing", "VIRT", "Limit")


def answered(app: MemtopApp) -> bool:
    """Whether each of the three answers begins on screen."""
    lines = [line.strip()[2:] for line in said(app)]
    return all(any(line.startswith(word) for line in lines) for word in ANSWERS)


@pytest.mark.parametrize("size", [(60, 18), (80, 24)])
@pytest.mark.parametrize("pids", [(), (40,)], ids=["list", "one"])
async def test_each_of_the_three_answers_is_in_view_in_every_state(
    size: tuple[int, int], pids: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with board(Settings(delay_s=LONG_S, pids=pids), size=size) as it:
        await it.until(lambda: answered(it.app), "they are there at the start")
        await it.press("m")
        await it.until(lambda: any("mark" in line for line in said(it.app)), "the mark is spoken of")
        await it.until(lambda: answered(it.app), "they are there beside a mark")
        await it.press("left")
        await it.until(lambda: is_past(it.app), "it is the past")
        await it.until(lambda: answered(it.app), "they are there in the past")
        await it.press("end", "m")
        warn_of_size(monkeypatch, {"says": ["It has {rss_bytes}. " * 9], "next": "Buy RAM." + " Soon" * 40})
        await it.tick()
        await it.until(lambda: it.app.query_one(SidePanel).next_step.startswith("Buy RAM"), "there is a finding")
        await it.until(lambda: answered(it.app), "they are there beside a finding that is worse")


async def test_what_an_answer_says_is_not_said_again_below_it() -> None:
    async with board(size=(120, 60)) as it:
        text = " ".join(said(it.app))
        assert text.count("a verdict takes") == 1


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 28), (80, 30), (120, 40)])
@pytest.mark.parametrize("pids", [(), (40,)], ids=["list", "one"])
async def test_the_three_answers_stay_in_view_while_a_panel_is_open(
    size: tuple[int, int], pids: tuple[int, ...]
) -> None:
    async with board(Settings(delay_s=LONG_S, pids=pids), size=size) as it:
        panels = it.app.query_one(Panels)
        for key in ("2", "1", "3", "6"):
            await it.press(key)
            await it.until(lambda: panels.size.height > 1 and it.app.view.panel, "the panel is open")
            await it.until(lambda: answered(it.app), f"they are there beside panel {key}")
        await it.press("m")
        await it.until(lambda: it.app.has_class("-marked"), "there is a mark")
        await it.until(lambda: answered(it.app), "they are there beside a mark")
        await it.tick()
        await it.press("left")
        await it.until(lambda: it.app.view.window.cursor_s is not None, "it is the past")
        await it.until(lambda: answered(it.app), "they are there in the past")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 24), (120, 40)])
@pytest.mark.parametrize("panel", ["", "6"])
async def test_the_three_answers_are_in_view_beside_the_commentary_of_a_demo(size: tuple[int, int], panel: str) -> None:
    settings = Settings(delay_s=LONG_S, pids=(40,))
    app = MemtopApp(Engine(world()), settings, View.of(settings), commentary=lambda: STEP)
    async with app.run_test(size=size) as pilot:
        if panel:
            await pilot.press(panel)
        while not (answered(app) and any(line.startswith("4/4") for line in said(app))):
            await pilot.pause(0.01)
        assert panel or app.chart.size.height >= (10 if size[1] > 20 else 7)


async def test_on_the_smallest_screen_a_demo_says_what_it_does_now_and_enter_shows_all_of_it() -> None:
    settings = Settings(delay_s=LONG_S, pids=(40,))
    text = "It writes one byte to each page. Each write is a fault, and takes a page of RAM."
    step = STEP._replace(title="Write every page", commentary=text)
    app = MemtopApp(Engine(world()), settings, View.of(settings), commentary=lambda: step)
    async with app.run_test(size=(60, 18)) as pilot:
        while not any("Write every page: It writes one byte" in line for line in said(app)):
            await pilot.pause(0.01)
        assert said(app)[-1].endswith(("…", "… more"))
        await pilot.press("tab", "tab", "enter")
        while "Watch: RES." not in said(app):
            await pilot.pause(0.01)
        assert text in " ".join(said(app))


async def test_a_title_that_is_wrapped_is_strong_to_its_end() -> None:
    async with board(size=(120, 60)) as it:
        panel, frame = it.app.query_one(SidePanel), it.app.frame
        assert frame is not None
        panel.show(frame, "special_processes", None)  # Kernel threads, zombies, and missing main threads
        await it.until(lambda: any(each.startswith("═") for each in said(it.app)), "the topic is shown")
        below = next(y for y, each in enumerate(said(it.app)) if each.startswith("═"))
        prose = panel.query_one(TextLines)
        title = [prose.render_line(y) for y in (below - 2, below - 1)]
        assert " ".join(strip.text.strip() for strip in title) == "Kernel threads, zombies, and missing main threads"
        assert all(style is not None and style.bold for strip in title for text, style, _ in strip if text.strip())
