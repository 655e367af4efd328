"""Pauses in growth: how long a rise has stood still, and whether that is longer than it usually rests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.analysis.trend.robust import noise

SHORTEST_S: Final = 4.0
"""A shorter time without a rise means nothing."""
LEAST_S: Final = 10.0
"""A shorter time without a rise is not mentioned."""
_OVER_S: Final = 60.0
"""A rise that has not gone on for so long is over, unless it usually rests as long as that."""
_LONGER: Final = 1.5
"""A rest so many times as long as the longest before is no usual one ..."""
_FAR_LONGER: Final = 3.0
"""... and so many times as long, the rise is over."""
_RISE_SHARE: Final = 0.005
"""The smallest part of the whole range that counts as a rise ..."""
_RISE_BYTES: Final = float(1 << 16)
"""... but at least this."""
_LEVEL_SHARE: Final = 0.05
"""Values within this part of the whole range are level ..."""
_LEVEL_BYTES: Final = float(1 << 18)
"""... or within this."""


class Pause(NamedTuple):
    """The end of a series that has risen. Seconds."""

    level_s: float
    """How long it has been level."""
    usual_s: float
    """The longest rest between two rises before that; 0 if it never rested."""

    @property
    def doubtful(self) -> bool:
        """Whether it has been level for longer than it usually rests, if only for seconds: a look at how it rose before
        is no evidence that it grows."""
        return self.level_s > _LONGER * self.usual_s

    @property
    def worth_a_word(self) -> bool:
        """Whether it is so long that it is said."""
        return self.level_s >= LEAST_S

    @property
    def unusual(self) -> bool:
        """Whether it has been level for longer than it usually rests, so that its rate says nothing of what follows,
        and so long that it is said."""
        return self.worth_a_word and self.doubtful

    @property
    def over(self) -> bool:
        """Whether the rise has ended."""
        return self.level_s >= max(_OVER_S, _FAR_LONGER * self.usual_s)


def find_pause(times_s: Sequence[float], values: Sequence[float]) -> Pause | None:
    """The pause at the end of a series; None if the series goes on to rise, swings or falls there."""
    if len(times_s) < 2:
        return None
    spread = max(values) - min(values)
    least = max(_RISE_BYTES, _RISE_SHARE * spread, noise(values))
    high, high_at, usual_s, risen = values[0], 0, 0.0, False
    for at, value in enumerate(values):
        if value > high + least:
            if risen:  # what precedes the first rise is no rest
                usual_s = max(usual_s, times_s[at] - times_s[high_at])
            high, high_at, risen = value, at, True
    level_s = times_s[-1] - times_s[high_at]
    if not risen or level_s < SHORTEST_S:
        return None
    end = values[high_at:]
    if max(end) - min(end) > max(_LEVEL_BYTES, _LEVEL_SHARE * spread):
        return None
    return Pause(level_s, usual_s)
