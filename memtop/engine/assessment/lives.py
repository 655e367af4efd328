"""Finds crash loops: programs that crash and come back, the same command in the same cgroup or pod.

An end counts if it was abnormal (by the OOM killer, by a signal that does not ask to end, or with a code other than
0), if the process was large, or if its cause is unknown and its memory rose until then. So ``sleep 0.2`` in a
shell loop is no restart, and neither is a worker of a pool that its parent, which runs the same command, replaces after
it has ended normally.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from memtop.analysis.crash_loop import LoopFacts
from memtop.engine.assessment.event_counters import Counters
from memtop.engine.assessment.limit_names import cgroup_name, limit_file
from memtop.engine.assessment.run_place import run_place
from memtop.engine.assessment.step_input import StepInput
from memtop.model.assessment import ExitReport
from memtop.model.lives import Lives
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.program_name import runs_unknown_file

MOST_PROGRAMS: Final = 256
"""Programs with ends that count; the one whose last end is longest ago goes first."""
MOST_LIVES: Final = 16
"""Ends that are remembered of one program."""
MOST_AT_ONCE: Final = 256
"""New processes that are examined in one tick: a storm of them must cost little."""
WAIT_TICKS: Final = 5
"""Ticks for which a new process may still become the successor: its command line is read in turn, and it may exec."""
FORGET_S: Final = 900.0
"""A program whose last restart is this long ago begins a new story."""
_Id = tuple[str, str]
"""Command line, and the directory of the cgroup or pod."""


class _Program:
    __slots__ = ("ends", "first", "living", "name", "open", "restarted_s", "restarts", "since_s")

    def __init__(self, report: ExitReport, now_s: float) -> None:
        self.name = report.name
        self.first = report.key
        self.ends: deque[ExitReport] = deque(maxlen=MOST_LIVES)
        self.open = 0
        """Ends that no successor has followed yet."""
        self.living: ProcessKey | None = None
        self.restarts = 0
        self.since_s = self.restarted_s = now_s


class LivesTracker:
    """:meth:`take` once a tick."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._programs: dict[_Id, _Program] = {}
        self._of: dict[ProcessKey, _Id] = {}
        """The program of each remembered life and each successor."""
        self._new: dict[int, int] = {}
        """PIDs of new processes that may be successors, and for how many ticks more."""
        self._names: dict[str, str] = {}
        """Names of cgroups, for people, as last known."""
        self.restarted: tuple[ProcessRow, ...] = ()
        """Successors found at this tick."""

    def take(self, step: StepInput, ends: Iterable[ExitReport], new: Iterable[int]) -> None:
        """One tick: the ends found, and the PIDs of the processes that were not there before."""
        for report in ends:
            if report.is_crash or report.large or report.may_have_failed:
                self._note_end(step, report)
        self.restarted = ()
        if not self._programs:
            return
        self._new |= dict.fromkeys(list(new)[-MOST_AT_ONCE:], WAIT_TICKS)
        found: list[ProcessRow] = []
        for pid, ticks in list(self._new.items()):
            row = step.rows.get(pid)
            if row is None or self._succeeds(step, row, last_try=ticks <= 1, found=found) or ticks <= 1:
                del self._new[pid]
            else:
                self._new[pid] = ticks - 1
        self.restarted = tuple(found)

    def of(self, key: ProcessKey) -> Lives | None:
        """The program of a life or a successor; None if it has not come back yet."""
        at = self._of.get(key)
        program = self._programs.get(at) if at is not None else None
        return self._lives(at, program) if at is not None and program is not None and program.restarts else None

    def first(self, key: ProcessKey) -> ProcessKey | None:
        """The first life of the program of a process; None where the program has not come back."""
        found = self.of(key)
        return found.first if found is not None else None

    def loops(self, step: StepInput) -> tuple[LoopFacts, ...]:
        """The programs that have come back at least once and may do so again."""
        kills, now_s = step.cgroups.kills, step.now_s
        found = []
        for at, program in self._programs.items():
            if program.restarts and now_s - program.restarted_s <= FORGET_S:
                loop = loop_facts(self._lives(at, program))
                file = None if loop.limit_path is None else limit_file(loop.limit_path, step)
                found.append(loop._replace(kills=kills.get(at[1]), limit_file=file))
        return tuple(found)

    def _lives(self, at: _Id, program: _Program) -> Lives:
        return Lives(
            program.name,
            at[1],
            self._names.get(at[1], ""),
            program.restarts,
            program.since_s,
            program.restarted_s,
            tuple(program.ends),
            program.first,
            program.living,
        )

    def _note_end(self, step: StepInput, report: ExitReport) -> None:
        at = report.command, run_place(self._counters.chain(report.key), step)
        program = self._programs.pop(at, None)
        if program is None or (program.restarts and step.now_s - program.restarted_s > FORGET_S):
            program = _Program(report, step.now_s)
        self._programs[at] = program  # the latest last
        if at[1]:
            self._names[at[1]] = cgroup_name(at[1], step)
            while len(self._names) > 2 * MOST_PROGRAMS:
                del self._names[next(iter(self._names))]
        if len(program.ends) == MOST_LIVES:
            self._of.pop(program.ends[0].key, None)
        program.ends.append(report)
        program.open += 1
        self._of[report.key] = at
        if program.living == report.key:
            program.living = None
        while len(self._programs) > MOST_PROGRAMS:
            oldest = next(iter(self._programs))
            del self._programs[oldest]
            self._of = {key: one for key, one in self._of.items() if one != oldest}

    def _succeeds(self, step: StepInput, row: ProcessRow, *, last_try: bool, found: list[ProcessRow]) -> bool:
        """Whether a new process is a successor; then it is noted as one."""
        if row.command_raw is None or runs_unknown_file(row.command_raw):
            return False
        chain = step.cgroups.chains.get(row.key)  # empty where there is no memory cgroup
        if chain is None and not last_try:
            return False
        at = row.command, run_place(chain or (), step)
        program = self._programs.get(at)
        if program is None or not program.open or row.key.start_ticks < program.ends[-1].key.start_ticks:
            return False
        parent = step.rows.get(row.ppid) if row.ppid is not None else None
        is_worker = parent is not None and parent.command_raw == row.command_raw
        if row.key in self._of or (is_worker and not program.ends[-1].is_crash):
            return False
        program.open -= 1
        program.restarts += 1
        program.restarted_s = step.now_s
        program.name = row.program
        program.living = row.key
        self._of[row.key] = at
        found.append(row)
        return True


def loop_facts(lives: Lives) -> LoopFacts:
    """The facts about one program, as incidents and findings take them."""
    last = lives.ends[-1]
    alike = [one for one in lives.ends if _cause(one) == _cause(last)]
    limited = next((one for one in reversed(alike) if one.limit_name), last)
    peaks = sorted(one.peak_rss_bytes for one in alike if one.peak_rss_bytes is not None)
    return LoopFacts(
        key=lives.living or last.key,
        first=lives.first,
        keys=frozenset(one.key for one in lives.ends),
        name=lives.name,
        restarts=lives.restarts,
        since_s=lives.since_s,
        restarted_s=lives.restarted_s,
        mean_s=lives.mean_s,
        ends=len(lives.ends),
        alike=len(alike),
        is_oom=last.is_oom,
        signal=last.signal,
        exit_code=last.exit_code,
        peak_bytes=peaks[len(peaks) // 2] if peaks else None,
        large=last.large,
        cgroup_path=lives.path,
        cgroup_name=lives.cgroup_name,
        limit_name=limited.limit_name or "",
        limit_bytes=limited.limit_bytes,
        limit_path=limited.limit_path,
    )


def _cause(report: ExitReport) -> tuple[bool, int | None, int | None]:
    return (True, None, None) if report.is_oom else (False, report.signal, report.exit_code)
