"""How much of a recording is played before an instant that is shown: as much as there is time for."""

from __future__ import annotations

from typing import Final

SHORT_PAST_S: Final = 0.1
"""Time for playing what precedes an instant, before that instant is shown ..."""
LEAST_TICKS: Final = 2
"""... but at least so many samples, that one included, because rates need them."""
LONG_PAST_S: Final = 2.5
"""Time for playing what precedes an instant once it is shown, so that chart and verdicts have a past ..."""
LONG_TICKS: Final = 300
"""... but at least so many samples ..."""
LONG_TICKS_MOST: Final = 3600
"""... and no more than these."""
_SHORTEST_SAMPLE_S: Final = 0.0005


class PastLength:
    """Numbers of samples, by the time that one takes on average."""

    def __init__(self) -> None:
        self._sample_s: float | None = None
        """None before the first sample."""

    def note(self, sample_s: float) -> None:
        """Take notice of the time that a sample took."""
        mean_s = sample_s if self._sample_s is None else 0.8 * self._sample_s + 0.2 * sample_s
        self._sample_s = max(_SHORTEST_SAMPLE_S, mean_s)

    @property
    def short_ticks(self) -> int:
        """Samples to play before an instant is shown."""
        return LEAST_TICKS if self._sample_s is None else max(LEAST_TICKS, int(SHORT_PAST_S / self._sample_s))

    @property
    def long_ticks(self) -> int:
        """Samples to play once it is shown."""
        ticks = LONG_TICKS if self._sample_s is None else int(LONG_PAST_S / self._sample_s)
        return min(LONG_TICKS_MOST, max(LONG_TICKS, ticks))
