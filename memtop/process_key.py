"""The identity of a process: pid, start time and a counter for pids that were used again."""

from typing import NamedTuple


class ProcessKey(NamedTuple):
    """Who a process is. Pid and start time alone collide when pids are reused within one clock tick."""

    pid: int
    start_ticks: int
    life: int = 0
    """Counts the processes seen with the same pid and start time."""
