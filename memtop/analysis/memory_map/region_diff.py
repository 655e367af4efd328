"""Growth between two smaps readings of one process, by kind of memory and by mapping.

Two mappings are the same if kind and name are equal and the addresses overlap. So a mapping is also recognized after it
was extended (heap, stack, an arena), split, or merged by the kernel with a neighbor of equal flags. A mapping that was
unmapped and mapped again at the same place in between counts as the same, because nothing distinguishes the two.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import NOTHING, Regions, Sizes, total


class Change(NamedTuple):
    """One mapping then and now, or several that were merged or split."""

    kind: RegionKind
    name: bytes
    start: int
    """Lowest address, now; that of the mark if the mapping is gone."""
    end: int
    before: Sizes
    """Zero if it is new."""
    now: Sizes
    """Zero if it is gone."""
    count_before: int
    count_now: int

    @property
    def delta(self) -> Sizes:
        """The change since the mark."""
        return self.now - self.before

    @property
    def is_new(self) -> bool:
        """Whether it did not exist at the mark."""
        return not self.count_before

    @property
    def is_gone(self) -> bool:
        """Whether it does not exist now."""
        return not self.count_now


class KindChange(NamedTuple):
    """All mappings of one kind, then and now."""

    kind: RegionKind
    before: Sizes
    now: Sizes
    new: int
    """Mappings that were not there at the mark."""
    gone: int
    """Mappings of the mark that are not there now."""

    @property
    def delta(self) -> Sizes:
        """The change of the kind since the mark."""
        return self.now - self.before


class RegionGrowth(NamedTuple):
    """Everything that changed since a mark."""

    delta: Sizes
    """Change over all mappings: the sum over :attr:`kinds`, and over :attr:`changes`."""
    kinds: tuple[KindChange, ...]
    """Largest growth of RSS first, kinds that shrank last."""
    changes: tuple[Change, ...]
    """In the same order, without mappings that did not change."""

    def leading(self, least_bytes: int = 1 << 20) -> list[KindChange]:
        """The kinds that account for most of it: those whose RSS grew by ``least_bytes`` or more, largest first."""
        return [one for one in self.kinds if (one.delta.rss_bytes or 0) >= least_bytes]


class _Piece(NamedTuple):
    start: int
    end: int
    is_now: bool
    sizes: Sizes


def _overlapping(pieces: list[_Piece]) -> Iterator[list[_Piece]]:
    """Groups of overlapping pieces of one kind and name."""
    pieces.sort()
    group: list[_Piece] = []
    end = 0
    for piece in pieces:
        if group and piece.start >= end:
            yield group
            group = []
        end = max(end, piece.end) if group else piece.end
        group.append(piece)
    if group:
        yield group


def _change(kind: RegionKind, name: bytes, group: list[_Piece]) -> Change:
    before = [piece for piece in group if not piece.is_now]
    now = [piece for piece in group if piece.is_now]
    shown = now or before
    return Change(
        kind=kind,
        name=name,
        start=min(piece.start for piece in shown),
        end=max(piece.end for piece in shown),
        before=total([piece.sizes for piece in before]),
        now=total([piece.sizes for piece in now]),
        count_before=len(before),
        count_now=len(now),
    )


def _rank(change: Change | KindChange) -> tuple[int, int]:
    return change.delta.rss_bytes or 0, change.delta.size_bytes


def since(mark: Regions, now: Regions) -> RegionGrowth:
    """What changed from ``mark`` to ``now``, two readings of one process without an exec between them."""
    changes, moved = _stayed(mark, now)
    changes += [_change(*key, group) for key, pieces in moved.items() for group in _overlapping(pieces)]
    return RegionGrowth(
        delta=now.total() - mark.total(),
        kinds=tuple(sorted(_kind_changes(mark, now, changes), key=_rank, reverse=True)),
        changes=tuple(sorted((one for one in changes if one.before != one.now), key=_rank, reverse=True)),
    )


def _stayed(mark: Regions, now: Regions) -> tuple[list[Change], defaultdict[tuple[RegionKind, bytes], list[_Piece]]]:
    """Changes of mappings that kept their place and overlap nothing else; and the pieces of all others."""
    changes: list[Change] = []
    moved: defaultdict[tuple[RegionKind, bytes], list[_Piece]] = defaultdict(list)

    def leave(regions: Regions, place: int, is_now: bool) -> None:
        smaps = regions.smaps
        piece = _Piece(smaps.starts[place], smaps.ends[place], is_now, regions.sizes(place))
        moved[regions.kinds[place], smaps.names[place]].append(piece)

    old, new = mark.smaps, now.smaps
    at_old = at_new = 0
    while at_old < len(old) and at_new < len(new):
        if old.starts[at_old] < new.starts[at_new]:
            leave(mark, at_old, False)
            at_old += 1
            continue
        if old.starts[at_old] > new.starts[at_new]:
            leave(now, at_new, True)
            at_new += 1
            continue
        start, end, kind, name = old.starts[at_old], old.ends[at_old], mark.kinds[at_old], old.names[at_old]
        if end != new.ends[at_new] or kind is not now.kinds[at_new] or name != new.names[at_new]:
            leave(mark, at_old, False)
            leave(now, at_new, True)
        elif mark.differs(at_old, now, at_new):
            changes.append(Change(kind, name, start, end, mark.sizes(at_old), now.sizes(at_new), 1, 1))
        at_old += 1
        at_new += 1
    for place in range(at_old, len(old)):
        leave(mark, place, False)
    for place in range(at_new, len(new)):
        leave(now, place, True)
    return changes, moved


def _kind_changes(mark: Regions, now: Regions, changes: list[Change]) -> list[KindChange]:
    before = {one.kind: one.sizes for one in mark.by_kind()}
    after = {one.kind: one.sizes for one in now.by_kind()}
    new: Counter[RegionKind] = Counter()
    gone: Counter[RegionKind] = Counter()
    for change in changes:
        new[change.kind] += change.count_now if change.is_new else 0
        gone[change.kind] += change.count_before if change.is_gone else 0
    return [
        KindChange(kind, before.get(kind, NOTHING), after.get(kind, NOTHING), new[kind], gone[kind])
        for kind in {**before, **after}
    ]
