"""Remarks on standard error, beside what a command prints."""

from typing import TextIO


def remark(text: str, err: TextIO) -> None:
    """Print a remark. A standard error that takes nothing (a full disk, a closed pipe) costs only the remark."""
    try:
        print(f"memtop: {text}", file=err, flush=True)
    except OSError:
        return
