"""Reads the processes of one sample: finds new and ended ones, and decides which of their files to read.

statm is read for every process at every tick, as one sweep over kept descriptors. Whatever costs more is read
for the rows on screen, for every row only while the order or the filter depends on it, and otherwise in turn.
Bytes are compared before they are parsed, and a process of which nothing has changed keeps its ProcessSample:
most processes are idle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Final

from memtop.errors import AccessDenied, MemtopError, ProcessGone, Unavailable
from memtop.process_key import ProcessKey
from memtop.procfs.lines import int_or_none
from memtop.procfs.stat import PidStat, parse_stat
from memtop.procfs.statm import parse_statm
from memtop.procfs.status import PidStatus, parse_status
from memtop.sampling.name_reader import NameReader
from memtop.sampling.problems import Problems
from memtop.sampling.process_record import STALE_TICKS, ProcessRecord
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source

TURN_TICKS: Final = 32
"""Ticks in which every process that is not on screen has its stat read once."""
FIRST_SETTLE_S: Final = 0.05
"""How long the first sample waits for command lines, so that one-shot output has them."""
LIVES_KEPT: Final = 512
"""Ended processes remembered, to tell a new one with the same pid and start time (one clock tick) apart."""
EMPTY: Final = b"0 0 0 0 0 0 0"


class ProcessReader:
    """Reads processes through a Source, one instant at a time."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        self._names = NameReader(source)
        self._tick = -1
        self._now_s = 0.0
        self._records: dict[int, ProcessRecord] = {}
        self._samples: dict[int, ProcessSample] = {}
        self._changed: set[int] = set()
        """Pids of which something differs from the tick before."""
        self._stat_pids: set[int] = set()
        self._gone: list[ProcessKey] = []
        self._hidden: set[int] = set()
        self._lives: dict[tuple[int, int], int] = {}
        self._leaderless: set[int] = set()

    def read(self, plan: SamplePlan, pids: Sequence[int], now_s: float) -> dict[int, ProcessSample]:
        """The processes of this instant by pid; ``now_s`` is on the clock of Instant.mono_s."""
        self._tick, self._now_s = self._tick + 1, now_s
        self._changed.clear()
        self._stat_pids, self._gone = set(), []
        empty = self._sweep_statm(pids)
        orphans = self._children_of({key.pid for key in self._gone}) if self._gone else []
        self._read_due(plan, [*empty, *orphans])
        for pid in tuple(self._leaderless):
            self._check_leader(self._records[pid])
        self._changed.update(self._names.collect(self._records))
        if self._tick == 0 and self._names.waits:
            self._source.settle(FIRST_SETTLE_S)
            self._changed.update(self._names.collect(self._records))
        return self._frozen()

    @property
    def gone(self) -> tuple[ProcessKey, ...]:
        """Those of the instant before that have ended since."""
        return tuple(self._gone)

    @property
    def stat_pids(self) -> Set[int]:
        """Processes whose stat was read at this instant, whether it has changed or not."""
        return self._stat_pids

    @property
    def hidden(self) -> int:
        """Listed processes that may not be read (hidepid)."""
        return len(self._hidden)

    def _frozen(self) -> dict[int, ProcessSample]:
        samples = self._samples.copy()
        for key in self._gone:
            if (old := samples.get(key.pid)) is not None and old.key == key:
                del samples[key.pid]
        for pid in self._changed:
            samples[pid] = self._records[pid].sample()
        self._samples = samples
        return samples

    # -- coming and going

    def _sweep_statm(self, pids: Sequence[int]) -> list[int]:
        """Read statm of all; those whose memory has gone."""
        records = self._records
        self._hidden.intersection_update(pids)
        unknown: list[int] = []
        empty: list[int] = []
        for pid, raw in zip(pids, self._source.sweep("statm", pids), strict=True):
            record = records.get(pid)
            if record is None:
                if pid not in self._hidden:
                    unknown.append(pid)
            elif raw is None:
                self._forget(record)
            elif raw != record.statm_raw:
                self._take_statm(record, raw)
                if raw.startswith(EMPTY):
                    empty.append(pid)
        for pid in records.keys() - set(pids):
            self._forget(records[pid])
        for pid in unknown:
            self._meet(pid)
        return empty

    def _meet(self, pid: int) -> None:
        """A pid that was not there at the tick before."""
        try:
            raw = self._source.read(f"proc/{pid}/stat")
            stat = self._problems.parse(parse_stat, raw, f"proc/{pid}/stat")
            if stat is None:
                return
            statm_raw = self._source.read(f"proc/{pid}/statm")
        except ProcessGone:
            return
        except AccessDenied:
            self._hidden.add(pid)
            return
        except MemtopError as error:
            self._problems.note(error)
            return
        life = self._lives.get((pid, stat.start_ticks), -1) + 1
        record = ProcessRecord(ProcessKey(pid, stat.start_ticks, life), stat.comm)
        self._records[pid] = record
        self._take_stat(record, raw, stat)
        self._take_statm(record, statm_raw)
        if stat.kernel_thread:
            record.command_raw = b""
            record.command_wanted = False
        else:
            self._names.want_command(record)
        self._read_status(record)
        self._check_leader(record)

    def _forget(self, record: ProcessRecord) -> None:
        key = record.key
        del self._records[key.pid]
        self._gone.append(key)
        self._changed.discard(key.pid)
        self._names.forget(key.pid)
        self._leaderless.discard(key.pid)
        self._lives[key.pid, key.start_ticks] = key.life
        if len(self._lives) > LIVES_KEPT:
            del self._lives[next(iter(self._lives))]

    def _children_of(self, pids: set[int]) -> list[int]:
        """Those whose parent, as last read, is one of these."""
        return [pid for pid, one in self._records.items() if one.stat is not None and one.stat.ppid in pids]

    # -- whose turn it is

    def _read_due(self, plan: SamplePlan, changed_state: Iterable[int]) -> None:
        """stat, status and oom_score of those whose turn it is."""
        records, readings = self._records, plan.readings
        visible = [key.pid for key in readings.visible | plan.family if key.pid in records]
        if readings.focus is not None and readings.focus.pid in records:
            visible.append(readings.focus.pid)
        everybody = list(records)
        due = set(everybody[self._tick % TURN_TICKS :: TURN_TICKS]).union(changed_state) & records.keys()
        if Need.STAT in readings.needs_all:
            due.update(everybody)
        elif Need.STAT in readings.needs:
            due.update(visible)
        self._read_stats(sorted(due))
        few = plan.pids is not None  # then nothing is spared: a peak and page tables may move while statm stands still
        for pid in everybody if Need.STATUS in readings.needs_all else visible if Need.STATUS in readings.needs else ():
            if (record := records.get(pid)) is not None:
                (self._read_status if few else self._read_status_if_moved)(record)
        if readings.focus is not None and (focus := records.get(readings.focus.pid)) is not None:
            self._read_status(focus)
        for pid in everybody if Need.OOM in readings.needs_all else visible if Need.OOM in readings.needs else ():
            if (record := records.get(pid)) is not None:
                self._read_oom(record, few=few)

    # -- stat and statm

    def _read_stats(self, pids: list[int]) -> None:
        """stat of these processes; where it shows another process under the same pid, the first one has gone."""
        now_s = self._now_s
        self._stat_pids.update(pids)
        for pid, raw in zip(pids, self._source.sweep("stat", pids), strict=True):
            record = self._records[pid]
            if raw is None:  # it has ended; the next tick says so
                self._stat_pids.discard(pid)
                continue
            if record.stat_read_s == now_s:  # met at this very instant
                continue
            if raw == record.stat_raw and record.stat is not None:
                if not record.still:  # the rates fall to zero once
                    record.still = True
                    record.stat_before, record.stat_before_s, record.stat_s = record.stat, record.stat_read_s, now_s
                    self._changed.add(pid)
                record.stat_read_s = now_s
                continue
            if (stat := self._problems.parse(parse_stat, raw, f"proc/{pid}/stat")) is None:
                continue
            if stat.start_ticks != record.key.start_ticks:  # descriptors ran out, so no None came between the two
                self._forget(record)
                continue
            self._take_stat(record, raw, stat)
            self._check_leader(record)

    def _take_stat(self, record: ProcessRecord, raw: bytes, stat: PidStat) -> None:
        before = record.stat
        record.stat_raw, record.still = raw, False
        record.stat, record.stat_before, record.stat_before_s = stat, before, record.stat_read_s
        record.stat_s = record.stat_read_s = self._now_s
        record.name_raw = stat.comm
        self._changed.add(record.key.pid)
        self._stat_pids.add(record.key.pid)
        if before is None:
            return
        # 1: not permitted to know; 0: its memory is being torn down, and its command line with it
        moved = before.start_code != stat.start_code and min(before.start_code, stat.start_code) > 1
        if moved:
            record.become_another_program()
        if moved or before.comm != stat.comm:
            self._names.want_command(record)

    def _take_statm(self, record: ProcessRecord, raw: bytes) -> None:
        pid = record.key.pid
        record.statm_raw, record.statm_tick = raw, self._tick
        self._changed.add(pid)
        if raw.startswith(EMPTY):
            record.statm = None
        else:
            if record.leader_gone:
                record.leader_gone = False
                self._leaderless.discard(pid)
            record.statm = self._problems.parse(parse_statm, raw, f"proc/{pid}/statm")

    def _check_leader(self, record: ProcessRecord) -> None:
        """A zombie with more than one thread: its memory is found at a thread that lives (memory of the group)."""
        if record.stat is None or record.stat.state != "Z" or (record.stat.threads < 2 and not record.leader_gone):
            return
        pid = record.key.pid
        try:
            other = next((tid for tid in self._source.tids(pid) if tid != pid), None)
            path = f"proc/{pid}/task/{other}/statm"
            raw = EMPTY if other is None else self._source.read(path)
        except (ProcessGone, Unavailable):
            return  # a thread that has ended since it was listed: the next tick finds another, or none
        except MemtopError as error:
            self._problems.note(error)
            return
        alive = not raw.startswith(EMPTY)
        statm = self._problems.parse(parse_statm, raw, path) if alive else None
        if (statm, alive) != (record.statm, record.leader_gone):
            self._changed.add(pid)
        record.statm, record.leader_gone = statm, alive
        (self._leaderless.add if alive else self._leaderless.discard)(pid)

    # -- status and oom_score

    def _read_status_if_moved(self, record: ProcessRecord) -> None:
        moved = record.statm_tick > record.status_tick
        if moved or self._tick - record.status_tick >= STALE_TICKS or record.status is None:
            self._read_status(record)

    def _read_status(self, record: ProcessRecord) -> None:
        if record.status_tick == self._tick:
            return
        if record.stat is not None and record.stat.kernel_thread and record.status:
            return
        path = f"proc/{record.key.pid}/status"
        try:
            status = self._problems.parse(parse_status, self._source.read(path), path)
        except ProcessGone:
            return
        except MemtopError as error:
            self._problems.note(error)
            return
        if status is None:
            return
        record.status_tick = self._tick
        before, record.status = record.status, status
        if before == status:
            return
        self._changed.add(record.key.pid)
        if status.uid is not None and status.uid != record.uid:
            self._names.take_uid(record, status.uid)
        if before is not None and _peak_fell(before, status):
            self._exec_by_peak(record)
            record.status_tick, record.status = self._tick, status

    def _exec_by_peak(self, record: ProcessRecord) -> None:
        """VmPeak never falls within one program, and every user may read it; start_code may say the same by now."""
        execs, path = record.execs, f"proc/{record.key.pid}/stat"
        try:
            raw = self._source.read(path)
        except MemtopError:
            raw = record.stat_raw
        if raw != record.stat_raw and (stat := self._problems.parse(parse_stat, raw, path)) is not None:
            self._take_stat(record, raw, stat)
        if record.execs == execs:
            record.become_another_program()
            self._names.want_command(record)

    def _read_oom(self, record: ProcessRecord, *, few: bool) -> None:
        pid = record.key.pid
        due = few or self._tick - record.oom_tick >= STALE_TICKS
        if not due and record.statm_tick < self._tick:
            return
        score, adj = self._number(f"proc/{pid}/oom_score", record.oom_score), record.oom_score_adj
        if due:
            adj = self._number(f"proc/{pid}/oom_score_adj", adj)
            record.oom_tick = self._tick
        if (score, adj) != (record.oom_score, record.oom_score_adj):
            record.oom_score, record.oom_score_adj = score, adj
            self._changed.add(pid)

    def _number(self, path: str, before: int | None) -> int | None:
        """The number in a file; ``before`` where it cannot be read."""
        try:
            return int_or_none(self._source.read(path, 64))
        except ProcessGone:
            return before
        except MemtopError as error:
            self._problems.note(error)
            return before


def _peak_fell(before: PidStatus, after: PidStatus) -> bool:
    """Whether VmPeak is lower than before, in a process that has memory."""
    return (
        after.peak_rss_bytes is not None
        and before.virt_peak_bytes is not None
        and after.virt_peak_bytes is not None
        and after.virt_peak_bytes < before.virt_peak_bytes
    )
