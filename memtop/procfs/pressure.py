"""/proc/pressure/memory and memory.pressure: Documentation/accounting/psi.rst."""

import re
from typing import NamedTuple

_LINE = re.compile(
    rb"^(some|full) avg10=(\d{1,3}\.\d+) avg60=(\d{1,3}\.\d+) avg300=\d{1,3}\.\d+ total=(\d{1,20})", re.M
)


class Stall(NamedTuple):
    """One line of a pressure file."""

    avg10_percent: float
    """Share of the last ten seconds that tasks stalled, in percent."""
    avg60_percent: float
    total_us: int
    """Stalled microseconds since boot."""


class Pressure(NamedTuple):
    """``some``: at least one task stalled; ``full``: all runnable tasks did. None where the line is absent."""

    some: Stall | None
    full: Stall | None


def parse_pressure(data: bytes) -> Pressure:
    """Parse one pressure file; lines that are absent or odd become None."""
    stalls = {match[1]: Stall(float(match[2]), float(match[3]), int(match[4])) for match in _LINE.finditer(data)}
    return Pressure(stalls.get(b"some"), stalls.get(b"full"))
