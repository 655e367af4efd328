"""Colors that carry meaning, as theme variables: VIRT, RES and the three severities.

VIRT is blue and RES is orange everywhere. This pair of Okabe and Ito (2008) differs for every kind of color vision. In
16 colors it becomes cyan and yellow. Nothing is shown by color alone: a severity also has its sign. Style sheets use
``$memtop-virt``; no widget names its own color.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

_DARK: Final = {"memtop-virt": "#56b4e9", "memtop-res": "#e69f00"}
_LIGHT: Final = {"memtop-virt": "#0072b2", "memtop-res": "#a85400"}
_ANSI_DARK: Final = {"memtop-virt": "ansi_bright_cyan", "memtop-res": "ansi_bright_yellow"}
# Yellow is unreadable on white, so there RES is red, and danger, which has its sign, is magenta.
_ANSI_LIGHT: Final = {"memtop-virt": "ansi_blue", "memtop-res": "ansi_red"}


def variables(theme: Theme) -> dict[str, str]:
    """The variables for one theme. An App returns them from ``get_theme_variable_defaults``.

    ``memtop-virt``, ``memtop-res``, ``memtop-danger``, ``memtop-warning`` and ``memtop-note``: text colors that are
    readable on the theme's background. A theme may define any of them itself.
    """
    system = theme.to_color_system().generate()
    danger, warning = system["text-error"], system["text-warning"]
    if theme.ansi:
        data = _ANSI_DARK if theme.dark else _ANSI_LIGHT
        if not theme.dark:
            danger = warning = "ansi_magenta"
    else:
        data = _DARK if theme.dark else _LIGHT
    return {**data, "memtop-danger": danger, "memtop-warning": warning, "memtop-note": system["text-muted"]}
