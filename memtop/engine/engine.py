"""step(ask): a sample and its history become a frame. It lives in the sampler's thread and holds all state."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from memtop.engine.row_builder import TREND_BUCKET_S, gone_row, ordered, proc_row, system_row, why_unknown
from memtop.history.rings import Diary, Gap, History, MachinePast, Point
from memtop.model.frame import Detail, Frame, Mark, Note, ProcessRow, Shares, SystemRow
from memtop.process_key import ProcessKey
from memtop.sampling.commands import Command
from memtop.sampling.request import REGIONS, RUNTIME, SHARING, Ask, Need
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sampling.sampler import Sampler
from memtop.sanitize import clean
from memtop.sources.protocol import OwnCost, Source

if TYPE_CHECKING:
    from memtop.engine.assessment import Assessor
    from memtop.engine.assessment.expensive_inputs import ExpensiveInputs
    from memtop.introspection.lens import Lens
    from memtop.model.assessment import ExitReport
    from memtop.sampling.smaps.scheduler import SmapsScheduler

ACTIVE_S: Final = 120.0 + 2 * TREND_BUCKET_S
"""How long after its last change a row still moves, because old changes leave its trend."""
DIARIES: Final = 12
"""Processes whose full detail is kept: those watched, then those looked at last."""
DEPARTED: Final = 64


class _Entry:
    """A process as the engine knows it."""

    __slots__ = ("active_until_s", "execs", "living", "row", "seen")

    def __init__(self, seen: ProcessSample, row: ProcessRow, execs: int, active_until_s: float) -> None:
        self.seen = seen
        self.row = row
        self.execs = execs
        self.active_until_s = active_until_s
        self.living = row
        """The last row in which it had memory: what is kept on screen when it has gone."""


class Engine:
    """Turns asks into frames. ``own`` measures memtop itself; ``position`` tells where a replay is,
    ``trouble`` what keeps a recording from being written."""

    def __init__(
        self,
        source: Source,
        own: Callable[[], OwnCost] = lambda: OwnCost(None, None),
        position: Callable[[], tuple[int, int]] | None = None,
        trouble: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._sampler = Sampler(source)
        self._source = source
        self._dear: SmapsScheduler | None = None
        self._lens: Lens | None = None
        self._own = own
        self._position = position
        self._trouble = trouble
        self._history = History()
        self._endings: Assessor | None = None
        """Made for the second sample, or when somebody looks at a process: a run of one sample does without."""
        self._exits: tuple[ExitReport, ...] = ()
        self._entries: dict[int, _Entry] = {}
        self._departed: dict[ProcessKey, ProcessRow] = {}
        self._sample: Sample | None = None
        self._before: Sample | None = None
        self._surveyed: Sample | None = None
        """The last sample for which the machine was read anew: its rates are reckoned from one such to the next."""
        self._system: SystemRow | None = None
        self._machine = MachinePast()
        self._oom_kills_at_start: int | None = None
        self._boot_wall_s = 0.0
        self._offset_s = 0.0
        self._tick = -1
        self._late_s = 0.0
        self._watched: dict[ProcessKey, None] = {}
        self._asked_for: list[ProcessKey] = []
        self._marks: dict[ProcessKey, list[tuple[float, str, str]]] = {}
        self._commands: list[Command] = []
        """Those that were not obeyed yet."""
        self._frozen: tuple[Sample, SystemRow, list[ProcessRow], float | None, int] | None = None

    def step(self, ask: Ask, commands: Iterable[Command] = (), late_s: float = 0.0) -> Frame | None:
        """Take the next sample, obey, and show it; None at the end of a recording."""
        return self._show(ask) if self.take(ask, commands, late_s) else None

    def take(self, ask: Ask, commands: Iterable[Command] = (), late_s: float = 0.0) -> bool:
        """Take the next sample, to be shown with a later one; False at the end of a recording."""
        self._commands += commands  # at once: none is lost though the sample fails
        if self._tick >= 0 or ask.focus is not None:
            self.prepare()
        watched = [key.pid for key in self._watched]
        if self._endings is not None:
            watched = self._endings.to_watch(self._watched)
        if ask.outlooks:
            ask = ask._replace(studied=tuple(self._asked_for[:DIARIES]))
        # Whoever takes the place of a process that has ended may be anybody.
        wanted = ask._replace(only=None) if ask.focus in self._departed else ask
        if self._dear is not None and (family := self._dear.family(ask)):  # their faults tell who copies
            wanted = wanted._replace(visible=wanted.visible.union(seen.key for seen in family))
        sample = self._sampler.sample(wanted, watched)
        if sample is None:
            return False
        self._tick += 1
        self._late_s = late_s
        self._absorb(sample, ask)
        return True

    def prepare(self) -> None:
        """Make what the second sample needs and a single one does without; its import would make that sample late."""
        if self._endings is None:
            from memtop.engine.assessment import Assessor  # noqa: PLC0415

            self._endings = Assessor(self._history)

    def view(self, ask: Ask, commands: Iterable[Command] = ()) -> Frame | None:
        """Obey, and show the last sample again for another ask; None before the first."""
        self._commands += commands
        if self._sample is not None and (dear := self._dear_for(ask)) is not None:
            dear.open(self._sample)
            self._obey(dear, ask)
            dear.begin_between(ask, self._shares_wanted(ask))
        return self._show(ask)

    def _show(self, ask: Ask) -> Frame | None:
        if self._sample is None or self._system is None:
            return None
        frozen = self._freeze(ask)
        sample, system, everything, elapsed_s, tick = frozen
        now_s = sample.mono_s
        looking_s = None if ask.cursor_s is None else min(ask.cursor_s - self._offset_s, now_s)
        if looking_s is not None:
            from memtop.engine.past_rows import rows_at  # noqa: PLC0415 (one sample has no past)

            everything = rows_at(
                self._history, everything, looking_s, boot_wall_s=self._boot_wall_s, total_bytes=system.mem_total_bytes
            )
            system = self._machine.at(looking_s) or system
        chosen = self._chosen(everything, ask)
        total = sum(row.gone_s is None for row in chosen)
        shown = [row for row in chosen if ask.where(row)] if ask.where is not None else chosen
        rows: tuple[ProcessRow, ...] = tuple(ordered(shown, ask.sort, ask.descending))
        places = None
        if ask.tree:
            from memtop.engine.process_tree import grow  # noqa: PLC0415 (most one-shot output is flat)

            rows, places = grow(rows, ask.folded)
        return Frame(
            tick=tick,
            at_s=sample.wall_s,
            elapsed_s=elapsed_s,
            late_s=self._late_s,
            system=system,
            rows=rows,
            tree=places,
            total=total,
            detail=self._detail(ask, everything, now_s, looking_s),
            own=self._own(),
            hidden=sample.hidden,
            problems=(*sample.problems, trouble) if (trouble := self._trouble()) else sample.problems,
            runtimes=self._lens.objects(row.key for row in rows) if self._lens is not None and ask.runtimes else {},
            shares=self._shares(ask),
            replay_position=self._position() if self._position is not None else None,
            exits=self._tell_exits(),
            outlooks=self._endings.outlooks if self._endings is not None and ask.outlooks else {},
        )

    def _tell_exits(self) -> tuple[ExitReport, ...]:
        """Who has ended since the last frame; each is told once."""
        told, self._exits = self._exits, ()
        return told

    def _dear_for(self, ask: Ask, doubted: ProcessKey | None = None) -> SmapsScheduler | None:
        """Who makes the dear readings: there from when they are first wanted, since few runs want any."""
        shown = ask.panel in (REGIONS, SHARING, RUNTIME) or Need.ROLLUP in ask.needs | ask.needs_all
        wanted = shown or self._commands or doubted is not None
        if self._dear is None and wanted:
            from memtop.sampling.smaps.scheduler import SmapsScheduler  # noqa: PLC0415 (so that a headless run starts without it)

            self._dear = SmapsScheduler(self._source)
        return self._dear

    def _obey(self, dear: SmapsScheduler, ask: Ask) -> None:
        commands, self._commands = self._commands, []
        dear.obey(commands, allowed=ask.smaps)

    def _shares_wanted(self, ask: Ask) -> list[ProcessKey]:
        """Whose PSS and USS are wanted: rows on screen; all that may be shown, where order or filter depend on them."""
        if Need.ROLLUP not in ask.needs | ask.needs_all:
            return []
        if Need.ROLLUP not in ask.needs_all and ask.visible:
            return list(ask.visible)
        rows = self._chosen([entry.row for entry in self._entries.values()], ask)
        if ask.where is not None and Need.ROLLUP not in ask.where_needs:
            rows = [row for row in rows if ask.where(row)]
        return [row.key for row in rows]

    def _shares(self, ask: Ask) -> Shares | None:
        """How far PSS and USS are known of those of whom they are wanted."""
        dear = self._dear
        if dear is None or Need.ROLLUP not in ask.needs | ask.needs_all:
            return None
        wanted = self._shares_wanted(ask)
        unknown = {key: dear.missing(key).name.lower() for key in wanted if dear.sums(key)[0] is None}
        return Shares(len(wanted), unknown, Need.ROLLUP in ask.needs_all)

    def _lens_for(self, ask: Ask) -> Lens | None:
        """Who looks into runtimes: there from when somebody looks at a process."""
        if self._lens is None and (ask.focus is not None or ask.runtimes or ask.go_urls or ask.panel == RUNTIME):
            from memtop.introspection.lens import Lens  # noqa: PLC0415 (as above)

            self._lens = Lens(self._source, self._lazy_free_bytes, replaying=self._position is not None)
        return self._lens

    def _lazy_free_bytes(self, key: ProcessKey) -> int | None:
        return self._dear.lazy_free_bytes(key) if self._dear is not None else None

    # -- facts become rows

    def _absorb(self, sample: Sample, ask: Ask) -> None:
        before, self._before, self._sample = self._sample, self._sample, sample
        now_s = sample.mono_s
        if before is None:
            self._boot_wall_s = sample.wall_s - now_s
        elif now_s - before.mono_s > 3 * ask.delay_s + 1:
            self._history.gaps.append(Gap(before.mono_s, now_s))
        self._offset_s = sample.wall_s - now_s
        surroundings_are_new = self._survey(sample, ask)
        ended = {exit_.pid: exit_.wall_s for exit_ in sample.exits}
        last = {key: self._entries[key.pid].row for key in sample.gone if key.pid in self._entries}
        for key in sample.gone:
            self._depart(key, ended.get(key.pid, sample.wall_s))
        # What moves by itself, because old changes leave a row's trend and its last minute, is brought up to date at
        # every tick where somebody looks at it, and elsewhere when the trend moves on by a cell.
        moved_on = before is None or now_s // TREND_BUCKET_S != before.mono_s // TREND_BUCKET_S
        every_row = moved_on or ask.where is not None or ask.sort == "growth_bytes_per_min"
        doubted = self._endings.doubted(ask, now_s) if self._endings is not None else None
        dear = self._dear_for(ask, doubted)
        renewed: frozenset[ProcessKey] = frozenset()
        if dear is not None:
            renewed = dear.take(ask, sample)
            self._obey(dear, ask)
        for pid, seen in sample.processes.items():
            entry = self._entries.get(pid)
            if (
                entry is None
                or seen.changed
                or seen.key in renewed
                or (now_s < entry.active_until_s and (every_row or seen.key in ask.visible))
            ):
                self._entries[pid] = self._entry(seen, entry, now_s)
        if dear is not None and surroundings_are_new:
            for key in dear.begin(ask, self._shares_wanted(ask), doubted):
                if (entry := self._entries.get(key.pid)) is not None:
                    self._entries[key.pid] = self._entry(entry.seen, entry, now_s)
        self._asked_for = self._watch(ask)
        if (lens := self._lens_for(ask)) is not None:
            lens.step(ask, sample, self._asked_for)
        for key in self._watched:
            self._keep_diary(key, now_s)
        if self._endings is not None and surroundings_are_new:
            self._judge(self._endings, sample, ask, last)

    def _survey(self, sample: Sample, ask: Ask) -> bool:
        """The machine as a row; whether it was read anew."""
        before = self._surveyed
        if before is not None and sample.system is before.system:
            return False
        if self._oom_kills_at_start is None and sample.system.vmstat is not None:
            self._oom_kills_at_start = sample.system.vmstat.oom_kill
        start = self._oom_kills_at_start
        self._system = system_row(sample, before, everybody=ask.everybody, oom_kills_at_start=start)
        self._machine.add(sample.mono_s, self._system)
        self._surveyed = sample
        return True

    def _judge(self, endings: Assessor, sample: Sample, ask: Ask, last: dict[ProcessKey, ProcessRow]) -> None:
        rows = {pid: entry.row for pid, entry in self._entries.items()}
        endings.hold(key for key in self._watched if key.pid in rows and rows[key.pid].key == key)
        witnesses = {key: self._witness(key, ask, sample, rows[key.pid]) for key in ask.judged if key.pid in rows}
        for key in endings.take(sample, ask, rows, last, witnesses):
            entry = self._entries[key.pid]
            marked = entry.row._replace(**endings.row_marks(key)._asdict())
            if entry.living is entry.row:
                entry.living = marked  # or each process would keep two rows
            entry.row = marked
        self._exits += endings.fresh

    def _witness(self, key: ProcessKey, ask: Ask, sample: Sample, row: ProcessRow) -> ExpensiveInputs:
        """What was read of a process that is judged, beside the cheap files."""
        from memtop.engine.assessment.expensive_inputs import ExpensiveInputs  # noqa: PLC0415 (a run of one sample does without)

        heap = self._lens.heap_facts(row, sample.mono_s) if self._lens is not None and row.key == key else None
        if key != ask.focus:
            return ExpensiveInputs(heap=heap, unread="it is read of the process in focus only")
        if (dear := self._dear) is None:
            return ExpensiveInputs(heap=heap)
        regions = dear.regions(ask, sample.mono_s)
        given_back, why = dear.lazy_free(key), dear.unread(key)
        return ExpensiveInputs(regions, dear.reading(key), dear.sharing(ask, regions), heap, given_back, why)

    def _entry(self, seen: ProcessSample, entry: _Entry | None, now_s: float) -> _Entry:
        if entry is not None and seen.execs != entry.execs:
            self._history.forget(seen.key)
            if self._endings is not None:
                self._endings.forget(seen.key)
            self._mark(seen.key, now_s, "exec", f"became {clean(seen.name_raw)}")
        track = self._history.tracks.get(seen.key)
        statm = seen.statm
        if statm is not None:
            last = track.point(-1) if track is not None and len(track) else None
            if last is None or (last.virt_bytes, last.rss_bytes, last.shr_bytes) != statm:
                track = self._history.note(seen.key, now_s, *statm)
        assert self._system is not None
        row = proc_row(
            seen,
            entry.row if entry is not None else None,
            track,
            now_s,
            system=self._system,
            boot_wall_s=self._boot_wall_s,
            shares=self._dear.sums(seen.key) if self._dear is not None else (None, None),
            marks=self._endings.row_marks(seen.key)._asdict() if self._endings is not None else None,
        )
        if entry is not None and row == entry.row:
            row = entry.row
        active_until_s = track.changed_s + ACTIVE_S if track is not None and len(track) > 1 else now_s
        if track is not None and now_s - track.first_s < ACTIVE_S:
            active_until_s = max(active_until_s, track.first_s + ACTIVE_S)
        if entry is None:
            return _Entry(seen, row, seen.execs, active_until_s)
        entry.seen, entry.row, entry.execs, entry.active_until_s = seen, row, seen.execs, active_until_s
        if row.rss_bytes is not None or entry.living.rss_bytes is None:
            entry.living = row
        return entry

    # -- whom we watch, and who has left

    def _watch(self, ask: Ask) -> list[ProcessKey]:
        """Keep the diaries of those asked for and of those looked at last, and no others; those asked for."""
        named = self._entries.values() if ask.only or ask.names else ()
        asked_for = [entry.row.key for entry in named if self._named(entry.row, ask)]
        wanted = asked_for if ask.focus is None else [ask.focus, *asked_for]
        self._watched = dict.fromkeys([*wanted[:DIARIES], *self._watched])
        for key in list(self._watched)[DIARIES:]:
            del self._watched[key]
            self._history.diaries.pop(key, None)
        return asked_for

    def _keep_diary(self, key: ProcessKey, now_s: float) -> None:
        entry = self._entries.get(key.pid)
        if entry is None or entry.row.key != key or (statm := entry.seen.statm) is None:
            return
        stat, status = entry.seen.stat, entry.seen.status
        shmem_bytes = status.shmem_bytes if status is not None else None
        fresh = stat is not None and entry.seen.stat_s == now_s
        point = Point(
            now_s,
            *statm,
            shmem_bytes,
            stat.minflt if fresh and stat is not None else None,
            stat.majflt if fresh and stat is not None else None,
            entry.row.swap_bytes,
        )
        self._history.diaries.setdefault(key, Diary()).add(point)

    def _depart(self, key: ProcessKey, wall_s: float) -> None:
        if self._endings is not None:
            self._endings.forget(key)
        entry = self._entries.pop(key.pid, None)
        if entry is None or key not in self._watched:
            self._history.forget(key)
            self._marks.pop(key, None)
            return
        self._departed[key] = gone_row(entry.living, wall_s)
        self._mark(key, wall_s - self._offset_s, "gone", "gone")
        if len(self._departed) > DEPARTED:
            oldest = next(iter(self._departed))
            del self._departed[oldest]
            self._history.forget(oldest)
            self._marks.pop(oldest, None)

    def _mark(self, key: ProcessKey, when_s: float, kind: str, label: str) -> None:
        marks = self._marks.setdefault(key, [])
        marks.append((when_s, kind, label))
        del marks[:-32]

    # -- what is shown

    def _freeze(self, ask: Ask) -> tuple[Sample, SystemRow, list[ProcessRow], float | None, int]:
        """The instant to show: the last one, or the one at which freezing began."""
        if self._frozen is not None and ask.frozen:
            return self._frozen
        assert self._sample is not None and self._system is not None
        rows = [entry.row for entry in self._entries.values()]
        rows.extend(self._departed.values())
        elapsed_s = self._sample.mono_s - self._before.mono_s if self._before is not None else None
        live = (self._sample, self._system, rows, elapsed_s, self._tick)
        self._frozen = live if ask.frozen else None
        return live

    def _named(self, row: ProcessRow, ask: Ask) -> bool:
        if ask.only is not None and row.pid in ask.only:
            return row.key in self._departed or not any(key.pid == row.pid for key in self._departed)
        return any(name in row.command or name in row.name for name in ask.names)

    def _chosen(self, rows: list[ProcessRow], ask: Ask) -> list[ProcessRow]:
        """Those that the command line asks for; and of the departed, those and the one in focus."""
        if ask.only is None and not ask.names:
            return [
                row
                for row in rows
                if (row.gone_s is None or row.key == ask.focus) and (ask.kernel_threads or row.note is not Note.KERNEL)
            ]
        own_pid = os.getpid()
        chosen = [row for row in rows if self._named(row, ask) and (row.pid != own_pid or _asked(row.pid, ask))]
        if not ask.children:
            return chosen
        from memtop.engine.process_tree import descendants  # noqa: PLC0415 (as above)

        family = descendants(chosen, rows)
        return [row for row in rows if row.key in family]

    def _detail(self, ask: Ask, rows: list[ProcessRow], now_s: float, looking_s: float | None) -> Detail | None:
        key = ask.focus
        if key is None:
            return None
        row = next((row for row in rows if row.key == key), None)
        if row is None:
            return None
        track = self._history.tracks.get(key)
        # One sample has no past.
        from memtop.history.process_history import fitting_window_s, right_edge_s, series, slope_bytes_per_min  # noqa: PLC0415

        window_s = ask.window_s or fitting_window_s(now_s - track.first_s if track is not None else 0.0)
        right_s = right_edge_s(now_s if looking_s is None else looking_s, now_s, window_s, ask.points)
        until_s = self._known_until_s(row, now_s)
        entry = self._entries.get(key.pid)
        alive = entry is not None and entry.row.key == key
        dear, lens = self._dear, self._lens
        regions = dear.regions(ask, now_s) if dear is not None else None
        mark = dear.mark(key, now_s) if dear is not None else None
        events = [*self._marks.get(key, ()), *([(mark.at_s, "mark", "mark")] if mark is not None else ())]
        events += lens.gc_marks(key, right_s - window_s, right_s) if lens is not None else []
        return Detail(
            row=row,
            status=entry.seen.status if alive and entry is not None and looking_s is None else None,
            series=series(self._history, key, right_s=right_s, until_s=until_s, window_s=window_s, points=ask.points),
            window_s=window_s,
            right_edge_s=right_s + self._offset_s,
            cursor_s=None if looking_s is None else looking_s - right_s,
            marks=tuple(
                Mark(at_s - right_s, kind, label)
                for at_s, kind, label in events
                if right_s - window_s <= at_s <= right_s
            ),
            gone=row.gone_s is not None,
            slope_bytes_per_min=slope_bytes_per_min(self._history, key, until_s if looking_s is None else looking_s),
            why_unknown=why_unknown(row, looking_s is not None),
            outlook=self._endings.outlook(key, frozen=ask.frozen)
            if self._endings is not None and looking_s is None
            else None,
            regions=regions,
            sharing=dear.sharing(ask, regions) if dear is not None else None,
            inside=lens.inside(
                ask, row, now_s if looking_s is None else looking_s, dear.reading(key) if dear is not None else None
            )
            if lens is not None
            else None,
            mark=mark,
            mark_dropped=dear is not None and dear.mark_dropped(key),
        )

    def _known_until_s(self, row: ProcessRow, now_s: float) -> float:
        """The last moment at which its memory was read: now, unless it has ended or become a zombie."""
        entry = self._entries.get(row.pid)
        if entry is not None and entry.row.key == row.key and entry.seen.statm is not None:
            return now_s
        diary, track = self._history.diaries.get(row.key), self._history.tracks.get(row.key)
        if diary:
            return min(now_s, diary.times_s[-1])
        if row.gone_s is not None:
            return min(now_s, row.gone_s - self._offset_s)
        return min(now_s, track.changed_s) if track is not None else now_s


def _asked(pid: int, ask: Ask) -> bool:
    return ask.only is not None and pid in ask.only
