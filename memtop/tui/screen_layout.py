"""Layout of the screen: the sizes at which it changes, the place of the table, and what gives way on small screens."""

from __future__ import annotations

from typing import Final, NamedTuple

WIDE_FROM: Final = 160
"""Columns from which the sentences have longer lines."""
NARROW_BELOW: Final = 100
"""Columns below which the sentences are under the chart."""
SHORT_BELOW: Final = 30
"""Lines below which panels and charts share their place."""
MEDIUM_BELOW: Final = 39
"""Lines below which a high panel would leave the chart of a watched process fewer than ten lines."""
HIGH_FROM: Final = 56
"""Lines from which sentences under the chart have room to be whole."""
LOW_BELOW: Final = 24
"""Lines below which a watched process has no frame around its chart, and sentences take what the chart leaves."""
_LEAST_UPPER: Final = 15
"""Lines of the charts in which the plot has ten rows: frame, numbers, time axis and faults are the others."""
_LEAST_UPPER_NARROW: Final = _LEAST_UPPER + 4
"""Those, and sentences below the charts."""
_LEAST_UPPER_HIGH: Final = _LEAST_UPPER + 16
"""The same where the sentences are whole."""
BARS_LINES: Final = 3
"""Headline, header and footer."""
_LEAST_CHART: Final = 12
"""Lines of a chart without a frame in which the plot has ten rows: numbers and time axis are the others."""
_FRAME_LINES: Final = 2
ANSWERS: Final = 3
"""Lines of sentences below a chart, one for each answer."""
_LEAST_TABLE: Final = 2
"""Lines of a table beside a watched process: its heading and the row under the cursor."""
SPARE_LINES: Final = 1
"""Blank lines under a short list, so that one more process does not move the chart."""
SHRINKS_AFTER_S: Final = 5.0
"""How long a list is shorter before the chart takes its place. Processes that come and go do not move the chart."""
TINY_BELOW: Final = (60, 16)
"""Columns and lines below which only the chart and its line of facts are shown."""
DOT_BELOW: Final = (30, 6)
"""Columns and lines below which only that line is shown."""
LINES_WITH_HEADLINE: Final = 2
"""Lines from which there is a headline above the line of facts."""


def size_classes(width: int, height: int) -> dict[str, bool]:
    """The classes of app.tcss for a screen of ``width`` columns and ``height`` lines, and which of them it has."""
    return {
        "-wide": width >= WIDE_FROM,
        "-narrow": width < NARROW_BELOW,
        "-short": height < SHORT_BELOW,
        "-high": height >= HIGH_FROM,
        "-medium": SHORT_BELOW <= height < MEDIUM_BELOW,
        "-low": height < LOW_BELOW,
        "-tiny": width < TINY_BELOW[0] or height < TINY_BELOW[1],
        "-dot": width < DOT_BELOW[0] or height < DOT_BELOW[1],
        "-line": height < LINES_WITH_HEADLINE,
    }


class SteadyCount:
    """The rows that a table has lines for: more at once, fewer only after there were fewer for a while."""

    def __init__(self) -> None:
        self._of: object = None
        self._most = 0
        self._lately = 0
        """The most since there are fewer."""
        self._fewer_from_s = 0.0

    def count(self, of: object, rows: int, now_s: float) -> int:
        """The number for a list of ``rows`` at ``now_s`` (monotonic clock). ``of`` is what is listed."""
        if of != self._of or rows >= self._most:
            self._of, self._most, self._lately, self._fewer_from_s = of, rows, 0, now_s
            return rows
        self._lately = max(self._lately, rows)
        if now_s - self._fewer_from_s >= SHRINKS_AFTER_S:
            self._most, self._lately, self._fewer_from_s = self._lately, 0, now_s
        return self._most


class GivenWay(NamedTuple):
    """What gives way to the ten rows of the plot of a watched process."""

    table: bool = False
    header: bool = False
    sentences: int = 0
    """Lines that are left for the sentences where they are below the chart; 0 for as many as app.tcss gives them."""
    frame: bool = False
    """The lower edge of the frames, where the sentences are beside the chart."""


def given_way(width: int, height: int, *, wanted: int, bars: int, header_stays: bool) -> GivenWay:
    """What a screen of ``width`` x ``height`` has no lines for, beside ten rows of plot and no panel.

    The frame of the chart and the faults give way first, as app.tcss lays it out; then the table, then the header,
    then the sentences, of which the first answer stays. The headline and the footer stay.

    ``wanted`` are the lines of the sentences, ``bars`` those of the timeline and of the filter. ``header_stays``: it
    says that the numbers are not those of now, or that they are recorded.
    """
    narrow = width < NARROW_BELOW
    spare = height - BARS_LINES - bars - _LEAST_CHART - (wanted if narrow else _FRAME_LINES)
    header = spare < 0 and not header_stays
    missing = max(0, -spare - header)
    sentences = max(1, wanted - missing) if narrow and missing else 0
    return GivenWay(spare < _LEAST_TABLE, header, sentences, frame=not narrow and missing > 0)


def header_gives_way(width: int, height: int, rows: int, *, one: bool, stays: bool) -> bool:
    """Whether a screen without a panel has no line for the header; ``one`` as for :func:`table_top`."""
    return one and rows == 1 and given_way(width, height, wanted=ANSWERS, bars=0, header_stays=stays).header


def table_top(width: int, height: int, rows: int, *, one: bool) -> int | None:
    """The line of a screen on which the heading of the table is, from 0, as app.tcss lays it out; None without a table.

    ``one``: certain processes were given, so the chart is large and the table is no higher than its rows.
    """
    if one and rows == 1 and height < LOW_BELOW:
        return None
    if one:
        share = 0.2 if height < MEDIUM_BELOW else 0.3
        return height - 1 - max(2, min(rows + 1, int((height - 1) * share)))
    return height - 1 - min(table_room(width, height), rows + 1 + SPARE_LINES)


def table_room(width: int, height: int, *, panel_share: float = 0.0) -> int:
    """Lines that app.tcss gives to a table with many rows on a screen of ``width`` x ``height``.

    ``panel_share``: the part of the screen that the open panel takes, 0.0 if none is open.
    """
    narrow, rest = width < NARROW_BELOW, height - BARS_LINES
    whole = height - 1  # shares are of what the footer leaves
    if height < SHORT_BELOW:
        return int(height * 0.3) if panel_share else rest - max(9, int(whole * (0.55 if narrow else 0.5)))
    least = _LEAST_UPPER_NARROW if narrow else _LEAST_UPPER
    if panel_share:
        panel = int(height * panel_share)
        if height < MEDIUM_BELOW:
            panel = min(panel, 6 if narrow else 9)
        elif narrow:
            panel = min(panel, max(12, int(whole * 0.3)))
        return rest - max(least, int(whole * 0.4)) - panel
    if narrow and height >= HIGH_FROM:
        least = _LEAST_UPPER_HIGH
    return rest - max(least, int(whole * 0.45))
