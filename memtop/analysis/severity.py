"""How bad something is: the same scale for findings about a process and for incidents of the machine."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding or an incident is."""

    NOTE = 0
    """Useful to know."""
    WARNING = 1
    """Deserves a closer look."""
    DANGER = 2
    """Calls for action."""
