"""Remarks on standard error, beside what a command prints."""

from collections.abc import Collection
from typing import TextIO

from memtop.model.frame import Frame


def remark(text: str, err: TextIO) -> None:
    """Print a remark. A standard error that takes nothing (a full disk, a closed pipe) costs only the remark."""
    try:
        print(f"memtop: {text}", file=err, flush=True)
    except OSError:
        return


def hidden_processes(hidden: int | None, lacks: str) -> str:
    """What /proc does not show of other users' processes: how many, None for not known; and what ``lacks`` them."""
    many = "of other users, not counted" if hidden is None else f"{hidden:,}"
    return f"hidden processes (hidepid): {many}; {lacks}"


def without_metrics(frame: Frame, pids: Collection[int | None]) -> list[str]:
    """Why the addresses of these Go programs gave no metrics, one sentence each."""
    return [
        f"no metrics of process {key.pid}: {runtime['heap_trouble']}"
        for key, runtime in frame.runtimes.items()
        if key.pid in pids and runtime["heap_trouble"]
    ]
