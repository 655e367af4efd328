"""Lines of the Regions panel as data: kinds of memory, and the mappings of those that are unfolded."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from memtop import units
from memtop.analysis.memory_map.region_diff import RegionGrowth
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import DELETED, Region, Regions, Sizes
from memtop.columns.column import ALWAYS
from memtop.sampling.smaps.smaps_view import Reading, RegionsView
from memtop.sanitize import clean

MOST_MAPPINGS: Final = 1000
"""Most mappings listed of one kind. A process may have 65,000."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line: a kind, a mapping of it, or its remaining mappings."""

    kind: RegionKind
    start: int | None
    """Address of a mapping; None for the kind itself, -1 for the remaining mappings."""
    title: str
    count: int | None
    sizes: Sizes | None
    since_mark: int | None
    """Change of RSS in bytes."""
    since_start: int | None
    where: str
    is_open: bool = False
    hugetlb_bytes: int = 0
    """Huge pages of the pool, which RSS leaves out."""

    @property
    def touched_percent(self) -> float | None:
        """RSS and huge pages as a percentage of the size; None if unknown."""
        return _touched(self.sizes, self.hugetlb_bytes)


def _touched(sizes: Sizes | None, hugetlb_bytes: int) -> float | None:
    if sizes is None or sizes.rss_bytes is None or not sizes.size_bytes:
        return None
    return 100 * (sizes.rss_bytes + hugetlb_bytes) / sizes.size_bytes


def _where(text: str, hugetlb_bytes: int) -> str:
    """The name, after any important notes."""
    return f"+{units.size(hugetlb_bytes)} not in RSS  {text}" if hugetlb_bytes else text


class RegionColumn(NamedTuple):
    """One column of the panel."""

    key: str
    title: str
    width: int
    text: Callable[[Item], str]
    value: Callable[[Item], float | str | None]
    left: bool = False
    importance: int = ALWAYS
    """Priority on narrow screens: the least important columns are left out first."""


def _size(field: str) -> Callable[[Item], int | None]:
    return lambda item: None if item.sizes is None else getattr(item.sizes, field)


def _size_text(field: str) -> Callable[[Item], str]:
    return lambda item: "" if item.sizes is None else units.size(getattr(item.sizes, field))


def _delta(value: int | None) -> str:
    return units.signed_size(value)


BAR_CELLS: Final = 8
REGION_COLUMNS: Final[tuple[RegionColumn, ...]] = (
    RegionColumn("kind", "KIND", 25, lambda item: item.title, lambda item: item.title, left=True),
    RegionColumn(
        "count",
        "COUNT",
        6,
        lambda i: "" if i.count is None else units.count(i.count),
        lambda i: i.count or 0,
        importance=50,
    ),
    RegionColumn("size", "SIZE", 6, _size_text("size_bytes"), _size("size_bytes")),
    RegionColumn("rss", "RSS", 6, _size_text("rss_bytes"), _size("rss_bytes")),
    RegionColumn("bar", "", BAR_CELLS, lambda item: "", lambda item: None, left=True, importance=20),
    RegionColumn(
        "touched",
        "TOUCHED",
        7,
        lambda item: "" if item.sizes is None else units.percent(item.touched_percent),
        lambda item: item.touched_percent,
        importance=90,
    ),
    RegionColumn("pss", "PSS", 6, _size_text("pss_bytes"), _size("pss_bytes"), importance=60),
    RegionColumn("dirty", "DIRTY", 6, _size_text("private_dirty_bytes"), _size("private_dirty_bytes"), importance=80),
    RegionColumn("swap", "SWAP", 6, _size_text("swap_bytes"), _size("swap_bytes"), importance=40),
    RegionColumn(
        "mark",
        "SINCE MARK",
        10,
        lambda item: "" if item.sizes is None else _delta(item.since_mark),
        lambda item: item.since_mark,
        importance=70,
    ),
    RegionColumn(
        "start",
        "SINCE 1ST READ",
        14,
        lambda item: "" if item.sizes is None else _delta(item.since_start),
        lambda item: item.since_start,
        importance=30,
    ),
    RegionColumn("largest", "LARGEST", 0, lambda item: item.where, lambda item: item.where, left=True, importance=10),
)
BY_KEY: Final[Mapping[str, RegionColumn]] = {column.key: column for column in REGION_COLUMNS}
SORTABLE: Final = tuple(column.key for column in REGION_COLUMNS if column.key not in ("bar",))


class RegionSort(NamedTuple):
    """The order of kinds, and of the mappings of each."""

    key: str = "size"
    descending: bool = True


class _Growth:
    """Change of RSS by kind and by mapping; None if the mapping was split or merged, so that only the sum is known."""

    def __init__(self, growth: RegionGrowth | None) -> None:
        self._growth = growth
        self._kinds = {one.kind: one.delta.rss_bytes for one in growth.kinds} if growth is not None else {}
        self._mappings: dict[tuple[RegionKind, int], int | None] = {}
        self._spans: dict[RegionKind, list[tuple[int, int]]] = {}
        for change in growth.changes if growth is not None else ():
            if change.count_now > 1:
                self._spans.setdefault(change.kind, []).append((change.start, change.end))
            else:
                self._mappings[change.kind, change.start] = change.delta.rss_bytes

    def of_kind(self, kind: RegionKind) -> int | None:
        """Change of all its mappings; 0 if the kind has not changed."""
        return None if self._growth is None else self._kinds.get(kind, 0)

    def of_mapping(self, kind: RegionKind, start: int) -> int | None:
        """Change of one mapping."""
        if self._growth is None:
            return None
        if (kind, start) in self._mappings:
            return self._mappings[kind, start]
        return None if any(low <= start < high for low, high in self._spans.get(kind, ())) else 0


def items_of(view: RegionsView, sort: RegionSort, opened: Iterable[RegionKind] = ()) -> list[Item]:
    """The panel's lines; empty without a reading."""
    reading = view.reading
    if reading is None:
        return []
    marked, started = _Growth(view.since_mark), _Growth(reading.since_start)
    open_kinds = set(opened)
    kinds = [
        Item(
            kind=one.kind,
            start=None,
            title=one.kind.title,
            count=one.count,
            sizes=one.sizes,
            since_mark=marked.of_kind(one.kind),
            since_start=started.of_kind(one.kind),
            where=_where(where(largest), one.hugetlb_bytes),
            is_open=one.kind in open_kinds,
            hugetlb_bytes=one.hugetlb_bytes,
        )
        for one, largest in zip(reading.kinds, reading.largest, strict=True)
    ]
    items: list[Item] = []
    for item in _in_order(kinds, sort):
        items.append(item)
        if item.is_open:
            items += _mappings(reading, item.kind, sort, marked, started)
    return items


def _in_order(items: list[Item], sort: RegionSort) -> list[Item]:
    value = BY_KEY[sort.key].value
    known = [item for item in items if value(item) is not None]
    known.sort(key=value, reverse=sort.descending)  # type: ignore[arg-type]
    return known + [item for item in items if value(item) is None]


def _mappings(reading: Reading, kind: RegionKind, sort: RegionSort, marked: _Growth, started: _Growth) -> list[Item]:
    """The listed mappings of one kind, and a line for the rest."""
    regions = reading.regions
    places = [place for place, one in enumerate(regions.kinds) if one is kind]
    shown = places
    if len(places) > MOST_MAPPINGS:
        measure = _measure(regions, sort.key, kind, marked, started)
        pick = heapq.nlargest if sort.descending else heapq.nsmallest
        shown = pick(MOST_MAPPINGS, places, key=measure)
    items = [_mapping(regions[place], marked, started) for place in shown]
    items = items if sort.key in ("kind", "count") else _in_order(items, sort)
    if len(places) > len(shown):
        title = f"    … {len(places) - len(shown):,} more"
        items.append(Item(kind, -1, title, None, None, None, None, ""))
    return items


def _measure(regions: Regions, key: str, kind: RegionKind, marked: _Growth, started: _Growth) -> Callable[[int], float]:
    """The measure that selects the largest of up to tens of thousands of mappings."""
    starts = regions.smaps.starts

    def number(value: float | None) -> float:
        return -1.0 if value is None else value

    if key == "touched":
        return lambda place: number(_touched(regions.sizes(place), 0))
    if key in ("mark", "start"):
        growth = marked if key == "mark" else started
        return lambda place: number(growth.of_mapping(kind, starts[place]))
    field = {"rss": "rss_bytes", "pss": "pss_bytes", "dirty": "private_dirty_bytes", "swap": "swap_bytes"}.get(key)
    at = Sizes._fields.index(field or "size_bytes")
    return lambda place: number(regions.sizes(place)[at])


def _mapping(region: Region, marked: _Growth, started: _Growth) -> Item:
    mapping = region.mapping
    return Item(
        kind=region.kind,
        start=mapping.start,
        title=f"    {mapping.start:012x} {mapping.perms}",
        count=None,
        sizes=region.sizes,
        since_mark=marked.of_mapping(region.kind, mapping.start),
        since_start=started.of_mapping(region.kind, mapping.start),
        where=_where(where(region) if mapping.name else "", region.hugetlb_bytes),
        hugetlb_bytes=region.hugetlb_bytes,
    )


def where(region: Region) -> str:
    """A mapping in a few cells: the last part of its path, or its address."""
    name = region.mapping.name if region.kind is not RegionKind.SHARED_ANON else b""  # the kernel calls it /dev/zero
    path = name.removesuffix(DELETED)
    short = path.rpartition(b"/")[2] if path.startswith(b"/") and not path.startswith(b"/SYSV") else path
    return clean(short) if short else f"{region.mapping.start:x} {region.mapping.perms}"
