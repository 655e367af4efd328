"""The parts of a widget look as with Textual's own style sheet, after whatever has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from textual.css.stylesheet import Stylesheet
from textual.widget import Widget

from memtop.settings import Settings
from memtop.tui.drawing.cached_lines import CachedLines
from memtop.tui.drawing.part_styles import PartStylesheet
from memtop.tui.terminal import safe_app
from memtop.tui.terminal.safe_app import SafeApp
from tests.tui.app.test_app import board

PARTS = ("plain", "of-focus", "of-class", "of-app", "of-id", "without-rules")


class Parted(CachedLines, can_focus=True):
    COMPONENT_CLASSES: ClassVar[set[str]] = set(PARTS)
    DEFAULT_CSS = """
    Parted {
        & > .plain { color: $primary; }
        &:focus > .of-focus { color: $error; }
        &.-loud > .of-class { text-style: bold; }
        &#other > .of-id { text-style: italic; }
    }
    """


class PartedApp(SafeApp):
    CSS = "PartedApp.-small .of-app { text-style: underline; } Parted * { tint: red; }"

    def compose(self) -> Iterator[Widget]:
        yield Parted(id="one")
        yield Parted(id="other")


class UniversalApp(PartedApp):
    """Every part of it may change with a class."""

    CSS = ".-small * { text-style: strike; } Parted:focus * { color: red; }"


Rules = dict[tuple[str | None, str], Any]


def rules(app: SafeApp) -> Rules:
    """The rules of all parts of our widgets."""
    return {
        (widget.id, name): widget.get_component_styles(name).base.get_rules()
        for widget in app.query(CachedLines)
        for kind in type(widget).__mro__
        for name in sorted(kind.__dict__.get("COMPONENT_CLASSES", ()))
    }


def themed(app: PartedApp, theme: str) -> PartedApp:
    app.theme = theme
    return app


CHANGES: dict[str, Callable[[PartedApp], object]] = {
    "the focus": lambda app: app.query_one("#other").focus(),
    "no focus": lambda app: app.set_focus(None),
    "a class of the widget": lambda app: app.query_one("#one").add_class("-loud"),
    "a class of the application": lambda app: app.add_class("-small"),
    "the theme": lambda app: themed(app, "nord"),
    "the theme and a class": lambda app: themed(app, "textual-light").add_class("-small"),
}


@pytest.mark.parametrize("kind", [PartedApp, UniversalApp])
@pytest.mark.parametrize("change", CHANGES)
async def test_parts_look_the_same_after_a_change_whether_or_not_they_were_drawn_before(
    monkeypatch: pytest.MonkeyPatch, change: str, kind: type[PartedApp]
) -> None:
    seen: dict[bool, list[Rules]] = {True: [], False: []}
    for sheet, drawn in ((PartStylesheet, True), (PartStylesheet, False), (Stylesheet, True)):
        monkeypatch.setattr(safe_app, "PartStylesheet", sheet)
        app = kind()
        async with app.run_test() as pilot:
            for step in (CHANGES[change], lambda app: themed(app, "textual-dark").remove_class("-small")):
                if drawn:
                    rules(app)
                step(app)
                await pilot.pause()
                seen[sheet is Stylesheet].append(rules(app))
    assert seen[False] == seen[True] * 2
    assert len(seen[True][0]) == 2 * len(PARTS)


@pytest.mark.parametrize("change", ["the focus", "a class of the application", "the theme"])
async def test_a_part_that_changes_is_drawn_again(change: str) -> None:
    app = PartedApp()
    async with app.run_test() as pilot:
        other = app.query_one("#other", Parted)
        before = [other.style_of(name) for name in PARTS]
        CHANGES[change](app)
        await pilot.pause()
        assert [other.style_of(name) for name in PARTS] != before


async def test_what_only_types_decide_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    styled: list[str] = []
    style = PartStylesheet.style_part

    def noted(sheet: PartStylesheet, node: Any, name: str) -> Any:
        styled.append(name)
        return style(sheet, node, name)

    monkeypatch.setattr(PartStylesheet, "style_part", noted)
    app = PartedApp()
    async with app.run_test() as pilot:
        assert not styled, "they were not asked for"
        one = app.query_one("#one", Parted)
        one.get_component_styles("plain", "of-class")
        one.add_class("-loud")
        await pilot.pause()
        assert styled.count("of-class") == 2
        assert styled.count("plain") == 1


async def test_all_parts_of_the_screen_look_as_they_should(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for sheet in (PartStylesheet, Stylesheet):
        monkeypatch.setattr(safe_app, "PartStylesheet", sheet)
        async with board(Settings(pids=(10,), delay_s=60)) as it:
            await it.press("1", "m")
            seen.append(rules(it.app))
    assert seen[0] == seen[1]
    assert len(seen[0]) > 30
