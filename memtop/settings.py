"""Settings: the decisions of the command line, one frozen value, made before anything is started."""

from typing import NamedTuple

from memtop.columns import DEFAULT_COLUMNS, Column


class Settings(NamedTuple):
    """How this run was asked for; made by cli, read by views."""

    pids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    children: bool = False
    filter: str = ""
    user: str = ""
    tree: bool = False
    sort: Column | None = None
    """None sorts by RES."""
    delay_s: float = 1.0
    iterations: int | None = None
    columns: tuple[Column, ...] = DEFAULT_COLUMNS
    readonly: bool = False
    color: bool = True
    ascii: bool = False
    mouse: bool = True
    record: str = ""
    """File to record into, or empty."""
    replay: str = ""
    """Recording to play instead of the live machine, or empty."""
    smaps: bool = True
    """False forbids smaps and smaps_rollup."""
    go_urls: tuple[tuple[int | None, str], ...] = ()
    """Addresses of Go programs' metrics by pid; None for the one process asked for."""
    output: str = ""
    """File for batch output, or empty for standard output."""
    redact: bool = True
    """False leaves what looks like a secret in the command lines of JSON and CSV."""
    notice: str = ""
    """One line about how the command line was understood, or empty: a thread id stands for its process."""
