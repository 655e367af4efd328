"""Title of the memory chart: the process and its numbers. It is also the legend."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Final

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from memtop import units
from memtop.model.detail import Detail, GroupDetail
from memtop.model.row import ProcessRow
from memtop.sanitize import clean
from memtop.tui.chart.axes import Scale, slope_sign
from memtop.tui.chart.chart_styles import (
    ALWAYS,
    AREAS,
    LINE_ASCII,
    TEXTURES,
    ChartStyle,
    ChartStyles,
    Fact,
    Glyphs,
    area_color,
)
from memtop.tui.chart.group_chart import group_items
from memtop.tui.drawing.cell_text import to_ascii, whole_words

_ARROWS: Final = {1: " ↑", 0: "", -1: " ↓"}
"""Not the sign of danger."""
_SIZE_CELLS: Final = 5
"""Cells of a size that moves: ``99.8M`` and ``100M`` take the same, so that what follows does not jump."""
_GAPS: Final = ("   ", "  ")
_PROGRAM_CELLS: Final = 15
"""The program's name where it stands beside the numbers, at most."""
_EMPTY: Final = -1
"""The rank of a part that the process has none of, or of which it is not known."""
_TOPICS: Final = {
    **{"VIRT": "virt", "RES": "rss", "anon": "anon", "file": "shr", "file+shm": "shr", "shm": "shmem", "swap": "swap"},
    **{"peak": "peak", "CHARGE": "who_pays", "WSET": "working_set", "limit": "limits"},
}
"""What explains each number of the line."""
_NUMBER: Final = re.compile(rf"(?:\S )?\b({'|'.join(re.escape(name) for name in _TOPICS)})(?: at most)? \S+")


def title_text(detail: Detail, scale: Scale) -> str:
    """``4242 api-server ── up 3 h``, and the scale if it is not the ordinary one. Clean text."""
    row, report = detail.row, detail.outlook.autopsy if detail.outlook is not None else None
    parts = [f"{row.pid} {clean(row.program)}"]
    if row.started_s is not None:
        ended_s = row.gone_s if detail.gone else report.at_s if report is not None else None  # a zombie has a report
        age_s = max(0.0, (detail.window.shown_s if ended_s is None else ended_s) - row.started_s)
        parts.append(f"{'up' if ended_s is None and not detail.gone else 'ran'} {units.duration(age_s)}")
    if scale is not Scale.ONE:
        parts.append(scale.value)
    return " ── ".join(parts)


def looking_back_text(detail: Detail | GroupDetail) -> str:
    """The text in the frame's lower edge while the cursor is in the past; empty when live.

    The time of day stands under the cursor.
    """
    if detail.window.cursor_s is None:
        return ""
    return f"looking back {units.duration(detail.window.shown_age_s)}, End returns to now"


def facts(
    detail: Detail | GroupDetail,
    width: int,
    inks: ChartStyles,
    *,
    areas: bool,
    shows_virt: bool = True,
    look: Glyphs = Glyphs.SHADED,
    named: bool = False,
) -> Strip:
    """The numbers of the instant shown, in one line of ``width`` cells. What does not fit is dropped.

    ``areas``: RES is filled by its parts, so their names have the colors. ``named``: the process comes first, because
    no title above names it.
    """
    keys = _keys(look, areas=areas, shows_virt=shows_virt)
    items = group_items(detail, keys) if isinstance(detail, GroupDetail) else _items(detail, detail.row, keys)
    if named and isinstance(detail, Detail):
        program = whole_words(clean(detail.row.program), _PROGRAM_CELLS)
        items = [Fact([(f"{detail.row.pid} {program}", ChartStyle.MESSAGE)], 10), *items]
    gap = _GAPS[0]
    if _width(items, gap) > width:
        gap = _GAPS[1]
    for one in sorted(items, key=attrgetter("rank")):
        if one.rank < ALWAYS and _width(items, gap) > width:
            items.remove(one)
    if _width(items, gap) > width:
        items, gap = _shortest(detail, keys, width)
    segments: list[Segment] = []
    for number, (pieces, _) in enumerate(items):
        if number:
            segments.append(Segment(gap, inks[ChartStyle.GROUND]))
        segments.extend(
            Segment(to_ascii(text) if look is Glyphs.ASCII else text, _style(ink, inks)) for text, ink in pieces
        )
    used = None if look is Glyphs.ASCII else _width(items, gap)
    return Strip(segments, used).adjust_cell_length(width, inks[ChartStyle.GROUND])


def topic_at(text: str, x: int) -> str:
    """The topic of the number at the cell ``x`` of the line of numbers; empty beside them."""
    return next((_TOPICS[found[1]] for found in _NUMBER.finditer(text) if found.start() <= x < found.end()), "")


def _keys(look: Glyphs, *, areas: bool, shows_virt: bool) -> dict[ChartStyle, str]:
    """The sign before a name that shows how it is drawn; empty if it is not drawn."""
    keys = dict(LINE_ASCII) if look is Glyphs.ASCII else {ChartStyle.VIRT: "━", ChartStyle.RES: "━"}
    if not shows_virt:
        del keys[ChartStyle.VIRT]
    if areas:
        keys |= dict.fromkeys(AREAS, "■")
        keys |= TEXTURES[look]
        if look is not Glyphs.ASCII:
            del keys[ChartStyle.RES]  # the upper edge of its parts
    return {ink: f"{key} " for ink, key in keys.items()}


def _arrow(detail: Detail, row: ProcessRow) -> str:
    """An arrow if the slope and the change over the minute agree. After a peak, a slope alone misleads."""
    if detail.gone or row.rss_bytes is None:
        return ""
    slope = slope_sign(detail.slope_bytes_per_min, row.rss_bytes)
    change = slope if row.growth_bytes_per_min is None else slope_sign(row.growth_bytes_per_min, row.rss_bytes)
    return _ARROWS[slope if slope == change else 0]


def _shortest(detail: Detail | GroupDetail, keys: dict[ChartStyle, str], width: int) -> tuple[list[Fact], str]:
    """The rest of the line if not even VIRT and RES fit in full, and the gap between the two."""
    if isinstance(detail, GroupDetail):
        group = detail.row
        level = group.rss_bytes if group.working_set_bytes is None else group.working_set_bytes
        return [Fact([(units.size(level), ChartStyle.RES)])], ""
    row = detail.row
    virt, res, arrow = units.size(row.virt_bytes), units.size(row.rss_bytes), _arrow(detail, row)
    forms = (
        (f"{keys.get(ChartStyle.VIRT, '')}VIRT {virt}", f"{keys.get(ChartStyle.RES, '')}RES {res}{arrow}", _GAPS[1]),
        (f"VIRT {virt}", f"RES {res}{arrow}", _GAPS[1]),
        (f"VIRT {virt}", f"RES {res}", " "),
        ("", f"RES {res}{arrow}", ""),
        ("", f"RES {res}", ""),
        ("", res, ""),
    )
    virt, res, gap = next((form for form in forms if sum(map(cell_len, form)) <= width), forms[-1])
    items = [Fact([(virt, ChartStyle.VIRT)])] if virt else []
    return [*items, Fact([(res, ChartStyle.RES)])], gap


def _items(detail: Detail, row: ProcessRow, keys: dict[ChartStyle, str]) -> list[Fact]:
    res = (units.size(row.rss_bytes) + _arrow(detail, row)).ljust(_SIZE_CELLS + 2)
    items = [
        Fact([(f"{keys.get(ChartStyle.VIRT, '')}VIRT {_steady(row.virt_bytes)}", ChartStyle.VIRT)]),
        Fact([(f"{keys.get(ChartStyle.RES, '')}RES {res}", ChartStyle.RES)]),
    ]
    parts = [("anon", row.anon_bytes, ChartStyle.ANON, 9)]
    if row.file_bytes is None and row.shr_bytes is not None:
        parts.append(("file+shm", row.shr_bytes, ChartStyle.FILE, 6))
    else:
        shm_rank = 5 if row.shmem_bytes else _EMPTY
        parts += [("file", row.file_bytes, ChartStyle.FILE, 7), ("shm", row.shmem_bytes, ChartStyle.SHMEM, shm_rank)]
    for name, value, ink, rank in parts:
        pieces = [(keys.get(ink, ""), ink), (f"{name} ", ChartStyle.AXIS), (_steady(value), ChartStyle.GROUND)]
        items.append(Fact(pieces, rank))
    for name, value, rank in (
        ("swap", row.swap_bytes, 8 if row.swap_bytes else _EMPTY),
        ("peak", row.peak_rss_bytes, 4),
    ):
        items.append(Fact([(f"{name} ", ChartStyle.AXIS), (_steady(value), ChartStyle.GROUND)], rank))
    return items


def _steady(size_bytes: int | None) -> str:
    """A size in as many cells as any other; none and unknown are short, because they stay so."""
    return units.size(size_bytes).ljust(_SIZE_CELLS) if size_bytes else units.size(size_bytes)


def _style(ink: ChartStyle, inks: ChartStyles) -> Style:
    """The character for an area has the area's background."""
    return _with_color(inks[ChartStyle.GROUND], area_color(ink, inks)) if ink in AREAS else inks[ink]


@lru_cache(maxsize=16)
def _with_color(style: Style, color: Color | None) -> Style:
    return style + Style(color=color)


def _width(items: Sequence[Fact], gap: str) -> int:
    return cell_len("".join([text for pieces, _ in items for text, _ in pieces])) + len(gap) * (len(items) - 1)
