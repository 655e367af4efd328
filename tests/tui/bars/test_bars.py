"""The header and the status bar, as cells show them and as clicks use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from memtop import explain
from memtop.model.frame import Frame, Shares
from memtop.process_key import ProcessKey
from memtop.sanitize import clean
from memtop.sources.protocol import OwnCost, RecordingState
from memtop.tui.bars.footer import COST_TOPIC, Hint, StatusBar
from memtop.tui.bars.header import HeaderBar
from memtop.tui.bars.header_parts import HeaderState, ram_bar
from memtop.tui.drawing.clickable_line import Bar
from memtop.tui.drawing.line_parts import LinePart, narrow
from memtop.tui.panels.switcher import PANELS, Tabs
from tests.rows import GIB, MIB, system_row
from tests.tui.frames import WidgetApp, frame, line, styles_at

HINTS = (
    Hint("?", "Help", "help"),
    Hint("/", "Filter", "filter"),
    Hint("s", "Sort", "sort"),
    Hint("Enter", "Watch", "watch"),
    Hint("e", "Explain", "explain"),
    Hint("q", "Quit", "quit"),
)


def recorded(size_bytes: int) -> RecordingState:
    """A recording that is being written."""
    return RecordingState("f", size_bytes, None)


async def header(pilot: Pilot[None], picture: Frame, state: HeaderState, delay_s: float = 1.0) -> str:
    """The header's line with these values."""
    bar = pilot.app.query_one(HeaderBar)
    bar.show(picture, delay_s, state)
    await pilot.pause()
    return line(bar, 0)


async def test_header_tells_the_machine_in_one_line() -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(200, 3)) as pilot:
        text = await header(pilot, frame(), HeaderState("web-7"))
        assert text.split("   ")[:3] == [" memtop", "web-7", "1.0 s"]
        for value in ("15.2 of 23.5G", "avail 8.30G", "swap 0", "PSI 0.0", "faults 3100/s", "major 0/s", "OOM kills 0"):
            assert value in text


async def test_no_number_of_the_machine_moves_the_others() -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(200, 3)) as pilot:
        places = set()
        for faults, available, psi in ((7.5, 8 << 30, 0.0), (984.0, 9_999 << 20, 9.9), (99_900.0, 21 << 30, 5.0)):
            system = system_row(
                pgfault_per_s=faults,
                pgmajfault_per_s=faults,
                mem_available_bytes=available,
                psi_memory_some_avg10=psi,
                mem_total_bytes=23 << 30,
            )
            text = await header(pilot, frame(system=system), HeaderState("web-7"))
            places.add(tuple(text.index(word) for word in ("avail", "swap", "PSI", "faults", "major")))
        assert len(places) == 1


async def test_header_names_the_last_victim_of_the_oom_killer() -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(200, 3)) as pilot:
        killed = frame()._replace(oom_victim="orders 4242")
        assert "last: orders 4242" in await header(pilot, killed, HeaderState("web-7"))


async def test_header_says_reading_before_the_first_frame() -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(60, 3)) as pilot:
        await pilot.pause()
        assert "Reading …" in line(pilot.app.query_one(HeaderBar), 0)


async def test_header_shows_a_dash_for_what_is_unknown() -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(200, 3)) as pilot:
        unknown = system_row(
            mem_total_bytes=None,
            mem_available_bytes=None,
            swap_total_bytes=None,
            pgfault_per_s=None,
            oom_kills=None,
            psi_memory_some_avg10=None,
        )
        text = await header(pilot, frame(system=unknown), HeaderState())
        for value in ("RAM – of –", "avail –", "swap –", "PSI –", "faults –", "OOM kills –"):
            assert value in text


@pytest.mark.parametrize(
    ("changes", "state", "word"),
    [
        ({}, HeaderState(paused=True), "PAUSED"),
        ({"late_s": 1.23}, HeaderState(), "! LATE 1.2 s"),
        ({"hidden": 1234}, HeaderState(), "1,234 hidden"),
        ({"hidden": None}, HeaderState(), "others hidden"),
        ({"replay_position": (12, 300)}, HeaderState(), "REPLAY 12/300"),
        ({"replay_position": (12, 300), "past_percent": 40}, HeaderState(), "verdicts at 40 %"),
        ({}, HeaderState(recording=recorded(int(1.2 * MIB))), "● REC 1.20M"),
        (
            {"at_s": 1_000.0, "newest_s": 1_040.0},
            HeaderState(recording=RecordingState("f", 4096, 980.0)),
            "● REC 4.00K 60 s",
        ),
        ({}, HeaderState(recording=RecordingState("f", 4096, 980.0, "stopped")), "! REC stopped"),
        ({}, HeaderState(readonly=True), "READ-ONLY"),
        ({}, HeaderState(paused=True, looking_back_s=1.7e9 - 100), "LOOKING BACK 100 s"),
    ],
)
async def test_header_says_what_memtop_is_doing(changes: dict[str, Any], state: HeaderState, word: str) -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(120, 3)) as pilot:
        assert word not in await header(pilot, frame(), HeaderState("web-7"))
        assert word in await header(pilot, frame(**changes), state)


@pytest.mark.parametrize(("decides", "unknown", "said"), [(True, 2, True), (False, 2, False), (True, 0, False)])
async def test_header_says_of_how_many_pss_is_known_where_the_order_depends_on_it(
    decides: bool, unknown: int, said: bool
) -> None:
    shares = Shares(9, {ProcessKey(pid, 1): "unread" for pid in range(unknown)}, decides)
    async with WidgetApp(HeaderBar()).run_test(size=(120, 3)) as pilot:
        assert ("PSS known of 7 of 9" in await header(pilot, frame(shares=shares), HeaderState())) is said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mem_available_bytes": 2 * GIB}, "! avail 2.00G"),
        ({"mem_available_bytes": GIB}, "▲ avail 1.00G"),
        ({"psi_memory_some_avg10": 12.0}, "! PSI 12.0"),
        ({"oom_kills": 2}, "▲ OOM kills 2"),
        ({"swap_total_bytes": 0, "swap_free_bytes": 0}, "swap none"),
        ({"swap_free_bytes": GIB}, "swap 1.00G"),
        ({"mem_total_bytes": 24 * GIB, "mem_available_bytes": int(23.5 * GIB)}, "512M of 24.0G"),
    ],
)
async def test_header_marks_what_is_bad_not_only_by_colour(changes: dict[str, object], words: str) -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(200, 3)) as pilot:
        assert words in await header(pilot, frame(system=system_row(**changes)), HeaderState())


@pytest.mark.parametrize("width", [1, 5, 30, 60, 80, 120, 200])
async def test_header_is_one_whole_line_at_any_width(width: int) -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(width, 3)) as pilot:
        text = await header(
            pilot, frame(late_s=9.0), HeaderState("日本-host" * 3, recording=recorded(5), readonly=True)
        )
        assert cell_len(text) == width


@pytest.mark.parametrize(("hidden", "words"), [(7, "7 hidden"), (None, "others hidden")])
async def test_processes_that_proc_hides_are_said_at_80_columns(hidden: int | None, words: str) -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(80, 3)) as pilot:
        busy = frame(hidden=hidden, system=system_row(oom_kills=3), late_s=2.0)
        assert words in await header(pilot, busy, HeaderState("web-7", recording=recorded(9)))


async def test_header_keeps_ram_longer_than_the_rest() -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(30, 3)) as pilot:
        assert "15.2 of 23.5G" in await header(pilot, frame(), HeaderState("web-7"))


async def test_hostile_host_name_is_drawn_as_it_is() -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(120, 3)) as pilot:
        for host in ("[/]", "[@click=app.bell]x[/]", "a\x1b]0;x"):
            assert clean(host) in await header(pilot, frame(), HeaderState(host))


async def test_header_in_ascii_is_ascii() -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(200, 3)) as pilot:
        pilot.app.query_one(HeaderBar).ascii = True
        text = await header(pilot, frame(system=system_row(oom_kills=3)), HeaderState(recording=recorded(9)))
        assert text.isascii()
        assert "#####" in text


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("avail", "available"),
        ("swap", "swap"),
        ("PSI", "psi"),
        ("faults", "faults_rate"),
        ("major", "major_faults"),
        ("OOM", "oom_kills"),
    ],
)
async def test_click_on_a_value_asks_for_its_explanation(words: str, topic: str) -> None:
    app = WidgetApp(HeaderBar())
    async with app.run_test(size=(200, 3)) as pilot:
        text = await header(pilot, frame(), HeaderState("web-7"))
        await pilot.click(HeaderBar, offset=(text.index(words), 0))
        await pilot.pause()
        assert app.heard_of(Bar.ExplainAsked) == [Bar.ExplainAsked(topic)]


async def test_click_on_the_ram_opens_the_machine_panel() -> None:
    app = WidgetApp(HeaderBar())
    async with app.run_test(size=(200, 3)) as pilot:
        text = await header(pilot, frame(), HeaderState("web-7"))
        await pilot.click(HeaderBar, offset=(text.index("of 23"), 0))
        await pilot.pause()
        assert len(app.heard_of(HeaderBar.MachineAsked)) == 1 and not app.heard_of(Bar.ExplainAsked)


def test_every_topic_of_the_bars_has_its_text() -> None:
    bar = HeaderBar()
    busy = frame(system=system_row(oom_kills=1), late_s=9.0, hidden=1, replay_position=(1, 2))
    bar.show(busy, 1.0, HeaderState("h", looking_back_s=1.0, recording=recorded(1), readonly=True))
    left, right = bar.parts(200)
    topics = {part.target for part in (*left, *right) if part.target} | {COST_TOPIC}
    folder = Path(next(iter(explain.__path__)))
    assert {topic for topic in topics if not (folder / "topics" / f"{topic}.md").is_file()} == set()


@pytest.mark.parametrize(
    ("share", "bar"),
    [(0.0, "····"), (1.0, "████"), (0.5, "██··"), (0.55, "██▎·"), (2.0, "████"), (-1.0, "····"), (0.999, "████")],
)
def test_ram_bar_is_true_to_an_eighth_of_a_cell(share: float, bar: str) -> None:
    assert ram_bar(share, 4, ascii_only=False) == bar


async def test_an_unchanged_header_is_not_drawn_again() -> None:
    async with WidgetApp(HeaderBar()).run_test(size=(120, 3)) as pilot:
        await header(pilot, frame(), HeaderState())
        bar = pilot.app.query_one(HeaderBar)
        with patch.object(bar, "refresh", wraps=bar.refresh) as refresh:
            bar.show(frame(tick=2), 1.0, HeaderState())
            refresh.assert_not_called()
            bar.show(frame(tick=3), 2.0, HeaderState())
            refresh.assert_called_once()
        await pilot.pause()
        assert "2.0 s" in line(bar, 0)


async def test_status_bar_shows_the_keys_and_what_memtop_costs() -> None:
    async with WidgetApp(StatusBar(HINTS)).run_test(size=(120, 3)) as pilot:
        bar = pilot.app.query_one(StatusBar)
        bar.show_cost(OwnCost(1.4, 46 * MIB))
        await pilot.pause()
        text = line(bar, 0)
        assert text.startswith(" ? Help   / Filter   s Sort   Enter Watch   e Explain   q Quit")
        assert text.endswith("memtop 1.4 % cpu 46.0M ")
        assert styles_at(bar, text.index("?"), 0).bold
        assert not styles_at(bar, text.index("Help"), 0).bold


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (100, " ? Help   / Filter   s Sort   Enter Watch   e Explain   q Quit               memtop 1.4 % cpu 46.0M "),
        (85, " ? Help   / Filter   s Sort   Enter Watch   e Explain   q Quit       1.4 % cpu 46.0M "),
        (80, " ? Help   / Filter   s Sort   Enter Watch   e Explain   q Quit       1.4% 46.0M "),
        (64, " ? Help   / Filter   s Sort   Enter Watch   e Explain   q Quit  "),
        (60, " ? Help   / Filter   s Sort   Enter Watch   q Quit          "),
        (20, " ? Help   q Quit    "),
    ],
)
async def test_narrow_status_bar_gives_up_the_cost_before_a_key(width: int, text: str) -> None:
    async with WidgetApp(StatusBar(HINTS)).run_test(size=(width, 3)) as pilot:
        bar = pilot.app.query_one(StatusBar)
        bar.show_cost(OwnCost(1.4, 46 * MIB))
        await pilot.pause()
        assert line(bar, 0) == text


async def test_click_on_a_hint_runs_it_and_on_the_cost_explains_it() -> None:
    app = WidgetApp(StatusBar())
    async with app.run_test(size=(120, 3)) as pilot:
        bar = pilot.app.query_one(StatusBar)
        bar.show_hints(HINTS)
        bar.show_cost(OwnCost(1.4, 46 * MIB))
        await pilot.pause()
        text = line(bar, 0)
        for words in ("/", "Watch", " Sort", "memtop", "  "):
            await pilot.click(StatusBar, offset=(text.index(words), 0))
        await pilot.pause()
        heard = [StatusBar.HintClicked(action) for action in ("filter", "watch", "sort")]
        assert app.heard_of(StatusBar.HintClicked) == heard
        assert app.heard_of(Bar.ExplainAsked) == [Bar.ExplainAsked("own_cost")]


def test_parts_leave_by_rank_and_those_of_rank_zero_never() -> None:
    left, right = [LinePart("aaaa", 0), LinePart("bbbb", 2)], [LinePart("cccc", 1), LinePart("dddd", 3)]
    kept = [
        [part.text for part in (*narrow(left, right, width)[0], *narrow(left, right, width)[1])] for width in range(30)
    ]
    assert kept[0] == ["aaaa"]
    assert kept[29] == ["aaaa", "bbbb", "cccc", "dddd"]
    assert [texts for at, texts in enumerate(kept) if at == 0 or texts != kept[at - 1]] == [
        ["aaaa"],
        ["aaaa", "cccc"],
        ["aaaa", "bbbb", "cccc"],
        ["aaaa", "bbbb", "cccc", "dddd"],
    ]


async def test_a_long_caption_leaves_the_tabs_their_place() -> None:
    tabs = Tabs()
    async with WidgetApp(tabs).run_test(size=(80, 1)) as pilot:
        tabs.chosen, tabs.caption = "runtime", "read 0 s ago from http://127.0.0.1:42471/debug/vars"
        await pilot.pause()
        text = tabs.render_line(0).text
        assert all(panel.title in text for panel in PANELS)
        assert text.rstrip().endswith("read 0 s ago")
        await pilot.resize_terminal(50, 1)
        assert "[4 Runtime]" in tabs.render_line(0).text


@pytest.mark.parametrize(
    ("caption", "shown"),
    [
        ("read 9 s ago in 3.0 ms", "read 9 s ago"),
        ("read 34 s ago in 3.0 ms", "34 s ago"),
        ("old: read 34 s ago in 3.0 ms, next in 9 s", "old: 34 s"),
        ("this machine's memory 23.0 % full", "6 Machine"),
    ],
)
async def test_the_age_of_a_reading_is_in_view_beside_all_tabs_however_old_it_is(caption: str, shown: str) -> None:
    tabs = Tabs()
    async with WidgetApp(tabs).run_test(size=(80, 1)) as pilot:
        tabs.chosen, tabs.caption = "regions", caption
        await pilot.pause()
        assert tabs.render_line(0).text.rstrip().endswith(f" {shown}")


async def test_keys_are_apart_from_what_they_do_in_ascii_too() -> None:
    bar = StatusBar([Hint("← →", "Look back", "look(-1)"), Hint("+ -", "Zoom", "zoom_time(0.5)")])
    async with WidgetApp(bar).run_test(size=(80, 3)) as pilot:
        bar.ascii = True
        await pilot.pause()
        assert line(bar, 0).strip() == "Left Right Look back   + - Zoom"
