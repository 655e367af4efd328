"""How long a verdict on growth takes, and what part of the past it classifies, by the time between samples."""

from __future__ import annotations

from typing import Final

from memtop.analysis.trend.classify import LEAST_POINTS

WINDOW_S: Final = 600.0
"""The period that is classified, where it holds enough samples. An alarm lasts longer."""
VERDICT_S: Final = 90.0
"""About how long the first verdict takes with the default delay: a minute of readings, and checks that agree."""
_WINDOW_POINTS: Final = 1.5 * LEAST_POINTS
_VERDICT_POINTS: Final = 1.25 * LEAST_POINTS


def window_s(delay_s: float) -> float:
    """The period that is classified: more than ten minutes where these hold too few samples for a verdict."""
    return max(WINDOW_S, _WINDOW_POINTS * even_step_s(delay_s))


def verdict_s(delay_s: float) -> float:
    """About how long the first verdict takes."""
    return max(VERDICT_S, _VERDICT_POINTS * even_step_s(delay_s))


def even_step_s(step_s: float) -> float:
    """A little longer, from a short list, so that a growing window keeps its grid."""
    size = 0.1
    while size < step_s:
        size *= 1.5
    return size if size > step_s * 1.001 else step_s
