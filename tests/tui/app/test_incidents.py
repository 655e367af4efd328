"""The headline on the screen: at every size, followed by the view until something is chosen; ! and n go there."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from memtop.analysis.incidents import Incident, Scope, Subject
from memtop.analysis.severity import Severity
from memtop.model.incidents import IncidentReport, Unseen
from memtop.process_key import ProcessKey
from memtop.settings import Settings
from memtop.tui.bars.headline import HeadlineBar
from memtop.tui.dialogs.incident_list import IncidentList
from memtop.tui.dialogs.keys_line import KeysLine
from memtop.tui.side.side_panel import SidePanel
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.sampling.test_cgroups import APP, MIB, v2
from tests.tui.app.test_app import LONG_S, Board, board, world

BATCH = 30
API = 20
LARGEST = 40


def headline(b: Board) -> str:
    return b.app.query_one(HeadlineBar).render_line(0).text


async def leak(b: Board, *pids: int, seconds: int = 12) -> None:
    """So many samples in which these rise."""
    for _ in range(seconds):
        for pid in pids:
            b.source.processes[pid].rss_pages += 2 * MIB_PAGES
        await b.tick()
    await b.pilot.pause()


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (60, 18), (80, 24), (120, 40), (200, 60)])
async def test_it_is_there_at_every_size(size: tuple[int, int]) -> None:
    async with board(size=size) as b:
        bar = b.app.query_one(HeadlineBar)
        assert (bar.region.y, bar.region.height) == (0, 1)
        assert "500 MiB avail" in headline(b)


async def test_the_view_follows_what_it_names() -> None:
    async with board() as b:
        assert b.selected == LARGEST
        await leak(b, BATCH)
        assert "batch (30) rises" in headline(b)
        assert b.selected == BATCH
        await b.until(lambda: b.app.chart.detail is not None and b.app.chart.detail.row.pid == BATCH, "it is charted")


@pytest.mark.parametrize("keys", [("6",), ("6", "6")])
async def test_the_view_follows_it_beside_a_panel_that_shows_the_machine(keys: tuple[str, ...]) -> None:
    async with board() as b:
        await b.press(*keys)
        await leak(b, BATCH)
        assert "batch (30) rises" in headline(b)
        assert b.selected == BATCH


async def test_the_process_that_it_names_stays_in_view_when_its_row_moves_far() -> None:
    source = world()
    for pid in range(100, 140):
        source.add(FakeProcess(pid, b"worker", rss_pages=200 * MIB_PAGES, cmdline=b"worker\0"))
    async with board(source=source) as b:
        await leak(b, BATCH)
        assert b.selected == BATCH
        assert b.app.table.scroll_offset.y > 0
        source.processes[BATCH].rss_pages += 400 * MIB_PAGES
        await b.tick()
        assert (b.selected, b.app.table.scroll_offset.y) == (BATCH, 0)
        source.processes[BATCH].rss_pages -= 400 * MIB_PAGES
        await b.tick()
        assert "batch" not in headline(b)
        assert BATCH in {key.pid for key in b.app.table.visible_keys if isinstance(key, ProcessKey)}
        b.app.table.scroll_to(y=9, animate=False)
        await b.tick()
        assert b.app.table.scroll_offset.y == 9, "the user has scrolled"


async def test_a_zombie_that_it_names_does_not_take_the_top_of_the_list_out_of_view() -> None:
    source = world()
    for pid in range(100, 140):
        source.add(FakeProcess(pid, b"worker", rss_pages=200 * MIB_PAGES, cmdline=b"worker\0"))
    async with board(source=source) as b:
        await leak(b, BATCH)
        assert b.selected == BATCH and b.app.table.scroll_offset.y > 0
        source.processes[BATCH].state = "Z"
        await b.tick()
        await b.until(
            lambda: b.app.table.selected_row is not None and b.app.table.selected_row.rss_bytes is None, "it is"
        )
        assert (b.selected, b.app.table.scroll_offset.y) == (BATCH, 0)


@pytest.mark.parametrize("keys", [("down", "up"), ("enter", "enter"), ("u", "enter"), ("1",), ("1", "6"), ("m",)])
async def test_it_stays_where_the_user_has_gone(keys: tuple[str, ...]) -> None:
    async with board() as b:
        await b.press(*keys)
        await leak(b, BATCH)
        assert "batch (30) rises" in headline(b)
        assert b.selected == LARGEST


async def test_a_process_asked_for_is_not_left() -> None:
    async with board(Settings(pids=(LARGEST, BATCH), delay_s=LONG_S)) as b:
        await leak(b, BATCH)
        assert b.selected == LARGEST


async def test_the_key_goes_there_and_then_opens_the_list_from_where_enter_goes_on() -> None:
    async with board() as b:
        await b.press("down", "up")
        await leak(b, API, BATCH)
        await b.press("exclamation_mark")
        there = b.selected
        assert there in (API, BATCH) and b.at_rest()
        await b.press("exclamation_mark")
        assert isinstance(b.screen, IncidentList)
        options = b.screen.query_one(OptionList)
        assert options.option_count == 2
        assert "Next: " in str(options.get_option_at_index(0).prompt)
        await b.press("y")
        assert b.app.clipboard
        assert b.app.clipboard in " ".join(str(options.get_option_at_index(0).prompt).split())
        await b.press("down", "enter")
        assert b.at_rest() and b.selected == {API: BATCH, BATCH: API}[there]


async def test_from_a_list_of_groups_it_goes_to_the_process() -> None:
    async with board() as b:
        await b.press("b")
        await leak(b, BATCH)
        await b.press("exclamation_mark")
        await b.tick()
        await b.until(lambda: b.selected == BATCH, "processes are listed and it is selected")


async def test_a_click_is_the_same_as_the_key() -> None:
    async with board() as b:
        await b.press("down", "up")
        await leak(b, BATCH)
        await b.pilot.click(HeadlineBar, offset=(5, 0))
        await b.until(lambda: b.selected == BATCH, "it is selected")


async def test_a_click_on_the_number_of_the_others_opens_the_list_at_once() -> None:
    async with board() as b:
        await b.press("down", "up")
        await leak(b, API, BATCH)
        at = headline(b).index("! 1 more")
        before = b.selected
        await b.pilot.click(HeadlineBar, offset=(at + 3, 0))
        await b.until(lambda: isinstance(b.screen, IncidentList), "the list is open")
        assert isinstance(b.screen, IncidentList)
        assert b.screen.query_one(OptionList).option_count == 2
        await b.press("escape")
        assert b.at_rest() and b.selected == before


async def test_n_goes_to_the_next_of_the_list() -> None:
    async with board() as b:
        await b.press("down", "up")
        await leak(b, API, BATCH)
        await b.press("n")
        first = b.selected
        await b.press("n")
        await b.until(lambda: {first, b.selected} == {API, BATCH}, "the other one is selected")


async def test_the_list_is_kept_up_to_date_while_it_is_open() -> None:
    async with board() as b:
        await leak(b, BATCH)
        await b.press("exclamation_mark")
        assert isinstance(b.screen, IncidentList)
        await leak(b, API, BATCH)
        assert b.screen.query_one(OptionList).option_count == 2


async def test_where_nothing_is_wrong_the_key_says_so() -> None:
    async with board() as b:
        await b.press("exclamation_mark")
        assert (
            b.at_rest()
            and b.said[0].startswith("no incidents now; ")
            and "; 3 OOM kills before memtop started: see dmesg -T" in b.said[0]
        )
        await b.press("n")
        assert b.at_rest()


async def test_while_the_picture_stands_still_it_speaks_of_now() -> None:
    source: FakeSource = world()
    async with board(source=source) as b:
        await leak(b, BATCH, seconds=3)
        await b.press("space")
        for _ in range(9):
            source.processes[BATCH].rss_pages += 2 * MIB_PAGES
            before_s = source.mono_s
            b.app.sampler_thread.step_once()
            await b.until(lambda before_s=before_s: source.mono_s > before_s, "a sample is taken")  # type: ignore[misc]
        await b.until(lambda: "now: batch (30) rises" in headline(b), "the headline goes on")
        assert b.selected == LARGEST


async def test_y_copies_the_pid_and_again_the_next_step() -> None:
    source = v2(FakeProcess(42, rss_pages=90 * MIB_PAGES), FakeProcess(43))
    source.files[f"{APP}/memory.current"] = b"%d\n" % (99 * MIB)
    async with board(source=source) as b:
        await b.tick()
        side = b.app.query_one(SidePanel)
        await b.until(lambda: side.next_step, "there is a next step")
        await b.press("y")
        assert b.app.clipboard == "42" and any("y again copies the next step" in said for said in b.said)
        await b.press("y")
        await b.until(lambda: b.app.clipboard == side.next_step, "the step is copied")
        assert any(side.next_step in said for said in b.said)
        await b.press("y", "down", "y")
        assert b.app.clipboard == str(b.selected), "that of another process is new"


async def test_the_keys_of_the_list_stay_on_screen_while_it_grows() -> None:
    async with board(size=(60, 18)) as b:
        one = Incident("growth", Severity.DANGER, Subject(Scope.PROCESS, "api (4)"), {"seen_s": 99.0}, 1.0, 0.0)
        incidents = IncidentList(IncidentReport((one,)), 100.0)
        b.app.say("a notice that takes lines of the screen")
        await b.app.push_screen(incidents)
        keys = incidents.query_one(KeysLine)
        for many in (1, 9):
            report = IncidentReport((one,) * many, Unseen(unplaced=many, unread_cgroups=many, unassessed=many * 999))
            incidents.show(report, 100.0)
            await b.until(lambda: keys.region.bottom in range(1, 18), "the keys are in view")
            await b.pilot.pause()
            assert "Enter go there" in keys.render_line(0).text and keys.region.bottom < 18
