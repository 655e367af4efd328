"""LazyFree series: memory freed with MADV_FREE that the kernel has not reclaimed yet, from smaps.

Such pages stay in RES and count as anonymous until RAM is short, so a program that frees everything may look like one
that leaks. Only smaps and smaps_rollup have LazyFree, and they are read rarely. Therefore it is stored as a separate,
small series.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

MOST: Final = 512
"""Readings kept per process."""
KNOWN_S: Final = 30.0
"""A reading older than this says nothing about now."""
_SMALLEST_BYTES: Final = 1 << 20
_SMALLEST_SHARE: Final = 0.02


class LazyFreeSeries:
    """The series of one process, oldest first. Times on the clock of Instant.mono_s."""

    __slots__ = ("_sizes", "_times_s")

    def __init__(self) -> None:
        self._times_s = array("d")
        self._sizes = array("q")

    def add(self, at_s: float, size_bytes: int) -> None:
        """Add a reading. The same one again changes nothing."""
        if self._times_s and at_s <= self._times_s[-1]:
            return
        self._times_s.append(at_s)
        self._sizes.append(size_bytes)
        if len(self._times_s) > MOST:
            del self._times_s[: MOST // 4], self._sizes[: MOST // 4]

    def now(self, now_s: float) -> int | None:
        """Bytes as last read; None if that is long ago, or never happened."""
        return self._sizes[-1] if self._times_s and now_s - self._times_s[-1] <= KNOWN_S else None

    def matters(self, from_s: float, used_bytes: float) -> bool:
        """Whether since ``from_s`` it was ever a notable part of this much anonymous memory."""
        sizes = self._sizes[bisect_left(self._times_s, from_s) :]
        return bool(sizes) and max(sizes) > max(_SMALLEST_BYTES, _SMALLEST_SHARE * used_bytes)

    def taken_off(
        self, times_s: Sequence[float], used_bytes: Sequence[float], now_s: float
    ) -> tuple[list[float], list[float]]:
        """The series without LazyFree, from its first reading to its last; unknown before and after.

        Between two readings it is assumed to change evenly. If the last one is old, it is assumed to have stayed the
        same since then.
        """
        first = bisect_left(times_s, self._times_s[0]) if self._times_s else 0
        last = len(times_s) if self.now(now_s) is None else bisect_right(times_s, self._times_s[-1])
        times = list(times_s[first:last])
        used = used_bytes[first:last]
        return times, [max(0.0, size - self._at(time)) for time, size in zip(times, used, strict=True)]

    def _at(self, when_s: float) -> float:
        after = bisect_right(self._times_s, when_s)
        if not self._times_s or after in (0, len(self._times_s)):
            return float(self._sizes[-1 if after else 0]) if self._times_s else 0.0
        from_s, to_s = self._times_s[after - 1], self._times_s[after]
        before, then = self._sizes[after - 1], self._sizes[after]
        return before + (then - before) * (when_s - from_s) / (to_s - from_s)
