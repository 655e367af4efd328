"""Rules for all of the screen: one scale of severity, one word for RES, one style of units in each place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from rich.color import Color
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import OptionList

from memtop.analysis.severity import Severity
from memtop.explain.severity_signs import DANGER_MARK, SIGNS, WARNING_MARK
from memtop.explain.topic_loader import topics
from memtop.tui.app.app import MemtopApp
from memtop.tui.drawing.cell_text import to_ascii
from tests.screenshots.__main__ import ALIVE, NEAR, ORDERS_API, QUEUE_WORKER
from tests.screenshots.still import Still, lines_of, settle, standing

STATES = (
    (Still("a leak", "incident", samples=NEAR, focus=ORDERS_API), ("", "enter", "3", "3 escape b")),
    (Still("an OOM kill", "incident", (80, 24), focus=ORDERS_API), ("", "enter")),
    (Still("a server", "server", samples=ALIVE, focus=QUEUE_WORKER), ("", "6", "enter 1", "2", "5", "5 left")),
)
"""What is recorded, and the keys pressed one after the other. After each group of them the screen is looked at."""
SHORT = re.compile(r"(?<![\w./-])\d+(?:\.\d+)?[KMGTPE]\b(?!i?B)")
"""A size as tables have it."""
LONG = re.compile(r"(?<![\w./-])\d+(?:\.\d+)? [KMGTPE]iB\b")
"""A size as sentences have it."""
IN_LETTERS = ("#header", "#chart", "#table", "#status", "#panel-status", "#regions-table", "VirtBar", "StackedBar")
"""Tables, charts and bars."""
IN_WORDS = ("#headline", "#side")
_GAP = 4
"""Cells of another color that end a text."""


class Piece(NamedTuple):
    """Cells of one line that belong together because of their color."""

    first: int
    last: int
    text: str


class Screen:
    """What is on the screen, and where."""

    def __init__(self, app: MemtopApp) -> None:
        self.app, self.strips = app, lines_of(app)

    def color(self, severity: Severity) -> Color:
        """The color of a severity in its theme."""
        return Color.parse(self.app.theme_variables[f"memtop-{severity.name.lower()}"])

    def pieces(self, y: int, color: Color) -> list[Piece]:
        """The texts of a line in a color.

        A line of the chart is one, because its fill hides parts of a limit; so is a row, which has one verdict.
        """
        whole = (self.app.chart.region, self.app.table.region)
        cells = [
            (x, text)
            for x, (text, style) in enumerate(_cells(self.strips[y]))
            if style is not None and style.color is not None and style.color.triplet == color.triplet and text.strip()
        ]
        found: list[Piece] = []
        for x, text in cells:
            goes_on = found and any(one.contains(x, y) and one.contains(found[-1].last, y) for one in whole)
            if found and (goes_on or x - found[-1].last <= _GAP):
                found[-1] = Piece(found[-1].first, x, found[-1].text + text)
            else:
                found.append(Piece(x, x, text))
        return found

    def lines(self, selector: str) -> Iterator[str]:
        """The text of the widgets, line by line."""
        for widget in self.app.screen.query(selector):
            region: Region = widget.region
            for y in range(region.y, region.bottom):
                yield self.strips[y].crop(region.x, region.right).text


def _cells(strip: Strip) -> Iterator[tuple[str, Style | None]]:
    for text, style, _ in strip:
        for character in text:
            yield character, style


@pytest.mark.parametrize(("still", "keys"), STATES, ids=[still.name for still, _ in STATES])
async def test_severity_units_and_words_follow_one_rule_in_all_places(still: Still, keys: tuple[str, ...]) -> None:
    async with standing(still) as (app, pilot):
        for group in keys:
            await pilot.press(*group.split())
            await settle(pilot, app)
            screen = Screen(app)
            _every_colored_text_has_its_sign(screen)
            _every_sign_of_danger_has_its_color(screen)
            _units_are_those_of_the_place(screen)
            _res_has_one_name(screen)


async def test_in_ascii_a_severity_has_one_sign_in_all_places() -> None:
    still = Still("a leak", "incident", (80, 24), samples=NEAR, focus=ORDERS_API, settings={"ascii": True})
    async with standing(still) as (app, _):
        screen, sign = Screen(app), to_ascii(DANGER_MARK)
        for selector, words in (("#headline", "orders-api"), ("#chart", "orders-api.service"), ("#side", "Growing")):
            assert any(f"{sign} {words}" in text for text in screen.lines(selector)), selector
        assert not any("?" in text for text in screen.lines("#chart"))


@pytest.mark.parametrize(("samples", "keys"), [(NEAR, ["exclamation_mark"] * 2), (Still.samples, ["D"])])
async def test_a_sign_under_the_cursor_of_a_list_stands_on_its_color(samples: int, keys: list[str]) -> None:
    async with standing(Still("a leak", "incident", samples=samples, focus=ORDERS_API)) as (app, pilot):
        await pilot.press(*keys)
        await settle(pilot, app)
        screen, box = Screen(app), app.screen.query_one(OptionList).content_region
        cells = [cell for y in range(box.y, box.bottom) for cell in _cells(screen.strips[y].crop(box.x, box.right))]
        (style,) = [style for text, style in cells if text == DANGER_MARK]
        assert style is not None and style.bgcolor is not None
        assert style.bgcolor.triplet == screen.color(Severity.DANGER).triplet


def _every_colored_text_has_its_sign(screen: Screen) -> None:
    for severity in (Severity.DANGER, Severity.WARNING):
        above: list[Piece] = []
        for y in range(len(screen.strips)):
            found = screen.pieces(y, screen.color(severity))
            good = [
                piece
                for piece in found
                if SIGNS[severity] in piece.text
                or any(one.first <= piece.last and piece.first <= one.last for one in above)
            ]
            assert good == found, (severity, screen.strips[y].text)
            above = good


def _every_sign_of_danger_has_its_color(screen: Screen) -> None:
    danger = screen.color(Severity.DANGER)
    for y, strip in enumerate(screen.strips):
        in_danger = sum(piece.text.count(DANGER_MARK) for piece in screen.pieces(y, danger))
        assert strip.text.count(DANGER_MARK) == in_danger, strip.text


def _units_are_those_of_the_place(screen: Screen) -> None:
    for selector in IN_LETTERS:
        for text in screen.lines(selector):
            assert not LONG.search(text), (selector, text)
    for selector in IN_WORDS:
        for text in screen.lines(selector):
            assert not SHORT.search(text), (selector, text)
    for text in screen.lines("#panels"):
        assert not (LONG.search(text) and SHORT.search(text)), text


def _res_has_one_name(screen: Screen) -> None:
    for selector in (*IN_WORDS, "#header", "#chart", "#table", "#panel-status", "#panel-limits", "#panel-machine"):
        for text in screen.lines(selector):
            assert "RSS" not in text, (selector, text)


def test_topics_spell_units_out_and_say_rss_only_of_mappings() -> None:
    """Sizes in code are what one types. 500 MB is the name of a lesson, which says that it means 500 MiB."""
    for topic in topics():
        prose = re.sub(r"`[^`]*`|500 MB", "", f"{topic.summary} {topic.body}")
        assert not SHORT.search(prose), topic.name
        assert not re.search(r"\d ?[KMGT]B\b", prose), topic.name
        if not topic.name.startswith(("region", "rss")):
            assert not re.search(r"\bRSS\b", prose), topic.name


def test_the_signs_in_the_column_of_verdicts_are_those_of_the_scale() -> None:
    from memtop.engine.assessment import row_marks  # noqa: PLC0415

    assert {row_marks.WARNING_SIGN, row_marks.DANGER_SIGN} == {WARNING_MARK, DANGER_MARK}
