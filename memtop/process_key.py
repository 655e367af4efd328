"""Identity of a process: PID, start time, and a counter for reused PIDs."""

from typing import NamedTuple


class ProcessKey(NamedTuple):
    """Who a process is. Pid and start time alone collide when pids are reused within one clock tick."""

    pid: int
    start_ticks: int
    life: int = 0
    """Counts the processes seen with the same pid and start time."""
