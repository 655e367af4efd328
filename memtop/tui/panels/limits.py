"""The Limits panel: limits of the process in focus, the room left, and the OOM rank (who is killed first)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from memtop import units
from memtop.explain.limit_names import short
from memtop.explain.severity_signs import DANGER_MARK, WARNING_MARK
from memtop.model.assessment import CountLimit, ExitReport, Limit, LimitRow
from memtop.model.frame import Frame
from memtop.tui.drawing.cell_text import fit
from memtop.tui.drawing.text_lines import Line, TextLines, lines_without_focus, words_of_group, wrapped
from memtop.tui.panels.limit_sentences import sentences

WARN_PERCENT: Final = 80.0
DANGER_PERCENT: Final = 90.0
_NAME_CELLS: Final = (10, 30)
"""Least and most cells."""
_COLUMNS: Final = (("LIMIT", 7), ("USED", 7), ("%", 6), ("ROOM", 7))
_BEYOND: Final = "   when full"
_BESIDE_FROM: Final = 74
"""Width from which the last column stands beside the numbers. In less room it has its own line, and names stay
whole."""


class _Cells(NamedTuple):
    """One line of the table."""

    name: str
    percent: float
    limit: str
    used: str
    room: str
    beyond: str


class LimitsPanel(TextLines, can_focus=True):
    """The limits as a table, then sentences."""

    def show_frame(self, frame: Frame) -> None:
        """Take a newer frame."""
        width = self.scrollable_content_region.width
        if width > 0:
            self.show(limit_lines(frame, width))

    def caption(self, frame: Frame) -> str:
        """The binding limit, and how full it is."""
        outlook = frame.detail.outlook if frame.detail is not None else None
        binds = next((row for row in outlook.limits if row.binds), None) if outlook is not None else None
        if binds is None or binds.limit_bytes <= 0:
            return ""
        return f"{short(binds.name)} {units.percent(100 * binds.used_bytes / binds.limit_bytes)} % full"

    def words(self, frame: Frame) -> int | None:
        """See ``Panel``. It has nothing to show of a process that ended too early."""
        width, outlook = (
            self.scrollable_content_region.width,
            frame.detail.outlook if frame.detail is not None else None,
        )
        if outlook is not None and outlook.autopsy is not None and not outlook.limits:
            return len(limit_lines(frame, width))
        return words_of_group(frame, width)


def limit_lines(frame: Frame, width: int) -> list[Line]:
    """Everything about limits, the most urgent first."""
    detail = frame.detail
    if detail is None:
        return lines_without_focus(frame, width)
    outlook = detail.outlook
    if outlook is None or (outlook.autopsy is not None and not outlook.limits):
        why = "it ended before its limits were read"
        if detail.window.cursor_s is not None:
            why = "not kept for this moment in the past"
        elif detail.paused and not detail.gone:
            why = "they were not read before the pause"
        return wrapped(f"No limits to show: {why}.", width)
    lines = list(_end(outlook.autopsy, width)) if outlook.autopsy is not None else []
    lines.append(Line(_heading(width), "dim"))
    for row in outlook.limits:
        lines += _row(row, width)
    for count in outlook.counts:
        lines += _count_row(count, width)
    for text in sentences(detail, outlook, frame):
        lines += wrapped(text, width, indent="  ")
    return lines


def _end(autopsy: ExitReport, width: int) -> Iterator[Line]:
    """When the process ended, and the memory that its end freed."""
    clock = time.strftime("%H:%M:%S", time.localtime(autopsy.at_s))
    text = f"As of its end at {clock}."
    if autopsy.cgroup_before_bytes is not None:
        before, after = units.long_size(autopsy.cgroup_before_bytes), autopsy.cgroup_after_bytes
        then = "it no longer exists" if after is None else f"{units.long_size(after)} after"
        text += f" The cgroup used {before} before the end and {then}."
    yield from wrapped(text, width, "strong")


def _heading(width: int) -> str:
    name = _name_cells(width)
    cells = "".join(f"{title:>{size}}" for title, size in _COLUMNS)
    return f"  {'':<{name}}{cells}{_BEYOND if width >= _BESIDE_FROM else ''}"[:width]


def _name_cells(width: int) -> int:
    least, most = _NAME_CELLS
    beside = len(_BEYOND) if width >= _BESIDE_FROM else 0
    return max(least, min(most, width - 2 - sum(size for _, size in _COLUMNS) - beside))


def _row(row: LimitRow, width: int) -> list[Line]:
    may_not_swap = row.limit is Limit.CGROUP_SWAP and row.used_bytes == row.limit_bytes == 0
    percent = 100 * row.used_bytes / row.limit_bytes if row.limit_bytes > 0 else 0.0 if may_not_swap else 100.0
    limit, used, room = map(units.size, (row.limit_bytes, row.used_bytes, row.headroom_max_bytes))
    kills = row.limit is not Limit.HIGH  # that only slows down, as the findings say
    return _line(_Cells(row.name, percent, limit, used, room, _beyond(row)), width, binds=row.binds, kills=kills)


def _count_row(row: CountLimit, width: int) -> list[Line]:
    """A limit on mappings or threads."""
    percent = 100 * row.used / row.limit if row.limit > 0 else 100.0
    limit, used, room = map(units.count, (row.limit, row.used, max(0, row.limit - row.used)))
    return _line(_Cells(row.name, percent, limit, used, room, row.beyond), width)


def _line(shown: _Cells, width: int, *, binds: bool = False, kills: bool = True) -> list[Line]:
    percent, beyond = shown.percent, shown.beyond
    mark, look = " ", ""
    if percent >= DANGER_PERCENT and kills:
        mark, look = DANGER_MARK, "danger"
    elif percent >= WARN_PERCENT:
        mark, look = WARNING_MARK, "warning"
    elif binds:
        mark, look = "►", "strong"
    cells = _name_cells(width)
    label = fit(short(shown.name, cells - 1), cells - 1, left=True)
    values = (shown.limit, shown.used, units.percent(percent), shown.room)
    numbers = "".join(f"{value:>{size}}" for value, (_, size) in zip(values, _COLUMNS, strict=True))
    ahead = f"{mark} {label} {numbers}"
    if width < _BESIDE_FROM:
        return [Line(ahead[:width], look), *wrapped(f"    {_BEYOND.strip()}: {beyond}", width, look, "    ")]
    indent = " " * (len(ahead) + 3)
    return wrapped(ahead + "   " + beyond, width, look, indent)


def _beyond(row: LimitRow) -> str:
    """What the kernel does beyond the limit."""
    return row.effect
