"""Whether a limit is met soon: a forecast that moves about the bound does not cross it back and forth."""

from __future__ import annotations

from typing import Final

SOON_S: Final = 3600.0
"""Growth that meets a limit within an hour calls for action ..."""
LATER_S: Final = 1.5 * SOON_S
"""... and does so until the limit is further away than this."""


def is_soon(limit_s: tuple[float, float] | None, *, was: bool) -> bool:
    """Whether growth meets its limit soon, by the earliest and latest time to it in seconds; None without a forecast.

    ``was`` is the answer before.
    """
    return limit_s is not None and limit_s[0] < (LATER_S if was else SOON_S)
