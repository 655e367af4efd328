"""Groups as data: the objects of the JSON contract, which are the lines of CSV too."""

from __future__ import annotations

from typing import Any, Final

from memtop.headless import iso, rounded
from memtop.model.group import GroupRow

_NUMBERS: Final = (
    "members",
    "rss_bytes",
    "pss_bytes",
    "pss_read_bytes",
    "pss_read_members",
    "virt_bytes",
    "charge_bytes",
    "working_set_bytes",
    "used_bytes",
    "limit_bytes",
    "limit_percent",
    "room_bytes",
    "room_max_bytes",
    "anon_bytes",
    "file_bytes",
    "shmem_bytes",
    "kernel_bytes",
    "swap_bytes",
    "growth_bytes_per_min",
    "minflt_per_s",
    "majflt_per_s",
    "cpu_percent",
    "threads",
    "psi_some_avg10",
    "oom_kills",
    "restarts",
)
GROUP_FIELDS: Final = (
    "by",
    "group",
    "path",
    *_NUMBERS,
    "limit_unread",
    "verdict",
    "confirmed",
    "slope_bytes_per_s",
    "time_to_limit_s",
    "gone_at",
)
"""Keys of a group, in the order of CSV."""


def group_object(row: GroupRow) -> dict[str, Any]:
    """A group as the JSON contract has it: sizes in bytes, null for unknown."""
    return {
        "by": row.key.by.value,
        "group": row.name,
        "path": None
        if row.path is None
        else "/" + row.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        **{name: rounded(getattr(row, name)) for name in _NUMBERS},
        "limit_unread": row.limit_unread or None,
        "verdict": row.shape or None,
        "confirmed": row.confirmed,
        "slope_bytes_per_s": rounded(row.slope_bytes_per_s),
        "time_to_limit_s": None if row.limit_s is None else [rounded(one) for one in row.limit_s],
        "gone_at": None if row.gone_s is None else iso(row.gone_s),
    }
