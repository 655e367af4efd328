"""Lines of a list that wrap under their text: the columns before it, such as a name, stay free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

_LEAST_CELLS: Final = 16
"""With less room than this beside the head, text wraps under the head."""


class Paragraph(NamedTuple):
    """A text and what stands before its first line."""

    head: str
    """All lines are indented by its width."""
    text: str
    hang: int = 0
    """How many cells further the lines after the first are indented."""
    look: str = ""
    """``warning`` or ``danger``, of which it has the color; under the cursor only its head has. Empty for plain."""


class HangingText(Visual):
    """Paragraphs for a list of options. No text is cut: it wraps, and its lines stand under each other."""

    def __init__(self, paragraphs: Sequence[Paragraph]) -> None:
        self._paragraphs = [
            (one.head, cell_len(one.head) + one.hang, Content(one.text), one.look) for one in paragraphs
        ]

    def __str__(self) -> str:
        return "\n".join(f"{head}{text.plain}" for head, _, text, _ in self._paragraphs)

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """See ``Visual``."""
        strips: list[Strip] = []
        own = style
        for head, cells, text, look in self._paragraphs:
            indent, (of_head, style) = _indent(cells, width), _styles(own, look, options)
            if indent < cells:
                strips += Content(head + text.plain).render_strips(width, None, style, options)
                continue
            for number, strip in enumerate(text.render_strips(width - indent, None, style, options)):
                lead = Segment(" " * indent, style.rich_style) if number else Segment(head, of_head.rich_style)
                strips.append(Strip([lead, *strip]))
        return strips if height is None else strips[:height]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """See ``Visual``."""
        return max((cells + text.cell_length for _, cells, text, _ in self._paragraphs), default=0)

    def get_height(self, rules: RulesMap, width: int) -> int:
        """See ``Visual``."""
        return sum(
            text.get_height(rules, width - cells)
            if _indent(cells, width) == cells
            else Content(head + text.plain).get_height(rules, width)
            for head, cells, text, _ in self._paragraphs
        )


def _indent(cells: int, width: int) -> int:
    """The indent of a paragraph whose head has so many cells."""
    return cells if width - cells >= _LEAST_CELLS else 0


def _styles(style: Style, look: str, options: RenderOptions) -> tuple[Style, Style]:
    """The styles of a head and its text with the color of a look.

    The ground of the cursor is too light for the color; there it is the ground of the head.
    """
    if not look:
        return style, style
    if style.foreground == options.get_style("$memtop-text").foreground:
        return (style + options.get_style(f"bold $memtop-{look}"),) * 2
    return style + Style(background=options.get_style(f"$memtop-{look}").foreground), style
