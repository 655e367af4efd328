"""The text that a source reports as ``proc/PID/deleted_files``: what lies now where mapped code was read from.

The kernel marks a mapping as "(deleted)" when the name that it was mapped by was removed, whether another file took the
place or not. Only stat(2) of that name tells. One line for each such file: ``STATE PATH``.
"""

from enum import Enum


class DeletedState(Enum):
    """What became of a file that is mapped as deleted."""

    DELETED = "deleted"
    """Nothing has its name, and no other name of it is left."""
    UNLINKED = "unlinked"
    """Nothing has its name, but it has other names (hard links)."""
    REPLACED = "replaced"
    """Another file has its name."""
    SAME = "same"
    """The same file has its name (again)."""


_STATES = {state.value.encode(): state for state in DeletedState}


def format_deleted_report(states: dict[bytes, DeletedState]) -> bytes:
    """The report on files by their path, as maps shows it without the mark. A path holds no line feed."""
    return b"\n".join(b"%b %b" % (state.value.encode(), path) for path, state in states.items())


def parse_deleted_report(data: bytes) -> dict[bytes, DeletedState]:
    """Parse the report. Malformed lines are skipped."""
    found = {}
    for line in data.split(b"\n"):
        word, _, path = line.partition(b" ")
        if path.startswith(b"/") and word in _STATES:
            found[path] = _STATES[word]
    return found
