"""Which processes a recording holds, for those that were asked for and are not in its first instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from memtop.engine.seekable import Seekable
from memtop.errors import ParseError, ProcessGone
from memtop.procfs.stat import parse_stat
from memtop.procfs.statm import parse_statm
from memtop.sanitize import clean

LOOK_S: Final = 1.0
"""How long the processes are searched for the sentence that names some of them."""
MOST_NAMED: Final = 5


def first_seen_s(source: Seekable, pid: int) -> float | None:
    """Wall time of the first instant that has a process; None where none has it. Raises RecordingError."""
    return next((wall_s for wall_s, statm in source.sweeps_of("statm", pid) if statm is not None), None)


def not_held(source: Seekable, pids: Sequence[int], clock: Callable[[], float]) -> ProcessGone:
    """The error for processes that no instant has. It names the largest of those that there are."""
    until_s, names = clock() + LOOK_S, dict[int, str]()
    sizes: dict[int, int] = {}
    other = source.again()
    while clock() < until_s and other.begin() is not None:
        listed = other.pids()
        for pid, statm in zip(listed, other.sweep("statm", listed), strict=True):
            if statm is not None:
                sizes[pid] = max(sizes.get(pid, 0), parse_statm(statm).rss_bytes)
        unnamed = [pid for pid in listed if pid in sizes and pid not in names]
        for pid, stat in zip(unnamed, other.sweep("stat", unnamed), strict=True):
            if (name := _name(stat)) is not None:
                names[pid] = name
    asked = f"process {pids[0]}" if len(pids) == 1 else f"any of the processes {', '.join(map(str, pids))}"
    return ProcessGone(f"the recording does not hold {asked}{_held(sizes, names)}")


def _name(stat: bytes | None) -> str | None:
    if stat is None:
        return None
    try:
        return clean(parse_stat(stat).comm)
    except ParseError:
        return None


def _held(sizes: dict[int, int], names: dict[int, str]) -> str:
    largest = sorted(sizes, key=lambda pid: (-sizes[pid], pid))
    words = [f"{pid} ({names[pid]})" if pid in names else str(pid) for pid in largest[:MOST_NAMED]]
    if not words:
        return ""
    more = f" and {len(largest) - len(words)} more" if len(largest) > len(words) else ""
    return f"; it holds {', '.join(words)}{more}"
