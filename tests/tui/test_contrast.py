"""Whatever is written on the screen can be read in every theme that Textual ships, by the contrast of WCAG 2.2."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest
from rich.style import Style
from textual.geometry import Region
from textual.theme import BUILTIN_THEMES

from memtop.tui.app.app import MemtopApp
from tests.screenshots.__main__ import ALIVE, NEAR, QUEUE_WORKER
from tests.screenshots.still import Still, app_of

TEXT, BOLD = 4.5, 3.0
PICTURES = frozenset("─━│┃┌┐└┘├┤┬┴╭╮╯╰═▏▎▍▌▋▊▉█▁▂▃▄▅▆▇▒░▓·▔▕╌┊┈■")
"""Signs that draw lines, bars and areas, not text."""
NO_TEXT = {
    *("chart--anon", "chart--file", "chart--shmem"),
    *("option-list--separator", "option-list--option-disabled"),
    *("input--cursor", "chart--cursor"),
}
"""Styles of areas and lines, and of what is in none of our lists."""
BRAILLE = 0x2800


def linear(channel: int) -> float:
    part = channel / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def contrast(style: Style) -> float | None:
    if style.color is None or style.bgcolor is None or not (style.color.triplet and style.bgcolor.triplet):
        return None
    pair = [
        sum(weight * linear(part) for weight, part in zip((0.2126, 0.7152, 0.0722), triplet, strict=True))
        for triplet in (style.color.triplet, style.bgcolor.triplet)
    ]
    return (max(pair) + 0.05) / (min(pair) + 0.05)


def unreadable(app: MemtopApp, region: Region) -> Iterator[str]:
    for strip in app.screen._compositor.render_strips(app.size)[region.y : region.bottom]:
        for segment in strip.crop(region.x, region.right):
            letters = (letter for letter in segment.text if letter not in PICTURES and ord(letter) < BRAILLE)
            words, style = "".join(letters).strip(), segment.style
            found = contrast(style) if style is not None and words else None
            if found is not None and style is not None and found < (BOLD if style.bold else TEXT):
                yield f"{found:.2f}: {words}"


def unreadable_styles(app: MemtopApp) -> Iterator[str]:
    """The styles that our widgets may use at any time, whether or not they are in use now."""
    for widget in app.screen.query("*"):
        names: set[str] = getattr(type(widget), "COMPONENT_CLASSES", set())
        for name in names if type(widget).__module__.startswith("memtop.") else ():
            style = widget.get_component_rich_style(name)
            found = contrast(style)
            if name not in NO_TEXT and found is not None and found < (BOLD if style.bold else TEXT):
                yield f"{found:.2f}: {name}"


SCREENS = {
    "regions": Still("regions", "server", samples=ALIVE, pid=QUEUE_WORKER, keys=("1",)),
    "groups and machine": Still("groups", "incident", samples=NEAR, keys=("b", "6")),
    "help": Still("help", "server", samples=ALIVE, keys=("question_mark",)),
    "incidents": Still("incidents", "incident", samples=NEAR, keys=("exclamation_mark", "exclamation_mark")),
}


@pytest.mark.parametrize("name", SCREENS)
async def test_all_that_is_written_can_be_read_in_every_theme(name: str) -> None:
    still = SCREENS[name]
    app = app_of(still)
    found: dict[str, set[str]] = {}
    with mock.patch("platform.node", return_value="web-7"):
        async with app.run_test(size=(92, 40)) as pilot:
            await pilot.press(*still.keys)
            for theme in BUILTIN_THEMES.values():
                if not theme.ansi:  # colors of the terminal, which nobody knows here
                    app.theme = theme.name
                    await pilot.pause()  # the style sheet is applied,
                    await pilot.pause()  # and the labels are drawn again
                    # What is behind a dialog is meant to be dim.
                    region = app.screen.query_one(".dialog").region if app.screen.is_modal else app.screen.region
                    words = {*unreadable(app, region), *unreadable_styles(app)}
                    found |= {theme.name: words} if words else {}
    assert not found
