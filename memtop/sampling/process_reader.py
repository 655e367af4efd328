"""Reads the processes of one sample: finds new and ended ones, and decides which of their files to read.

statm is read for every process at every tick, as one sweep over kept descriptors. A file that costs more is read
for the rows on screen, for every row only while the order or the filter depends on it, and otherwise in turn.
A process that has not changed keeps its ProcessSample.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from itertools import compress, repeat
from operator import ne
from typing import TYPE_CHECKING, Final

from memtop.errors import AccessDenied, Blocked, MemtopError, ProcessGone, Unavailable
from memtop.process_key import ProcessKey
from memtop.procfs.stat import parse_stat
from memtop.sampling.name_reader import NameReader
from memtop.sampling.problems import Problems
from memtop.sampling.process_files import EMPTY, ProcessFiles
from memtop.sampling.process_record import ProcessRecord
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source

if TYPE_CHECKING:
    from memtop.sampling.same_memory import SameMemory

TURN_TICKS: Final = 32
"""Number of ticks in which stat of every process that is not on screen is read once."""
YOUNG_TICKS: Final = (1, 2, 4)
"""A new process often becomes another program soon: its stat is read again so many ticks after it was first seen ..."""
MOST_YOUNG: Final = 64
"""... of so many at one tick."""
FIRST_SETTLE_S: Final = 0.05
"""Time that the first sample waits for command lines and user names, and the first of all processes ..."""
PATIENT_SETTLE_S: Final = 2.0
"""... and the only one, or one for which no person waits: names in it, and on the command line, depend on them, also on
a busy machine."""
MAPPED_BYTES: Final = 128 << 20
"""VIRT from which on a process can have page tables, huge pages or stacks of threads that matter to the machine ..."""
MOST_MAPPED: Final = 32
"""... and how many such processes are read at one tick while it is of interest who has them; more take turns."""
EXEC_SETTLE_S: Final = 0.02
"""Time that a sample waits for the command lines of processes that have become other programs, and of new children of
those that were asked for."""
MOUNTINFO_BYTES: Final = 1 << 20
"""Most that is read of the list of mounts."""
_UNREAD: Final = object()
"""What no sweep answers."""
LIVES_KEPT: Final = 512
"""Ended processes that are remembered, to recognize a new one with the same PID and start time (one clock tick)."""


class ProcessReader:
    """Reads processes through a Source, one instant at a time."""

    def __init__(self, source: Source, problems: Problems, *, replaying: bool = False) -> None:
        """``replaying``: the source is a recording, which may be played from its middle."""
        self._source = source
        self._replaying = replaying
        self._problems = problems
        self._names = NameReader(source)
        self._files = ProcessFiles(source, problems, self._names)
        self._same_memory: SameMemory | None = None
        """None until there are a parent and a child to compare."""
        self._records: dict[int, ProcessRecord] = {}
        self._statm_raws: dict[int, bytes] = {}
        """The last statm of each."""
        self._samples: dict[int, ProcessSample] = {}
        self._gone: list[ProcessKey] = []
        self._hidden: set[int] = set()
        self._leaves_out: bool | None = None
        """Whether /proc does not even list what may not be read; None until that matters."""
        self._lives: dict[tuple[int, int], int] = {}
        self._has_all = False
        """Whether all processes were read at the latest instant."""
        self._young: dict[int, list[int]] = {}
        """PIDs of new processes by the tick at which their stat is read again."""

    def read(
        self, plan: SamplePlan, pids: Sequence[int], now_s: float, *, spares: bool = False
    ) -> dict[int, ProcessSample]:
        """The processes of this instant by pid; ``now_s`` is on the clock of Instant.mono_s.

        ``spares``: OOM scores that are known were read less than a second ago, and are not read again.
        """
        self._files.begin(now_s)
        self._gone = []
        empty = self._sweep_statm(pids)
        orphans = self._children_of({key.pid for key in self._gone}) if self._gone else []
        self._read_due(plan, [*empty, *orphans], spares=spares)
        self._files.changed.update(self._names.collect(self._records))
        self._compare_with_parents()
        if (settle_s := self._settle_s(plan)) is not None:
            self._source.settle(settle_s)
            self._files.changed.update(self._names.collect(self._records))
        return self._frozen()

    def _compare_with_parents(self) -> None:
        if self._same_memory is None:
            if len(self._records) < 2:
                return
            from memtop.sampling.same_memory import SameMemory  # noqa: PLC0415 (0.3 ms; a single process has no parent)

            self._same_memory = SameMemory(self._source)
        self._files.changed.update(self._same_memory.look(self._files.changed, self._records))

    def settled(self) -> dict[int, ProcessSample]:
        """The same processes after a short wait for the command lines of new ones, which may end before the next
        sample."""
        if not self._names.waits:
            return self._samples
        self._source.settle(EXEC_SETTLE_S)
        self._files.changed.update(self._names.collect(self._records))
        return self._frozen()

    def _settle_s(self, plan: SamplePlan) -> float | None:
        """How long this sample waits for the names that are awaited; None for not at all."""
        is_first = self._files.tick == 0 or (plan.pids is None and not self._has_all)
        self._has_all = plan.pids is None
        if is_first and self._names.waits:
            return PATIENT_SETTLE_S if plan.readings.once or plan.readings.patient else FIRST_SETTLE_S
        return EXEC_SETTLE_S if self._files.execs else None

    @property
    def pids(self) -> Set[int]:
        """Processes of the latest instant."""
        return self._records.keys()

    @property
    def gone(self) -> tuple[ProcessKey, ...]:
        """Processes of the previous instant that have ended."""
        return tuple(self._gone)

    @property
    def changed(self) -> Set[int]:
        """Processes of which something has changed at this instant."""
        return self._files.changed

    @property
    def stat_pids(self) -> Set[int]:
        """Processes whose stat was read at this instant, whether it has changed or not."""
        return self._files.stat_pids

    def hidden(self, *, listed: bool) -> int | None:
        """Number of processes that may not be read (hidepid); None where /proc does not even list them.

        ``listed`` says that all of /proc was listed. If only some processes were asked for, those alone are counted.
        """
        if listed and self._leaves_out is None:
            self._leaves_out = self._does_leave_out()
        return None if listed and self._leaves_out else len(self._hidden)

    def _does_leave_out(self) -> bool:
        try:
            mountinfo = self._source.read("proc/self/mountinfo", MOUNTINFO_BYTES)
        except MemtopError:
            return False
        if b"hidepid=" not in mountinfo:
            return False
        from memtop.sampling.invisible import leaves_processes_out  # noqa: PLC0415 (0.4 ms; few machines have the option)

        return leaves_processes_out(self._source, mountinfo)

    def _frozen(self) -> dict[int, ProcessSample]:
        samples = self._samples.copy()
        for key in self._gone:
            if (old := samples.get(key.pid)) is not None and old.key == key:
                del samples[key.pid]
        for pid in self._files.changed:
            samples[pid] = self._records[pid].sample()
        self._samples = samples
        return samples

    # -- coming and going

    def _sweep_statm(self, pids: Sequence[int]) -> list[int]:
        """Read statm of all processes. Returns those without memory."""
        records = self._records
        if self._hidden:
            self._hidden.intersection_update(pids)
        unknown: dict[int, bytes | None] = {}
        empty: list[int] = []
        answers, raws = self._source.sweep("statm", pids), self._statm_raws
        # Most have not changed: without bytecode those cost a third.
        for pid, raw in compress(
            zip(pids, answers, strict=True), map(ne, answers, map(raws.get, pids, repeat(_UNREAD)))
        ):
            record = records.get(pid)
            if record is None:
                if pid not in self._hidden:
                    unknown[pid] = raw
            elif raw is None:
                self._forget(record)
            elif raw != record.statm_raw:
                self._files.take_statm(record, raw)
                raws[pid] = raw
                if raw.startswith(EMPTY):
                    empty.append(pid)
        for pid in records.keys() - set(pids):
            self._forget(records[pid])
        if unknown:
            for pid, raw in zip(unknown, self._source.sweep("stat", list(unknown)), strict=True):
                self._meet(pid, raw, unknown[pid])
        return empty

    def _meet(self, pid: int, raw: bytes | None, statm_raw: bytes | None) -> None:
        """Add a PID that was not there at the previous tick, with its stat and statm as swept.

        What a sweep does not have is read again: the answer says why.
        """
        try:
            raw = raw or self._source.read(f"proc/{pid}/stat")
            stat = self._problems.parse(parse_stat, raw, f"proc/{pid}/stat")
            if stat is None:
                return
            statm_raw = statm_raw or self._statm_of(pid)
        except ProcessGone:
            return
        except AccessDenied:
            self._hidden.add(pid)
            return
        except MemtopError as error:
            self._problems.note(error)
            return
        for ticks in YOUNG_TICKS if self._files.tick else ():
            self._young.setdefault(self._files.tick + ticks, []).append(pid)
        life = self._lives.get((pid, stat.start_ticks), -1) + 1
        record = ProcessRecord(ProcessKey(pid, stat.start_ticks, life), stat.comm)
        self._records[pid] = record
        self._files.take_stat(record, raw, stat)
        self._files.take_statm(record, statm_raw)
        self._statm_raws[pid] = statm_raw
        if stat.kernel_thread:
            record.command_raw = b""
            record.command_wanted = False
        else:
            self._names.want_command(record)
        self._files.check_leader(record)
        self._files.read_status(record)

    def _statm_of(self, pid: int) -> bytes:
        """Its statm; empty where the file is broken or does not answer. Raises ProcessGone and AccessDenied."""
        try:
            return self._source.read(f"proc/{pid}/statm")
        except (Unavailable, Blocked) as error:
            self._problems.note(error)
            return b""

    def _forget(self, record: ProcessRecord) -> None:
        key = record.key
        del self._records[key.pid], self._statm_raws[key.pid]
        self._gone.append(key)
        self._files.forget(key.pid)
        self._lives[key.pid, key.start_ticks] = key.life
        if len(self._lives) > LIVES_KEPT:
            del self._lives[next(iter(self._lives))]

    def _children_of(self, pids: set[int]) -> list[int]:
        """PIDs of processes whose parent, as last read, is one of these."""
        return [pid for pid, one in self._records.items() if one.stat is not None and one.stat.ppid in pids]

    # -- whose turn it is

    def _read_due(self, plan: SamplePlan, changed_state: Iterable[int], *, spares: bool) -> None:
        """Read stat, status and oom_score of the processes that are due."""
        records, readings = self._records, plan.readings
        shown = readings.visible | plan.family
        visible = [
            key.pid for key in (shown if readings.focus is None else shown | {readings.focus}) if key.pid in records
        ]
        everybody = list(records)
        young = self._young.pop(self._files.tick, [])[-MOST_YOUNG:]
        turn = everybody[self._files.tick % TURN_TICKS :: TURN_TICKS]
        mapped = self._mapped() if plan.holders else []
        due = set(turn).union(changed_state, self._files.shrunk, young, mapped) & records.keys()
        if Need.STAT in readings.needs_all or self._replaying:  # at each instant of a recording others were due
            due.update(everybody)
        elif Need.STAT in readings.needs:
            due.update(visible)
        for replaced in self._files.read_stats(records, sorted(due)):
            self._forget(replaced)
        self._read_titles([*young, *set(turn).intersection(visible)])
        for pid in tuple(self._files.leaderless):
            self._files.check_leader(records[pid])
        # If few are read, everything is read of them: a peak and page tables may change while statm stays the same.
        few = plan.pids is not None
        for pid in everybody if Need.STATUS in readings.needs_all else visible if Need.STATUS in readings.needs else ():
            if (record := records.get(pid)) is not None:
                (self._files.read_status if few else self._files.read_status_if_moved)(record)
        for pid in mapped:
            if (record := records.get(pid)) is not None:
                self._files.read_status(record)
        if readings.focus is not None and (focus := records.get(readings.focus.pid)) is not None:
            self._files.read_status(focus)
        for pid in everybody if Need.OOM in readings.needs_all else visible if Need.OOM in readings.needs else ():
            if (record := records.get(pid)) is not None and not (spares and record.oom_score is not None):
                self._files.read_oom(record, few=few)

    def _mapped(self) -> list[int]:
        """PIDs of the processes with much address space whose turn it is."""
        sizes = [(one.statm.virt_bytes, pid) for pid, one in self._records.items() if one.statm is not None]
        large = sorted([size for size in sizes if size[0] >= MAPPED_BYTES], reverse=True)
        turns = max(1, -(-len(large) // MOST_MAPPED))
        first = self._files.tick % turns * MOST_MAPPED
        return [pid for _, pid in large[first : first + MOST_MAPPED]]

    def _read_titles(self, pids: Iterable[int]) -> None:
        """Read command lines again: servers write a title over theirs, soon after their start or again and again."""
        for pid in pids:
            record = self._records.get(pid)
            if record is not None and record.statm is not None and not record.command_wanted:
                self._names.want_command(record)
