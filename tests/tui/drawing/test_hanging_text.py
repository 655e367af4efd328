"""Lines of a list that wrap under their text."""

from __future__ import annotations

import pytest
from textual.css.styles import Styles
from textual.style import Style
from textual.visual import RenderOptions

from memtop.tui.drawing.hanging_text import HangingText, Paragraph

_TEXT = "pages touched for the first time, copied or mapped again"


@pytest.mark.parametrize(
    ("width", "paragraph", "lines"),
    [
        (80, Paragraph("MINFLT/s  ", _TEXT), [f"MINFLT/s  {_TEXT}"]),
        (
            50,
            Paragraph("MINFLT/s  ", _TEXT),
            ["MINFLT/s  pages touched for the first time, copied", "          or mapped again"],
        ),
        (
            36,
            Paragraph("", "Swap: pages that the kernel has moved out", hang=2),
            ["Swap: pages that the kernel has", "  moved out"],
        ),
        (12, Paragraph("MINFLT/s  ", "per second"), ["MINFLT/s", "per second"]),
        (60, Paragraph("中文 ", "wide"), ["中文 wide"]),
    ],
)
def test_text_wraps_under_itself(width: int, paragraph: Paragraph, lines: list[str]) -> None:
    text, rules = HangingText([paragraph]), Styles().get_rules()
    strips = text.render_strips(width, None, Style(), RenderOptions(lambda style: Style(), rules))
    assert [strip.text.rstrip() for strip in strips] == lines
    assert text.get_height(rules, width) == len(lines)
    assert all(strip.cell_length <= width for strip in strips)
