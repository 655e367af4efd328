"""Looks through the open files of processes for memfds, a few processes at each sample."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple

from memtop.errors import AccessDenied, MemtopError, NotRecorded, ProcessGone
from memtop.process_key import ProcessKey
from memtop.procfs.memfds_report import MemfdsReport, parse_memfds_report
from memtop.sampling.machine_reading import OpenMemfds
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source
from memtop.units import counted

PER_SAMPLE: Final = 64
"""Most processes that are looked through at the same time ..."""
LEAST_PER_SAMPLE: Final = 2
BUDGET_S: Final = 0.01
"""... and processor time for it: one with thousands of open files takes as long as a hundred others."""
_USUAL_S: Final = 0.0005
"""The first guess of what one takes."""
REST_S: Final = 30.0
"""Time from the end of one turn through all processes to the next."""
_KEPT_S: Final = 120.0
"""What is older is dropped. A recording has it for as long as its process, also where the panel was closed since."""
_PAUSE_S: Final = 10.0
"""After so long without a look, what is known and what is under way is of the past."""
_SIZE: Final = 1 << 20


class _Known(NamedTuple):
    key: ProcessKey
    report: MemfdsReport | None
    """None where its open files may not be looked at."""


class MemfdReader:
    """:meth:`read` at each sample at which the memfds are of interest."""

    def __init__(self, source: Source, *, replaying: bool = False) -> None:
        """``replaying``: the source is a recording, and everything that was answered at an instant is used."""
        self._source = source
        self._replaying = replaying
        self._known: dict[int, _Known] = {}
        self._waiting: dict[int, str] = {}
        """Paths that were asked for, by PID."""
        self._turn: deque[int] = deque()
        self._next_turn_s = self._read_s = float("-inf")
        self._took_s = deque([_USUAL_S], maxlen=PER_SAMPLE)
        """Processor time of each of the last answers."""

    def read(self, processes: Mapping[int, ProcessSample], now_s: float, *, once: bool = False) -> OpenMemfds:
        """What is known, after asking for some. With ``once`` all processes are asked for."""
        if now_s - self._read_s > _PAUSE_S:
            self._begin_again()
        self._read_s = now_s
        self._drop(processes, now_s)
        if self._replaying:
            for pid in processes:
                self._ask(processes[pid], now_s)
        else:
            self._go_on(processes, now_s, once=once)
        opened = {pid: one.report.memfds for pid, one in self._known.items() if one.report and one.report.memfds}
        return OpenMemfds(opened, self._unread(processes))

    def _begin_again(self) -> None:
        for path in self._waiting.values():
            self._source.abandon(path)
        self._known.clear()
        self._waiting.clear()
        self._turn.clear()
        self._next_turn_s = float("-inf")

    def _drop(self, processes: Mapping[int, ProcessSample], now_s: float) -> None:
        """Drop what is old, and what is about a process that has ended, whether another has its PID now or not."""
        for pid, one in list(self._known.items()):
            if pid not in processes or processes[pid].key != one.key or _is_old(one.report, now_s):
                del self._known[pid]
        for pid in [pid for pid in self._waiting if pid not in processes]:
            self._source.abandon(self._waiting.pop(pid))

    def _go_on(self, processes: Mapping[int, ProcessSample], now_s: float, *, once: bool) -> None:
        if not self._turn and not self._waiting and now_s >= self._next_turn_s:
            self._turn.extend(pid for pid, one in processes.items() if one.statm is not None)
        for pid in list(self._waiting):
            self._ask(processes[pid], now_s)
        most = len(processes) if once else self._affordable()
        while self._turn and len(self._waiting) < most:
            pid = self._turn.popleft()
            if pid in processes:
                self._ask(processes[pid], now_s)
        if not self._turn and not self._waiting and now_s >= self._next_turn_s:
            self._next_turn_s = now_s + REST_S

    def _affordable(self) -> int:
        """How many processes are looked through at the same time, if each takes as long as those before."""
        each_s = sum(self._took_s) / len(self._took_s)
        return max(LEAST_PER_SAMPLE, int(min(PER_SAMPLE, BUDGET_S / max(each_s, 1e-6))))

    def _ask(self, process: ProcessSample, now_s: float) -> None:
        pid = process.key.pid
        path = self._waiting.pop(pid, f"{process.folder}/memfds")
        report: MemfdsReport | None
        try:
            answer = self._source.ask(path, _SIZE)
            if answer is None:
                self._waiting[pid] = path
                return
            report = parse_memfds_report(answer.data)
            self._took_s.append(answer.took_s)
        except NotRecorded:
            return
        except ProcessGone:
            report = MemfdsReport(now_s)
        except AccessDenied:
            report = None
        except MemtopError:
            return  # hangs, or cannot be read for now: the next turn will show
        if not _is_old(report, now_s):
            self._known[pid] = _Known(process.key, report)

    def _unread(self, processes: Mapping[int, ProcessSample]) -> str:
        """Why not all are known; empty where they are."""
        if self._replaying and not self._known:
            return "not in this part of the recording"
        denied = sum(one.report is None for one in self._known.values())
        cut = sum(one.report is not None and one.report.is_cut for one in self._known.values())
        later = sum(one.statm is not None and pid not in self._known for pid, one in processes.items())
        said = (
            (denied, f"not permitted for {counted(denied, 'process')}"),
            (cut, f"not all of {counted(cut, 'process')}"),
            (later, f"not yet for {counted(later, 'process')}"),
        )
        return ", ".join(text for number, text in said if number)


def _is_old(report: MemfdsReport | None, now_s: float) -> bool:
    return report is not None and now_s - report.at_s > _KEPT_S
