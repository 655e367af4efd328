"""Table of the rows of all living processes; puts PSS and USS into them. A row is built only if it has changed."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtop.engine.row_builder import GROWTH_S, TREND_BUCKET_S, growth, proc_row, trend, trend_edge_s
from memtop.history.rings import History, Track
from memtop.model.row import ProcessRow, SystemRow
from memtop.process_key import ProcessKey
from memtop.sampling.sample import ProcessSample, Sample, SampleChanges, changes_between

if TYPE_CHECKING:
    from memtop.procfs.membership import CgroupNames
else:
    CgroupNames = object  # see memtop.model.row

ACTIVE_S: Final = 120.0 + 2 * TREND_BUCKET_S
"""How long after its last change a row still moves, because old changes leave its trend."""
_TREND_TAIL_S: Final = ACTIVE_S - GROWTH_S - 5.0
"""The end of that time, in which nothing but the trend moves: old changes have left the last minute."""


class RowInputs(NamedTuple):
    """Values of a row that do not come from the sample of its process."""

    now_s: float
    boot_wall_s: float
    system: SystemRow
    shares: Callable[[ProcessKey], tuple[int | None, int | None]]
    """PSS and USS in bytes; None if unknown."""
    names: Mapping[ProcessKey, CgroupNames]
    """Path of the cgroup of each process, and its container, pod and unit."""
    marks: Callable[[ProcessKey], Mapping[str, Any]]
    """Marks that the assessment adds to a row, by attribute."""


class _Entry:
    __slots__ = ("active_until_s", "is_still", "lacks_trend", "living", "row", "sample", "trend_s")

    def __init__(
        self, sample: ProcessSample, row: ProcessRow, active_until_s: float, trend_s: float, *, lacks_trend: bool
    ) -> None:
        self.sample = sample
        self.row = row
        self.active_until_s = active_until_s
        self.trend_s = trend_s
        """The right edge of its trend: until then it stays as it is while the process does not change."""
        self.lacks_trend = lacks_trend
        """Whether its trend is that of an earlier instant, because it was not needed."""
        self.is_still = False
        """Whether it has had one size only, so that nothing of its row moves until that edge."""
        self.living = row
        """The last row with memory, which stays on screen after the process has gone."""


class RowTable:
    """Rows by PID. :meth:`note` each sample, assess it, then :meth:`build` the rows that changed."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._entries: dict[int, _Entry] = {}
        self._turn: list[int] = []
        """PIDs whose rows move by themselves and have not had their turn yet."""
        self._turn_count = 0
        """Number of all of them when the first had its turn."""
        self._turn_s = 0.0
        """When the latest had their turn."""
        self._built: Mapping[int, ProcessSample] = {}
        """The processes of which the rows were built last."""
        self.changes = SampleChanges({}, {}, [])
        """From the sample of which rows were built before to the latest."""
        self._lacks_trends = False
        """Whether some rows may have the trend of an earlier instant."""
        self._rows: dict[int, ProcessRow] = {}
        """The row of each."""
        self._by_pid: dict[int, ProcessRow] | None = None
        """A copy of them, until one changes."""
        self._touched: set[int] = set()

    def note(self, sample: Sample, on_exec: Callable[[ProcessSample], None]) -> bool:
        """Add the sizes of this sample to the history.

        ``on_exec`` is called for each process that became another program, before its first size is added. Returns
        whether there are none, nor processes without a row.
        """
        entries, are_known = self._entries, True
        for pid, process in self._changed(sample):
            entry = entries.get(pid)
            if entry is not None:
                if process.execs != entry.sample.execs:
                    on_exec(process)
                    are_known = False
            else:
                are_known = False
            self._note(process, sample.mono_s)
        return are_known

    def build(
        self,
        sample: Sample,
        inputs: RowInputs,
        *,
        moving: Collection[ProcessKey] | None,
        renewed: Collection[ProcessKey] = (),
        trends: Collection[ProcessKey] | None = None,
    ) -> None:
        """Build the rows that changed with this sample, after ended processes were removed.

        ``moving`` are the processes whose rows change with time alone and are of interest now, None for all. The others
        take turns: each has one while a trend moves on by a cell. ``renewed`` are those whose PSS or marks are new.
        ``trends`` are those whose trends are needed, None for all; they are a third of the cost of rows. The next build
        for all makes up for those that were left out.
        """
        self._by_pid = None
        now_s, entries, rows = inputs.now_s, self._entries, self._rows
        edge_s = trend_edge_s(now_s)
        tail_s = 0.0 if trends is None else _TREND_TAIL_S
        turn = self._whose_turn(now_s) if moving is not None else ()
        if moving is None or (trends is None and self._lacks_trends):
            visited: Iterable[int] = sample.processes
        else:
            changed = [pid for pid, _ in self._changed(sample)]
            visited = dict.fromkeys([*changed, *turn, *(key.pid for key in moving), *(key.pid for key in renewed)])
        self._built, self._lacks_trends = sample.processes, trends is not None
        for pid in visited:
            if (process := sample.processes.get(pid)) is None:
                continue
            entry, only_moves = entries.get(pid), False
            if entry is None:
                entry = entries[pid] = self._build(
                    process, None, inputs, has_trend=trends is None or process.key in trends
                )
            elif process is not entry.sample:
                self._build(process, entry, inputs, has_trend=trends is None or process.key in trends)
            elif (trends is None and entry.lacks_trend) or (
                now_s < entry.active_until_s - tail_s
                and not (entry.is_still and entry.trend_s == edge_s)
                and (moving is None or process.key in moving or pid in turn)
            ):
                self._move(entry, inputs, has_trend=trends is None or process.key in trends)
                if renewed and process.key in renewed:
                    self._renew(entry, inputs)
                else:
                    only_moves = True
            elif renewed and process.key in renewed:
                self._renew(entry, inputs)
            if rows.get(pid) is not entry.row:
                rows[pid] = entry.row
                if not only_moves:
                    self._touched.add(pid)

    def put_shares(self, keys: Iterable[ProcessKey], inputs: RowInputs) -> None:
        """Set PSS and USS of these processes. The rows decide whose are read, and some readings finish at once."""
        self._by_pid = None
        for key in keys:
            entry = self._entries.get(key.pid)
            if entry is None or entry.row.key != key:
                continue
            self._renew(entry, inputs)
            self._rows[key.pid] = entry.row
            self._touched.add(key.pid)

    def remove(self, key: ProcessKey) -> ProcessRow | None:
        """Remove a process that has ended. Returns the last row with memory; None if it was unknown."""
        entry = self._entries.get(key.pid)
        if entry is None or entry.row.key != key:
            return None
        del self._entries[key.pid], self._rows[key.pid]
        self._by_pid = None
        return entry.living

    def last_row(self, key: ProcessKey) -> ProcessRow | None:
        """The last row of a process with memory, which a process loses before it is gone; None if it does not live."""
        entry = self._entries.get(key.pid)
        return entry.living if entry is not None and entry.row.key == key else None

    def row(self, key: ProcessKey) -> ProcessRow | None:
        """The row of a process; None if it does not live."""
        entry = self._entries.get(key.pid)
        return entry.row if entry is not None and entry.row.key == key else None

    def rows(self) -> list[ProcessRow]:
        """All rows."""
        return list(self._rows.values())

    def by_pid(self) -> dict[int, ProcessRow]:
        """All rows, by PID. The same while none has changed."""
        if self._by_pid is None:
            self._by_pid = self._rows.copy()
        return self._by_pid

    def take_touched(self) -> set[int]:
        """PIDs whose rows have come, or changed by more than time alone, since this was asked for last. Some may have
        ended."""
        touched, self._touched = self._touched, set()
        return touched

    def _changed(self, sample: Sample) -> list[tuple[int, ProcessSample]]:
        """The processes that have changed since rows were built."""
        if not self.changes.are_between(self._built, sample.processes):
            self.changes = changes_between(self._built, sample.processes)
        return self.changes.changed

    def _whose_turn(self, now_s: float) -> Collection[int]:
        """PIDs of the next share of the rows that move by themselves. Thousands at one tick would make it late."""
        share = min(1.0, (now_s - self._turn_s) / TREND_BUCKET_S)
        self._turn_s = now_s
        if not self._turn:
            self._turn = [pid for pid, entry in self._entries.items() if now_s < entry.active_until_s]
            self._turn_count = len(self._turn)
        count = -int(-share * self._turn_count // 1)  # rounded up
        found, self._turn = self._turn[:count], self._turn[count:]
        return set(found)

    def _build(
        self, process: ProcessSample, entry: _Entry | None, inputs: RowInputs, *, has_trend: bool = True
    ) -> _Entry:
        track = self._history.tracks.get(process.key)
        row = proc_row(
            process,
            entry.row if entry is not None else None,
            track,
            inputs.now_s,
            system=inputs.system,
            boot_wall_s=inputs.boot_wall_s,
            shares=inputs.shares(process.key),
            marks=inputs.marks(process.key),
            names=inputs.names.get(process.key),
            has_trend=has_trend,
        )
        active_until_s = _active_until_s(track, inputs.now_s)
        if entry is None:
            return _Entry(process, row, active_until_s, trend_edge_s(inputs.now_s), lacks_trend=not has_trend)
        if row == entry.row:
            row = entry.row
        entry.sample, entry.row, entry.active_until_s = process, row, active_until_s
        entry.trend_s, entry.lacks_trend = trend_edge_s(inputs.now_s), not has_trend
        entry.is_still = False
        if row.rss_bytes is not None or entry.living.rss_bytes is None:
            entry.living = row
        return entry

    def _move(self, entry: _Entry, inputs: RowInputs, *, has_trend: bool) -> None:
        """Set what changes with time alone, at a fifth of the cost of a new row."""
        row = entry.row
        track = self._history.tracks.get(row.key)
        gained = growth(track, row.rss_bytes, inputs.now_s)
        levels, edge_s = row.trend, trend_edge_s(inputs.now_s)
        if has_trend and (entry.lacks_trend or edge_s != entry.trend_s):
            levels = trend(track, row.rss_bytes, inputs.now_s)
        entry.trend_s, entry.lacks_trend = edge_s, not has_trend
        if has_trend:
            entry.active_until_s = _active_until_s(track, inputs.now_s)
        entry.is_still = has_trend and gained is not None and track is not None and len(track) == 1
        if gained != row.growth_bytes_per_min or levels != row.trend:
            row = row._replace(growth_bytes_per_min=gained, trend=levels)
            if entry.living is entry.row:
                entry.living = row
            entry.row = row

    @staticmethod
    def _renew(entry: _Entry, inputs: RowInputs) -> None:
        """Set what does not come from the sample, at a tenth of the cost of a new row."""
        key = entry.row.key
        pss_bytes, uss_bytes = inputs.shares(key)
        names, marks = inputs.names.get(key), inputs.marks(key)
        row = entry.row._replace(pss_bytes=pss_bytes, uss_bytes=uss_bytes, names=names, **marks)
        if row == entry.row:
            return
        if entry.living is entry.row:
            entry.living = row  # otherwise each process would keep two rows
        entry.row = row

    def _note(self, process: ProcessSample, now_s: float) -> None:
        statm = process.statm
        if statm is None:
            return
        track = self._history.tracks.get(process.key)
        last = track.point(-1) if track is not None and len(track) else None
        if last is None or (last.virt_bytes, last.rss_bytes, last.shr_bytes) != statm:
            self._history.note(process.key, now_s, *statm)


def _active_until_s(track: Track | None, now_s: float) -> float:
    """Time until which its row moves without a change."""
    if track is None:
        return now_s
    until_s = track.changed_s + ACTIVE_S if len(track) > 1 else now_s
    return max(until_s, track.first_s + ACTIVE_S) if now_s - track.first_s < ACTIVE_S else until_s
