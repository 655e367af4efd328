"""What all charts share."""

from __future__ import annotations

from textual.strip import Strip
from textual.theme import BUILTIN_THEMES

from memtop.tui.chart.chart_base import ChartBase
from memtop.tui.chart.chart_styles import AREAS, ChartStyle, Glyphs
from tests.tui.frames import WidgetApp


class Blank(ChartBase):
    def build(self, width: int, height: int) -> list[Strip]:
        return []


async def test_the_styles_of_a_chart_are_those_of_the_style_sheet_in_every_theme() -> None:
    chart = Blank()
    app = WidgetApp(chart)
    async with app.run_test() as pilot:
        for theme in BUILTIN_THEMES:
            app.theme = theme
            await pilot.pause()
            styles = dict(chart.inks())
            assert styles.pop(ChartStyle.GROUND) == chart.get_visual_style().rich_style
            for ink, style in styles.items():
                if chart.look is Glyphs.SHADED or ink not in AREAS:
                    assert style == chart.get_visual_style(f"chart--{ink.name.lower()}").rich_style, (theme, ink)
