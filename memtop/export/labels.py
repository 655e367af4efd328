"""Which groups have labels of their own: each new label is a series that a server keeps for weeks."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

MOST_GROUPS: Final = 100
"""Groups that have labels at one time."""
MOST_NEW: Final = 100
"""New labels in HOUR_S. A storm of programs with ever new names would otherwise flood a server, a few at a time."""
HOUR_S: Final = 3600.0
_MOST_KNOWN: Final = 1000
"""Labels that are remembered: one of these may come back at any time, as its series is there already."""


class Labels:
    """Chooses names, sample by sample.

    A group keeps its label while it is among twice as many as may have one, so that groups of like size do not come and
    go. A name that was not there at the sample before waits for the next one.
    """

    def __init__(self) -> None:
        self._kept: dict[str, None] = {}
        self._known: dict[str, None] = {}
        self._new_s: deque[float] = deque()
        """When new labels were given, in HOUR_S."""
        self._before: frozenset[str] | None = None
        """All names of the sample before; None at the first one."""

    def choose(self, names: Sequence[str], now_s: float) -> list[str]:
        """Those of the ``names``, the largest group first, that have labels; ``now_s`` only ever grows."""
        while self._new_s and self._new_s[0] <= now_s - HOUR_S:
            self._new_s.popleft()
        near = names[: 2 * MOST_GROUPS]
        chosen = [name for name in near if name in self._kept][:MOST_GROUPS]
        taken = set(chosen)
        for name in near:
            if len(chosen) >= MOST_GROUPS:
                break
            if name not in taken and self._may_have(name, now_s):
                chosen.append(name)
        self._kept = dict.fromkeys(chosen)
        for name in chosen:
            self._known.pop(name, None)
            self._known[name] = None
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._before = frozenset(names)
        return chosen

    def has_given(self, name: str) -> bool:
        """Whether a name had a label before, so that it costs no new series."""
        return name in self._known

    def _may_have(self, name: str, now_s: float) -> bool:
        if name in self._known or self._before is None:
            return True
        if name not in self._before or len(self._new_s) >= MOST_NEW:
            return False
        self._new_s.append(now_s)
        return True
