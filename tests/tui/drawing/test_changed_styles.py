"""Widgets look as with Textual's own style sheet after any change, and those that stay are not styled again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.containers import Vertical
from textual.css.stylesheet import Stylesheet
from textual.widget import Widget
from textual.widgets import Button, Static

from memtop.settings import Settings
from memtop.tui.drawing.part_styles import PartStylesheet
from memtop.tui.terminal import safe_app
from memtop.tui.terminal.safe_app import SafeApp
from tests.tui.app.test_app import board


class StyledApp(SafeApp):
    CSS = """
    StyledApp.-small #text { padding: 1; }
    #box.-loud { background: red; }
    #box.-loud Button { text-style: italic; }
    #box:focus-within #text { text-style: bold; }
    #box:disabled #text { text-style: strike; }
    #text.-own { margin: 1; }
    Static:last-child { padding: 0 2; }
    #high { height: 5; }
    #high.-full { height: 3; }
    #high Static { height: 4; }
    """

    def compose(self) -> Iterator[Widget]:
        with Vertical(id="box"):
            yield Static("text", id="text")
            yield Button("first", id="first")
        yield Button("other", id="other")
        with Vertical(id="high"):
            yield Static("one")
            yield Static("two")


Rules = list[tuple[str | None, str]]


def rules(app: SafeApp) -> Rules:
    """The rules of all widgets, from top to bottom; a layout equals only itself, but its name says what it is."""
    return [
        (widget.id, repr(sorted(widget.styles.base.get_rules().items())))
        for widget in app.screen.walk_children(with_self=True)
    ]


def on(selector: str, change: Callable[[Any], object]) -> Callable[[StyledApp], object]:
    return lambda app: change(app.query_one(selector))


CHANGES: dict[str, Callable[[StyledApp], object]] = {
    "a class of the application": lambda app: app.add_class("-small"),
    "a class of a container": on("#box", lambda box: box.add_class("-loud")),
    "a class of the widget": on("#text", lambda text: text.add_class("-own")),
    "a class without rules": lambda app: app.add_class("-any"),
    "the focus": on("#first", Widget.focus),
    "a container that is disabled": on("#box", lambda box: setattr(box, "disabled", True)),
    "another last child": on("#high", lambda high: high.mount(Static("three"))),
    "a scrollbar that goes and comes": on("#high", lambda high: high.add_class("-full")),
    "the theme": lambda app: setattr(app, "theme", "nord"),
    "new rules": lambda app: app.mount(Button("new")),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_widgets_look_the_same_after_a_change(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    seen: list[list[Rules]] = []
    for sheet in (PartStylesheet, Stylesheet):
        monkeypatch.setattr(safe_app, "PartStylesheet", sheet)
        app = StyledApp()
        async with app.run_test() as pilot:
            CHANGES[change](app)
            await pilot.pause()
            changed = rules(app)
            app.set_focus(app.query_one("#other"))
            app.set_class(True, "-small").query_one("#box").set_class(False, "-loud").disabled = False
            app.query_one("#text").remove_class("-own")
            await pilot.pause()
            seen.append([changed, rules(app)])
    assert seen[0] == seen[1]


async def test_only_what_a_change_concerns_is_styled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    styled: list[str] = []
    apply = PartStylesheet.apply

    def noted(sheet: PartStylesheet, node: Any, **how: Any) -> None:
        styled.append(node.id)
        apply(sheet, node, **how)

    app = StyledApp()
    async with app.run_test():
        monkeypatch.setattr(PartStylesheet, "apply", noted)
        for changed, name, expected in ((app, "-small", {"text"}), (app.query_one("#box"), "-loud", {"box", "first"})):
            changed.add_class(name)
            assert {*styled} == expected
            styled.clear()


async def test_a_widget_takes_the_new_color_of_what_is_behind_it() -> None:
    app = StyledApp()
    async with app.run_test():
        text = app.query_one("#text")
        before = text.rich_style, text.visual_style
        app.query_one("#box").add_class("-loud")
        assert text.rich_style.bgcolor is not None and text.rich_style.bgcolor.triplet == (255, 0, 0)
        assert text.rich_style != before[0] and text.visual_style != before[1]


async def test_the_whole_screen_looks_as_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for sheet in (PartStylesheet, Stylesheet):
        monkeypatch.setattr(safe_app, "PartStylesheet", sheet)
        async with board(Settings(pids=(10,), delay_s=60), size=(80, 24)) as it:
            await it.press("1", "m", "tab", "slash")
            await it.pilot.resize_terminal(120, 40)
            await it.pilot.pause()
            seen.append(rules(it.app))
    assert seen[0] == seen[1]
    assert len(seen[0]) > 20
