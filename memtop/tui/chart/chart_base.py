"""Base class of the charts: styles from the theme, and Strips that are built once and then reused."""

from __future__ import annotations

from itertools import zip_longest
from typing import ClassVar, Final

from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.style import Style as VisualStyle

from memtop.tui.chart.chart_styles import AREAS, ChartStyle, ChartStyles, Glyphs
from memtop.tui.drawing.cached_lines import CachedLines

_CLASS: Final = {ink: f"chart--{ink.name.lower()}" for ink in ChartStyle}


class ChartBase(CachedLines):
    """A widget drawn line by line from strips. A subclass builds them in :meth:`build`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(_CLASS.values())
    DEFAULT_CSS = """
    ChartBase {
        .chart--axis { color: $memtop-muted; }
        .chart--virt { color: $memtop-virt; }
        .chart--res { color: $memtop-res; text-style: bold; }
        .chart--anon { background: $memtop-anon; }
        .chart--file { background: $memtop-file; }
        .chart--shmem { color: $memtop-anon; background: $memtop-file; }
        .chart--limit { color: $memtop-text; }
        .chart--warning { color: $memtop-warning; }
        .chart--danger { color: $memtop-danger; }
        .chart--peak { color: $memtop-muted; }
        .chart--mark { color: $text-secondary; }
        .chart--cursor { color: $foreground; background: $foreground 25%; }
        .chart--message { color: $foreground; text-style: bold; }
        .chart--minor { color: $memtop-muted; }
        .chart--major { color: $memtop-text; text-style: bold; }
    }
    """

    def __init__(self, *, ascii_only: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.ascii_only = ascii_only
        self._built: list[Strip] | None = None
        self._inks: ChartStyles | None = None
        self._built_size = Size(0, 0)

    def build(self, width: int, height: int) -> list[Strip]:
        """The content as strips of ``width`` cells."""
        raise NotImplementedError

    @property
    def look(self) -> Glyphs:
        """What this terminal can show. Without shades, areas differ by pattern, never by color alone."""
        if self.ascii_only:
            return Glyphs.ASCII
        return Glyphs.TEXTURED if self.app.no_color or self.app.current_theme.ansi else Glyphs.SHADED

    def inks(self) -> ChartStyles:
        """The styles of the current theme."""
        if self._inks is not None:
            return self._inks
        ground = self.get_visual_style()
        styles = {ink: (ground + self._part(name)).rich_style for ink, name in _CLASS.items()}
        if self.look is not Glyphs.SHADED:
            styles |= dict.fromkeys(AREAS, Style(color=styles[ChartStyle.RES].color))
        self._inks = styles | {ChartStyle.GROUND: ground.rich_style}
        return self._inks

    def _part(self, name: str) -> VisualStyle:
        """What a part adds to the style of the chart. Textual would go through all ancestors for each part again."""
        styles = self.get_component_styles(name)
        text = styles.text_style
        return VisualStyle(
            styles.background if styles.has_rule("background") else None,
            styles.color if styles.has_rule("color") else None,
            bold=text.bold,
            underline=text.underline,
            reverse=text.reverse,
        )

    def invalidate(self) -> None:
        """Build again, and repaint the lines that changed."""
        before, size = self._built, self._built_size
        if before is None or size != self.content_size or not size:
            self._built = None
            self.refresh()
            return
        self._built = self.build(size.width, size.height)
        pairs = enumerate(zip_longest(before, self._built))
        self.redraw_lines([y for y, (old, new) in pairs if old is not new and old != new], size.width)

    def notify_style_update(self) -> None:
        """Colors may have changed with the theme."""
        super().notify_style_update()
        self._built = self._inks = None

    def render_line(self, y: int) -> Strip:
        """One line of what was built for this size."""
        size = self.line_size
        if self._built is None or self._built_size != size:
            self._built, self._built_size = self.build(size.width, size.height), size
        if y < len(self._built):
            return self._built[y]
        return Strip.blank(size.width, self.style_of())
