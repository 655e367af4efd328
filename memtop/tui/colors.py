"""Colors that carry meaning, as theme variables: VIRT, RES and its parts, the three severities, and plain text.

VIRT is blue and RES is orange everywhere: the pair of Okabe and Ito (2008) that stays apart for every kind of
color vision; in 16 colors it becomes cyan and yellow. Nothing is shown by color alone: a severity also has
its mark. Style sheets say ``$memtop-virt``; no widget names a color of its own.

Every color is moved toward black or white until it can be read on the grounds of its theme, so that a theme
of other authors is readable, too. Severities are the only saturated colors beside the two lines. Contrast is that
of WCAG 2.2, success criterion 1.4.3.
"""

from __future__ import annotations

from typing import Final

from textual.color import Color
from textual.theme import Theme

from memtop.analysis.severity import Severity

LOOKS: Final = {Severity.DANGER: "danger", Severity.WARNING: "warning", Severity.NOTE: ""}
"""The color of each severity: the end of its variable's name; empty for that of plain text."""
TEXT_CONTRAST: Final = 4.5
AREA_CONTRAST: Final = 2.5
"""Between an area of the chart and what is beside it."""
_DARK: Final = {"memtop-virt": "#56b4e9", "memtop-res": "#e69f00"}
_LIGHT: Final = {"memtop-virt": "#0072b2", "memtop-res": "#a85400"}
_ANSI_DARK: Final = {"memtop-virt": "ansi_bright_cyan", "memtop-res": "ansi_bright_yellow"}
# Yellow is unreadable on white, so there RES is red, and danger, which has its sign, is magenta.
_ANSI_LIGHT: Final = {"memtop-virt": "ansi_blue", "memtop-res": "ansi_red"}
_STEPS: Final = 50


def variables(theme: Theme) -> dict[str, str]:
    """The variables for one theme. An App returns them from ``get_theme_variable_defaults``.

    ``memtop-virt``, ``memtop-res``, ``memtop-danger``, ``memtop-warning``, ``memtop-note``, ``memtop-text`` and
    ``memtop-muted``: colors of text on any ground of the theme. ``memtop-anon`` and ``memtop-file``: areas of the
    chart. A theme may define any of them itself.
    """
    system = theme.to_color_system().generate()
    if theme.ansi:
        data = _ANSI_DARK if theme.dark else _ANSI_LIGHT
        danger, warning = system["text-error"], system["text-warning"]
        if not theme.dark:
            danger = warning = "ansi_magenta"
        texts = {"danger": danger, "warning": warning, "note": system["text-muted"], "muted": system["text-muted"]}
        return {
            **data,
            **{f"memtop-{name}": color for name, color in texts.items()},
            "memtop-text": "ansi_default",
            "memtop-anon": data["memtop-res"],
            "memtop-file": data["memtop-res"],
        }
    grounds = [Color.parse(system[name]) for name in ("background", "surface", "panel")]
    ground, foreground = grounds[0], Color.parse(system["foreground"])
    data = _DARK if theme.dark else _LIGHT
    colors = {name: Color.parse(value) for name, value in data.items()}
    colors |= {
        "memtop-danger": _vivid(Color.parse(system["error"]), grounds),
        "memtop-warning": _vivid(Color.parse(system["warning"]), grounds),
        "memtop-note": ground.blend(foreground, 0.6),
        "memtop-muted": ground.blend(foreground, 0.6),
        "memtop-text": foreground,
    }
    res = colors["memtop-res"]
    anon = _apart(ground, res, [ground], AREA_CONTRAST)  # mostly the largest area, so the one nearest to the ground
    file = _apart(anon, _quiet(res), [ground, anon], AREA_CONTRAST)
    texts = {name: _readable(color, grounds, dark=theme.dark).hex for name, color in colors.items()}
    return {**texts, "memtop-file": file.hex, "memtop-anon": anon.hex}


def _vivid(color: Color, grounds: list[Color]) -> Color:
    """The color's hue, fully saturated, as light or dark as it must be to be read: an alarm is no pastel."""
    hue, lightness = color.hsl.h, color.hsl.l
    dark = _luminance(grounds[0]) < 0.5
    end = 1.0 if dark else 0.0
    ways = (lightness + (end - lightness) * step / _STEPS for step in range(_STEPS + 1))
    shades = (Color.from_hsl(hue, 1.0, way) for way in ways)
    return next((one for one in shades if _far(one, grounds, TEXT_CONTRAST)), color)


def _quiet(color: Color) -> Color:
    """The color with half its saturation, for areas: they are large, and must not be louder than an alarm."""
    return Color.from_hsl(color.hsl.h, color.hsl.s / 2, color.hsl.l)


def contrast(one: Color, other: Color) -> float:
    """The contrast of two opaque colors, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    """Relative luminance of sRGB, 0 to 1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _readable(color: Color, grounds: list[Color], *, dark: bool) -> Color:
    """The color, moved toward white on dark grounds and toward black on light ones, as little as is needed."""
    end = Color(255, 255, 255) if dark else Color(0, 0, 0)
    steps = (color.blend(end, step / _STEPS) for step in range(_STEPS + 1))
    return next((one for one in steps if _far(one, grounds, TEXT_CONTRAST)), end)


def _apart(start: Color, hue: Color, others: list[Color], least: float) -> Color:
    """The first color on the way from ``start`` over ``hue`` to white or black that differs enough from ``others``."""
    end = Color(255, 255, 255) if _luminance(hue) > _luminance(start) else Color(0, 0, 0)
    way = [start.blend(hue, step / _STEPS) for step in range(_STEPS + 1)]
    way += [hue.blend(end, step / _STEPS) for step in range(1, _STEPS + 1)]
    return next((one for one in way if _far(one, others, least)), end)


def _far(color: Color, others: list[Color], least: float) -> bool:
    return all(contrast(color, other) >= least for other in others)
