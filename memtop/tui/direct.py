"""Lines handed straight to the compositor: Textual's own way adds borders and padding, and costs more than drawing."""

from __future__ import annotations

from rich.console import RenderableType
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget


class DirectLines(Widget):
    """A widget that draws line by line in ``render_line``; with a border or padding it is drawn the ordinary way."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.line_size = Size(0, 0)
        """Of the content, while lines are asked for: Textual would reckon it from the styles for each of them."""
        self._part_styles: dict[str, Style] = {}

    def render(self) -> RenderableType:
        """Never drawn: lines come from ``render_line``."""
        return ""

    def render_lines(self, crop: Region) -> list[Strip]:
        """As in Widget, without its cache of lines."""
        self.line_size = self.content_size
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

    def style_of(self, part: str = "") -> Style:
        """The style of one of its COMPONENT_CLASSES over its own, or its own alone.

        Looked up once for each theme: that costs more than drawing a line.
        """
        if part not in self._part_styles:
            own = self.rich_style
            self._part_styles[part] = own + self.get_component_rich_style(part, partial=True) if part else own
        return self._part_styles[part]

    def notify_style_update(self) -> None:
        """Colours may have changed, with the theme or the focus."""
        super().notify_style_update()
        self._part_styles.clear()
