"""The selection in the list of processes: it stays with its process, and keys and clicks move it."""

from __future__ import annotations

import random

import pytest

from memtop.model.frame import Frame, TreePlace
from memtop.model.row import Note, ProcessRow
from memtop.tui.screen_layout import SteadyCount
from memtop.tui.table.process_table import ProcessTable
from tests.rows import proc_row
from tests.tui.frames import WidgetApp, frame, line
from tests.tui.table.tables import BODY_LINES, ROWS, SIZE, cursor_pid, pid_at, shown


async def test_the_first_process_is_selected_at_the_start() -> None:
    app = WidgetApp(ProcessTable())
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, frame(ROWS))
        assert app.heard_of(ProcessTable.SelectionMoved) == [ProcessTable.SelectionMoved(ROWS[0].key)]


@pytest.mark.parametrize("seed", range(3))
async def test_selection_stays_with_its_process_through_every_order(seed: int) -> None:
    rng = random.Random(seed)
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        rows = list(ROWS)
        table = await shown(pilot, frame(rows))
        next_pid = 1000
        for _ in range(300):
            selected, keys = table.selected, [row.key for row in rows]
            index = next(at for at, key in enumerate(keys) if key == (selected or ROWS[0].key))
            match rng.choice(("sort", "insert", "remove", "remove selected", "move", "change")):
                case "sort":
                    rng.shuffle(rows)
                case "insert":
                    rows.insert(rng.randrange(len(rows) + 1), proc_row(next_pid))
                    next_pid += 1
                case "remove" if len(rows) > 1:
                    del rows[rng.choice([at for at in range(len(rows)) if at != index])]
                case "remove selected" if len(rows) > 1:
                    del rows[index]
                    selected = rows[min(index, len(rows) - 1)].key
                case "move":
                    step = rng.choice((-1, 1))
                    table.action_move(step)
                    selected = rows[max(0, min(index + step, len(rows) - 1))].key
                case _:
                    at = rng.randrange(len(rows))
                    rows[at] = rows[at]._replace(rss_bytes=rng.randrange(1 << 30))
            table.show(frame(rows))
            assert table.selected == selected
        await pilot.pause()
        drawn = [pid_at(table, y) for y in range(1, min(len(rows), BODY_LINES) + 1)]
        top = table.scroll_offset.y
        assert drawn == [row.pid for row in rows[top : top + BODY_LINES]]


async def test_a_process_that_the_oom_killer_took_says_so_in_its_row() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        killed = ROWS[0]._replace(note=Note.OOM_KILLED, gone_s=1.7e9)
        table = await shown(pilot, frame((killed,)))
        assert "(OOM kill) proc" in line(table, 1)


async def test_selection_stays_with_a_process_that_is_gone_while_the_list_still_has_it() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        gone = ROWS[0]._replace(note=Note.GONE, gone_s=1.7e9)
        await shown(pilot, frame((*ROWS[1:5], gone)))
        assert table.selected == gone.key
        assert "(gone) proc-1" in line(table, 5)


async def test_selection_survives_a_filter_that_matches_nothing() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        await pilot.press("j", "j")
        await shown(pilot, frame())
        assert table.selected_row is None
        await shown(pilot, frame(ROWS))
        assert cursor_pid(table) == 3


async def test_view_follows_the_selected_process_only_when_told() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        await shown(pilot, frame((*ROWS[1:], ROWS[0])))
        assert table.scroll_offset.y == 0
        await pilot.press("F")
        assert table.scroll_offset.y == len(ROWS) - BODY_LINES
        await shown(pilot, frame(ROWS))
        assert table.scroll_offset.y == 0


async def test_a_watched_process_stays_in_view_until_the_user_scrolls() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        table.watched = ROWS[0].key
        await shown(pilot, frame((*ROWS[1:], ROWS[0])))
        assert ROWS[0].key in table.visible_keys
        table.scroll_to(y=0, animate=False)
        await shown(pilot, frame((*ROWS[1:], ROWS[0])))
        assert table.scroll_offset.y == 0
        table.watched = None
        await shown(pilot, frame(ROWS))
        await shown(pilot, frame((*ROWS[1:], ROWS[0])))
        assert table.scroll_offset.y == 0, "in the list of all the top stays in sight"


async def test_in_a_tree_the_selected_process_stays_in_view_when_others_start_above_it() -> None:
    def tree(rows: tuple[ProcessRow, ...]) -> Frame:
        return frame(rows, tree=tuple(TreePlace(0, "", False, False, None, None) for _ in rows))

    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, tree(ROWS[20:]))
        await shown(pilot, tree(ROWS))
        assert table.scroll_offset.y == 0, "nobody has moved the cursor"
        await pilot.press("g", "j")
        selected = table.selected
        await shown(pilot, tree((*(proc_row(pid) for pid in range(100, 130)), *ROWS)))
        assert table.selected == selected
        assert table.selected in table.visible_keys


@pytest.mark.parametrize(
    ("keys", "pid"),
    [
        ("down down up", 2),
        ("j j k", 2),
        ("up", 1),
        ("pagedown", 11),
        ("pagedown pagedown pageup", 11),
        ("ctrl+d", 6),
        ("ctrl+d ctrl+d ctrl+u", 6),
        ("G", 40),
        ("G down", 40),
        ("G g", 1),
        ("G home", 1),
    ],
)
async def test_keys_move_the_cursor_and_keep_it_in_view(keys: str, pid: int) -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        await pilot.press(*keys.split())
        assert cursor_pid(table) == pid
        assert table.selected in table.visible_keys


async def test_enter_chooses_the_selected_process() -> None:
    app = WidgetApp(ProcessTable())
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, frame(ROWS))
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.heard_of(ProcessTable.ProcessChosen) == [ProcessTable.ProcessChosen(ROWS[1].key)]


async def test_keys_do_nothing_harmful_before_the_first_frame_and_in_an_empty_table() -> None:
    app = WidgetApp(ProcessTable())
    async with app.run_test(size=SIZE) as pilot:
        for picture in (None, frame()):
            if picture is not None:
                await shown(pilot, picture)
            await pilot.press("up", "down", "pageup", "pagedown", "G", "g", "enter", "F", "o")
        assert not app.heard_of(ProcessTable.ProcessChosen)


async def test_click_selects_and_double_click_chooses() -> None:
    app = WidgetApp(ProcessTable())
    async with app.run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        await pilot.click(ProcessTable, offset=(30, 3))
        assert cursor_pid(table) == 3
        assert not app.heard_of(ProcessTable.ProcessChosen)
        await pilot.double_click(ProcessTable, offset=(30, 5))
        await pilot.pause()
        assert app.heard_of(ProcessTable.ProcessChosen) == [ProcessTable.ProcessChosen(ROWS[4].key)]


async def test_a_click_on_a_name_that_spells_an_action_only_selects() -> None:
    name = "[@click=quit]x"
    rows = [proc_row(1), proc_row(2, command=name), proc_row(3)]
    app = WidgetApp(ProcessTable())
    async with app.run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(rows))
        at = line(table, 2).index("[@click")
        await pilot.click(ProcessTable, offset=(at + 2, 2))
        await pilot.pause()
        assert cursor_pid(table) == 2
        assert app.is_running
        assert app.return_value is None
        assert not app.heard_of(ProcessTable.ProcessChosen)


async def test_click_below_the_last_row_does_nothing() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS[:3]))
        await pilot.click(ProcessTable, offset=(30, 8))
        assert cursor_pid(table) == 1


async def test_scrolling_moves_the_view_and_says_so_but_not_the_cursor() -> None:
    app = WidgetApp(ProcessTable())
    async with app.run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        app.heard.clear()
        table.scroll_to(y=20, animate=False)
        await pilot.pause()
        assert pid_at(table, 1) == 21
        assert table.visible_keys == {row.key for row in ROWS[20:30]}
        assert app.heard_of(ProcessTable.ViewportMoved)
        assert cursor_pid(table) == 1


async def test_view_stays_within_a_list_that_has_become_short() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        await pilot.press("G")
        await shown(pilot, frame(ROWS[:12]))
        assert [pid_at(table, y) for y in range(1, 11)] == list(range(3, 13))
        await shown(pilot, frame(ROWS[:2]))
        assert [pid_at(table, y) for y in (1, 2)] == [1, 2]
        assert not line(table, 3).strip()


def test_a_list_has_lines_for_rows_that_come_and_go_and_gives_them_up_after_a_while() -> None:
    rows = SteadyCount()
    assert rows.count("all", 30, 0.0) == 30
    assert rows.count("members", 30, 1.0) == 30, "a frame from before the view was changed"
    assert rows.count("members", 2, 1.1) == 30
    assert rows.count("members", 3, 5.9) == 30
    assert rows.count("members", 2, 6.1) == 3
    assert rows.count("members", 5, 6.2) == 5
    assert rows.count("members", 2, 11.1) == 5
    assert rows.count("members", 2, 11.3) == 2
