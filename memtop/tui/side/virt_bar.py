"""Bar of VIRT in three parts, with text under it: reserved, promised without RAM behind it, resident."""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from memtop.analysis.memory_map.regions import Split
from memtop.tui.drawing.cached_lines import CachedLines
from memtop.units import long_size, percent, size

_GAPS: Final = (3, 2)


class Share(NamedTuple):
    """One part of VIRT."""

    size_bytes: int
    look: str
    sign: str
    plain: str
    name: str
    short: str


def shares(split: Split) -> list[Share]:
    """The parts above zero, in the order of the bar; the first three always."""
    parts = [
        Share(split.resident_bytes, "rss", "█", "#", "resident", "resident"),
        Share(split.untouched_bytes, "dim", "▒", "=", "no RAM behind it now", "no RAM"),
        Share(split.reserved_bytes, "dim", "░", ".", "reserved, no access", "reserved"),
        Share(split.swapped_bytes, "swap", "▓", "%", "on swap", "swap"),
        Share(split.hugetlb_bytes, "rss", "▆", "H", "huge pages, not in RES", "huge"),
        Share(split.uncounted_bytes, "dim", "·", "-", "devices, or not read", "not read"),
    ]
    return [part for number, part in enumerate(parts) if number < 3 or part.size_bytes]


class VirtBar(CachedLines):
    """Two lines; see :meth:`show`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"virt-bar--{look}" for look in ("rss", "dim", "swap")}
    DEFAULT_CSS = """
    VirtBar {
        height: 2;
        & > .virt-bar--rss { color: $memtop-res; }
        & > .virt-bar--dim { color: $memtop-muted; }
        & > .virt-bar--swap { color: $memtop-warning; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._split: Split | None = None

    def show(self, split: Split | None) -> None:
        """Take newer sums."""
        if split != self._split:
            self._split = split
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The text, or the bar."""
        width, split = self.line_size.width, self._split
        if split is None:
            return Strip.blank(width, self.style_of())
        plain = self.app.has_class("-ascii")
        pieces = legend(split, width, plain=plain) if y == 0 else bar(split, width, plain=plain)
        segments = [Segment(text, self.style_of(f"virt-bar--{look}" if look else "")) for text, look in pieces]
        return Strip(segments).adjust_cell_length(width, self.style_of())


def legend(split: Split, width: int, *, plain: bool = False) -> list[tuple[str, str]]:
    """``VIRT 1.24 GiB = █ resident 212 MiB 17 %   ▒ ...``, in the longest form that fits."""
    texts = shares(split)
    for long, gap, least in ((True, _GAPS[0], 0), (False, _GAPS[0], 0), (False, _GAPS[0], 100), (False, _GAPS[1], 100)):
        texts = [
            part
            for number, part in enumerate(texts)
            if number < 3 or not least or part.size_bytes * least >= split.virt_bytes
        ]
        head = f" VIRT {long_size(split.virt_bytes) if long else size(split.virt_bytes)} ="
        pieces = [(head, "")]
        for number, share in enumerate(texts):
            amount = long_size(share.size_bytes) if long else size(share.size_bytes)
            share_percent = 100 * share.size_bytes / split.virt_bytes if split.virt_bytes else 0.0
            part = percent(share_percent) if long else f"{share_percent:.0f}"
            name = share.name if long else share.short
            sign = share.plain if plain else share.sign
            pieces += [(" " * (gap if number else 1) + sign, share.look), (f" {name} {amount} {part}%", "")]
        if sum(cell_len(text) for text, _ in pieces) <= width:
            break
    return pieces


def bar(split: Split, width: int, *, plain: bool = False) -> list[tuple[str, str]]:
    """The parts by length. A part above zero has at least one cell."""
    room = max(8, width - 2)
    found = [share for share in shares(split) if share.size_bytes]
    whole = sum(share.size_bytes for share in found) or 1
    cells = [max(1, round(room * share.size_bytes / whole)) for share in found]
    while sum(cells) > room:
        cells[cells.index(max(cells))] -= 1
    pieces = [(" ", "")]
    pieces += [
        ((share.plain if plain else share.sign) * count, share.look) for share, count in zip(found, cells, strict=True)
    ]
    return pieces
