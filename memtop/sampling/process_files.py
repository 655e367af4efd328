"""Reads stat, statm, status and oom_score of a process into its record, and notes which processes have changed.

Bytes are compared before they are parsed, because most processes are idle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from memtop.errors import MemtopError, NotRecorded, ProcessGone, Unavailable
from memtop.procfs.lines import int_or_none
from memtop.procfs.stat import PidStat, parse_stat
from memtop.procfs.statm import parse_statm
from memtop.procfs.status import PidStatus, parse_status
from memtop.sampling.name_reader import NameReader
from memtop.sampling.problems import Problems
from memtop.sampling.process_record import NEVER, STALE_TICKS, ProcessRecord
from memtop.sampling.sample import folder_of
from memtop.sources.protocol import Source

EMPTY: Final = b"0 0 0 0 0 0 0"
"""statm of a process that has no memory, or no longer has any."""
MOST_THREADS: Final = 16
"""Threads tried at one instant to find a living one."""


class ProcessFiles:
    """Reads the files of single processes at one instant after another."""

    def __init__(self, source: Source, problems: Problems, names: NameReader) -> None:
        self._source = source
        self._problems = problems
        self._names = names
        self.tick = -1
        self._now_s = 0.0
        self.changed: set[int] = set()
        """Pids whose record differs from the tick before."""
        self.stat_pids: set[int] = set()
        """Pids whose stat was read at this instant, whether it has changed or not."""
        self.shrunk: list[int] = []
        """PIDs that hold less than half of the memory that they held before: they may have become another program."""
        self.execs = 0
        """Processes that were found at this instant to have become another program."""
        self.leaderless: set[int] = set()
        """Pids whose main thread has ended while other threads live."""

    def begin(self, now_s: float) -> None:
        """Start the next instant; ``now_s`` is on the clock of Instant.mono_s."""
        self.tick, self._now_s = self.tick + 1, now_s
        self.changed.clear()
        self.shrunk.clear()
        self.stat_pids = set()
        self.execs = 0

    def forget(self, pid: int) -> None:
        """Drop a process that has ended."""
        self.changed.discard(pid)
        self._names.forget(pid)
        self.leaderless.discard(pid)

    # -- stat and statm

    def read_stats(self, records: Mapping[int, ProcessRecord], pids: Sequence[int]) -> list[ProcessRecord]:
        """Read stat of these processes. Returns the records whose PID now belongs to another process."""
        now_s, replaced = self._now_s, []
        self.stat_pids.update(pids)
        for pid, raw in zip(pids, self._source.sweep("stat", pids), strict=True):
            record = records[pid]
            if raw is None:  # it has ended; the next tick reports it
                self.stat_pids.discard(pid)
                continue
            if record.stat_read_s == now_s:  # first seen at this instant
                continue
            if raw == record.stat_raw and record.stat is not None:
                if not record.still:  # the rates fall to zero once
                    record.still = True
                    record.stat_before, record.stat_before_s, record.stat_s = record.stat, record.stat_read_s, now_s
                    self.changed.add(pid)
                record.stat_read_s = now_s
                continue
            if (stat := self._problems.parse(parse_stat, raw, f"proc/{pid}/stat")) is None:
                continue
            if stat.start_ticks != record.key.start_ticks:  # descriptors ran out, so no None came between the two
                replaced.append(record)
                continue
            self.take_stat(record, raw, stat)
            self.check_leader(record)
        return replaced

    def take_stat(self, record: ProcessRecord, raw: bytes, stat: PidStat) -> None:
        """Put a new stat into the record, and detect an exec by its addresses."""
        before = record.stat
        record.stat_raw, record.still = raw, False
        record.stat, record.stat_before, record.stat_before_s = stat, before, record.stat_read_s
        record.stat_s = record.stat_read_s = self._now_s
        record.name_raw = stat.comm
        self.changed.add(record.key.pid)
        self.stat_pids.add(record.key.pid)
        if before is None:
            return
        moved = _has_moved(before, stat)
        if moved:
            self._note_exec(record)
        if moved or before.comm != stat.comm:
            self._names.want_command(record)

    def take_statm(self, record: ProcessRecord, raw: bytes) -> None:
        """Put a new statm into the record."""
        pid = record.key.pid
        record.statm_raw, record.statm_tick = raw, self.tick
        self.changed.add(pid)
        if raw.startswith(EMPTY):
            record.statm = None
        else:
            if record.living_tid is not None:
                record.living_tid = None
                self.leaderless.discard(pid)
            before, record.statm = record.statm, self._problems.parse(parse_statm, raw, f"proc/{pid}/statm")
            if before is not None and record.statm is not None and 2 * record.statm.rss_bytes < before.rss_bytes:
                self.shrunk.append(pid)

    def check_leader(self, record: ProcessRecord) -> None:
        """Find the memory of a zombie with more than one thread at a living thread, which shares it."""
        before = record.living_tid
        if record.stat is None or record.stat.state != "Z" or (record.stat.threads < 2 and before is None):
            return
        pid = record.key.pid
        try:
            tid, raw = self._living_thread(pid, before)
        except (ProcessGone, Unavailable):
            return  # that thread has ended since it was listed: the next tick finds another, or none
        except MemtopError as error:
            self._problems.note(error)
            return
        statm = None if tid is None else self._problems.parse(parse_statm, raw, f"{folder_of(pid, tid)}/statm")
        if (statm, tid) != (record.statm, before):
            self.changed.add(pid)
            record.statm_tick = self.tick
        record.statm, record.living_tid = statm, tid
        if tid is None:
            if record.stat.threads < 2:  # otherwise no living thread was found at this instant
                self.leaderless.discard(pid)
            return
        self.leaderless.add(pid)
        if before is None:  # what the files of the main thread do not show any more
            record.status_tick = record.oom_tick = NEVER
            if not record.command_raw:
                self._names.want_command(record)
            if record.status is not None:  # it may be from after the end of the main thread
                self.read_status(record)

    def _living_thread(self, pid: int, before: int | None) -> tuple[int | None, bytes]:
        """A thread that has memory, and its statm: the previous one while it lives. None if there is none."""
        if before is not None:
            try:
                raw = self._source.read(f"{folder_of(pid, before)}/statm")
            except (ProcessGone, Unavailable):
                raw = EMPTY
            if not raw.startswith(EMPTY):
                return before, raw
        for tid in [tid for tid in self._source.tids(pid) if tid not in (pid, before)][:MOST_THREADS]:
            try:
                raw = self._source.read(f"{folder_of(pid, tid)}/statm")
            except (ProcessGone, Unavailable):
                continue  # it has ended since it was listed
            if not raw.startswith(EMPTY):
                return tid, raw
        return None, EMPTY

    # -- status and oom_score

    def read_status_if_moved(self, record: ProcessRecord) -> None:
        """Read status if statm has moved since, or if it is old."""
        moved = record.statm_tick > record.status_tick
        if moved or self.tick - record.status_tick >= STALE_TICKS or record.status is None:
            self.read_status(record)

    def read_status(self, record: ProcessRecord) -> None:
        """Read status, once at an instant, and detect an exec by a peak that fell."""
        if record.status_tick == self.tick:
            return
        if record.stat is not None and record.stat.kernel_thread and record.status:
            return
        path = f"{record.folder}/status"
        try:
            status = self._problems.parse(parse_status, self._source.read(path), path)
        except ProcessGone:
            return
        except MemtopError as error:
            self._problems.note(error)
            return
        if status is None:
            return
        record.status_tick = self.tick
        before, record.status = record.status, status
        if before == status:
            return
        self.changed.add(record.key.pid)
        if status.uid is not None and status.uid != record.uid:
            self._names.take_uid(record, status.uid)
        if before is not None and _peak_fell(before, status):
            self._exec_by_peak(record)
            record.status_tick, record.status = self.tick, status

    def _exec_by_peak(self, record: ProcessRecord) -> None:
        """Note an exec: VmPeak never falls within one program, and every user may read it, unlike start_code."""
        execs, path = record.execs, f"proc/{record.key.pid}/stat"
        try:
            raw = self._source.read(path)
        except MemtopError:
            raw = record.stat_raw
        if raw != record.stat_raw and (stat := self._problems.parse(parse_stat, raw, path)) is not None:
            self.take_stat(record, raw, stat)
        if record.execs == execs:
            self._note_exec(record)
            self._names.want_command(record)

    def _note_exec(self, record: ProcessRecord) -> None:
        record.become_another_program()
        self.execs += 1

    def read_oom(self, record: ProcessRecord, *, few: bool) -> None:
        """Read oom_score and, when it is due, oom_score_adj. ``few`` means that only some processes are read."""
        pid = record.key.pid
        due = few or self.tick - record.oom_tick >= STALE_TICKS
        if not due and record.statm_tick < self.tick:
            return
        score, adj = self._number(f"proc/{pid}/oom_score", record.oom_score), record.oom_score_adj
        if due:
            adj = self._number(f"proc/{pid}/oom_score_adj", adj)
            record.oom_tick = self.tick
        if (score, adj) != (record.oom_score, record.oom_score_adj):
            record.oom_score, record.oom_score_adj = score, adj
            self.changed.add(pid)

    def _number(self, path: str, before: int | None) -> int | None:
        """The number in a file; None if it cannot be read, ``before`` if it was not recorded or its process ended."""
        try:
            return int_or_none(self._source.read(path, 64))
        except (ProcessGone, NotRecorded):
            return before
        except MemtopError as error:
            self._problems.note(error)
            return None


def _has_moved(before: PidStat, after: PidStat) -> bool:
    """Whether code or stack lie elsewhere. The code of a program that is linked to a fixed address never moves.

    1 is not permitted to know; 0 is the same, or memory that is being torn down, and its command line with it.
    """
    code, stack = (before.start_code, after.start_code), (before.start_stack, after.start_stack)
    return (code[0] != code[1] and min(code) > 1) or (stack[0] != stack[1] and min(stack) > 1)


def _peak_fell(before: PidStatus, after: PidStatus) -> bool:
    """Whether VmPeak is lower than before, in a process that has memory."""
    return (
        after.peak_rss_bytes is not None
        and before.virt_peak_bytes is not None
        and after.virt_peak_bytes is not None
        and after.virt_peak_bytes < before.virt_peak_bytes
    )
