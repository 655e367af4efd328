"""/proc/pressure/memory and memory.pressure: pressure stall information (PSI), Documentation/accounting/psi.rst."""

from typing import NamedTuple

from memtop.procfs.lines import int_or_none, key_values


class Stall(NamedTuple):
    """One line of a pressure file."""

    avg10_percent: float
    """Share of the last ten seconds in which tasks stalled, in percent."""
    avg60_percent: float
    total_us: int
    """Stalled time since boot, in microseconds."""
    avg300_percent: float | None = None


class Pressure(NamedTuple):
    """``some``: at least one task stalled; ``full``: all runnable tasks stalled. None if the line is absent."""

    some: Stall | None
    full: Stall | None


def parse_pressure(data: bytes) -> Pressure:
    """Parse one pressure file. Absent or malformed lines become None."""
    lines = key_values(data, b" ")
    return Pressure(_stall(lines.get(b"some", b"")), _stall(lines.get(b"full", b"")))


def _stall(line: bytes) -> Stall | None:
    """Parse ``avg10=11.87 avg60=3.20 avg300=0.70 total=1733333``."""
    values = key_values(line.replace(b" ", b"\n"), b"=")
    avg10, avg60 = _percent(values.get(b"avg10", b"")), _percent(values.get(b"avg60", b""))
    total_us, avg300 = int_or_none(values.get(b"total")), _percent(values.get(b"avg300", b""))
    return None if avg10 is None or avg60 is None or total_us is None else Stall(avg10, avg60, total_us, avg300)


def _percent(text: bytes) -> float | None:
    """Parse ``100.00``. None for anything else."""
    whole, _, part = text.partition(b".")
    return float(text) if whole.isdigit() and part.isdigit() and len(whole) <= 3 else None
