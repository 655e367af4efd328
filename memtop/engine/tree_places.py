"""Tree order of rows: parents before their children, each with its place and the lines that lead to it."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Mapping, Sequence
from typing import Protocol, TypeVar

from memtop.model.frame import TreePlace


class Sizes(Protocol):
    """Sums over a subtree in bytes; None where unknown."""

    @property
    def virt_bytes(self) -> int | None:
        """VIRT; None if unknown, as the others."""

    @property
    def rss_bytes(self) -> int | None:
        """RES."""

    @property
    def pss_bytes(self) -> int | None:
        """PSS."""


Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


def in_tree_order(
    children: Mapping[Key | None, Sequence[Row]],
    key_of: Callable[[Row], Key],
    totals_of: Callable[[Row], Sizes],
    folded: Container[object],
) -> tuple[tuple[Row, ...], tuple[TreePlace, ...]]:
    """Rows as a tree, and their places; the children of None are the roots. Rows below a folded row are left out."""
    shown: list[Row] = []
    places: list[TreePlace] = []
    stack = [(row, "", True, 0) for row in reversed(children.get(None, ()))]
    while stack:
        row, lead, last, depth = stack.pop()
        key, total = key_of(row), totals_of(row)
        below = children.get(key, ())
        is_folded = bool(below) and key in folded
        places.append(
            TreePlace(
                depth=depth,
                prefix="" if depth == 0 else lead + ("└─ " if last else "├─ "),
                has_children=bool(below),
                folded=is_folded,
                rss_bytes=total.rss_bytes,
                virt_bytes=total.virt_bytes,
                pss_bytes=total.pss_bytes,
            )
        )
        shown.append(row)
        if not is_folded:
            inner = "" if depth == 0 else lead + ("   " if last else "│  ")
            stack.extend((child, inner, position == 0, depth + 1) for position, child in enumerate(reversed(below)))
    return tuple(shown), tuple(places)
