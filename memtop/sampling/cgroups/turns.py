"""Order in which all known cgroups are read: those near a limit first, then those never read, the others in turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from math import ceil
from typing import Final

LEAST_OTHERS: Final = 4
"""Of the others so many have their turn at least, where the budget is enough."""
NEAR_SHARE: Final = 0.5
"""Most of a tick's budget for cgroups near a limit, so that the others do not wait forever."""


class Turns:
    """Three queues of paths. Each path is in one of them, and goes to the end of its queue after its turn."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._queued: set[str] = set()
        """Paths in a queue. Unknown ones are dropped when their turn comes."""
        self._near: deque[str] = deque()
        self._new: deque[str] = deque()
        self._others: deque[str] = deque()
        self._left = 0.0

    def add(self, path: str) -> None:
        """Add a new cgroup. Its turn is before all others that are not near a limit."""
        self._known.add(path)
        if path not in self._queued:
            self._queued.add(path)
            self._new.append(path)

    def keep_only(self, paths: Collection[str]) -> None:
        """Drop all other paths."""
        self._known.intersection_update(paths)

    def __len__(self) -> int:
        return len(self._known)

    def take(self, budget: float, share: float = 1.0) -> Iterator[str]:
        """The paths whose turn it is, each at most once.

        ``budget`` is the cost that is allowed, ``share`` the most of those not near a limit that have their turn.
        :meth:`put_back` is called for each path before the next one is taken.
        """
        self._left = budget
        kept = budget * (1 - NEAR_SHARE) if self._new or self._others else 0.0
        rest = max(LEAST_OTHERS, ceil(len(self._others) * share))
        turns = ((self._near, kept, len(self._near)), (self._new, 0.0, len(self._new)), (self._others, 0.0, rest))
        for queue, least, most in turns:
            for _ in range(min(most, len(queue))):
                if self._left <= least:
                    break
                if (path := self._pop(queue)) is not None:
                    yield path

    def put_back(self, path: str, cost: float, *, near: bool) -> None:
        """Put a path back after a reading with this cost. ``near`` says whether it is near a limit now."""
        self._left -= cost
        self._queued.add(path)
        (self._near if near else self._others).append(path)

    def _pop(self, queue: deque[str]) -> str | None:
        path = queue.popleft()
        self._queued.discard(path)
        return path if path in self._known else None
