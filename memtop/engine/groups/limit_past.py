"""The past of the limits that bind cgroups: what is shown of a group at an earlier instant."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from typing import Final

from memtop.analysis.limits.memory_limits import Ceiling
from memtop.history.rings import CLOSE_S

BUDGET_BYTES: Final = 2 << 20
"""For all cgroups together."""
LEAST: Final = 16
"""Entries of one cgroup that are kept at least."""
MOST: Final = 1024
_FIELDS: Final = 6
_ENTRY_BYTES: Final = 8 * _FIELDS


class LimitPast:
    """One entry for each change, by directory of the cgroup. Bounded: of each the oldest are dropped."""

    def __init__(self) -> None:
        self._data: dict[str, array[int]] = {}
        """Entries of :data:`_FIELDS` numbers: milliseconds, how many directories higher the limit is, -1 for none, and
        the sizes."""

    def __len__(self) -> int:
        """Cgroups of which something is kept."""
        return len(self._data)

    def note(self, path: str, now_s: float, found: Ceiling | None) -> None:
        """The limit that binds a cgroup, at one reading; nothing is kept of one that never had a limit."""
        data = self._data.get(path)
        if found is None or found.path is None:
            if data is None or data[1 - _FIELDS] < 0:
                return
            entry = -1, 0, 0, 0, 0
        else:
            above = path.count("/") - found.path.count("/")
            entry = above, found.limit_bytes, found.headroom_bytes, found.headroom_max_bytes, found.unsure_bytes
        if data is None:
            data = self._data[path] = array("q")
        elif tuple(data[1 - _FIELDS :]) == entry:
            return
        data.extend((int(now_s * 1000), *entry))
        most = min(MOST, max(LEAST, BUDGET_BYTES // _ENTRY_BYTES // len(self._data)))
        if len(data) > most * _FIELDS:
            del data[: (len(data) // _FIELDS - most + most // 4) * _FIELDS]

    def at(self, path: str, when_s: float) -> Ceiling | None:
        """What bound a cgroup at an instant; None where nothing did, and before the first entry that is kept.

        The room on swap is unknown then, and the use without inactive file pages is that of the room.
        """
        data = self._data.get(path)
        if data is None:
            return None
        when_ms, last = int((when_s + CLOSE_S) * 1000), len(data) - _FIELDS
        index = next((one for one in range(last, -1, -_FIELDS) if data[one] <= when_ms), None)
        if index is None or (above := data[index + 1]) < 0:
            return None
        limit, room, room_max, unsure = data[index + 2 : index + _FIELDS]
        at = path.rsplit("/", above)[0]
        return Ceiling(at, limit, limit - room, room, room_max, swap_room_bytes=None, unsure_bytes=unsure)

    def forget_others(self, paths: Collection[str]) -> None:
        """Keep the past of these cgroups only."""
        for path in self._data.keys() - paths:
            del self._data[path]
