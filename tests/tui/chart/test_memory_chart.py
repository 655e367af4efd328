"""The chart widgets in a running app: what they show, what the mouse says, and how seldom they build."""

from __future__ import annotations

import re

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widget import Widget

from memtop.history.process_history import WINDOWS_S
from memtop.model.detail import Detail
from memtop.tui import colors
from memtop.tui.chart.axes import Scale, clock
from memtop.tui.chart.chart_styles import ChartStyle
from memtop.tui.chart.chart_title import topic_at
from memtop.tui.chart.fault_chart import FaultChart, rate
from memtop.tui.chart.memory_chart import MemoryChart, zoomed
from tests.rows import GIB, MIB
from tests.screenshots.__main__ import NEAR, ORDERS_API
from tests.screenshots.still import Still, standing
from tests.tui.details import EDGE_S, LIVE, make_detail, make_row, make_series
from tests.tui.frames import line


class Charts(App[None]):
    """Both charts, and a list of what they said."""

    CSS = "MemoryChart { height: 1fr; } FaultChart { height: 3; }"

    def __init__(self, detail: Detail | None = None, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.memory = MemoryChart(ascii_only=ascii_only)
        self.faults = FaultChart(ascii_only=ascii_only)
        self.first = detail
        self.said: list[float] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return colors.variables(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.memory
        yield self.faults

    def on_mount(self) -> None:
        self.memory.detail = self.faults.detail = self.first
        self.memory.focus()

    def on_timed_chart_cursor_moved(self, event: MemoryChart.CursorMoved) -> None:
        assert self.memory.picture is not None
        edge_s = self.memory.picture.right_edge_s
        self.said.append(round((event.at_s or edge_s) - edge_s, 3))

    def on_timed_chart_window_zoomed(self, event: MemoryChart.WindowZoomed) -> None:
        self.said.append(event.factor)


def lines(widget: Widget) -> list[str]:
    """All lines of a widget with its frame, as on screen."""
    return [strip.text for strip in widget.render_lines(widget.outer_size.region)]


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes at which the memory chart was built, one after another."""
    done: list[tuple[int, int]] = []
    original = MemoryChart.build

    def counted(self: MemoryChart, width: int, height: int) -> object:
        done.append((width, height))
        return original(self, width, height)

    monkeypatch.setattr(MemoryChart, "build", counted)
    return done


async def test_the_chart_shows_whose_memory_it_is_and_both_numbers() -> None:
    app = Charts(make_detail())
    async with app.run_test(size=(120, 20)):
        shown = lines(app.memory)
    assert "4242 api-server ── up 3 h" in shown[0]
    assert "VIRT 1.24G" in shown[1] and "RES 212M" in shown[1]
    assert "now" in shown[-2]


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 4), (10, 5), (28, 8), (60, 16), (80, 24), (120, 40), (200, 60)])
async def test_every_size_is_survived(size: tuple[int, int]) -> None:
    app = Charts(make_detail())
    async with app.run_test(size=size) as pilot:
        for scale in Scale:
            app.memory.scale = scale
            await pilot.pause()
        await pilot.resize_terminal(1, 1)
        await pilot.resize_terminal(*size)
        app.memory.detail = app.faults.detail = None
        await pilot.pause()
        assert app.is_running


async def test_the_wheel_says_how_much_to_show() -> None:
    app = Charts(make_detail())
    async with app.run_test(size=(120, 20)) as pilot:
        for wheel in (events.MouseScrollUp, events.MouseScrollDown):
            app.memory.post_message(wheel(app.memory, 20, 8, 0, 0, 0, False, False, False))
            await pilot.pause()
    assert app.said == [0.5, 2.0]


async def test_a_click_looks_at_the_instant_under_the_pointer() -> None:
    app = Charts(make_detail())
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.click(MemoryChart, offset=(1 + 7, 8))
        await pilot.click(MemoryChart, offset=(118, 8))
    oldest_s, now_s = app.said
    assert oldest_s < -280 and now_s == 0


async def test_a_drag_follows_the_pointer_until_the_button_is_released() -> None:
    app = Charts(make_detail())
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.mouse_down(MemoryChart, offset=(60, 8))
        for x, button in ((30, 1), (140, 1), (40, 0)):  # beyond the frame, then released
            move = events.MouseMove(app.memory, x, 8, 2, 0, button=button, shift=False, meta=False, ctrl=False)
            app.memory.post_message(move)
        await pilot.pause()
    middle_s, earlier_s, now_s = app.said
    assert earlier_s < middle_s < now_s == 0


@pytest.mark.parametrize(
    ("x", "topic"), [(0, "virt"), (9, "virt"), (12, ""), (15, "rss"), (27, "anon"), (41, "shr"), (56, "peak")]
)
def test_each_number_above_the_chart_has_a_topic(x: int, topic: str) -> None:
    assert topic_at("━ VIRT 272M   RES 111M     ■ anon 105M   ■ file 5.66M  peak 268M", x) == topic


async def test_the_title_says_the_scale() -> None:
    app = Charts(make_detail())
    async with app.run_test(size=(120, 20)) as pilot:
        for scale in (Scale.OWN, Scale.RES_ONLY, Scale.LOG):
            app.memory.scale = scale
            await pilot.pause()
            assert scale.value in (app.memory.border_title or "")


async def test_auto_puts_virt_far_above_res_on_a_scale_of_its_own() -> None:
    far = make_detail()._replace(series=make_series(virt=40 * GIB, anon=20 * MIB))
    app = Charts(far)
    async with app.run_test(size=(120, 20)):
        assert "VIRT and RES each on its own scale" in (app.memory.border_title or "")


async def test_an_unchanged_picture_is_not_built_again(builds: list[tuple[int, int]]) -> None:
    detail = make_detail()
    app = Charts(detail)
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        before = len(builds)
        app.memory.detail = detail._replace(window=LIVE._replace(right_edge_s=EDGE_S + 1))
        await pilot.pause()
        assert len(builds) == before
        app.memory.detail = detail._replace(row=make_row(rss_bytes=400 * MIB))
        await pilot.pause()
        assert len(builds) == before
        assert "RES 400M" in lines(app.memory)[1]
        app.memory.detail = detail._replace(series=make_series(anon=300 * MIB))
        await pilot.pause()
        assert len(builds) == before + 1
        app.memory.scale = Scale.LOG
        await pilot.pause()
        assert len(builds) == before + 2


async def test_while_words_wait_newer_numbers_move_the_curves_a_frame_later(builds: list[tuple[int, int]]) -> None:
    detail = make_detail()
    app = Charts(detail)
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        before, app.memory.rests = len(builds), True
        newer = detail._replace(series=make_series(anon=300 * MIB), row=make_row(rss_bytes=400 * MIB))
        app.memory.detail = newer
        await pilot.pause()
        assert len(builds) == before and "RES 400M" in lines(app.memory)[1]
        app.memory.rests = False
        app.memory.detail = newer._replace(slope_bytes_per_min=1.0)  # nothing that the curves depend on
        await pilot.pause()
        assert len(builds) == before + 1
        app.memory.rests = True
        app.memory.detail = detail._replace(window=LIVE._replace(window_s=30.0))
        await pilot.pause()
        assert len(builds) == before + 2, "another window, and one of 30 s moves by more than a dot"


async def test_looking_back_is_said_on_the_frame_with_the_time() -> None:
    app = Charts(make_detail(window=LIVE._replace(cursor_s=-100.0)))
    async with app.run_test(size=(120, 20)) as pilot:
        assert "looking back 100 s, End" in lines(app.memory)[-1]
        assert clock(EDGE_S - 100) in lines(app.memory)[-2], "under the cursor"
        app.memory.detail = make_detail(window=LIVE._replace(cursor_s=-40.0, edge_age_s=300.0))
        await pilot.pause()
        assert "looking back 5 min, End" in lines(app.memory)[-1], "the chart ends 300 s ago"
        assert clock(EDGE_S - 40) in lines(app.memory)[-2]


async def test_markup_in_a_name_is_only_text() -> None:
    app = Charts(make_detail()._replace(row=make_row(command_raw=b"[@click=app.quit]x[/]\0")))
    async with app.run_test(size=(120, 20)):
        assert "4242 [@click=app.quit]x[/] ── up" in lines(app.memory)[0]


async def test_ascii_means_ascii_everywhere() -> None:
    detail = make_detail(window=LIVE._replace(cursor_s=-60.0))._replace(
        series=make_series(shmem=40 * MIB), slope_bytes_per_min=1e8, row=make_row(name="näme")
    )
    app = Charts(detail, ascii_only=True)
    async with app.run_test(size=(120, 20)):
        shown = lines(app.memory) + lines(app.faults)
    assert all(line.isascii() for line in shown)
    assert any("*" in line for line in shown) and any("#" in line for line in shown)


@pytest.mark.parametrize(("ascii_only", "theme"), [(True, "textual-dark"), (False, "ansi-dark"), (False, "nord")])
async def test_areas_can_be_seen_whatever_the_terminal_can_show(ascii_only: bool, theme: str) -> None:
    app = Charts(make_detail(), ascii_only=ascii_only)
    async with app.run_test(size=(120, 24)) as pilot:
        app.theme = theme
        await pilot.pause()
        inks, strips = app.memory.inks(), app.memory.build(118, 15)
    ground = inks[ChartStyle.GROUND].bgcolor
    segments = [segment for strip in strips[1:13] for segment in strip if segment.style]
    textured = [one for one in segments if set(one.text) <= set("#=.▓▒░") and one.text]
    shaded = [one for one in segments if one.style and one.style.bgcolor not in (ground, None)]
    assert bool(textured) == (theme != "nord") and (textured or shaded)
    assert all(one.style and one.style.color not in (None, one.style.bgcolor) for one in textured)


@pytest.mark.parametrize("theme", ["textual-light", "nord", "ansi-dark", "ansi-light"])
async def test_themes_change_the_colours_of_a_chart_that_is_already_drawn(theme: str) -> None:
    app = Charts(make_detail())
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        before = [list(strip) for strip in app.memory.render_lines(app.memory.outer_size.region)]
        app.theme = theme
        await pilot.pause()
        after = [list(strip) for strip in app.memory.render_lines(app.memory.outer_size.region)]
    assert before != after


async def test_faults_are_labelled_with_their_present_rate() -> None:
    app = Charts(make_detail())
    async with app.run_test(size=(120, 20)):
        minor, *rest = lines(app.faults)
    assert minor.startswith("3100/s minor faults ▇▇") and "major" not in "".join(rest)


async def test_the_highest_rate_is_never_below_that_of_now() -> None:
    """A long window has means of several samples, and the latest sample may be none of them yet."""
    detail = make_detail()
    past = detail.series._replace(minflt_per_s=tuple(0.0 for _ in detail.series.times_s))
    app = Charts(detail._replace(row=make_row(minflt_per_s=760.0), series=past))
    async with app.run_test(size=(120, 20)):
        minor, *_ = lines(app.faults)
    assert minor.strip() == "760/s minor faults, max 760/s"


async def test_a_rate_that_fills_the_margin_stays_apart_from_the_name() -> None:
    detail = make_detail()
    past = detail.series._replace(minflt_per_s=tuple(0.0 for _ in detail.series.times_s))
    app = Charts(detail._replace(row=make_row(minflt_per_s=21_300.0), series=past))
    async with app.run_test(size=(120, 20)):
        assert all(strip.text.startswith("21.3k/s minor faults") for strip in app.faults.build(80, 1))


async def test_the_name_of_faults_stays_apart_from_the_bar_before_it() -> None:
    detail = make_detail()
    count = len(detail.series.times_s)
    past = detail.series._replace(minflt_per_s=tuple(760.0 if at < count // 2 else 0.0 for at in range(count)))
    app = Charts(detail._replace(row=make_row(minflt_per_s=0.0), series=past))
    async with app.run_test(size=(120, 20)):
        minor, *_ = lines(app.faults)
    assert re.search("[▁▂▃▄▅▆▇] minor faults, max", minor), minor


async def test_major_faults_have_a_row_once_there_are_some() -> None:
    detail = make_detail()
    slow = detail._replace(row=make_row(majflt_per_s=12.0))
    app = Charts(detail)
    async with app.run_test(size=(120, 20)) as pilot:
        assert app.faults.get_content_height(app.size, app.size, 120) == 1
        app.faults.detail = slow
        await pilot.pause()
        assert app.faults.get_content_height(app.size, app.size, 120) == 2
        assert any("major faults" in line and "12/s" in line for line in lines(app.faults))


@pytest.mark.parametrize("height", [1, 2, 3, 6])
@pytest.mark.parametrize("width", [1, 14, 40, 56, 120])
async def test_fault_charts_fill_exactly_the_room_they_are_given(width: int, height: int) -> None:
    app = Charts(make_detail())
    async with app.run_test(size=(120, 20)):
        strips = app.faults.build(width, height)
    assert [strip.cell_length for strip in strips] == [width] * height
    if width >= 40:
        assert strips[0].text.startswith("3100/s minor faults ")


def test_a_rate_that_is_not_known_is_a_dash() -> None:
    assert (rate(None), rate(0.0), rate(3100.0)) == ("–", "0/s", "3100/s")


@pytest.mark.parametrize(
    ("window_s", "factor", "after_s"),
    [(300, 2.0, 600), (300, 0.5, 120), (30, 0.5, 30), (14400, 2.0, 14400), (45, 2.0, 60), (45, 0.5, 30)],
)
def test_zooming_goes_in_steps_and_stops_at_the_ends(window_s: float, factor: float, after_s: float) -> None:
    assert zoomed(window_s, factor) == after_s
    assert after_s in WINDOWS_S


async def test_before_the_first_sample_the_chart_says_that_it_is_being_read() -> None:
    """It asked to select a process, where the first one is selected without being asked."""
    app = Charts()
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        assert "Reading …" in " ".join(lines(app.memory))
        app.memory.words = "Select a process."
        await pilot.pause()
        assert "Select a process." in " ".join(lines(app.memory))


async def test_without_color_a_line_leaves_no_hole_in_an_area(monkeypatch: pytest.MonkeyPatch) -> None:
    """With color the area is the ground of such a cell."""
    monkeypatch.setenv("NO_COLOR", "1")
    still = Still("a leak", "incident", (80, 24), samples=NEAR, focus=ORDERS_API, settings={"color": False})
    async with standing(still) as (app, _):
        rows = [line(app.chart, y) for y in range(app.chart.size.height)]
    assert any("███" in row for row in rows)
    assert not [row for row in rows if re.search("[▁-█][\u2801-\u28ff]█", row)]
