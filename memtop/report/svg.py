"""Draws the chart of a report as SVG: RES by its parts, VIRT, limits, forecast and events, with a clock below.

The numbers are ours; every text goes through an escaping function. Colors are variables of the page's style sheet.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from memtop import units
from memtop.model.detail import Detail
from memtop.report.facts import Report

WIDTH, HEIGHT = 860, 300
_LEFT, _RIGHT, _TOP, _FOOT = 64, 16, 14, 28
_ONE_SCALE: Final = 8.0
"""VIRT over RES up to which both share the scale; above, VIRT is left out and said in words."""
_AHEAD_SHARE: Final = 0.2
_TICKS: Final = 5
_LABEL: Final = 13
"""Height of a label."""
_LABEL_CELLS: Final = 30
_CELL: Final = 6.5
"""Width of a character of a label, at most, on average."""
_EVENT_ROWS: Final = 4
"""Labels of events that stand below each other where they are near."""
_AFTER_S: Final = 60.0
_LONG_S: Final = 20 * 3600.0
"""A chart of so much time has dates."""


def chart(report: Report, escape: Callable[[str], str]) -> str:
    """The SVG element; empty where fewer than two points are known."""
    detail = report.detail
    if detail is None or sum(value is not None for value in detail.series.rss_bytes) < 2:
        return ""
    return "".join(_Chart(report, detail, escape).draw())


class _Chart:
    def __init__(self, report: Report, detail: Detail, escape: Callable[[str], str]) -> None:
        self.report, self.detail, self.escape = report, detail, escape
        series = detail.series
        known = [number for number, value in enumerate(series.rss_bytes) if value is not None]
        self.slice = slice(known[0], known[-1] + 1)
        self.times = series.times_s[self.slice]
        self.rss = series.rss_bytes[self.slice]
        virt = series.virt_bytes[self.slice]
        highest_rss = max(value for value in self.rss if value is not None)
        highest_virt = max((value for value in virt if value is not None), default=0.0)
        self.virt = virt if highest_virt <= _ONE_SCALE * highest_rss else ()
        inside = [limit for _, limit in report.limits if limit <= 4 * highest_rss]
        highest = max([highest_rss, *(value for value in self.virt if value is not None), *inside])
        self.high = _nice(highest * 1.05)
        self.first, self.last = self.times[0], self.times[-1]
        ends = [mark.at_s for mark in report.marks if 0 < mark.at_s - self.last <= _AFTER_S]
        self.last = max([self.last, *ends])  # a process ends after its last sample
        span = max(1.0, self.last - self.first)
        self.ahead = span * _AHEAD_SHARE if report.forecast is not None and not detail.gone else 0.0

    def x(self, at_s: float) -> float:
        whole = max(1.0, self.last - self.first) + self.ahead
        return _LEFT + (at_s - self.first) / whole * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - _FOOT - min(max(value / self.high, 0.0), 1.0) * (HEIGHT - _FOOT - _TOP)

    def draw(self) -> Iterable[str]:
        label = self.escape(f"RES of {self.detail.row.program} over time")
        yield f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        yield from self._axes()
        yield from self._areas()
        if self.virt:
            yield self._line(self.virt, "virt")
        yield self._line(self.rss, "res")
        yield from self._levels()
        yield from self._forecast()
        yield from self._events()
        yield "</svg>"

    def _axes(self) -> Iterable[str]:
        for number in range(_TICKS + 1):
            value = self.high * number / _TICKS
            y = self.y(value)
            yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="tick" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{units.size(value)}</text>'
        for number in range(_TICKS + 1):
            at_s = self.first + (self.last - self.first) * number / _TICKS
            form = "%m-%d %H:%M" if self.last - self.first > _LONG_S else "%H:%M:%S"
            clock = time.strftime(form, time.localtime(self.detail.window.right_edge_s + at_s))
            anchor = {0: "start", _TICKS: "end"}.get(number, "middle")
            yield f'<text class="tick" text-anchor="{anchor}" x="{self.x(at_s):.1f}" y="{HEIGHT - 8}">{clock}</text>'

    def _areas(self) -> Iterable[str]:
        """Shared memory and files below, anonymous memory up to RES, as on the screen."""
        anon = self.detail.series.anon_bytes[self.slice]
        shared = [
            None if whole is None else max(0.0, whole - part) if part is not None else whole
            for whole, part in zip(self.rss, anon, strict=True)
        ]
        yield self._area(self.rss, "anon")
        yield self._area(shared, "file")

    def _area(self, values: Sequence[float | None], name: str) -> str:
        pairs = zip(self.times, values, strict=True)
        points = [(self.x(at_s), self.y(value)) for at_s, value in pairs if value is not None]
        if len(points) < 2:
            return ""
        foot = self.y(0.0)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in [(points[0][0], foot), *points, (points[-1][0], foot)])
        return f'<polygon class="{name}" points="{path}"/>'

    def _line(self, values: Sequence[float | None], name: str) -> str:
        runs: list[list[str]] = [[]]
        for at_s, value in zip(self.times, values, strict=True):
            if value is None:
                runs.append([])
            else:
                runs[-1].append(f"{self.x(at_s):.1f},{self.y(value):.1f}")
        return "".join(f'<polyline class="{name}" points="{" ".join(run)}"/>' for run in runs if len(run) > 1)

    def _levels(self) -> Iterable[str]:
        levels = [(name, limit, "limit") for name, limit in self.report.limits]
        peak = self.detail.row.peak_rss_bytes
        if peak:
            levels.append(("peak", float(peak), "peak"))
        written: list[float] = []
        for name, value, kind in levels:
            if 0 < value <= self.high and math.isfinite(value):
                y = self.y(value)
                yield f'<line class="{kind}" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                text = self.escape(f"{name} {units.long_size(value)}")
                near = [other for other in written if abs(y - other) < _LABEL + 4]  # one over the other is unreadable
                x = _LEFT + 6 + len(near) * (WIDTH - _LEFT - _RIGHT) / 3
                below = near and y >= max(near)  # where the line above would strike it through
                yield f'<text class="{kind}-text" x="{x:.1f}" y="{y + 11 if below else y - 4:.1f}">{text}</text>'
                written.append(y)

    def _forecast(self) -> Iterable[str]:
        if not self.ahead or self.report.forecast is None:
            return
        now = next(value for value in reversed(self.rss) if value is not None)
        corners = [(self.x(self.last), self.y(now))]
        forecast = self.report.forecast
        for is_fast, end_s in ((True, forecast.earliest_s), (False, forecast.latest_s)):
            after_s = min(self.ahead, end_s)
            corners.append((self.x(self.last + after_s), self.y(now + forecast.rises_bytes(after_s)[is_fast])))
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        yield f'<polygon class="forecast" points="{path}"/>'

    def _events(self) -> Iterable[str]:
        taken = [-math.inf] * _EVENT_ROWS
        """Where the last label in each row ends."""
        for mark in self.report.marks:
            if not self.first <= mark.at_s <= self.last:
                continue
            x = self.x(mark.at_s)
            yield f'<line class="event" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _FOOT}"/>'
            label = (mark.label or mark.kind)[:_LABEL_CELLS]
            width = _CELL * len(label)
            is_left = x + 4 + width > WIDTH - _RIGHT
            begins = x - 4 - width if is_left else x + 4
            row = next((number for number, end in enumerate(taken) if begins > end), None)
            if row is None:  # the line stays, and the table of events names it
                continue
            taken[row] = begins + width + _CELL
            anchor, at = ("end", x - 4) if is_left else ("start", x + 4)
            y = HEIGHT / 2 + row * _LABEL
            text = self.escape(label)
            yield f'<text class="event-text" text-anchor="{anchor}" x="{at:.1f}" y="{y:.1f}">{text}</text>'


def _nice(value: float) -> float:
    """A round size of at least ``value``, which :data:`_TICKS` divide into round sizes."""
    unit = 1024.0 ** max(0, int(math.log(max(value, 1.0), 1024)))
    for step in (5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 300, 350, 400, 500, 600, 750, 1000):
        if step * unit >= value:
            return step * unit
    return 5 * 1024 * unit
