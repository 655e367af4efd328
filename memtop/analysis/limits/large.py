"""Tells whether a process that has ended was large enough to deserve attention."""

from __future__ import annotations

from typing import Final

LARGE_SHARE: Final = 0.01
"""A peak of so much of RAM, or of the limit of its cgroup, is large."""
LEAST_BYTES: Final = 16 << 20
"""A peak below this is never large for the limit of a cgroup: the small tools of every shell script would be."""

FAILED_BYTES: Final = 32 << 20
"""A process that has failed deserves attention from this peak on, whatever its share of RAM is."""


def is_large(peak_bytes: int | None, total_bytes: int | None, limit_bytes: int | None) -> bool:
    """Whether a peak of RES was large for the machine's RAM or for the lowest limit of its cgroups.

    None is unknown, or no limit.
    """
    if not peak_bytes:
        return False
    if total_bytes and peak_bytes >= LARGE_SHARE * total_bytes:
        return True
    return bool(limit_bytes) and peak_bytes >= max(LEAST_BYTES, LARGE_SHARE * (limit_bytes or 0))
