"""Lines handed straight to the compositor: Textual's own way adds borders and padding, and costs more than drawing."""

from __future__ import annotations

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class DirectLines(Widget):
    """A widget that draws line by line in ``render_line``; with a border or padding it is drawn the ordinary way."""

    ALLOW_SELECT = False

    def render_lines(self, crop: Region) -> list[Strip]:
        """As in Widget, without its cache of lines."""
        if self.gutter:
            return super().render_lines(crop)
        background, filters = self.background_colors[1], self.get_line_filters()
        strips = []
        for y in crop.line_range:
            strip = self.render_line(y)
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            strips.append(strip if crop.width == strip.cell_length else strip.crop(crop.x, crop.right))
        return strips
