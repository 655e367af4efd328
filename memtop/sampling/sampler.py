"""One walk over a Source: SamplePlan -> Sample.

statm is read for every process at every tick, as one sweep over kept descriptors. Whatever costs more is read
for the rows on screen, for every row only while the order or the filter depends on it, and otherwise in turn.
Bytes are compared before they are parsed: most processes are idle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from memtop.errors import AccessDenied, Blocked, MemtopError, NotRecorded, ParseError, ProcessGone, Unavailable
from memtop.process_key import ProcessKey
from memtop.procfs.lines import int_or_none
from memtop.procfs.meminfo import parse_meminfo
from memtop.procfs.pressure import parse_pressure
from memtop.procfs.stat import PidStat, parse_stat
from memtop.procfs.statm import parse_statm
from memtop.procfs.status import parse_status
from memtop.procfs.vmstat import parse_vmstat
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample, Sample, SystemSample
from memtop.sanitize import clean
from memtop.sources.protocol import Source

if TYPE_CHECKING:
    from typing import TypeVar

    from memtop.sampling.cgroups import CgroupReader, CgroupSample

    _Value = TypeVar("_Value")

COMMAND_LIMIT: Final = 4096
"""Most bytes of a command line: a hostile one can be hundreds of megabytes long."""
TURN_TICKS: Final = 32
"""Ticks in which every process that nobody looks at has its stat read once."""
STALE_TICKS: Final = 10
"""Ticks after which status and oom_score are read again though statm has not moved."""
FIRST_SETTLE_S: Final = 0.05
"""How long the first sample waits for command lines, so that one-shot output has them."""
FAST_S: Final = 0.45
"""Where samples come closer upon each other than this ..."""
SPARED_S: Final = 0.9
"""... what was read of the machine and of cgroups holds so long: it would cost more than all else."""
LIVES_KEPT: Final = 512
"""Ended processes remembered, to tell a new one with the same pid and start time (one clock tick) apart."""
EMPTY: Final = b"0 0 0 0 0 0 0"


class _Record:
    """What the sampler keeps of one process beside what it tells."""

    __slots__ = (
        "asked_command",
        "asked_user",
        "oom_tick",
        "seen",
        "stat_raw",
        "statm_raw",
        "statm_tick",
        "status_tick",
        "still",
    )

    def __init__(self, seen: ProcessSample) -> None:
        self.seen = seen
        self.statm_raw = b""
        self.statm_tick = -1
        self.stat_raw = b""
        self.still = False
        self.status_tick = -STALE_TICKS
        self.oom_tick = -STALE_TICKS
        self.asked_command = True
        self.asked_user = False


class Sampler:
    """Reads the world through a Source, one instant at a time."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._cgroups: CgroupReader | None = None
        self._tick = -1
        self._now_s = self._before_s = 0.0
        self._records: dict[int, _Record] = {}
        self._hidden: set[int] = set()
        self._lives: dict[tuple[int, int], int] = {}
        self._users: dict[int, str] = {}
        self._waiting: set[int] = set()
        self._leaderless: set[int] = set()
        self._problems: dict[str, tuple[str, int]] = {}
        self._known_surroundings: tuple[SamplePlan, float, tuple[SystemSample, CgroupSample | None]] | None = None
        """Plan, time and value of the last reading of the machine and its cgroups."""

    def sample(self, plan: SamplePlan) -> Sample | None:
        """Read the next instant; None when the source has no more."""
        instant = self.source.begin()
        if instant is None:
            return None
        self._tick += 1
        self._before_s, self._now_s = self._now_s, instant.mono_s
        pids = self.source.pids() if plan.pids is None else sorted(plan.pids)
        records = self._records
        self._hidden.intersection_update(pids)
        unknown: list[int] = []
        gone: list[ProcessKey] = []
        empty: list[int] = []
        for pid, raw in zip(pids, self.source.sweep("statm", pids), strict=True):
            record = records.get(pid)
            if record is None:
                if pid not in self._hidden:
                    unknown.append(pid)
            elif raw is None:
                gone.append(self._forget(record))
            else:
                record.seen.changed = False
                if raw != record.statm_raw:
                    self._take_statm(record, raw)
                    if raw.startswith(EMPTY):
                        empty.append(pid)
        for pid in records.keys() - set(pids):
            gone.append(self._forget(records[pid]))
        for pid in unknown:
            self._meet(pid)
        orphans = self._children_of({key.pid for key in gone}) if gone else []
        self._read_due(plan, [*empty, *orphans], gone)
        for pid in tuple(self._leaderless):
            self._check_leader(records[pid])
        self._collect()
        if self._tick == 0 and self._waiting:
            self.source.settle(FIRST_SETTLE_S)
            self._collect()
        exits = tuple(self.source.exits())  # before watch lets go of those that have ended
        self.source.watch([pid for pid in plan.watched if pid in records])
        processes = {pid: record.seen for pid, record in records.items()}
        system, cgroups = self._surroundings(plan, processes, anew=bool(gone or exits))
        return Sample(
            wall_s=instant.wall_s,
            mono_s=instant.mono_s,
            system=system,
            processes=processes,
            cgroups=cgroups,
            gone=tuple(gone),
            exits=exits,
            hidden=len(self._hidden),
            problems=tuple(
                text if count == 1 else f"{text} ({count} times)" for text, count in self._problems.values()
            ),
        )

    # -- coming and going

    def _meet(self, pid: int) -> None:
        """A pid that was not there at the tick before."""
        try:
            raw = self.source.read(f"proc/{pid}/stat")
            stat = self._parsed(parse_stat, raw, f"proc/{pid}/stat")
            if stat is None:
                return
            statm_raw = self.source.read(f"proc/{pid}/statm")
        except ProcessGone:
            return
        except AccessDenied:
            self._hidden.add(pid)
            return
        except MemtopError as error:
            self._note(error)
            return
        life = self._lives.get((pid, stat.start_ticks), -1) + 1
        record = _Record(ProcessSample(ProcessKey(pid, stat.start_ticks, life), stat.comm))
        self._records[pid] = record
        self._take_stat(record, raw, stat)
        self._take_statm(record, statm_raw)
        if stat.kernel_thread:
            record.seen.command_raw = b""
            record.asked_command = False
        else:
            self._waiting.add(pid)
        self._read_status(record)
        self._check_leader(record)

    def _forget(self, record: _Record) -> ProcessKey:
        key = record.seen.key
        del self._records[key.pid]
        self._waiting.discard(key.pid)
        self._leaderless.discard(key.pid)
        self._lives[key.pid, key.start_ticks] = key.life
        if len(self._lives) > LIVES_KEPT:
            del self._lives[next(iter(self._lives))]
        return key

    def _children_of(self, pids: set[int]) -> list[int]:
        """Those whose parent, as last read, is one of these."""
        return [
            pid for pid, record in self._records.items() if (stat := record.seen.stat) is not None and stat.ppid in pids
        ]

    def _exec(self, record: _Record) -> None:
        """It has become another program: what was read of the old one says nothing about the new one."""
        seen = record.seen
        seen.execs += 1
        seen.stat_before = None
        seen.status = None
        record.status_tick = record.oom_tick = -STALE_TICKS

    def _exec_by_peak(self, record: _Record) -> None:
        """VmPeak never falls within one program, and everybody may read it; start_code may say the same by now."""
        seen, execs, path = record.seen, record.seen.execs, f"proc/{record.seen.key.pid}/stat"
        try:
            raw = self.source.read(path)
        except MemtopError:
            raw = record.stat_raw
        if raw != record.stat_raw and (stat := self._parsed(parse_stat, raw, path)) is not None:
            self._take_stat(record, raw, stat)
        if seen.execs == execs:
            self._exec(record)
            record.asked_command = True
            self._waiting.add(seen.key.pid)

    # -- what is read when

    def _read_due(self, plan: SamplePlan, changed_state: list[int], gone: list[ProcessKey]) -> None:
        """stat, status and oom_score of those whose turn it is; adds to ``gone`` whom stat shows to be another."""
        records, readings = self._records, plan.readings
        visible = [key.pid for key in readings.visible | plan.family if key.pid in records]
        if readings.focus is not None and readings.focus.pid in records:
            visible.append(readings.focus.pid)
        everybody = list(records)
        turn = everybody[self._tick % TURN_TICKS :: TURN_TICKS]
        due = set(turn).union(changed_state) & records.keys()
        if Need.STAT in readings.needs_all:
            due.update(everybody)
        elif Need.STAT in readings.needs:
            due.update(visible)
        self._read_stats(sorted(due), gone)
        few = plan.pids is not None  # then nothing is spared: a peak and page tables may move while statm stands still
        for pid in everybody if Need.STATUS in readings.needs_all else visible if Need.STATUS in readings.needs else ():
            if (record := records.get(pid)) is not None:
                (self._read_status if few else self._read_status_if_moved)(record)
        if readings.focus is not None and (focus := records.get(readings.focus.pid)) is not None:
            self._read_status(focus)
        for pid in everybody if Need.OOM in readings.needs_all else visible if Need.OOM in readings.needs else ():
            if (record := records.get(pid)) is not None:
                self._read_oom(record, few=few)

    def _read_stats(self, pids: list[int], gone: list[ProcessKey]) -> None:
        now_s = self._now_s
        for pid, raw in zip(pids, self.source.sweep("stat", pids), strict=True):
            record = self._records[pid]
            if raw is None or (record.seen.stat is not None and record.seen.stat_s == now_s):
                continue  # gone (the next tick says so), or met at this very instant
            seen = record.seen
            if raw == record.stat_raw and seen.stat is not None:
                if record.still:
                    seen.stat_s = now_s
                    seen.stat_before_s = now_s - 1.0
                else:  # the rates fall to zero once
                    record.still = seen.changed = True
                    seen.stat_before, seen.stat_before_s, seen.stat_s = seen.stat, seen.stat_s, now_s
                continue
            if (stat := self._parsed(parse_stat, raw, f"proc/{pid}/stat")) is None:
                continue
            if stat.start_ticks != seen.key.start_ticks:  # descriptors ran out, so no None came between the two
                gone.append(self._forget(record))
                continue
            self._take_stat(record, raw, stat)
            self._check_leader(record)

    def _take_stat(self, record: _Record, raw: bytes, stat: PidStat) -> None:
        seen, before, now_s = record.seen, record.seen.stat, self._now_s
        record.stat_raw, record.still = raw, False
        seen.changed = True
        seen.stat, seen.stat_s, seen.stat_before, seen.stat_before_s = stat, now_s, before, seen.stat_s
        seen.name_raw = stat.comm
        if before is None:
            return
        # 1: not permitted to know; 0: its memory is being torn down, and its command line with it
        moved = before.start_code != stat.start_code and min(before.start_code, stat.start_code) > 1
        if moved:
            self._exec(record)
        if moved or before.comm != stat.comm:
            record.asked_command = True
            self._waiting.add(stat.pid)

    def _take_statm(self, record: _Record, raw: bytes) -> None:
        seen = record.seen
        record.statm_raw, record.statm_tick = raw, self._tick
        seen.changed = True
        if raw.startswith(EMPTY):
            seen.statm = None
        else:
            if seen.leader_gone:
                seen.leader_gone = False
                self._leaderless.discard(seen.key.pid)
            seen.statm = self._parsed(parse_statm, raw, f"proc/{seen.key.pid}/statm")

    def _check_leader(self, record: _Record) -> None:
        """A zombie with more than one thread: its memory is found at a thread that lives (memory of the group)."""
        seen = record.seen
        if seen.stat is None or seen.stat.state != "Z" or (seen.stat.threads < 2 and not seen.leader_gone):
            return
        pid = seen.key.pid
        try:
            other = next((tid for tid in self.source.tids(pid) if tid != pid), None)
            path = f"proc/{pid}/task/{other}/statm"
            raw = EMPTY if other is None else self.source.read(path)
        except (ProcessGone, Unavailable):
            return  # a thread that has ended since it was listed: the next tick finds another, or none
        except MemtopError as error:
            self._note(error)
            return
        alive = not raw.startswith(EMPTY)
        statm = self._parsed(parse_statm, raw, path) if alive else None
        seen.changed = seen.changed or (statm, alive) != (seen.statm, seen.leader_gone)
        seen.statm, seen.leader_gone = statm, alive
        (self._leaderless.add if alive else self._leaderless.discard)(pid)

    def _read_status_if_moved(self, record: _Record) -> None:
        moved = record.statm_tick > record.status_tick
        if moved or self._tick - record.status_tick >= STALE_TICKS or record.seen.status is None:
            self._read_status(record)

    def _read_status(self, record: _Record) -> None:
        seen = record.seen
        if record.status_tick == self._tick or (seen.stat is not None and seen.stat.kernel_thread and seen.status):
            return
        path = f"proc/{seen.key.pid}/status"
        try:
            status = self._parsed(parse_status, self.source.read(path), path)
        except ProcessGone:
            return
        except MemtopError as error:
            self._note(error)
            return
        if status is None:
            return
        record.status_tick = self._tick
        before, seen.status = seen.status, status
        if before == status:
            return
        seen.changed = True
        if status.uid is not None and status.uid != seen.uid:
            seen.uid = status.uid
            seen.user = self._users.get(status.uid, str(status.uid))
            record.asked_user = status.uid not in self._users
            if record.asked_user:
                self._waiting.add(seen.key.pid)
        if (
            before is not None
            and status.peak_rss_bytes is not None
            and before.virt_peak_bytes is not None
            and status.virt_peak_bytes is not None
            and status.virt_peak_bytes < before.virt_peak_bytes
        ):
            self._exec_by_peak(record)
            record.status_tick, seen.status = self._tick, status

    def _read_oom(self, record: _Record, *, few: bool) -> None:
        seen, pid = record.seen, record.seen.key.pid
        due = few or self._tick - record.oom_tick >= STALE_TICKS
        if not due and record.statm_tick < self._tick:
            return
        score, adj = self._number(f"proc/{pid}/oom_score", seen.oom_score), seen.oom_score_adj
        if due:
            adj = self._number(f"proc/{pid}/oom_score_adj", adj)
            record.oom_tick = self._tick
        if (score, adj) != (seen.oom_score, seen.oom_score_adj):
            seen.oom_score, seen.oom_score_adj, seen.changed = score, adj, True

    def _number(self, path: str, before: int | None) -> int | None:
        """What stands in a file of one number; ``before`` where it cannot be read."""
        try:
            return int_or_none(self.source.read(path, 64))
        except ProcessGone:
            return before
        except MemtopError as error:
            self._note(error)
            return before

    # -- what may take its time

    def _collect(self) -> None:
        """Take the answers that have come for command lines and user names."""
        for pid in list(self._waiting):
            record = self._records[pid]
            seen = record.seen
            if record.asked_command:
                done, raw = self._answer(f"proc/{pid}/cmdline", COMMAND_LIMIT)
                if done:
                    record.asked_command = False
                    seen.changed = seen.changed or raw != seen.command_raw
                    seen.command_raw = raw
            if record.asked_user and seen.uid is not None:
                if seen.uid not in self._users:
                    done, raw = self._answer(f"user/{seen.uid}", 256)
                    if done:
                        self._users[seen.uid] = clean(raw) if raw else str(seen.uid)
                if seen.uid in self._users:
                    record.asked_user = False
                    seen.user, seen.changed = self._users[seen.uid], True
            if not record.asked_command and not record.asked_user:
                self._waiting.discard(pid)

    def _answer(self, path: str, size: int) -> tuple[bool, bytes | None]:
        """(whether the matter is settled, the bytes or None where they cannot be had)."""
        try:
            answer = self.source.ask(path, size)
        except Blocked:
            return False, None
        except MemtopError:
            return True, None
        return answer is not None, None if answer is None else answer.data

    def _surroundings(
        self, plan: SamplePlan, processes: dict[int, ProcessSample], *, anew: bool
    ) -> tuple[SystemSample, CgroupSample | None]:
        """The machine and the cgroups: as they were read last, if that is not long ago and nothing calls for newer."""
        known = self._known_surroundings
        spared_s = SPARED_S if self._now_s - self._before_s < FAST_S else 0.0
        if anew or known is None or known[0] != plan or self._now_s - known[1] >= spared_s:
            system = self._system()
            kills = system.vmstat.oom_kill if system.vmstat is not None else None
            found = system, self._limits(plan, processes, kills)
            known = self._known_surroundings = plan, self._now_s, found
        return known[2]

    def _limits(self, plan: SamplePlan, processes: dict[int, ProcessSample], kills: int | None) -> CgroupSample | None:
        """What limits those that somebody looks at; a run of one sample does without."""
        if self._cgroups is None:
            wanted = plan.watched or plan.readings.focus or plan.readings.row_needs & (Need.CGROUP | Need.VICTIM)
            if not (self._tick or wanted):
                return None
            from memtop.sampling.cgroups import CgroupReader  # noqa: PLC0415

            self._cgroups = CgroupReader(self.source)
        return self._cgroups.read(plan, processes, kills)

    def _system(self) -> SystemSample:
        return SystemSample(
            self._parsed_file("proc/meminfo", parse_meminfo),
            self._parsed_file("proc/vmstat", parse_vmstat),
            self._parsed_file("proc/pressure/memory", parse_pressure),
        )

    def _parsed_file(self, path: str, parse: Callable[[bytes], _Value]) -> _Value | None:
        try:
            raw = self.source.read(path)
        except MemtopError:
            return None  # absent in this container or kernel: every field of it is unknown
        return self._parsed(parse, raw, path)

    def _parsed(self, parse: Callable[[bytes], _Value], raw: bytes, path: str) -> _Value | None:
        try:
            return parse(raw)
        except ParseError as error:
            self._note(ParseError(path, error.why))
            return None

    def _note(self, error: MemtopError) -> None:
        """Keep one sentence for each kind of failure, and how often it happened, to be shown."""
        if isinstance(error, NotRecorded):
            return
        text, count = self._problems.get(type(error).__name__, (clean(str(error)), 0))
        self._problems[type(error).__name__] = text, count + 1
