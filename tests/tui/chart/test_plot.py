"""What the charts draw, cell by cell: no size and no series may break them, and what they say must be true."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.color import Color
from rich.style import Style
from textual.strip import Strip

from memtop.analysis.limits.exit_cause import Oom
from memtop.explain.chart_levels import Forecast
from memtop.model.assessment import Assessment, ExitReport
from memtop.model.detail import Mark, Series
from memtop.model.row import Note
from memtop.sanitize import clean
from memtop.tui.chart.axes import Scale, clock
from memtop.tui.chart.canvas import Canvas
from memtop.tui.chart.chart_styles import AREAS, ChartStyle, Glyphs
from memtop.tui.chart.chart_title import facts, title_text
from memtop.tui.chart.curves import DrawnCurves
from memtop.tui.chart.picture import MemoryPicture, picture_of
from memtop.tui.chart.plot import memory_strips, points_for, time_at
from tests.rows import GIB, MIB
from tests.tui.details import LIVE, make_detail, make_row, make_series

DOTS = {chr(0x2800 + bits) for bits in range(1, 256)} - set("⣀⠤⠒⠉")
"""Braille but for the characters of a level line."""
INKS = {ink: Style(color=Color.from_ansi(ink)) for ink in ChartStyle} | {
    ink: Style(bgcolor=Color.from_ansi(100 + ink)) for ink in AREAS
}
SCALES = [scale for scale in Scale if scale is not Scale.AUTO]


def picture(series: Series, scale: Scale = Scale.ONE, **changes: object) -> MemoryPicture:
    base = MemoryPicture(series, window_s=300.0, right_edge_s=1_763_700_000.0, by_clock=False, scale=scale)
    return base._replace(**changes)  # type: ignore[arg-type]


def texts(strips: list[Strip]) -> list[str]:
    return [strip.text for strip in strips]


def columns_with(strips: list[Strip], ink: ChartStyle) -> set[int]:
    """The columns in which a cell has the background of an ink."""
    found: set[int] = set()
    for strip in strips:
        column = 0
        for segment in strip:
            if segment.style is not None and segment.style.bgcolor == INKS[ink].bgcolor and INKS[ink].bgcolor:
                found.update(range(column, column + len(segment.text)))
            column += len(segment.text)
    return found


value = st.one_of(
    st.none(),
    st.sampled_from([0.0, 1e-320, 1.0, 4096.0, 1e308, -1.0, math.inf, -math.inf, math.nan, 1.8446744073709552e19]),
    st.floats(min_value=0, max_value=1e13),
)


@st.composite
def any_series(draw: st.DrawFn) -> Series:
    count = draw(st.integers(0, 40))
    series = st.lists(value, min_size=count, max_size=count).map(tuple)
    times = draw(
        st.one_of(
            st.just(tuple(-300.0 + 300.0 * number / max(1, count - 1) for number in range(count))),
            st.lists(st.floats(), min_size=count, max_size=count).map(tuple),
        )
    )
    return Series(times, *(draw(series) for _ in range(7)))


@st.composite
def any_picture(draw: st.DrawFn) -> MemoryPicture:
    cursor_s = draw(st.one_of(st.none(), st.floats(-400, 100)))
    return picture(
        draw(any_series()),
        draw(st.sampled_from(SCALES)),
        message=draw(st.sampled_from(["", "gone since 12:00:00", "\x1b[31mred \u202e 名前"])),
        cursor_s=cursor_s,
        by_clock=cursor_s is not None,
        limits=(("memory.max \x1b[2J名", 3e8), ("odd", math.inf)),
        peak_bytes=2e8,
        marks=(Mark(-30.0, "exec", "exec \x07"), Mark(math.nan, "mark", ""), Mark(-1e300, "gone", "gone")),
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_picture(), st.integers(1, 200), st.integers(1, 60), st.sampled_from(Glyphs))
def test_any_series_fits_any_size(shown: MemoryPicture, width: int, height: int, look: Glyphs) -> None:
    drawn = memory_strips(shown, width, height, INKS, look=look)
    assert len(drawn) == height
    assert [strip.cell_length for strip in drawn] == [width] * height
    assert [len(text) for text in texts(drawn)] == [width] * height
    assert all(text.isprintable() for text in texts(drawn))
    if look is Glyphs.ASCII:
        assert all(text.isascii() for text in texts(drawn))


@pytest.mark.parametrize("scale", SCALES)
def test_a_growing_process_fits_every_size(scale: Scale) -> None:
    for width, height in itertools.product((1, 2, 7, 27, 28, 80, 200), (1, 2, 4, 5, 8, 60)):
        drawn = memory_strips(picture(make_series(), scale), width, height, INKS)
        assert [strip.cell_length for strip in drawn] == [width] * height


def test_both_axes_are_labelled_in_iec_units_and_in_time() -> None:
    lines = texts(memory_strips(picture(make_series(virt=500 * MIB)), 100, 14, INKS))
    assert lines[1].startswith("  512M┤")
    assert lines[6].startswith("  256M┤")
    assert lines[-3].startswith("     0┤")
    assert lines[-1].split("  ")[0].strip() or "-5 min" in lines[-1]
    assert "-5 min" in lines[-1] and "-2 min" in lines[-1] and lines[-1].rstrip().endswith("now")


def test_on_own_scales_virt_is_labelled_left_and_res_right() -> None:
    own = picture(make_series(virt=4 * GIB, anon=20 * MIB), Scale.OWN)
    lines = texts(memory_strips(own, 100, 14, INKS))
    assert "4G┤" in "".join(lines) or "6G┤" in "".join(lines)
    assert any("M" in line.rsplit("├", 1)[-1] for line in lines if "├" in line)
    segments = (segment for strip in memory_strips(own, 100, 14, INKS) for segment in strip)
    first = next(segment for segment in segments if "G" in segment.text)
    assert first.style is not None and first.style.color == INKS[ChartStyle.VIRT].color


def test_two_flat_lines_on_own_scales_do_not_hide_each_other() -> None:
    own = picture(make_series(virt=int(0.83 * 1536 * MIB), anon=int(0.83 * 96 * MIB), file=0), Scale.OWN)
    colors = [
        {
            segment.style.color
            for segment in strip
            if segment.style and any("\u2800" <= c <= "\u28ff" for c in segment.text)
        }
        for strip in memory_strips(own, 100, 14, INKS)
    ]
    assert sum(INKS[ChartStyle.VIRT].color in row for row in colors) == 1
    assert sum(INKS[ChartStyle.RES].color in row for row in colors) == 1
    assert not any({INKS[ChartStyle.VIRT].color, INKS[ChartStyle.RES].color} <= row for row in colors)


def test_the_areas_of_the_parts_add_up_to_res() -> None:
    """64 MiB anon, 32 file, 16 shmem in 12 rows of 141 MiB: a row is 11.7 MiB."""
    series = make_series(virt=120 * MIB, anon=64 * MIB, file=32 * MIB, shmem=16 * MIB)
    drawn = memory_strips(picture(series), 100, 14, INKS)
    rows = dict.fromkeys(AREAS, 0.0)
    for strip in drawn[:12]:
        cells = [(segment, character) for segment in strip for character in segment.text]
        segment, character = cells[50]
        style = segment.style
        assert style is not None
        for ink in AREAS:
            eighths = " ▁▂▃▄▅▆▇".find(character)
            if style.bgcolor == INKS[ink].bgcolor:
                rows[ink] += 1 - max(0, eighths) / 8
            if style.color == INKS[ink].bgcolor and eighths > 0:
                rows[ink] += eighths / 8
    assert rows[ChartStyle.ANON] == pytest.approx(5.45, abs=0.5)
    assert rows[ChartStyle.FILE] == pytest.approx(2.73, abs=0.5)
    assert sum(rows.values()) == pytest.approx(9.55, abs=0.07), "to an eighth of a row"


def test_parts_read_at_another_moment_never_rise_above_res() -> None:
    series = make_series(anon=64 * MIB, file=32 * MIB, shmem=16 * MIB)
    stale = series._replace(file_bytes=tuple(float(10 * GIB) for _ in series.times_s))

    def covered(one: Series) -> list[bool]:
        drawn = memory_strips(picture(one), 100, 14, INKS)
        return [any(columns_with([strip], ink) for ink in AREAS) for strip in drawn]

    assert covered(stale) == covered(series)
    assert any(covered(series)) and not all(covered(series)[:12])


def test_a_gap_in_the_series_stays_a_gap() -> None:
    series = make_series(points=100)
    known_points = [number not in range(40, 60) for number in range(100)]

    def punched(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
        return tuple(one if there else None for one, there in zip(values, known_points, strict=True))

    holed = series._replace(
        virt_bytes=punched(series.virt_bytes),
        rss_bytes=punched(series.rss_bytes),
        anon_bytes=punched(series.anon_bytes),
        file_bytes=punched(series.file_bytes),
        shmem_bytes=punched(series.shmem_bytes),
    )
    drawn = memory_strips(picture(holed), 107, 14, INKS)
    middle = {text[7 + 50] for text in texts(drawn)[:12]}
    assert middle == {" "}
    assert not columns_with(drawn, ChartStyle.ANON) & {7 + 50}


@pytest.mark.parametrize(("cursor_s", "column"), [(-300.0, 7), (-150.0, 7 + 46), (0.0, 99)])
def test_the_cursor_stands_in_the_column_of_its_instant(cursor_s: float, column: int) -> None:
    inks = INKS | {ChartStyle.CURSOR: Style(bgcolor="white")}
    drawn = memory_strips(picture(make_series(), cursor_s=cursor_s, by_clock=True), 100, 14, inks)
    for strip in drawn[:12]:
        cells = [segment.style for segment in strip for _ in segment.text]
        marked = [
            number for number, style in enumerate(cells) if style and style.bgcolor == inks[ChartStyle.CURSOR].bgcolor
        ]
        assert marked == [column]
    assert clock(1_763_700_000.0 + cursor_s) in drawn[-1].text


def test_a_limit_is_drawn_with_its_name_only_when_it_is_in_scale() -> None:
    series = make_series(virt=200 * MIB, anon=100 * MIB)
    drawn = texts(memory_strips(picture(series, limits=(("memory.max", 160 * MIB), ("ulimit", GIB))), 100, 14, INKS))
    assert any(f"memory.max 160M {level}" in line for line in drawn for level in "⣀⠤⠒⠉")
    assert not any("ulimit" in line for line in drawn)


def test_the_peak_and_the_marks_are_named() -> None:
    drawn = texts(
        memory_strips(
            picture(
                make_series(), peak_bytes=300 * MIB, marks=(Mark(-60.0, "exec", "exec"), Mark(0.0, "gone", "gone"))
            ),
            100,
            14,
            INKS,
        )
    )
    assert any("peak 300M" in line for line in drawn)
    assert "┊exec" in drawn[0] and "gone┊" in drawn[0]  # the line of VIRT takes the row below


@pytest.mark.parametrize("scale", SCALES)
def test_only_on_one_scale_is_res_filled(scale: Scale) -> None:
    series = make_series(virt=40 * GIB, anon=33 * MIB) if scale is Scale.OWN else make_series()
    drawn = memory_strips(picture(series, scale), 100, 14, INKS)
    assert any(columns_with(drawn, area) for area in AREAS) is (scale is Scale.ONE)


@pytest.mark.parametrize("apart_s", [2.0, 6.0, 9.0, 12.0, 15.0])
def test_the_labels_of_close_events_stay_apart(apart_s: float) -> None:
    marks = tuple(Mark(-apart_s * number, "life", "OOM") for number in range(16))
    drawn = texts(memory_strips(picture(make_series(), marks=marks), 100, 14, INKS))
    assert any("OOM" in line for line in drawn)
    assert not any("OOMO" in line for line in drawn)


def test_what_a_process_says_of_itself_reaches_the_chart_only_in_visible_form() -> None:
    hostile = "\x1b]0;pwn\x07[red]\u202e"
    detail = make_detail()._replace(row=make_row(command_raw=hostile.encode() + b"\0"))
    assert title_text(detail, Scale.ONE).startswith(f"4242 {clean(hostile)} ── up")
    drawn = memory_strips(picture(make_series(), limits=((hostile, 300 * MIB),)), 120, 14, INKS)
    assert not any(c in line for line in texts(drawn) for c in "\x1b\x07\u202e")
    assert any(f" {clean(hostile)}" in line for line in texts(drawn))


def test_the_same_picture_is_recognised_and_a_different_one_too() -> None:
    series = make_series()
    one = picture(series)
    assert picture(series, right_edge_s=5.0).looks_like(one)
    assert not picture(series, right_edge_s=5.0, by_clock=True).looks_like(picture(series, by_clock=True))
    assert not picture(series, Scale.LOG).looks_like(one)
    assert not picture(make_series(anon=MIB)).looks_like(one)
    assert not one.looks_like(None)


@pytest.mark.parametrize("height", [9, 14, 19, 24, 40])
@pytest.mark.parametrize("scale", SCALES)
def test_ticks_are_drawn_equally_many_rows_apart(height: int, scale: Scale) -> None:
    lines = texts(memory_strips(picture(make_series(virt=500 * MIB), scale), 100, height, INKS))
    rows = [number for number, text in enumerate(lines) if "┤" in text[:8]]
    assert len(rows) >= 2 and len({b - a for a, b in itertools.pairwise(rows)}) == 1


def test_points_are_two_for_each_column_of_the_plot() -> None:
    assert points_for(118) == 2 * Canvas(118, 12, left=[(0.0, "0")], bottom=[(0.0, "now")]).columns
    assert points_for(118, Scale.OWN) == 2 * Canvas(118, 12, left=[(0.0, "0")], right=[(0.0, "0")]).columns
    assert points_for(107, ahead=True) == 150
    assert points_for(1) == 2


def test_a_click_becomes_the_time_of_a_point_wherever_the_cursor_is() -> None:
    shown = picture(make_series(186))
    oldest_s = shown.right_edge_s - 300.0 * 185 / 186
    for cursor_s in (None, -100.0):
        assert time_at(shown._replace(cursor_s=cursor_s), 99, 100) is None
        assert time_at(shown._replace(cursor_s=cursor_s), 7, 100) == pytest.approx(oldest_s)


@pytest.mark.parametrize(
    ("note", "words"), [(Note.KERNEL, "kernel thread"), (Note.ZOMBIE, "zombie"), (Note.DENIED, "not permitted")]
)
def test_a_process_without_numbers_has_words_instead_of_a_chart(note: Note, words: str) -> None:
    detail = make_detail(known_points=0)
    silent = detail._replace(row=detail.row._replace(note=note))
    drawn = texts(memory_strips(picture_of(silent), 100, 14, INKS))
    assert words in "".join(drawn) and "now" not in "".join(drawn)


def test_the_first_sample_says_that_it_waits_for_the_second() -> None:
    drawn = texts(memory_strips(picture_of(make_detail(known_points=1)), 100, 14, INKS))
    assert "waiting for the second sample" in "".join(drawn)


def test_a_process_that_is_gone_keeps_its_chart_and_says_since_when() -> None:
    detail = make_detail(gone=True, gone_s=1_763_699_990.0)
    drawn = texts(memory_strips(picture_of(detail), 100, 14, INKS))
    assert f"gone since {clock(1_763_699_990.0)}" in "".join(drawn)
    assert any("⠁" <= c <= "⣿" for line in drawn for c in line)
    assert title_text(detail, Scale.ONE).startswith("4242 api-server ── ran ")


def test_a_zombie_whose_end_is_known_is_not_up() -> None:
    detail = make_detail()
    started_s = detail.window.right_edge_s - 600
    row = detail.row._replace(note=Note.ZOMBIE, started_s=started_s)
    end = ExitReport(row.key, row.name, row.command, started_s + 9, None, 9, Oom.CERTAIN, ())
    assert "── ran 9 s" in title_text(detail._replace(row=row, outlook=Assessment(autopsy=end)), Scale.ONE)
    assert "── up 10 min" in title_text(detail._replace(row=row), Scale.ONE)


def test_looking_back_the_title_has_the_age_of_that_moment() -> None:
    detail = make_detail(window=LIVE._replace(cursor_s=-480.0))
    detail = detail._replace(row=detail.row._replace(started_s=detail.window.right_edge_s - 600))
    assert title_text(detail, Scale.ONE).startswith("4242 api-server ── up 2 min")


def test_the_numbers_are_those_of_the_row_and_leave_in_order_of_worth() -> None:
    detail = make_detail()._replace(slope_bytes_per_min=12.0 * MIB)
    wide = facts(detail, 118, INKS, areas=True).text
    assert "━ VIRT 1.24G   RES 212M ↑    ■ anon 190M    ■ file 22.0M   ▒ shm 0   swap 0   peak 212M" in wide
    narrow = facts(detail, 40, INKS, areas=True).text
    assert len(narrow) == 40 and "VIRT 1.24G" in narrow and "RES 212M ↑" in narrow
    assert facts(detail, 118, INKS, areas=True, look=Glyphs.ASCII).text.isascii()
    steady = detail._replace(slope_bytes_per_min=10.0)
    assert "↑" not in facts(steady, 118, INKS, areas=False).text


def test_beside_the_numbers_the_process_has_the_name_that_the_list_gives_it() -> None:
    detail = make_detail()
    for command, name in (
        (b"python3\0leak.py", "4242 leak.py  "),
        (b"/opt/a-very-long-program-name", "4242 a-very-long-pr…  "),
    ):
        row = detail.row._replace(name="python3", command_raw=command)
        assert facts(detail._replace(row=row), 60, INKS, areas=False, named=True).text.startswith(name)


@pytest.mark.parametrize("rss_bytes", [9_980 << 10, 99_800 << 10, 100 << 20, 999 << 20, 1 << 30])
@pytest.mark.parametrize("slope", [0.0, 12.0 * MIB])
def test_no_number_moves_what_follows_it(rss_bytes: int, slope: float) -> None:
    detail = make_detail()._replace(slope_bytes_per_min=slope)
    usual = facts(detail, 118, INKS, areas=True).text
    moved = facts(detail._replace(row=make_row(rss_bytes=rss_bytes, anon_bytes=rss_bytes)), 118, INKS, areas=True).text
    assert [usual.index(word) for word in ("RES", "anon", "file", "peak")] == [
        moved.index(word) for word in ("RES", "anon", "file", "peak")
    ]


def test_a_slope_that_a_peak_has_left_behind_is_no_arrow() -> None:
    detail = make_detail()._replace(slope_bytes_per_min=12.0 * MIB)
    fallen = detail._replace(row=make_row(growth_bytes_per_min=-400.0 * MIB))
    assert "↑" not in facts(fallen, 118, INKS, areas=False).text
    assert "↑" not in facts(detail._replace(gone=True), 118, INKS, areas=False).text
    rising = detail._replace(row=make_row(growth_bytes_per_min=12.0 * MIB))
    assert "RES 212M ↑" in facts(rising, 118, INKS, areas=False).text


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (34, "━ VIRT 1.24G  ━ RES 212M ↑"),
        (30, "━ VIRT 1.24G  ━ RES 212M ↑"),
        (24, "VIRT 1.24G  RES 212M ↑"),
        (20, "VIRT 1.24G RES 212M"),
        (12, "RES 212M ↑"),
        (8, "RES 212M"),
        (5, "212M"),
    ],
)
def test_no_number_of_the_headline_is_cut(width: int, text: str) -> None:
    detail = make_detail()._replace(slope_bytes_per_min=12.0 * MIB)
    assert facts(detail, width, INKS, areas=False).text.rstrip() == text


def test_unknown_numbers_are_dashes() -> None:
    row = make_row(virt_bytes=None, rss_bytes=None, anon_bytes=None, swap_bytes=None)
    text = facts(make_detail()._replace(row=row), 118, INKS, areas=False).text
    assert "VIRT –" in text and "RES –" in text and "swap –" in text


AHEAD = Forecast(room_bytes=100 * MIB, earliest_s=50.0, latest_s=200.0)


def test_growth_goes_on_in_two_dotted_lines_until_the_limit() -> None:
    """107 columns: 75 of the past, 25 of 100 s to come; the fast line has met its limit after half of them."""
    series = make_series(points=150, virt=200 * MIB, anon=100 * MIB, file=0)
    limits = (("memory.max", 200.0 * MIB),)
    drawn = texts(memory_strips(picture(series, forecast=AHEAD, limits=limits), 107, 26, INKS))
    dotted = [[column - 7 for column, cell in enumerate(line) if column > 83 and cell in DOTS] for line in drawn]
    columns = sorted(itertools.chain(*dotted))
    assert columns[0] > 75
    rows = [number for number, found in enumerate(dotted) if any(column <= 88 for column in found)]
    limit = next(number for number, line in enumerate(drawn) if "max 200M" in line)
    assert rows[0] - limit in (0, 1)
    assert [column for column in columns if column > 89] and len(set(columns)) < len(columns)
    assert "now" in drawn[-1] and "+1 min" in drawn[-1]


@pytest.mark.parametrize("rate_mib", [0.1, 1, 5])
def test_where_others_fill_the_limit_too_the_current_rate_is_among_what_is_foretold(rate_mib: float) -> None:
    slow, fast = AHEAD._replace(rate_bytes_per_s=rate_mib * MIB).rises_bytes(10.0)
    assert slow <= 10 * rate_mib * MIB <= fast <= AHEAD.room_bytes


def test_what_is_foretold_is_within_the_scale() -> None:
    series = make_series(points=150, virt=100 * MIB, anon=90 * MIB, file=0)
    tops = []
    for shown in (picture(series), picture(series, forecast=AHEAD)):
        lines = texts(memory_strips(shown, 107, 26, INKS))
        tops.append(next(line.split("┤")[0].strip() for line in lines if "┤" in line))
    assert tops == ["112M", "224M"]


def test_nothing_is_foretold_of_the_past_or_the_dead() -> None:
    assert picture_of(make_detail(), forecast=AHEAD).forecast == AHEAD
    assert picture_of(make_detail(window=LIVE._replace(cursor_s=-10.0)), forecast=AHEAD).forecast is None
    assert picture_of(make_detail(gone=True), forecast=AHEAD).forecast is None


def test_lines_that_look_as_before_are_the_same_strips_and_the_picture_is_right() -> None:
    before = make_series()
    last = (*before.rss_bytes[:-1], 250.0 * MIB)
    drawn = DrawnCurves()
    old = memory_strips(picture(before), 100, 20, INKS, drawn=drawn)
    new = memory_strips(picture(before._replace(rss_bytes=last)), 100, 20, INKS, drawn=drawn)
    assert new == memory_strips(picture(before._replace(rss_bytes=last)), 100, 20, INKS)
    kept = [one is other for one, other in zip(old, new, strict=True)]
    assert not all(kept)
    assert kept.count(True) >= 10


def test_other_inks_take_no_line_from_before() -> None:
    drawn = DrawnCurves()
    bold = {ink: style + Style(bold=True) for ink, style in INKS.items()}
    memory_strips(picture(make_series()), 100, 20, INKS, drawn=drawn)
    assert memory_strips(picture(make_series()), 100, 20, bold, drawn=drawn) == memory_strips(
        picture(make_series()), 100, 20, bold
    )


def test_labels_of_levels_at_one_height_and_a_message_do_not_run_into_each_other() -> None:
    near = picture(
        make_series(virt=400 * MIB, anon=178 * MIB, known_points=30),
        limits=(("orders-api.service", 201 * MIB),),
        peak_bytes=200 * MIB,
        message="gone since 00:03:19",
    )
    for height in range(6, 24):
        lines = texts(memory_strips(near, 78, height, INKS))
        assert sum(" orders-api.service 201M " in line for line in lines) == 1, height
        assert sum(" gone since 00:03:19 " in line for line in lines) == 1, height


def test_a_limit_with_a_sign_keeps_it_where_its_name_does_not_fit_and_has_no_color_without_it() -> None:
    limit = (("▲ a.service.with.a.long.name in 35 to 55 s,", 300 * MIB),)
    wide, narrow = (memory_strips(picture(make_series(), limits=limit), width, 14, INKS) for width in (100, 44))
    assert any("long.name in 35 to 55 s, 300M" in text for text in texts(wide))
    assert any("▲ 300M" in text and "long" not in text for text in texts(narrow))
    tiny = memory_strips(picture(make_series(), limits=limit), 5, 14, INKS)
    assert not any(style == INKS[ChartStyle.DANGER] for strip in tiny for _, style, _ in strip)
