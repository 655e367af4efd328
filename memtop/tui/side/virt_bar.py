"""Bar of VIRT in three parts, with text under it: reserved, promised without RAM behind it, resident."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from memtop.analysis.memory_map.regions import Split
from memtop.tui.drawing.cached_lines import CachedLines
from memtop.units import percent, size


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
        & > .virt-bar--swap { color: $memtop-text; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
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
    """``VIRT 1.24G = █ resident 212M 17.0%   ▒ ...``, in the longest form that fits; no part is cut."""
    every = shares(split)
    notable = [part for part in every if 100 * part.size_bytes >= split.virt_bytes]
    main = [part for number, part in enumerate(every) if number < 3 or part in notable]
    fewer = sorted(notable, key=lambda part: -part.size_bytes)
    forms = [
        _Form(every, long=True),
        _Form(every),
        _Form(main),
        _Form(main, gap=2),
        _Form(notable, gap=2),
        _Form(notable, gap=2, with_percent=False),
        *(_Form([part for part in notable if part in fewer[:most]], gap=2) for most in range(len(fewer) - 1, 0, -1)),
    ]
    worded = (_pieces(split, form, plain=plain) for form in forms)
    return next((pieces for pieces in worded if sum(cell_len(text) for text, _ in pieces) <= width), [])


class _Form(NamedTuple):
    """How the legend is written."""

    parts: list[Share]
    gap: int = 3
    """Cells between two parts."""
    long: bool = False
    with_percent: bool = True
    """Whether the size of VIRT and the share of each part are said, beside its size."""


def _pieces(split: Split, form: _Form, *, plain: bool) -> list[tuple[str, str]]:
    pieces = [(f" VIRT {size(split.virt_bytes)} =" if form.with_percent else " VIRT =", "")]
    for number, share in enumerate(form.parts):
        share_percent = 100 * share.size_bytes / split.virt_bytes if split.virt_bytes else 0.0
        part = f" {percent(share_percent) if form.long else f'{share_percent:.0f}'}%" if form.with_percent else ""
        sign, name = share.plain if plain else share.sign, share.name if form.long else share.short
        pieces += [
            (" " * (form.gap if number else 1) + sign, share.look),
            (f" {name} {size(share.size_bytes)}{part}", ""),
        ]
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
