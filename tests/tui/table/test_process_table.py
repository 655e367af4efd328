"""The process table, as keys and clicks make it and as cells show it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from rich.cells import cell_len
from textual.strip import Strip

from memtop.columns import BY_NAME, COLUMNS
from memtop.engine.row_builder import TREND_LEVELS
from memtop.history.rates import levels
from memtop.model.frame import TreePlace
from memtop.model.row import Note, ProcessRow
from memtop.process_key import ProcessKey
from memtop.sanitize import clean
from memtop.tui.table.column_layout import SILENT_AFTER_S
from memtop.tui.table.process_table import ProcessTable
from memtop.tui.table.row_painter import Painter, Sort
from tests.rows import MIB, proc_row
from tests.tui.frames import WidgetApp, frame, line, styles_at
from tests.tui.table.tables import BODY_LINES, ROWS, SIZE, cursor_pid, pid_at, shown


def test_every_binding_has_an_id_and_a_tooltip() -> None:
    for binding in ProcessTable.BINDINGS:
        assert not isinstance(binding, tuple)
        assert binding.id and binding.id.startswith("table.")
        assert binding.tooltip


def test_keys_of_the_chart_are_left_alone() -> None:
    keys = {key for binding in ProcessTable.BINDINGS for key in binding.key.split(",")}  # type: ignore[union-attr]
    assert not keys & {"left", "right", "[", "]", "space", "plus", "minus", "K", "q"}


# Mouse


@pytest.mark.parametrize(
    ("title", "sort", "expected"),
    [
        ("VIRT", Sort("res"), ("virt", True)),
        ("COMMAND", Sort("res"), ("command", False)),
        ("RES", Sort("res", True), ("res", False)),
        ("RES", Sort("res", False), ("res", True)),
    ],
)
async def test_click_on_a_heading_asks_for_that_order_and_again_for_the_reverse(
    title: str, sort: Sort, expected: tuple[str, bool]
) -> None:
    app = WidgetApp(ProcessTable())
    async with app.run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        table.sort = sort
        await pilot.pause()
        await pilot.click(ProcessTable, offset=(line(table, 0).index(title), 0))
        await pilot.pause()
        assert app.heard_of(ProcessTable.SortChosen) == [ProcessTable.SortChosen(*expected)]


async def test_heading_tells_the_order_and_stays_when_the_rows_scroll() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        assert "RES▼" in line(table, 0)
        table.sort = Sort("minflt", descending=False)
        await pilot.press("G")
        await pilot.pause()
        assert "▲MINFLT/s" in line(table, 0)
        assert "▼" not in line(table, 0)
        assert pid_at(table, BODY_LINES) == 40


# What the cells say


HOSTILE = [
    b"[/]",
    b"[@click=app.bell]x[/]",
    b"[bold red]x",
    b"\x1b]0;pwned\x07\x1b[31mred",
    b"\\[x",
    "a\u202eb\u200bc".encode(),
    b"tab\there\nthere",
    b"\x9b31m\xff",
]


@pytest.mark.parametrize("raw", HOSTILE)
async def test_hostile_names_are_drawn_as_they_are(raw: bytes) -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(200, 5)) as pilot:
        table = await shown(pilot, frame([proc_row(7, command=clean(raw), user=clean(raw))]))
        assert clean(raw) in line(table, 1)
        assert all(character.isprintable() for character in line(table, 1))


@pytest.mark.parametrize("width", [10, 30, 60, 80, 120, 200])
@pytest.mark.parametrize("command", ["plain", "日本語のプロセス" * 20, "é" * 300, "x" * 4096, "🦀" * 90])
async def test_lines_are_exactly_as_wide_as_the_table(width: int, command: str) -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(width, 4)) as pilot:
        table = await shown(pilot, frame([proc_row(1, command=command, user="ユーザー名前です")]))
        for y in range(4):
            assert cell_len(line(table, y)) == width


async def test_columns_behind_a_wide_name_stay_aligned() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(120, 4)) as pilot:
        table = await shown(pilot, frame([proc_row(1), proc_row(2, user="日本")]))
        plain, wide = line(table, 1), line(table, 2)
        assert cell_len(wide[: wide.index("1.17G")]) == plain.index("1.17G")


async def test_a_command_that_does_not_fit_begins_with_the_script() -> None:
    long = "python3.11\0worker.py\0--queue=all-of-them"
    rows = [
        proc_row(1, command_raw=long.encode()),
        proc_row(2, command_raw=b"python3.11\0w.py"),
        proc_row(3, command_raw=b"java\0-Xmx1g\0-cp\0a.jar\0org.shop.orders.OrdersApplication"),
        proc_row(4, command_raw=b"/opt/a-long-name-of-a-program --with-an-option"),
    ]
    async with WidgetApp(ProcessTable()).run_test(size=(80, 6)) as pilot:
        table = await shown(pilot, frame(rows))
        cells = [line(table, y)[line(table, 0).index("COMMAND") :].rstrip() for y in range(1, 5)]
        assert len(line(table, 0)) - line(table, 0).index("COMMAND") >= 24
    assert cells[0].startswith("worker.py --queue")
    assert cells[1] == "python3.11 w.py"
    assert cells[2].startswith("org.shop.orders.Orders")
    assert cells[3].startswith("a-long-name-of-a-program")


async def test_a_dead_process_and_a_zombie_do_not_look_like_kernel_threads() -> None:
    rows = [
        proc_row(1, command="crashy", command_raw=b"", note=Note.GONE, gone_s=5.0),
        proc_row(2, command="crashy", command_raw=b"", note=Note.ZOMBIE),
        proc_row(3, command="[kthreadd]", command_raw=b"", note=Note.KERNEL),
    ]
    async with WidgetApp(ProcessTable()).run_test(size=(80, 6)) as pilot:
        table = await shown(pilot, frame(rows))
        shown_as = [line(table, y)[line(table, 0).index("COMMAND") :].rstrip() for y in (1, 2, 3)]
    assert shown_as == ["(gone) crashy", "(zombie) crashy", "[kthreadd]"]


async def test_a_column_that_says_nothing_gives_way_and_comes_back_at_once_when_it_does() -> None:
    calm = [proc_row(pid, user=f"user-{pid}") for pid in (1, 2)]
    busy = [calm[0], calm[1]._replace(majflt_per_s=3.0)]
    async with WidgetApp(ProcessTable()).run_test(size=(120, 4)) as pilot:
        table = await shown(pilot, frame(calm, at_s=100.0))
        assert "MAJFLT/s" not in line(table, 0) and "USER" in line(table, 0)
        await shown(pilot, frame(busy, at_s=101.0))
        assert "MAJFLT/s" in line(table, 0)
        await shown(pilot, frame(calm, at_s=102.0))
        assert "MAJFLT/s" in line(table, 0), "it does not go with every fault"
        await shown(pilot, frame(calm, at_s=102.0 + SILENT_AFTER_S))
        assert "MAJFLT/s" not in line(table, 0)


async def test_a_cut_command_ends_with_an_ellipsis() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(80, 4)) as pilot:
        table = await shown(pilot, frame([proc_row(1, command="python3 " + "-x " * 50)]))
        assert line(table, 1).rstrip().endswith("…")


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (30, "PID RES▼ COMMAND"),
        (60, "PID VIRT RES▼ Δ/min V COMMAND"),
        (80, "PID VIRT RES▼ ANON Δ/min V MINFLT/s COMMAND"),
        (120, "PID S VIRT RES▼ ANON SHR %MEM Δ/min V MINFLT/s OOM THR CPU% TREND COMMAND"),  # of USER all say the same
        (200, "PID USER S VIRT RES▼ ANON SHR SWAP %MEM Δ/min V MINFLT/s MAJFLT/s OOM THR CPU% TREND COMMAND"),
    ],
)
async def test_narrow_tables_keep_the_columns_that_matter(width: int, titles: str) -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(width, 4)) as pilot:
        table = await shown(pilot, frame(ROWS))
        assert line(table, 0).split() == titles.split()


async def test_the_sorted_column_is_not_dropped() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(60, 4)) as pilot:
        table = await shown(pilot, frame(ROWS))
        table.sort = Sort("majflt")
        await pilot.pause()
        assert "MAJFLT/s" in line(table, 0)


async def test_every_column_can_be_shown() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(320, 4)) as pilot:
        table = await shown(pilot, frame(ROWS))
        table.columns = COLUMNS
        await pilot.pause()
        assert line(table, 0).replace("▼", "").split() == [column.title for column in COLUMNS]


async def test_unknown_is_a_dash_and_none_of_it_is_a_zero() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(40, 4)) as pilot:
        table = pilot.app.query_one(ProcessTable)
        table.columns = (BY_NAME["pid"], BY_NAME["swap"])
        await shown(pilot, frame([proc_row(1, swap_bytes=None), proc_row(2, swap_bytes=0)]))
        assert line(table, 1).split() == ["1", "–"]
        assert line(table, 2).split() == ["2", "0"]


async def test_watched_process_has_a_mark_that_moves_with_it() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        table.watched = ROWS[2].key
        await pilot.pause()
        assert [line(table, y)[0] for y in (1, 2, 3)] == [" ", " ", "►"]
        await shown(pilot, frame(ROWS[2:]))
        assert [line(table, y)[0] for y in (1, 2, 3)] == ["►", " ", " "]


@pytest.mark.parametrize(
    ("growth_bytes_per_min", "mark"),
    [(0.0, ""), (-3e9, ""), (10.0 * MIB, ""), (300.0 * MIB, "!"), (3000.0 * MIB, "▲"), (None, "")],
)
async def test_growth_that_would_fill_the_machine_is_marked_not_only_tinted(
    growth_bytes_per_min: float | None, mark: str
) -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = pilot.app.query_one(ProcessTable)
        table.columns = (BY_NAME["growth"],)
        await shown(pilot, frame([proc_row(1, growth_bytes_per_min=growth_bytes_per_min)]))
        assert line(table, 1).strip().startswith(mark or ("+", "-", "0", "–"))


async def test_numbers_are_neutral_and_the_selected_row_is_reversed() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        virt, res, pid = (line(table, 2).index(text) for text in ("1.17G", "212M", "2 S"))
        colours = {styles_at(table, x, 2).color for x in (virt, res, pid)}
        assert len(colours) == 1
        assert styles_at(table, virt, 1).reverse and not styles_at(table, virt, 2).reverse
        table.blur()
        await pilot.pause()
        assert not styles_at(table, virt, 1).reverse
        assert styles_at(table, virt, 1) != styles_at(table, virt, 2)


async def test_a_trend_has_the_color_of_its_verdict_and_no_other() -> None:
    def trend(pid: int, verdict: str, growth: float) -> ProcessRow:
        return proc_row(pid, verdict=verdict, growth_bytes_per_min=growth, trend=(0, 2, 4, 6))

    rows = [trend(1, "─", 3e9), trend(2, "─", 0.0), trend(3, "↗", 3e9), trend(4, "!↗", 0.0), trend(5, "▲↗", 0.0)]
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = pilot.app.query_one(ProcessTable)
        table.columns = (BY_NAME["pid"], BY_NAME["trend"])
        await shown(pilot, frame([proc_row(9), *rows]))  # the first row is selected
        x = max(line(table, 6).rfind(block) for block in "▁▂▃▄▅▆▇")
        flat, idle, growing, warned, dangerous = (styles_at(table, x, y).color for y in range(2, 7))
    assert flat == idle == growing, "however fast it grows"
    assert len({idle, warned, dangerous}) == 3


async def test_without_colour_nothing_is_lost_but_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert os.environ["NO_COLOR"]
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        assert styles_at(table, 5, 1).reverse
        for x in range(0, SIZE[0] - 1, 3):
            for y in (0, 1, 2):
                colour = styles_at(table, x, y).color
                assert colour is None or colour.triplet is None or len(set(colour.triplet)) == 1


@pytest.mark.parametrize("note", [Note.KERNEL, Note.ZOMBIE, Note.GONE])
async def test_processes_without_memory_stand_back(note: Note) -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame([proc_row(1), proc_row(2), proc_row(3, note=note)]))
        assert styles_at(table, 7, 3) != styles_at(table, 7, 2)


# Trees


def forest() -> tuple[list[ProcessRow], list[TreePlace]]:
    """A parent with two children, the second one folded."""
    rows = [proc_row(1, command="parent"), proc_row(2, command="first"), proc_row(3, command="second")]
    tree = [
        TreePlace(0, "", True, False, 900 * MIB, 2000 * MIB),
        TreePlace(1, "├─ ", False, False, 212 * MIB, 1200 * MIB),
        TreePlace(1, "└─ ", True, True, 512 * MIB, 4096 * MIB),
    ]
    return rows, tree


async def test_tree_is_drawn_before_the_commands_and_a_folded_row_has_the_totals() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        rows, tree = forest()
        table = await shown(pilot, frame(rows, tree))
        assert [line(table, y).partition("▇█ ")[2].strip() for y in (1, 2, 3)] == [
            "▾ parent",
            "├─ first",
            "└─ ▸ second",
        ]
        assert "Σ4.00G  ≤512M" in line(table, 3)
        assert not {"Σ", "≤"} & set(line(table, 1) + line(table, 2))
        tree[2] = tree[2]._replace(pss_bytes=212 * MIB)
        await shown(pilot, frame(rows, tree))
        assert "Σ4.00G  Σ212M" in line(table, 3)


async def test_o_asks_to_fold_only_where_there_is_something_to_fold() -> None:
    app = WidgetApp(ProcessTable())
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, frame(*forest()))
        await pilot.press("o", "down", "o")
        await pilot.pause()
        assert app.heard_of(ProcessTable.FoldToggled) == [ProcessTable.FoldToggled(ProcessKey(1, 1001))]


async def test_a_very_deep_branch_leaves_room_for_the_command() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        place = TreePlace(60, "│  " * 59 + "└─ ", False, False, None, None)
        table = await shown(pilot, frame([proc_row(1, command="deep")], [place]))
        assert "└─ deep" in line(table, 1)


async def test_ascii_mode_draws_nothing_else() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        rows, tree = forest()
        rows[1] = proc_row(2, command="日本 prog", swap_bytes=None, growth_bytes_per_min=9e9)
        table = pilot.app.query_one(ProcessTable)
        table.ascii = True
        table.watched = rows[0].key
        await shown(pilot, frame(rows, tree))
        drawn = [line(table, y)[:-1] for y in range(SIZE[1])]
        assert all(text.isascii() for text in drawn)
        assert "_.-=+*#@" in drawn[1]
        assert "\\u65e5" in drawn[2]
        assert drawn[1].startswith(">")
        assert "RESv" in drawn[0]


# States


async def test_table_without_a_frame_says_that_it_is_reading() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "Reading …" in line(pilot.app.query_one(ProcessTable), 1)


@pytest.mark.parametrize("width", [30, 80])
async def test_empty_table_names_the_filter_and_the_way_out(width: int) -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(width, 8)) as pilot:
        table = pilot.app.query_one(ProcessTable)
        table.filter_text = "[red]zz"
        await shown(pilot, frame())
        words = " ".join(line(table, y).rstrip("▁▂▃▄▅▆▇█ ").strip() for y in range(1, 8)).strip()
        assert words == "No process matches the filter “[red]zz”; Esc clears it"


async def test_empty_table_tells_of_processes_that_are_not_even_listed() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=(120, 5)) as pilot:
        assert "hides those of others" in line(await shown(pilot, frame(hidden=None)), 1)


async def test_empty_table_tells_of_hidden_processes() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(hidden=12))
        assert "hides 12" in line(table, 1)


# Economy


class PaintCount:
    """How many rows were put together from their cells."""

    def __init__(self, paint: Callable[..., object]) -> None:
        self.pids: list[int] = []
        self._paint = paint

    def take(self) -> list[int]:
        pids, self.pids = self.pids, []
        return pids

    def __call__(self, painter: Painter, row: ProcessRow, *rest: object) -> object:
        self.pids.append(row.pid)
        return self._paint(painter, row, *rest)


async def test_only_rows_that_changed_are_painted_again() -> None:
    count = PaintCount(Painter.row)

    def paint(painter: Painter, *rest: object) -> object:
        return count(painter, *rest)  # type: ignore[arg-type]

    with patch.object(Painter, "row", paint):
        async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
            table = await shown(pilot, frame(ROWS))
            count.take()
            await shown(pilot, frame(ROWS))
            assert count.take() == []
            await shown(pilot, frame(ROWS[:3] + ROWS[:2:-1]))
            assert len(count.take()) <= BODY_LINES - 3
            changed = ROWS[2]._replace(rss_bytes=5)
            await shown(pilot, frame((*ROWS[:2], changed, *ROWS[:2:-1])))
            assert count.take() == [3]
            await pilot.press("down")
            assert sorted(set(count.take())) == [1, 2]
            assert pid_at(table, 3) == 3


async def test_lines_that_look_the_same_are_not_sent_to_the_terminal() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        drawn = table.render_line(2)
        with patch.object(table, "refresh", wraps=table.refresh) as refresh:
            table.show(frame(ROWS))
            table.show(frame([row._replace(minflt=row.pid) for row in ROWS]))
            refresh.assert_not_called()
            assert table.render_line(2) is drawn
            table.show(frame((ROWS[0], ROWS[1]._replace(rss_bytes=7), *ROWS[2:])))
            (call,) = refresh.call_args_list
            assert [region.y for region in call.args] == [2]


def living_strips() -> int:
    """How many painted lines are in memory."""
    gc.collect()
    return sum(type(found) is Strip for found in gc.get_objects())


async def test_rows_out_of_sight_are_forgotten() -> None:
    many = tuple(proc_row(pid) for pid in range(1, 3000))
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(many))
        before = living_strips()
        for top in range(0, 2900, 10):
            table.scroll_to(y=top, animate=False)
            table.show(frame(many))
        await pilot.pause()
        assert living_strips() - before < 200


async def test_table_survives_resizing_to_almost_nothing_and_back() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        await pilot.press("G")
        for size in ((1, 1), (2, 2), (30, 6), (200, 60), SIZE):
            await pilot.resize_terminal(*size)
            await shown(pilot, frame(ROWS))
        assert cursor_pid(table) == 40
        assert {pid_at(table, y) for y in range(1, 11)} <= {row.pid for row in ROWS}


async def test_table_has_a_border_where_the_style_sheet_wants_one() -> None:
    async with WidgetApp(ProcessTable()).run_test(size=SIZE) as pilot:
        table = await shown(pilot, frame(ROWS))
        table.styles.border = ("solid", "white")
        await pilot.pause()
        assert line(table, 1)[1:].startswith("     PID")
        await shown(pilot, frame((ROWS[0]._replace(pid=99), *ROWS[1:])))
        assert int(line(table, 2)[2:9]) == 99


def test_no_widget_names_a_colour_of_its_own() -> None:
    for name in ("table/process_table", "table/row_painter", "drawing/clickable_line", "bars/header", "bars/footer"):
        source = (Path(__file__).parents[3] / "memtop" / "tui" / f"{name}.py").read_text()
        assert "#" not in source.replace("# ", "").replace('"#" * full', "")


def test_a_trend_is_no_higher_than_seven_eighths_of_a_line() -> None:
    row = proc_row(1, trend=levels(list(range(20)), TREND_LEVELS))
    drawn = BY_NAME["trend"].text(row)
    assert drawn[0] == "▁" and drawn[-1] == "▇" and "█" not in drawn
