"""Which processes a recording holds, for those that were asked for and are not in its first instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from memtop.engine.seekable import Seekable
from memtop.errors import MemtopError, ProcessGone
from memtop.procfs.stat import PidStat, parse_stat
from memtop.procfs.statm import parse_statm
from memtop.sanitize import clean
from memtop.sources.protocol import Source

LOOK_S: Final = 1.0
"""How long the processes are searched for the sentence that names some of them."""
MOST_NAMED: Final = 5
_LARGER: Final = 1.1


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
        larger = []
        for pid, statm in zip(listed, other.sweep("statm", listed), strict=True):
            if statm is None:
                continue
            size, before = parse_statm(statm).rss_bytes, sizes.get(pid)
            sizes[pid] = max(size, before or 0)
            if before is None or size > _LARGER * before:  # it may run another program since
                larger.append(pid)
        names |= {pid: clean(stat.comm) for pid in larger if (stat := stat_of(other, pid)) is not None}
    asked = f"process {pids[0]}" if len(pids) == 1 else f"any of the processes {', '.join(map(str, pids))}"
    return ProcessGone(f"the recording does not hold {asked}{_held(sizes, names)}")


def stat_of(source: Source, pid: int) -> PidStat | None:
    """The stat file of a process as recorded at the instant that is played; None if it was not read."""
    (data,) = source.sweep("stat", [pid])
    try:  # the first time it is read alone
        return parse_stat(source.read(f"proc/{pid}/stat") if data is None else data)
    except MemtopError:
        return None


def _held(sizes: dict[int, int], names: dict[int, str]) -> str:
    largest = sorted(sizes, key=lambda pid: (-sizes[pid], pid))
    words = [f"{pid} ({names[pid]})" if pid in names else str(pid) for pid in largest[:MOST_NAMED]]
    if not words:
        return ""
    more = f" and {len(largest) - len(words)} more" if len(largest) > len(words) else ""
    return f"; it holds {', '.join(words)}{more}"
