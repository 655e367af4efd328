"""What is drawn with 16 colors can be read, and an alarm keeps its color."""

from __future__ import annotations

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from memtop.tui import colors
from memtop.tui.colors import contrast
from memtop.tui.drawing.sixteen_filter import SixteenColors

BLACK = Color(0, 0, 0)


def drawn(style: Style) -> tuple[int | None, int | None]:
    """The numbers of the two colors that the terminal shows."""
    [(_, found, _)] = SixteenColors().apply([Segment("words", style)], BLACK)
    assert found is not None and found.color is not None and found.bgcolor is not None
    front, ground = (color.downgrade(ColorSystem.STANDARD).number for color in (found.color, found.bgcolor))
    return front, ground


@pytest.mark.parametrize("theme", [one for one in BUILTIN_THEMES.values() if not one.ansi], ids=lambda one: one.name)
def test_every_pair_of_text_and_ground_can_be_read_in_sixteen_colors(theme: Theme) -> None:
    system = theme.to_color_system().generate()
    grounds = [Color.parse(system[name]).hex for name in ("background", "surface", "panel")]
    for text in colors.variables(theme).values():
        for ground in grounds:
            pair = drawn(Style(color=Color.parse(text).hex, bgcolor=ground))
            one, other = (Color(*RichColor.from_ansi(number or 0).get_truecolor()) for number in pair)
            assert contrast(one, other) >= 2.5, (text, ground)


def test_an_alarm_keeps_its_color_and_the_terminals_own_colors_stay() -> None:
    assert drawn(Style(color="#ff5555", bgcolor="#555555")) == (9, 0), "red on gray cannot be read"
    assert drawn(Style(color="#aa0000", bgcolor="#000000")) == (9, 0), "dark red on black neither"
    assert drawn(Style(color="default", bgcolor="default")) == (None, None)


@pytest.mark.parametrize("color", ["#808000", "#008000", "#008080", "#ffff00"])
def test_yellow_green_and_cyan_on_white_get_another_ground_because_those_of_xterm_are_light(color: str) -> None:
    front, ground = drawn(Style(color=color, bgcolor="#ffffff"))
    xterm = {2: "#00cd00", 3: "#cdcd00", 6: "#00cdcd", 11: "#ffff00", 0: "#000000", 15: "#ffffff"}
    assert front is not None and ground is not None
    assert contrast(Color.parse(xterm[front]), Color.parse(xterm[ground])) >= 2.5
