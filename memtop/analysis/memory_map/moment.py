"""The instant of a reading, and whether RES has moved since: a sentence combines only numbers of the same instant.

Expensive readings are rare, while RES is new at every sample. A sentence that put a USS of four minutes ago beside the
RES of now would be wrong as soon as RES has moved.
"""

from __future__ import annotations

from typing import Final, NamedTuple

MOVED: Final = 0.02
"""RES that has moved by more, as a share of what it is now, is not that of the reading anymore."""
NEW_S: Final = 2.5
"""A reading that is not older is of the same instant as RES: two samples of a second, and their delay."""


def has_moved(then_bytes: int | None, now_bytes: int | None) -> bool:
    """Whether a size is not that of then anymore; False if either is unknown."""
    return then_bytes is not None and now_bytes is not None and abs(now_bytes - then_bytes) > MOVED * now_bytes


class Moment(NamedTuple):
    """The instant of a reading, and RES at that instant."""

    at_s: float
    """On the clock of Instant.mono_s."""
    rss_bytes: int | None
    """None if it is not known, because only a part of the mappings was read."""

    def past_s(self, now_s: float, rss_bytes: int | None) -> float | None:
        """The age of the reading if RES has moved since, so that a sentence must speak of then. None otherwise.

        Where RES of then is unknown, it may have moved as soon as the reading is not new anymore.
        """
        age_s = max(0.0, now_s - self.at_s)
        moved = age_s > NEW_S if self.rss_bytes is None else has_moved(self.rss_bytes, rss_bytes)
        return age_s if moved else None
