"""Groups on the screen: b, Enter and Esc, sort and filter, the chart and the sentences."""

from __future__ import annotations

import threading

from memtop.engine.engine import Engine
from memtop.model.group import By, GroupKey, GroupRow
from memtop.model.row import ProcessRow
from memtop.settings import Settings
from memtop.sources.protocol import Instant
from memtop.tui.app.app import MemtopApp
from memtop.tui.bars.footer import StatusBar
from memtop.tui.dialogs.incident_list import IncidentList
from memtop.tui.drawing.text_lines import TextLines
from memtop.tui.side.side_panel import SidePanel
from memtop.view_state import View
from tests.engine.groups.worlds import cgroup, world
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.tui.app.test_app import LONG_S, Board, board

MIB = 1 << 20


def cgroups() -> FakeSource:
    source = world(p42="/system.slice/web.service", p43="/system.slice/web.service", p44="/other")
    cgroup(source, "/system.slice/web.service", 90, b"%d\n" % (100 * MIB), anon=80, file=10, inactive_file=10)
    return source


def groups(it: Board) -> list[str]:
    return [row.name for row in it.app.table.rows if isinstance(row, GroupRow)]


def said(it: Board) -> str:
    prose = it.app.query_one(SidePanel).query_one(TextLines)
    return " ".join(" ".join(prose.render_line(y).text for y in range(12)).split())


def at(it: Board) -> tuple[By | None, str]:
    """What the rows are grouped by, and the name or the PID of the one under the cursor."""
    row = it.app.table.selected_row
    by = it.app.view.rows.by
    return (row.key.by, row.name) if isinstance(row, GroupRow) else (by, str(row.pid) if row is not None else "")


async def shows(it: Board, *names: str) -> None:
    await it.until(lambda: groups(it) == list(names), f"{names} are shown, not {groups(it)}")


async def test_b_cycles_through_the_kinds_of_groups_that_there_are() -> None:
    async with board(source=cgroups()) as it:
        await it.press("b")
        await shows(it, "web.service", "/other")
        await it.press("b")
        await shows(it, "no unit", "web.service") if groups(it)[:1] == ["no unit"] else None
        assert it.app.view.rows.by is By.UNIT, "there are no containers and no pods"
        await it.press("b")
        await shows(it, "ann")
        await it.press("b")
        await shows(it, "app")
        await it.press("b")
        await it.shows(42, 43, 44)


async def test_b_before_the_first_sample_is_not_lost() -> None:
    """On a busy machine that takes seconds."""
    source, may_read = cgroups(), threading.Event()
    begin = source.begin

    def wait_and_begin() -> Instant:
        may_read.wait(10)
        return begin()

    source.begin = wait_and_begin  # type: ignore[method-assign]
    settings = Settings(delay_s=LONG_S)
    app = MemtopApp(Engine(source), settings, View.of(settings))
    async with app.run_test(size=(120, 40)) as pilot:
        it = Board(app, pilot, source)
        try:
            await it.press("b")
            assert app.frame is None
        finally:
            may_read.set()
        await it.until(lambda: app.frame is not None, "there is a first frame")
        await it.tick()
        await shows(it, "web.service", "/other")


async def test_a_group_that_empties_while_it_is_open_is_called_by_its_name() -> None:
    async with board(source=cgroups(), size=(120, 40)) as it:
        await it.press("b")
        await shows(it, "web.service", "/other")
        await it.press("down", "enter")
        await it.shows(44)
        del it.source.processes[44]
        await it.tick()
        await it.tick()
        await it.press("end")
        table = it.app.table
        await it.until(
            lambda: any("No process is in cgroup /other now" in table.render_line(y).text for y in range(1, 4)),
            str([table.render_line(y).text for y in range(1, 4)]),
        )


async def test_enter_lists_the_processes_of_a_group_and_escape_returns_step_by_step() -> None:
    async with board(source=cgroups()) as it:
        await it.press("b")
        await shows(it, "web.service", "/other")
        await it.press("down", "enter")
        await it.shows(44)
        assert it.app.chart.group is not None and it.app.chart.group.row.name == "/other"
        await it.press("enter")
        await it.until(lambda: it.app.chart.detail is not None, "the process is charted")
        await it.press("escape")
        await it.until(lambda: it.app.chart.detail is None, "the group is charted again")
        await it.press("escape")
        await shows(it, "web.service", "/other")
        assert it.app.table.selected_row is not None
        assert it.app.table.selected_row.key == it.app.table.rows[1].key, "the cursor is where it was"
        await it.press("escape")
        await it.shows(42, 43, 44)


async def test_the_chart_and_the_sentences_are_those_of_the_group_under_the_cursor() -> None:
    async with board(source=cgroups(), size=(120, 40)) as it:
        await it.press("b")
        await it.until(lambda: it.app.chart.group is not None, "a group is charted")
        await it.tick()
        await it.tick()
        await it.until(
            lambda: "Limit of web.service (100 MiB): 80.0 % is in use and cannot be" in said(it), "the limit is said"
        )
        group = it.app.chart.group
        assert group is not None
        assert [one.pid for one in group.largest] == [42, 43]
        assert it.app.chart.picture is not None
        assert it.app.chart.picture.limits == (("! web.service", 100.0 * MIB),)


async def test_groups_are_sorted_and_filtered_and_processes_keep_their_own_choice() -> None:
    async with board(source=cgroups()) as it:
        await it.press("N")
        await it.shows(42, 43, 44)
        await it.press("b")
        await shows(it, "web.service", "/other")
        await it.press("slash", *"n<2", "enter")
        await shows(it, "/other")
        await it.press("escape")
        await shows(it, "web.service", "/other")
        await it.press("I")
        await shows(it, "/other", "web.service")
        await it.press("b", "b", "b", "b")
        await it.until(lambda: it.app.view.sort.key == "pid", "processes are sorted as before")


async def test_a_filter_that_was_typed_stays_when_the_kind_of_rows_changes() -> None:
    async with board(source=cgroups()) as it:
        await it.press("slash", *"unit=web", "enter")
        await it.shows(42, 43)
        await it.press("b")
        await shows(it, "web.service")


async def test_b_moves_the_cursor_to_the_group_of_the_selected_process_and_back_to_that_process() -> None:
    async with board(source=cgroups()) as it:
        await it.press("N")
        await it.shows(42, 43, 44)
        await it.press("down")
        for at_last in ((By.CGROUP, "web.service"), (By.UNIT, "web.service"), (By.USER, "ann"), (By.PROGRAM, "app")):
            await it.press("b")
            await it.until(lambda at_last=at_last: at(it) == at_last, f"the cursor is on {at_last}")  # type: ignore[misc]
        await it.press("b")
        await it.until(lambda: at(it) == (None, "43"), "the process is selected again")


async def test_b_finds_the_group_of_a_process_that_has_ended() -> None:
    source = cgroups()
    async with board(source=source) as it:
        await it.press("N", "home", "enter")
        await it.until(lambda: it.app.watched is not None, "it is watched")
        await it.tick()
        del source.processes[42]
        await it.tick()
        await it.press("b")
        await it.until(lambda: at(it) == (By.CGROUP, "web.service"), "the cursor is on the group of the others")


async def test_from_a_group_that_was_chosen_b_goes_to_its_largest_process() -> None:
    source = cgroups()
    source.processes[45] = FakeProcess(45, rss_pages=90 * MIB_PAGES)
    source.files["proc/45/cgroup"] = b"0::/other\n"
    async with board(source=source) as it:
        await it.press("b")
        await shows(it, "/other", "web.service")
        await it.press("end", "home")
        await it.until(
            lambda: it.app.frame and it.app.frame.group and it.app.frame.group.row.name == "/other", "charted"
        )
        await it.press("escape")
        await it.until(lambda: at(it) == (None, "45"), "the largest process of the group is selected")


async def test_the_members_of_a_group_are_listed_with_the_cursor_on_the_process_it_came_from() -> None:
    async with board(source=cgroups()) as it:
        await it.press("N")
        await it.shows(42, 43, 44)
        await it.press("down", "b")
        await it.until(lambda: at(it) == (By.CGROUP, "web.service"), "its group is selected")
        await it.press("enter")
        await it.until(lambda: at(it) == (By.CGROUP, "43"), "the process is selected")
        await it.press("up", "escape", "escape")
        await it.until(lambda: at(it) == (None, "42"), "the one that was selected in the group is selected")


async def test_b_finds_the_group_of_a_process_in_a_tree_that_is_folded() -> None:
    async with board(source=cgroups()) as it:
        await it.press("b", "t")
        await shows(it, "/", "system.slice", "web.service", "/other")
        await it.press("home", "down", "o")
        await shows(it, "/", "system.slice", "/other")
        await it.press("escape", "N")
        await it.shows(42, 43, 44)
        await it.press("end", "home", "b")
        await it.until(lambda: at(it) == (By.CGROUP, "system.slice"), "the cursor is on what it is folded into")


async def test_the_tree_of_cgroups_folds() -> None:
    async with board(source=cgroups()) as it:
        await it.press("b", "t")
        await shows(it, "/", "system.slice", "web.service", "/other")
        await it.press("home", "o")
        await shows(it, "/")


async def test_in_the_tree_the_row_of_a_cgroup_has_the_part_of_its_path_that_its_parent_does_not_have() -> None:
    tenant = "/other/of-a-tenant/with-a-long-name"
    source = world(p44="/other", p50=f"{tenant}/part-50", p51=f"{tenant}/part-51")
    async with board(source=source, size=(80, 24)) as it:
        await it.press("b", "t")
        await shows(it, "/", "/other", "/other/of-a-tenant", tenant, f"{tenant}/part-50", f"{tenant}/part-51")
        lines = [it.app.table.line(y).text.rstrip() for y in range(1, 7)]
        assert [line.rpartition("─ ")[2].removeprefix("▾ ") for line in lines[1:]] == [
            "other",
            "of-a-tenant",
            "with-a-long-name",
            "part-50",
            "part-51",
        ]


async def test_a_late_frame_of_the_other_kind_of_rows_gives_the_table_no_columns_of_that_kind() -> None:
    """b, twice more and again, pressed faster than frames come: the rows on screen are still processes."""
    async with board(source=cgroups()) as it:
        await it.press("b")
        await shows(it, "web.service", "/other")
        late = it.app.frame
        assert late is not None
        it.app.list_by(None)
        await it.shows(42, 43, 44)
        it.app.take(late)
        it.app.list_by(By.CGROUP)
        assert all(isinstance(row, ProcessRow) for row in it.app.table.rows)
        assert all(it.app.table.line(y).text.strip() for y in (1, 2))
        assert "members" not in {column.field for column in it.app.table.columns}
        await shows(it, "web.service", "/other")


async def test_keys_of_processes_do_no_harm_on_a_group() -> None:
    async with board(source=cgroups()) as it:
        await it.press("b")
        await shows(it, "web.service", "/other")
        await it.press("K", "r", "m", "R", "y", "n", "p", "escape", "c", "escape", "u", "escape")
        await it.press("1", "2", "3", "4", "5", "5")
        await it.press("P", "M", "T", "less_than_sign", "greater_than_sign", "space", "left", "left", "end")
        assert it.at_rest() and it.app.is_running
        await it.press("enter", "b", "v", "plus", "minus", "z", "z")
        assert it.app.is_running


async def test_a_list_of_groups_may_be_asked_for_at_the_start() -> None:
    async with board(Settings(by=By.CGROUP, delay_s=LONG_S), cgroups(), (60, 18)) as it:
        assert groups(it)[:1] != []
        assert it.app.query_one(StatusBar)


async def test_a_group_that_was_asked_for_and_that_nothing_is_in_is_named() -> None:
    settings = Settings(inside=GroupKey(By.UNIT, "nosuch.service"), delay_s=LONG_S)
    async with board(settings, cgroups(), (80, 24)) as it:
        lines = [it.app.table.line(y).text for y in range(3)]
        assert any("No process is in unit nosuch.service now; Esc lists all groups" in line for line in lines), lines


async def test_the_headline_leads_to_the_cgroup_that_it_names() -> None:
    source = cgroups()
    cgroup(source, "/system.slice/web.service", 97, b"%d\n" % (100 * MIB))
    async with board(source=source, size=(120, 40)) as it:
        for _ in range(8):
            await it.tick()
        await it.until(
            lambda: it.app.frame and it.app.frame.incidents and it.app.frame.incidents.standing, "it is told"
        )
        await it.press("exclamation_mark")
        await it.shows(42, 43)
        assert it.app.view.rows.inside is not None and it.app.view.rows.inside.name.endswith("web.service")
        await it.until(lambda: it.app.chart.group is not None, "the group is charted")
        await it.press("exclamation_mark")
        assert isinstance(it.screen, IncidentList)
        await it.press("escape", "escape")
        await shows(it, "web.service", "/other")


async def test_nothing_is_done_to_a_group_and_the_key_says_so() -> None:
    async with board(source=cgroups()) as it:
        await it.press("b")
        await shows(it, "web.service", "/other")
        for key in ("K", "r", "y", "m"):
            it.app.clear_notifications()
            await it.press(key)
            await it.until(lambda: it.said, f"{key} says that it is for one process")
            assert "Enter lists those of this group" in it.said[0]
        assert it.at_rest()
