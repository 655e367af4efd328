"""GOMEMLIMIT: the rule on how well it fits the program and its container; the advice is in ``runtimes/go/advice``."""

from __future__ import annotations

import math
from enum import Enum
from typing import Final

ADVISED_SHARE: Final = 0.9
"""Share of the container's limit that the Go team's guide recommends for the program."""
_STORM_GC_PER_S: Final = 10.0
_STORM_MINFLT_PER_S: Final = 10_000.0
_PRESSED_SHARE: Final = 0.9
_NEAR_GOAL: Final = 1.1


class LimitFit(Enum):
    """How well GOMEMLIMIT fits the program and its container."""

    UNKNOWN = "unknown"
    """Neither the environment nor the metrics report the limit."""
    NOT_NEEDED = "not_needed"
    """No limit is set, and no container needs one."""
    UNSET = "unset"
    """The container has a limit, but Go does not know it."""
    ABOVE_CONTAINER = "above_container"
    """The kernel kills the process before Go slows down."""
    BELOW_NEED = "below_need"
    """The program needs more than the limit, so it collects all the time."""
    FITS = "fits"


def limit_fit(
    limit_bytes: float | None,
    container_bytes: int | None,
    *,
    held_bytes: int | None,
    gc_per_s: float | None,
    minflt_per_s: float | None,
) -> LimitFit:
    """The fit of ``limit_bytes``, which is infinite for a limit that is not set and None for one that is unknown.

    ``held_bytes`` is the memory that the limit governs, and ``container_bytes`` the lowest limit of a cgroup around the
    process; None if there is none.
    """
    if limit_bytes is None:
        return LimitFit.UNKNOWN
    if math.isinf(limit_bytes):
        return LimitFit.NOT_NEEDED if container_bytes is None else LimitFit.UNSET
    if _is_storm(limit_bytes, held_bytes, gc_per_s, minflt_per_s):
        return LimitFit.BELOW_NEED
    if container_bytes is not None and limit_bytes >= container_bytes:
        return LimitFit.ABOVE_CONTAINER
    return LimitFit.FITS


def goal_is_near(limit_bytes: float | None, goal_bytes: float | None, container_bytes: int | None) -> bool:
    """Whether, without a limit, the heap size of the next collection comes close to the container's limit."""
    return (
        limit_bytes is not None
        and math.isinf(limit_bytes)
        and goal_bytes is not None
        and container_bytes is not None
        and goal_bytes * _NEAR_GOAL > ADVISED_SHARE * container_bytes
    )


def _is_storm(limit_bytes: float, held_bytes: int | None, gc_per_s: float | None, minflt_per_s: float | None) -> bool:
    """Whether it collects all the time at its limit, returns pages to the kernel, and faults them in again.

    Many collections alone are a busy program, and a full limit alone is one that uses its room. So all figures must say
    so that are known. Minor faults are counted per second.
    """
    if gc_per_s is None or gc_per_s <= _STORM_GC_PER_S or (held_bytes is None and minflt_per_s is None):
        return False
    is_full = held_bytes is None or held_bytes >= _PRESSED_SHARE * limit_bytes
    return is_full and (minflt_per_s is None or minflt_per_s > _STORM_MINFLT_PER_S)
