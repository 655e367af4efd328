"""Why a process that was asked for is not among the rows: its files may be broken, which is not gone."""

from __future__ import annotations

from collections.abc import Iterable


def unreadable(problems: Iterable[str], pids: Iterable[int]) -> str:
    """The first problem that is about a file of one of these processes; empty where there is none."""
    folders = [f"proc/{pid}/" for pid in pids]
    return next((problem for problem in problems if any(folder in problem for folder in folders)), "")
