"""The picture of a group on the memory chart: charge and working set, its largest members stacked under them."""

from __future__ import annotations

from memtop import units
from memtop.explain.chart_levels import Forecast
from memtop.explain.group_sentences import limit_sign
from memtop.explain.limit_names import short
from memtop.model.detail import GroupDetail
from memtop.tui.chart.axes import Scale, clock, known, settle
from memtop.tui.chart.chart_styles import ChartStyle, Fact, Pieces
from memtop.tui.chart.picture import MemoryPicture

_NAME_CELLS = 16


def group_picture(detail: GroupDetail, scale: Scale, before: Scale) -> MemoryPicture:
    """The picture; ``before`` is the scale drawn last."""
    row, window = detail.row, detail.window
    virt = max((value for value in known(detail.series.virt_bytes) if value is not None), default=0.0)
    rss = max((value for value in known(detail.series.rss_bytes) if value is not None), default=0.0)
    points = sum(value is not None for value in known(detail.series.rss_bytes))
    message = "" if points >= 2 else "waiting for the second sample"
    if row.gone_s is not None:
        message = f"gone since {clock(row.gone_s)}"
    forecast = None
    if row.limit_s is not None and row.room_max_bytes is not None and row.room_max_bytes > 0 and not window.cursor_s:
        forecast = Forecast(float(row.room_max_bytes), *row.limit_s)
    limit = ((f"{limit_sign(detail)}{short(detail.limit_name)}", float(row.limit_bytes)),) if row.limit_bytes else ()
    return MemoryPicture(
        detail.series,
        window.window_s,
        window.right_edge_s,
        window.cursor_s is not None or row.gone_s is not None,
        window.cursor_s,
        limits=limit if window.cursor_s is None else (),
        scale=settle(scale, virt, rss, before),
        message=message,
        forecast=forecast,
    )


def group_title(detail: GroupDetail, scale: Scale) -> str:
    """``cgroup web.service ── 12 processes``, and the scale if it is not the ordinary one."""
    row = detail.row
    parts = [f"{row.key.by.value} {short(row.name)}", units.counted(row.members, "process")]
    if scale is not Scale.ONE:
        parts.append(scale.of_cgroup if row.charge_bytes is not None else scale.value)
    return " ── ".join(parts)


def group_items(detail: GroupDetail, keys: dict[ChartStyle, str]) -> list[Fact]:
    """The numbers of the line above the chart, each in the color of what it is the name of."""
    row = detail.row
    charged = row.charge_bytes is not None
    items: list[Fact] = []
    if charged:
        charge = f"{keys.get(ChartStyle.VIRT, '')}CHARGE {units.size(row.charge_bytes)}"
        items.append(Fact([(charge, ChartStyle.VIRT)]))
    name, level = ("WSET", row.working_set_bytes) if charged else ("RES at most", row.rss_bytes)
    items.append(Fact([(f"{keys.get(ChartStyle.RES, '')}{name} {units.size(level)}", ChartStyle.RES)]))
    inks = (ChartStyle.ANON, ChartStyle.FILE)
    for number, (member, ink) in enumerate(zip(detail.largest, inks, strict=False)):
        text = f"{member.program[:_NAME_CELLS]} {member.pid} "
        items.append(Fact(_part(keys, ink, text, member.rss_bytes), 3 - number))
    items.append(Fact(_part(keys, ChartStyle.SHMEM, "rest ", detail.rest_bytes), 1))
    if row.limit_bytes is not None:
        items.append(Fact([("limit ", ChartStyle.AXIS), (units.size(row.limit_bytes), ChartStyle.GROUND)], 0))
    return items


def _part(keys: dict[ChartStyle, str], ink: ChartStyle, name: str, size_bytes: int | None) -> Pieces:
    return [(keys.get(ink, ""), ink), (name, ChartStyle.AXIS), (units.size(size_bytes), ChartStyle.GROUND)]
