"""Identity of a process: PID, start time, and a counter for reused PIDs."""

from typing import NamedTuple


class ProcessKey(NamedTuple):
    """The identity of a process. PID and start time alone collide when a PID is reused within one clock tick."""

    pid: int
    start_ticks: int
    life: int = 0
    """Number of earlier processes with the same PID and start time."""
