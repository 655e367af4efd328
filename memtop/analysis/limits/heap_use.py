"""Memory that managed heaps take as their pages are first used: such a rise ends where a heap has its full size."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

_MOST_OF_IT: Final = 0.5
"""A growth is that of heaps if they rise at so much of its rate."""


class HeapUse(NamedTuple):
    """A rise of one process that its heap explains."""

    may_take_bytes: int
    """The heap can still take so much, at most."""
    bytes_per_s: float


def heaps_end_before(heaps: Collection[HeapUse], growth_bytes_per_s: float, room_bytes: float) -> bool:
    """Whether a growth ends before a room is used up: it is that of ``heaps``, which all together leave some of it.

    ``heaps`` are those of all the processes that the room is for.
    """
    if not heaps or sum(one.may_take_bytes for one in heaps) > room_bytes:
        return False
    return sum(one.bytes_per_s for one in heaps) >= _MOST_OF_IT * growth_bytes_per_s
