"""Whatever is written on the screen can be read in every theme that Textual ships, by the contrast of WCAG 2.2."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar

import pytest
from rich.style import Style
from textual.command import CommandList
from textual.geometry import Region
from textual.pilot import Pilot
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES

from memtop.columns import columns_of
from memtop.tui import dialogs
from memtop.tui.app.app import MemtopApp
from memtop.tui.app.bindings import THEMES
from memtop.tui.bars.footer import StatusBar
from memtop.tui.dialogs.column_chooser import ColumnChooser
from memtop.tui.dialogs.dialog import Choice, Menu, Prompt
from memtop.tui.dialogs.ended_list import EndedList
from memtop.tui.dialogs.help import Help
from memtop.tui.dialogs.incident_list import IncidentList
from memtop.tui.dialogs.palette import Palette
from memtop.tui.dialogs.topic_viewer import TopicViewer
from tests.screenshots.__main__ import ALIVE, NEAR, ORDERS_API, QUEUE_WORKER
from tests.screenshots.still import Still, app_of, named

TEXT, BOLD = 4.5, 3.0
PICTURES = frozenset("─━│┃┌┐└┘├┤┬┴╭╮╯╰═▏▎▍▌▋▊▉█▁▂▃▄▅▆▇▒░▓·▔▕╌┊┈■")
"""Signs that draw lines, bars and areas, not text."""
NO_TEXT = {
    *("chart--anon", "chart--file", "chart--shmem"),
    *("option-list--separator", "input--cursor", "chart--cursor"),
}
"""Styles of areas and lines."""
BRAILLE = 0x2800


def linear(channel: int) -> float:
    part = channel / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


@cache
def contrast(style: Style) -> float | None:
    if style.color is None or style.bgcolor is None or not (style.color.triplet and style.bgcolor.triplet):
        return None
    pair = [
        sum(weight * linear(part) for weight, part in zip((0.2126, 0.7152, 0.0722), triplet, strict=True))
        for triplet in (style.color.triplet, style.bgcolor.triplet)
    ]
    return (max(pair) + 0.05) / (min(pair) + 0.05)


def unreadable(screen: Screen[object], region: Region) -> Iterator[str]:
    for strip in screen._compositor.render_strips(screen.app.size)[region.y : region.bottom]:
        for segment in strip.crop(region.x, region.right):
            letters = (letter for letter in segment.text if letter not in PICTURES and ord(letter) < BRAILLE)
            words, style = "".join(letters).strip(), segment.style
            found = contrast(style) if style is not None and words else None
            if words and style is not None and style.dim:
                yield f"dimmed: {words}"
            if found is not None and style is not None and found < (BOLD if style.bold else TEXT):
                yield f"{found:.2f}: {words}"


def unreadable_styles(screen: Screen[object]) -> Iterator[str]:
    """The styles that our widgets may use at any time, whether or not they are in use now."""
    for widget in screen.query("*"):
        if not type(widget).__module__.startswith("memtop."):
            continue
        for name in {name for base in type(widget).__mro__ for name in getattr(base, "COMPONENT_CLASSES", ())}:
            style = widget.get_component_rich_style(name)
            found = contrast(style)
            if name not in NO_TEXT and found is not None and found < (BOLD if style.bold else TEXT):
                yield f"{found:.2f}: {name}"


SCREENS = {
    "regions": Still("regions", "server", samples=ALIVE, pid=QUEUE_WORKER, keys=("1",)),
    "groups and machine": Still("groups", "incident", samples=NEAR, keys=("b", "6")),
    "filter and notice": Still("filter", "server", samples=ALIVE, pid=QUEUE_WORKER, keys=("y", "slash", *"rss>x")),
    "the end of a process": Still("gone", "incident", pid=ORDERS_API),
}


def dialogs_of(app: MemtopApp) -> list[Screen[Any]]:
    """One dialog of each class that draws something of its own, and empty lists."""
    frame = app.frame
    assert frame is not None and frame.incidents is not None
    return [
        Help((), THEMES),
        IncidentList(frame.incidents, frame.at_s),
        EndedList(()),
        ColumnChooser(app.view.columns, columns_of(groups=False)),
        TopicViewer("virt", {}, "VIRT is no danger."),
        Menu("Sort by", [Choice("RES", 1, "r"), Choice("VIRT", 2)], "The column"),
        Prompt("Delay", float, "1", says="From 0.1 to 60."),
        Palette(),
    ]


async def unreadable_by_theme(app: MemtopApp, pilot: Pilot[None]) -> dict[str, set[str]]:
    """What cannot be read, in each theme in which something cannot."""
    found: dict[str, set[str]] = {}
    for theme in BUILTIN_THEMES.values():
        if theme.ansi:  # colors of the terminal, which are unknown here
            continue
        app.theme = theme.name
        await pilot.pause()  # the style sheet is applied,
        await pilot.pause()  # and the labels are drawn again
        words: set[str] = set()
        for screen in app.screen_stack[1:] or app.screen_stack:  # what is behind a dialog is meant to be dim
            boxes = [*screen.query(".dialog, #--container")]
            words |= {*unreadable(screen, boxes[0].region if boxes else screen.region), *unreadable_styles(screen)}
        found |= {theme.name: words} if words else {}
    return found


@pytest.mark.parametrize("name", SCREENS)
async def test_all_that_is_written_can_be_read_in_every_theme(name: str) -> None:
    still = SCREENS[name]
    app = app_of(still)
    with named("web-7"):
        async with app.run_test(size=(92, 40), notifications=True) as pilot:
            await pilot.press(*still.keys)
            assert not await unreadable_by_theme(app, pilot)


async def test_every_dialog_can_be_read_in_every_theme() -> None:
    app = app_of(Still("dialogs", "incident", samples=NEAR))
    async with app.run_test(size=(92, 40)) as pilot:
        opened = dialogs_of(app)
        for dialog in opened:
            await app.push_screen(dialog)
            dialog.styles.background = "black"  # one that lets the screen below shine through would draw all of them
            await pilot.pause()
        while not opened[-1].query_one(CommandList).option_count:
            await pilot.pause(0.01)
        modules = [import_module(module.name) for module in iter_modules(dialogs.__path__, f"{dialogs.__name__}.")]
        classes = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
        own = {each for each in classes if each.__module__.startswith("memtop.") and "compose" in vars(each)}
        assert own <= {type(dialog) for dialog in opened}, "a dialog that is not looked at"
        assert not await unreadable_by_theme(app, pilot)


async def test_a_style_that_cannot_be_read_is_found() -> None:
    class Faint(StatusBar):
        COMPONENT_CLASSES: ClassVar[set[str]] = {"faint--new"}
        DEFAULT_CSS = "Faint > .faint--new { color: $foreground 10%; }"

    Faint.__module__ = "memtop.tui.bars.faint"
    app = app_of(Still("faint", "server", samples=2))
    async with app.run_test(size=(92, 40)) as pilot:
        await app.screen.mount(Faint())
        await pilot.pause()
        assert any("faint--new" in each for each in unreadable_styles(app.screen))
