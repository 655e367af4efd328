"""The Machine panel: every page of MemTotal by its use, its changes, and who holds it."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from memtop import units
from memtop.columns import ASCII_SPARKS, SPARKS, TREND_CELLS
from memtop.explain.machine_sentences import PART_NAMES, held_by, large_and_small, sentences
from memtop.model.frame import Frame
from memtop.model.machine import MachinePartRow, MachineView
from memtop.tui.drawing.cell_text import ELLIPSIS, LOADING, fit, to_ascii
from memtop.tui.drawing.text_lines import Line, TextLines, wrapped

_NAME_CELLS: Final = 27
_NUMBERS: Final = (("SIZE", 7), ("%", 6), ("CHANGE", 8))
_MARK: Final = ("MARK", 8)
"""Only while there is a mark."""
_TREND_FROM: Final = 76
_RECLAIM_FROM: Final = 104
"""Widths from which TREND and the column of reclaim have room."""
_RECLAIM_CELLS: Final = 24
_MOST_HOLDERS: Final = 3
_BAR_SIGNS: Final = ("█", "▓", "▒", "░", "▚", "▞")
_ASCII_BAR_SIGNS: Final = "#%=+:*"


class MachinePanel(TextLines, can_focus=True):
    """A bar, the table of parts, then sentences."""

    def show_frame(self, frame: Frame) -> None:
        """Take a newer frame."""
        width = self.scrollable_content_region.width
        if width > 0:
            self.show(machine_lines(frame, width, ascii_only=self.app.has_class("-ascii")))

    def caption(self, frame: Frame) -> str:
        """The time over which changes are measured."""
        view = frame.machine
        return "" if view is None or view.change_s <= 0 else f"CHANGE over {units.duration(view.change_s)}"

    def words(self, frame: Frame) -> int | None:
        """See ``Panel``. It always has something to show."""
        return None


def machine_lines(frame: Frame, width: int, *, ascii_only: bool = False) -> list[Line]:
    """Everything about the machine's memory as lines of at most ``width`` cells."""
    view = frame.machine
    if view is None:
        known = frame.system.mem_total_bytes is not None
        return wrapped(LOADING if known else "No figures of this machine: /proc/meminfo cannot be read.", width)
    large, small = large_and_small(view)
    lines = [_bar(view, large, width, ascii_only=ascii_only)]
    only = frame.incidents.unseen.only if frame.incidents is not None else None
    lines.append(Line(_heading(view, width, only, ascii_only=ascii_only), "dim"))
    signs, rest = _ASCII_BAR_SIGNS if ascii_only else _BAR_SIGNS, _rest_sign(ascii_only=ascii_only)
    for number, row in enumerate(large):
        sign = signs[number] if number < len(signs) else rest
        lines.append(Line(_row(sign, row, view, width, ascii_only=ascii_only)))
    if small:
        names = ", ".join(f"{PART_NAMES[row.part]} {units.long_size(row.size_bytes)}" for row in small)
        lines += wrapped(f"Less than 0.05 % each: {names}.", width, "dim", "  ")
    for text in sentences(view):
        lines += wrapped(text, width, indent="  ")
    return [line._replace(text=to_ascii(line.text)) for line in lines] if ascii_only else lines


def _bar(view: MachineView, rows: list[MachinePartRow], width: int, *, ascii_only: bool) -> Line:
    """The whole RAM as one bar; the signs of its parts stand before their rows."""
    signs = _ASCII_BAR_SIGNS if ascii_only else _BAR_SIGNS
    cells = [round(width * row.size_bytes / view.total_bytes) for row in rows]
    bar = "".join(sign * count for sign, count in zip(signs, cells, strict=False))[:width]
    return Line(bar.ljust(width, _rest_sign(ascii_only=ascii_only)))


def _rest_sign(*, ascii_only: bool) -> str:
    """The sign of the parts that are too small for one of their own."""
    return "." if ascii_only else "·"


def _is_marked(view: MachineView) -> bool:
    return any(row.since_mark_bytes is not None for row in view.rows)


def _cut(text: str, width: int, *, ascii_only: bool) -> str:
    return fit(text, width, left=True, ellipsis="~" if ascii_only else ELLIPSIS)


def _heading(view: MachineView, width: int, only: int | None, *, ascii_only: bool) -> str:
    """``only`` is the number of processes that are read, where not all of them are."""
    numbers = (*_NUMBERS, _MARK) if _is_marked(view) else _NUMBERS
    text = f"{f'  RAM {units.size(view.total_bytes)} =':<{_NAME_CELLS}}" + "".join(
        f"{title:>{size}}" for title, size in numbers
    )
    if width >= _TREND_FROM:
        text += " " + fit("TREND", TREND_CELLS, left=True)
    if width >= _RECLAIM_FROM:
        text += " " + fit("CAN BE RECLAIMED", _RECLAIM_CELLS, left=True)
    held = f"{text} HELD BY"
    whole = held if only is None else f"{held} (only {units.counted(only, 'process')} watched)"
    return _cut(whole if cell_len(whole) <= width else held, width, ascii_only=ascii_only)


def _row(sign: str, row: MachinePartRow, view: MachineView, width: int, *, ascii_only: bool) -> str:
    name = _cut(f"{sign} {PART_NAMES[row.part]}", _NAME_CELLS, ascii_only=ascii_only)
    size = units.size(row.size_bytes)
    if row.at_most_bytes is not None:
        size = "≥" + size
    cells = [size, units.percent(100 * row.size_bytes / view.total_bytes), units.signed_size(row.change_bytes)]
    text = name + "".join(f"{cell:>{cells_}}" for cell, (_, cells_) in zip(cells, _NUMBERS, strict=True))
    if _is_marked(view):
        text += f"{units.signed_size(row.since_mark_bytes):>{_MARK[1]}}"
    if width >= _TREND_FROM:
        signs = ASCII_SPARKS if ascii_only else SPARKS
        text += " " + "".join(" " if level is None else signs[level] for level in row.trend)
    if width >= _RECLAIM_FROM:
        text += " " + _cut(row.reclaim.value, _RECLAIM_CELLS, ascii_only=ascii_only)
    return _cut(
        f"{text} {held_by(row, _MOST_HOLDERS, past=view.past, of_container=view.lxcfs)}", width, ascii_only=ascii_only
    )
