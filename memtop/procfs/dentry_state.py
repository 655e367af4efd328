"""/proc/sys/fs/dentry-state: Documentation/admin-guide/sysctl/fs.rst."""

from typing import NamedTuple

from memtop.procfs.lines import int_or_none


class DentryState(NamedTuple):
    """Counts of directory entries that the kernel keeps in slab memory."""

    total: int
    """nr_dentry: all of them, whether in use or not."""
    negative: int | None
    """nr_negative: of names that do not exist, among the unused ones; None before Linux 5.0."""


def parse_dentry_state(data: bytes) -> DentryState | None:
    """Parse the file; None for nonsense."""
    words = data.split()
    total = int_or_none(words[0]) if words else None
    if total is None or total < 0:
        return None
    negative = int_or_none(words[4]) if len(words) > 4 else None
    # The word was a dummy before Linux 5.0, and always 0 then.
    return DentryState(total, negative)
