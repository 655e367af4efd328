"""Why a process that was asked for is not among the rows: it is hidden, its files are broken, or it has gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memtop.errors import AccessDenied, MemtopError, ProcessGone, Unavailable


def why_absent(pids: Sequence[int], hidden: int | None, problems: Iterable[str]) -> MemtopError:
    """The error to raise for processes of which the first sample has none.

    ``hidden`` is how many of them may not be read, None if that is not known. ``problems`` are those of the sample.
    """
    if hidden:
        return AccessDenied(f"not permitted to read process {', '.join(map(str, pids))}")
    folders = [f"proc/{pid}/" for pid in pids]
    broken = next((problem for problem in problems if any(folder in problem for folder in folders)), "")
    if broken:
        return Unavailable(broken)
    return ProcessGone(f"no such process: {', '.join(map(str, pids))}")
