"""The colors that carry meaning stay apart: in every theme, with 16 colors, and for color-blind users."""

from __future__ import annotations

from itertools import combinations

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from memtop.tui import colors

# Viénot, Brettel and Mollon (1999): what linear RGB becomes for protanopes and deuteranopes.
DICHROMATS = {
    "protanope": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deuteranope": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}
THEMES = list(BUILTIN_THEMES.values())


def linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def seen(colour: Color, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    """Linear RGB as such a reader sees it."""
    rgb = [linear(channel) for channel in colour.normalized]
    return tuple(sum(weight * channel for weight, channel in zip(row, rgb, strict=True)) for row in matrix)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_theme_gives_every_colour(theme: Theme) -> None:
    found = colors.variables(theme)
    names = ("virt", "res", "danger", "warning", "note", "text", "muted", "anon", "file")
    assert set(found) == {f"memtop-{name}" for name in names}
    assert Color.parse(found["memtop-virt"]) != Color.parse(found["memtop-res"])
    assert not any("$" in value for value in found.values())


@pytest.mark.parametrize("theme", [theme for theme in THEMES if not theme.ansi], ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_ground_and_areas_differ_from_what_is_beside_them(theme: Theme) -> None:
    found = {name: Color.parse(value) for name, value in colors.variables(theme).items()}
    system = theme.to_color_system().generate()
    background, *others = (Color.parse(system[name]) for name in ("background", "surface", "panel"))
    for name in ("virt", "res", "danger", "warning", "note", "text", "muted"):
        for ground in (background, *others):
            assert contrast(found[f"memtop-{name}"], ground) >= 4.5, name  # WCAG 1.4.3
    anon, file = found["memtop-anon"], found["memtop-file"]
    for one, other in ((anon, file), (anon, background), (file, background)):
        assert contrast(one, other) >= 2.5


def contrast(one: Color, other: Color) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Color) -> float:
    red, green, blue = map(linear, colour.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("reader", DICHROMATS)
def test_data_colours_stay_apart_for_colour_blind_readers(reader: str, dark: bool) -> None:
    found = colors.variables(BUILTIN_THEMES["textual-dark" if dark else "textual-light"])
    virt, res = (seen(Color.parse(found[name]), DICHROMATS[reader]) for name in ("memtop-virt", "memtop-res"))
    assert max(abs(a - b) for a, b in zip(virt, res, strict=True)) > 0.25


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_data_colours_stay_apart_in_sixteen_colours(theme: str) -> None:
    found = colors.variables(BUILTIN_THEMES[theme])
    numbers = [
        RichColor.parse(found[name]).downgrade(ColorSystem.STANDARD).number for name in ("memtop-virt", "memtop-res")
    ]
    assert all(first != second for first, second in combinations(numbers, 2))
