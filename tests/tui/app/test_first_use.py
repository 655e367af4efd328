"""What a new user does first: search the help, find a topic, filter, copy the next step, go to a PID."""

from __future__ import annotations

import pytest
from textual.widgets import Input, Markdown, OptionList

from memtop.cli.screen import with_detail
from memtop.columns import BY_NAME
from memtop.engine.engine import Engine
from memtop.settings import Settings
from memtop.tui.app.palette_commands import Commands, can_run
from memtop.tui.bars.filter_bar import FilterBar
from memtop.tui.bars.footer import StatusBar
from memtop.tui.dialogs.topic_viewer import TopicViewer
from memtop.tui.drawing.text_lines import TextLines
from memtop.tui.panels.switcher import BY_NAME as PANELS_BY_NAME
from memtop.tui.panels.switcher import Panels
from memtop.tui.side.side_panel import SidePanel
from memtop.view_state import View
from tests.tui.app.test_app import LONG_S, Board, board, world
from tests.tui.frames import line
from tests.tui.rules import warn_of_size


def titles(it: Board) -> list[str]:
    """The titles in the help that are shown."""
    lines = it.app.screen.query_one("#help-text", TextLines).text.splitlines()
    return [line for line in lines if line and not line.startswith(" ")]


async def test_the_help_is_searched_and_the_first_topic_is_read() -> None:
    async with board() as it:
        await it.press("question_mark")
        whole = titles(it)
        assert not any("Topics" in title for title in whole)
        await it.press("slash", *"minor")
        found = titles(it)
        assert found and len(found) < len(whole)
        assert any("Topics" in title for title in found)
        await it.press("enter")
        await it.until(lambda: isinstance(it.app.screen, TopicViewer), "the topic is open")


async def test_a_part_of_the_help_is_found_by_its_title_and_a_signal_by_the_word_kill() -> None:
    async with board() as it:
        await it.press("question_mark", "slash", *"mouse")
        text = it.app.screen.query_one("#help-text", TextLines)
        await it.until(lambda: "double-click to watch" in text.text, "the part is shown")
        await it.press("escape", "slash", *"kill")
        await it.until(lambda: "Send a signal (kill)" in text.text, "the key is shown")


async def test_the_meanings_of_all_keys_begin_in_one_column() -> None:
    async with board() as it:
        await it.press("question_mark")
        text = it.app.screen.query_one("#help-text", TextLines)
        await it.until(lambda: bool(text.text), "the help is shown")
        lines = text.text.split("\n")
        starts = {
            line.index(says) for says in ("Watch the selected", "Quit", "Sort by RES") for line in lines if says in line
        }
        assert len(starts) == 1


async def test_what_the_help_does_not_have_is_said_and_esc_ends_the_search_first() -> None:
    async with board() as it:
        await it.press("question_mark")
        whole = titles(it)
        await it.press("slash", *"qqqq")
        assert titles(it) == ["No match in the help."]
        await it.press("escape")
        assert titles(it) == whole
        await it.press("escape")
        assert it.at_rest()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("kill", "Kill"),
        ("swap", "Explain: Swap"),
        ("minor", "Explain: MINFLT/s"),
        ("leak", "Explain: The verdict growing: a leak?"),
        ("copy", "Copy "),
        ("json", "Explain: "),
        ("mrk", "Mark"),
    ],
)
async def test_the_palette_finds_a_word_in_names_first(typed: str, first: str) -> None:
    async with board() as it:
        found = Commands(it.app.screen)
        hits = sorted([hit async for hit in found.search(typed)], key=lambda hit: -hit.score)
        assert str(hits[0].prompt).startswith(first), [str(hit.prompt) for hit in hits[:5]]
        assert typed == "mrk" or all(typed in f"{hit.prompt} {hit.help}".lower() for hit in hits)


async def test_enter_right_after_the_words_runs_what_they_find() -> None:
    async with board() as it:
        for key in ("ctrl+p", *"swap", "enter"):
            it.app.simulate_key(key)
        await it.until(lambda: it.app.screen.query(Markdown), "the topic is open")
        await it.until(lambda: it.app.screen.query_one(Markdown).source.startswith("# Swap"), "its text is there")


async def test_the_palette_offers_what_can_be_done_now() -> None:
    async with board(Settings(readonly=True)) as it:
        assert not can_run(it.app, "signal")
        assert can_run(it.app, "copy_pid")
        assert not can_run(it.app, "everybody")
        assert not can_run(it.app, "speed(1)"), "only a recording has a speed"
        assert not can_run(it.app, "look(1)"), "now is the newest moment"
        await it.press("left")
        assert can_run(it.app, "look(1)")


async def test_no_two_commands_of_the_palette_have_one_name() -> None:
    async with board() as it:
        names = [command.title for command in it.app.get_system_commands(it.app.screen)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("panel", ["", "1"])
async def test_tab_goes_through_the_parts_from_top_to_bottom_and_from_left_to_right(
    size: tuple[int, int], panel: str
) -> None:
    async with board(size=size) as it:
        if panel:
            await it.press(panel)
            await it.until(lambda: bool(it.app.query_one(Panels).size.height), "the panel is open")
        places = []
        for _ in it.app.screen.focus_chain:
            await it.press("tab")
            assert it.app.focused is not None
            places.append((it.app.focused.region.y, it.app.focused.region.x))
        assert len(places) >= 3
        assert places == sorted(places), "the first Tab leaves the list, which is the last part"


async def test_a_filter_that_is_on_is_seen_and_leaves_its_place_to_the_chart() -> None:
    async with board() as it:
        high = it.app.chart.size.height
        await it.press("slash", *"batch", "enter")
        await it.shows(30)
        bar = it.app.query_one(FilterBar)
        await it.until(lambda: bar.display and "filter: batch ✕" in line(bar, 0), "the filter is seen")
        assert "1 of 4" in line(bar, 0)
        await it.until(lambda: it.app.chart.size.height > high, "the chart takes the room")
        await it.pilot.click(FilterBar, offset=(4, 0))
        await it.shows(40, 20, 30, 10)
        assert not bar.display


async def test_a_short_list_leaves_its_place_to_the_chart_and_does_not_move_it_again() -> None:
    source = world()
    async with board(source=source) as it:
        table = it.app.table
        await it.until(lambda: table.size.height == 6, "a heading, four rows and one blank line")
        await it.pilot.pause()  # the chart has taken its place too
        high = it.app.chart.size.height
        late = source.processes.pop(30)
        await it.tick()
        await it.until(lambda: len(it.pids) == 3, "one row has gone")
        assert (table.size.height, it.app.chart.size.height) == (6, high)
        source.add(late)
        await it.tick()
        await it.until(lambda: len(it.pids) == 4, "it is back")
        assert (table.size.height, it.app.chart.size.height) == (6, high)


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 28), (120, 40)])
@pytest.mark.parametrize("panel", ["", "1", "6"])
async def test_a_watched_process_has_ten_lines_of_chart_and_the_panel_gives_way(
    size: tuple[int, int], panel: str
) -> None:
    async with board(Settings(delay_s=LONG_S, pids=(10,)), size=size) as it:
        if panel and tuple(PANELS_BY_NAME)[int(panel) - 1] != it.app.view.panel:
            await it.press(panel)
            await it.until(lambda: bool(it.app.query_one(Panels).size.height), "the panel is open")
        if not panel or size[1] > 20:  # on fewer lines the panel is what is watched
            await it.until(lambda: it.app.chart.size.height >= 10, "the chart has ten lines")


async def test_a_page_key_scrolls_the_panel_where_the_list_has_no_more_rows() -> None:
    async with board(Settings(delay_s=LONG_S, pids=(10,)), size=(80, 24)) as it:
        await it.press("5")
        await it.until(lambda: bool(it.app.query("#panel-status")), "the panel is there")
        panel = it.app.query_one("#panel-status")
        await it.until(lambda: panel.max_scroll_y > 0, "not all of it is in view")
        await it.press("pagedown")
        await it.until(lambda: panel.scroll_y > 0, "it is scrolled")


async def test_the_name_of_a_column_is_completed() -> None:
    async with board() as it:
        await it.press("slash", *"use")
        typed = it.app.query_one("#filter", Input)
        for _ in range(50):  # the suggestion comes by itself, a moment later
            await it.press("right")
            if typed.value == "user=":
                break
        assert typed.value == "user="


async def test_y_copies_the_pid_in_the_list_and_the_next_step_in_the_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    warn_of_size(monkeypatch, {"says": ["It has {rss_bytes}."], "next": "Buy RAM."})
    async with board() as it:
        await it.press("y")
        assert it.app.clipboard == "40"
        side = it.app.query_one(SidePanel)
        await it.until(lambda: side.next_step == "Buy RAM.", "the next step is known")
        prose = side.query_one(TextLines)
        await it.until(lambda: "Next: Buy RAM." in prose.text, "it is said")
        if prose.text.splitlines().index("Next: Buy RAM.") >= prose.size.height:
            assert "Next: Buy RAM." in line(side, side.region.height - 1), "in sight on the frame"
        await it.press("tab", "tab")
        assert "Copy next step" in line(it.app.query_one(StatusBar), 0)
        await it.press("y")
        assert it.app.clipboard == "Buy RAM."
        await it.press("Y")
        assert "a problem?" in it.app.clipboard and "It has" in it.app.clipboard


async def test_go_to_pid_switches_what_is_watched() -> None:
    async with board() as it:
        await it.press("enter")
        assert it.app.watched is not None
        await it.press("p", *"20", "enter")
        await it.until(lambda: it.app.watched is not None and it.app.watched.pid == 20, "the other one is watched")
        assert "Enter All" in line(it.app.query_one(StatusBar), 0)


async def test_the_footer_names_only_keys_that_do_something_now() -> None:
    async with board(Settings(delay_s=LONG_S, pids=(10,))) as it:
        footer = it.app.query_one(StatusBar)
        assert "Enter" not in line(footer, 0), "the only process is watched already"
        assert not any(key in line(footer, 0) for key in ("Filter", "Sort", "Growth", "Groups")), "of one row"
        assert "a All processes" in line(footer, 0)
        watched = it.app.watched
        await it.press("enter")
        await it.tick()
        assert it.app.watched == watched is not None
        await it.press("space")
        await it.until(lambda: "Space Resume" in line(footer, 0), "the pause ends with it")
        await it.press("space", "slash")
        await it.until(lambda: line(footer, 0).strip().startswith("Enter Keep"), "all else is text")
        assert "Quit" not in line(footer, 0)
        await it.press("escape")
        await it.until(lambda: "q Quit" in line(footer, 0), "back in the list")


async def test_a_new_column_stands_before_the_command_and_swap_hides_without_swap() -> None:
    async with board() as it:
        shown = [column.key for column in it.app.table.columns]
        assert "swap" not in shown and shown[-1] == "command"
        await it.press("c")
        options = it.app.screen.query_one(OptionList)
        at = next(
            number for number in range(options.option_count) if "PSS" in str(options.get_option_at_index(number).prompt)
        )
        options.highlighted = at
        await it.press("space", "enter")
        assert it.app.view.columns[-1] == BY_NAME["command"]
        assert BY_NAME["pss"] in it.app.view.columns


def test_the_first_frame_has_the_process_under_the_cursor() -> None:
    """Chart and sentences said "Reading" until the sampler's thread had its turn: seconds on a busy machine."""
    engine, view = Engine(world()), View.of(Settings())
    first = engine.step(view.request())
    assert first is not None and first.detail is None
    shown = with_detail(engine, view, first)
    assert shown is not None and shown.detail is not None and shown.detail.row.key == first.rows[0].key
    assert (shown.rows, shown.tick) == (first.rows, first.tick)
    assert with_detail(engine, view, shown) is shown


async def test_what_is_copied_is_whole_where_only_a_part_of_it_is_in_view() -> None:
    async with board(size=(80, 24)) as it:
        side = it.app.query_one(SidePanel)
        await it.until(lambda: side.is_cut, "the sentences are cut")
        side.query_one(TextLines).focus()
        await it.press("Y")
        await it.until(lambda: it.app.clipboard, "they are copied")
        shown = side.query_one(TextLines).text
        assert "…" in shown and "…" not in it.app.clipboard
        assert "VIRT" in it.app.clipboard and "Limit?" in it.app.clipboard
