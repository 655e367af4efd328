"""step(request): a sample and its history become a frame. It lives in the sampler's thread and holds all state."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from memtop.engine.row_builder import TREND_BUCKET_S, gone_row, ordered, proc_row, system_row, why_unknown
from memtop.engine.runtime_inputs import arenas_of, kernel_figures
from memtop.history.rings import Diary, Gap, History, MachinePast, Point
from memtop.model.frame import Detail, Frame, Mark, Note, ProcessRow, Shares, SystemRow
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.sampling.commands import Command
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sampling.sampler import Sampler
from memtop.sanitize import clean
from memtop.sources.protocol import OwnCost, Source

if TYPE_CHECKING:
    from memtop.engine.assessment import Assessor
    from memtop.engine.assessment.expensive_inputs import ExpensiveInputs
    from memtop.model.assessment import ExitReport
    from memtop.runtimes.registry import Registry
    from memtop.runtimes.view import KernelFigures
    from memtop.sampling.runtimes.scheduler import RuntimeScheduler
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
    """Turns requests into frames. ``own`` measures memtop itself; ``position`` tells where a replay is,
    ``trouble`` what keeps a recording from being written; ``registry`` has the runtimes,
    None for all that there are."""

    def __init__(
        self,
        source: Source,
        own: Callable[[], OwnCost] = lambda: OwnCost(None, None),
        position: Callable[[], tuple[int, int]] | None = None,
        trouble: Callable[[], str | None] = lambda: None,
        registry: Registry | None = None,
    ) -> None:
        self._sampler = Sampler(source)
        self._source = source
        self._dear: SmapsScheduler | None = None
        self._runtimes: RuntimeScheduler | None = None
        self._own = own
        self._position = position
        self._registry = registry
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

    def step(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> Frame | None:
        """Take the next sample, obey, and show it; None at the end of a recording."""
        return self._show(request) if self.take(request, commands, late_s) else None

    def take(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> bool:
        """Take the next sample, to be shown with a later one; False at the end of a recording."""
        self._commands += commands  # at once: none is lost though the sample fails
        if self._tick >= 0 or request.readings.focus is not None:
            self.prepare()
        plan = self._plan(request)
        sample = self._sampler.sample(plan)
        if sample is None:
            return False
        self._tick += 1
        self._late_s = late_s
        self._absorb(sample, request, plan)
        return True

    def _plan(self, request: Request) -> SamplePlan:
        """What is read for it, and of which processes."""
        readings, focus = request.readings, request.readings.focus
        watched = [key.pid for key in self._watched]
        if self._endings is not None:
            watched = self._endings.to_watch(self._watched)
        assessed = dict.fromkeys([] if focus is None else [focus])
        if readings.outlooks:
            assessed |= dict.fromkeys(self._asked_for[:DIARIES])
        family: list[ProcessSample] = []
        if self._dear is not None and focus is not None and Need.FAMILY in readings.focus_needs:
            family = self._dear.family(focus)
        return SamplePlan(
            readings,
            # Any process may take the place of one that has ended.
            pids=None if request.everybody or focus in self._departed else request.rows.only,
            family=frozenset(relative.key for relative in family),
            watched=tuple(watched),
            assessed=tuple(assessed),
        )

    def prepare(self) -> None:
        """Make what the second sample needs and a single one does without; its import would make that sample late."""
        if self._endings is None:
            from memtop.engine.assessment import Assessor  # noqa: PLC0415

            self._endings = Assessor(self._history)

    def view(self, request: Request, commands: Iterable[Command] = ()) -> Frame | None:
        """Obey, and show the last sample again for another request; None before the first."""
        self._commands += commands
        if self._sample is not None and (dear := self._dear_for(request)) is not None:
            if not request.window.stands_still:
                dear.open(self._sample)
                self._obey(dear, request)
                dear.begin_between(self._plan(request), self._shares_wanted(request))
            else:
                self._obey_frozen(dear, request)
        return self._show(request)

    def _show(self, request: Request) -> Frame | None:
        if self._sample is None or self._system is None:
            return None
        frozen = self._freeze(request)
        sample, system, everything, elapsed_s, tick = frozen
        now_s = sample.mono_s
        looking_s = None if request.window.cursor_s is None else min(request.window.cursor_s - self._offset_s, now_s)
        if looking_s is not None:
            from memtop.engine.past_rows import rows_at  # noqa: PLC0415 (one sample has no past)

            everything = rows_at(
                self._history, everything, looking_s, boot_wall_s=self._boot_wall_s, total_bytes=system.mem_total_bytes
            )
            system = self._machine.at(looking_s) or system
        chosen = self._chosen(everything, request)
        total = sum(row.gone_s is None for row in chosen)
        shown = [row for row in chosen if request.rows.where(row)] if request.rows.where is not None else chosen
        rows: tuple[ProcessRow, ...] = tuple(ordered(shown, request.rows.sort, request.rows.descending))
        places = None
        if request.rows.tree:
            from memtop.engine.process_tree import grow  # noqa: PLC0415 (most one-shot output is flat)

            rows, places = grow(rows, request.rows.folded)
        return Frame(
            tick=tick,
            at_s=sample.wall_s,
            elapsed_s=elapsed_s,
            late_s=self._late_s,
            system=system,
            rows=rows,
            tree=places,
            total=total,
            detail=self._detail(request, everything, now_s, looking_s),
            own=self._own(),
            hidden=sample.hidden,
            problems=(*sample.problems, trouble) if (trouble := self._trouble()) else sample.problems,
            runtimes=self._runtimes.objects(row.key for row in rows)
            if self._runtimes is not None and request.readings.runtimes
            else {},
            shares=self._shares(request),
            replay_position=self._position() if self._position is not None else None,
            exits=self._tell_exits(),
            outlooks=self._endings.outlooks if self._endings is not None and request.readings.outlooks else {},
        )

    def _tell_exits(self) -> tuple[ExitReport, ...]:
        """Who has ended since the last frame; each is told once."""
        told, self._exits = self._exits, ()
        return told

    def _dear_for(self, request: Request, doubted: ProcessKey | None = None) -> SmapsScheduler | None:
        """Who makes the dear readings: there from when they are first wanted, since few runs want any."""
        readings = request.readings
        shown = (
            readings.focus_needs & (Need.MAPPINGS | Need.FAMILY | Need.LAZY_FREE) or Need.ROLLUP in readings.row_needs
        )
        wanted = shown or self._commands or doubted is not None
        if self._dear is None and wanted:
            from memtop.sampling.smaps.scheduler import SmapsScheduler  # noqa: PLC0415 (so that a headless run starts without it)

            self._dear = SmapsScheduler(self._source)
        return self._dear

    def _obey(self, dear: SmapsScheduler, request: Request) -> None:
        commands, self._commands = self._commands, []
        dear.obey(commands, allowed=request.readings.smaps)

    def _obey_frozen(self, dear: SmapsScheduler, request: Request) -> None:
        """While the picture stands still nothing is read, and a mark is set on what is shown."""
        if not dear.opened:
            dear.open(self._freeze(request)[0])
        self._obey(dear, request)

    def _shares_wanted(self, request: Request) -> list[ProcessKey]:
        """Whose PSS and USS are wanted: rows on screen; all that may be shown, where order or filter depend on them."""
        if Need.ROLLUP not in request.readings.row_needs:
            return []
        if Need.ROLLUP not in request.readings.needs_all and request.readings.visible:
            return list(request.readings.visible)
        rows = self._chosen([entry.row for entry in self._entries.values()], request)
        if request.rows.where is not None and Need.ROLLUP not in request.rows.where_needs:
            rows = [row for row in rows if request.rows.where(row)]
        return [row.key for row in rows]

    def _shares(self, request: Request) -> Shares | None:
        """How far PSS and USS are known of those of whom they are wanted."""
        dear = self._dear
        if dear is None or Need.ROLLUP not in request.readings.row_needs:
            return None
        wanted = self._shares_wanted(request)
        unknown = {key: dear.missing(key).name.lower() for key in wanted if dear.sums(key)[0] is None}
        return Shares(len(wanted), unknown, Need.ROLLUP in request.readings.needs_all)

    def _runtimes_for(self, request: Request) -> RuntimeScheduler | None:
        """The readings of runtimes: there from when a process is in focus, or runtimes are asked for."""
        if self._runtimes is None and (
            request.readings.focus is not None or request.readings.runtimes or request.readings.go_urls
        ):
            from memtop.runtimes.registry import REGISTRY  # noqa: PLC0415 (as above)
            from memtop.sampling.runtimes.scheduler import RuntimeScheduler  # noqa: PLC0415 (as above)

            replaying = self._position is not None
            registry = self._registry or REGISTRY
            self._runtimes = RuntimeScheduler(self._source, registry, self._lazy_free_bytes, replaying=replaying)
        return self._runtimes

    def _kernel_figures(self, row: ProcessRow) -> KernelFigures:
        return kernel_figures(row, self._lazy_free_bytes(row.key), self._sample)

    def _lazy_free_bytes(self, key: ProcessKey) -> int | None:
        return self._dear.lazy_free_bytes(key) if self._dear is not None else None

    # -- facts become rows

    def _absorb(self, sample: Sample, request: Request, plan: SamplePlan) -> None:
        before, self._before, self._sample = self._sample, self._sample, sample
        now_s = sample.mono_s
        self._keep_time(before, sample, request.readings.delay_s)
        surroundings_are_new = self._survey(sample, request)
        ended = {exit_.pid: exit_.wall_s for exit_ in sample.exits}
        last = {key: self._entries[key.pid].row for key in sample.gone if key.pid in self._entries}
        for key in sample.gone:
            self._depart(key, ended.get(key.pid, sample.wall_s))
        # What moves by itself, because old changes leave a row's trend and its last minute, is brought up to date at
        # every tick where somebody looks at it, and elsewhere when the trend moves on by a cell.
        moved_on = before is None or now_s // TREND_BUCKET_S != before.mono_s // TREND_BUCKET_S
        every_row = moved_on or request.rows.where is not None or request.rows.sort == "growth_bytes_per_min"
        focus, still = request.readings.focus, request.window.stands_still
        doubts = self._endings is not None and focus is not None and self._endings.wants_lazy_free(focus, now_s)
        doubted = focus if doubts else None
        dear = self._dear_for(request, doubted)
        renewed: frozenset[ProcessKey] = frozenset()
        if dear is not None and still:
            self._obey_frozen(dear, request)
        elif dear is not None:
            renewed = dear.take(sample)
            self._obey(dear, request)
        for pid, seen in sample.processes.items():
            entry = self._entries.get(pid)
            if (
                entry is None
                or seen is not entry.seen
                or (renewed and seen.key in renewed)
                or (now_s < entry.active_until_s and (every_row or seen.key in request.readings.visible))
            ):
                self._entries[pid] = self._entry(seen, entry, now_s)
        if dear is not None and surroundings_are_new and not still:
            for key in dear.begin(plan, self._shares_wanted(request), doubted):
                if (entry := self._entries.get(key.pid)) is not None:
                    self._entries[key.pid] = self._entry(entry.seen, entry, now_s)
        self._asked_for = self._watch(request)
        if (runtimes := self._runtimes_for(request)) is not None and not still:
            runtimes.step(request.readings, sample, self._asked_for)
        for key in self._watched:
            self._keep_diary(key, now_s)
        if self._endings is not None and surroundings_are_new:
            self._judge(self._endings, sample, plan, last)

    def _keep_time(self, before: Sample | None, sample: Sample, delay_s: float) -> None:
        now_s = sample.mono_s
        if before is None:
            self._boot_wall_s = sample.wall_s - now_s
        elif now_s - before.mono_s > 3 * delay_s + 1:
            self._history.gaps.append(Gap(before.mono_s, now_s))
        self._offset_s = sample.wall_s - now_s

    def _survey(self, sample: Sample, request: Request) -> bool:
        """The machine as a row; whether it was read anew."""
        before = self._surveyed
        if before is not None and sample.system is before.system:
            return False
        if self._oom_kills_at_start is None and sample.system.vmstat is not None:
            self._oom_kills_at_start = sample.system.vmstat.oom_kill
        start = self._oom_kills_at_start
        self._system = system_row(sample, before, everybody=request.everybody, oom_kills_at_start=start)
        self._machine.add(sample.mono_s, self._system)
        self._surveyed = sample
        return True

    def _judge(self, endings: Assessor, sample: Sample, plan: SamplePlan, last: dict[ProcessKey, ProcessRow]) -> None:
        rows = {pid: entry.row for pid, entry in self._entries.items()}
        endings.hold(key for key in self._watched if key.pid in rows and rows[key.pid].key == key)
        witnesses = {key: self._witness(key, plan, sample, rows[key.pid]) for key in plan.assessed if key.pid in rows}
        for key in endings.take(sample, plan, rows, last, witnesses):
            entry = self._entries[key.pid]
            marked = entry.row._replace(**endings.row_marks(key)._asdict())
            if entry.living is entry.row:
                entry.living = marked  # or each process would keep two rows
            entry.row = marked
        self._exits += endings.fresh

    def _witness(self, key: ProcessKey, plan: SamplePlan, sample: Sample, row: ProcessRow) -> ExpensiveInputs:
        """What was read of a process that is judged, beside the cheap files."""
        from memtop.engine.assessment.expensive_inputs import ExpensiveInputs  # noqa: PLC0415 (a run of one sample does without)

        heap = None
        if self._runtimes is not None and row.key == key:
            heap = self._runtimes.finding_facts(key, self._kernel_figures(row), sample.mono_s)
        if key != plan.readings.focus:
            return ExpensiveInputs(heap=heap, unread="it is read of the process in focus only")
        if (dear := self._dear) is None:
            return ExpensiveInputs(heap=heap)
        needs = plan.readings.focus_needs
        regions = dear.regions(key, sample.mono_s) if Need.MAPPINGS in needs else None
        sharing = dear.sharing(key, regions) if regions is not None and Need.FAMILY in needs else None
        given_back, why = dear.lazy_free(key), dear.unread(key)
        return ExpensiveInputs(regions, dear.reading(key), sharing, heap, given_back, why)

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

    def _watch(self, request: Request) -> list[ProcessKey]:
        """Keep the diaries of those asked for and of those looked at last, and no others; those asked for."""
        named = self._entries.values() if request.rows.only or request.rows.names else ()
        asked_for = [entry.row.key for entry in named if self._named(entry.row, request)]
        wanted = asked_for if request.readings.focus is None else [request.readings.focus, *asked_for]
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
        fresh = self._sample is not None and key.pid in self._sample.stat_pids
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

    def _freeze(self, request: Request) -> tuple[Sample, SystemRow, list[ProcessRow], float | None, int]:
        """The instant to show: the last one, or the one at which freezing began."""
        if self._frozen is not None and request.window.stands_still:
            return self._frozen
        assert self._sample is not None and self._system is not None
        rows = [entry.row for entry in self._entries.values()]
        rows.extend(self._departed.values())
        elapsed_s = self._sample.mono_s - self._before.mono_s if self._before is not None else None
        live = (self._sample, self._system, rows, elapsed_s, self._tick)
        self._frozen = live if request.window.stands_still else None
        return live

    def _named(self, row: ProcessRow, request: Request) -> bool:
        if request.rows.only is not None and row.pid in request.rows.only:
            return row.key in self._departed or not any(key.pid == row.pid for key in self._departed)
        return any(name in row.command or name in row.name for name in request.rows.names)

    def _chosen(self, rows: list[ProcessRow], request: Request) -> list[ProcessRow]:
        """Those that the command line asks for; and of the departed, those and the one in focus."""
        if request.rows.only is None and not request.rows.names:
            return [
                row
                for row in rows
                if (row.gone_s is None or row.key == request.readings.focus)
                and (request.rows.kernel_threads or row.note is not Note.KERNEL)
            ]
        own_pid = os.getpid()
        chosen = [row for row in rows if self._named(row, request) and (row.pid != own_pid or _asked(row.pid, request))]
        if not request.rows.children:
            return chosen
        from memtop.engine.process_tree import descendants  # noqa: PLC0415 (as above)

        family = descendants(chosen, rows)
        return [row for row in rows if row.key in family]

    def _detail(self, request: Request, rows: list[ProcessRow], now_s: float, looking_s: float | None) -> Detail | None:
        key = request.readings.focus
        if key is None:
            return None
        row = next((row for row in rows if row.key == key), None)
        if row is None:
            return None
        track = self._history.tracks.get(key)
        # One sample has no past.
        from memtop.history.process_history import fitting_window_s, right_edge_s, series, slope_bytes_per_min  # noqa: PLC0415

        window_s = request.window.window_s or fitting_window_s(now_s - track.first_s if track is not None else 0.0)
        right_s = right_edge_s(now_s if looking_s is None else looking_s, now_s, window_s, request.window.points)
        until_s = self._known_until_s(row, now_s)
        entry = self._entries.get(key.pid)
        alive = entry is not None and entry.row.key == key
        dear, runtimes = self._dear, self._runtimes
        back, needs = looking_s is not None, request.readings.focus_needs
        regions = sharing = runtime = None
        if dear is not None and Need.MAPPINGS in needs:
            regions = dear.regions(key, now_s, looking_back=back)
            sharing = dear.sharing(key, regions) if Need.FAMILY in needs and not back else None
        if runtimes is not None and Need.RUNTIME in needs:
            at_s = now_s if looking_s is None else looking_s
            reading = dear.reading(key) if dear is not None else None
            read_s = None if reading is None else reading.at_s
            runtime = runtimes.view(key, self._kernel_figures(row), at_s, arenas_of(reading), read_s)
        mark = dear.mark(key, now_s) if dear is not None else None
        events = [*self._marks.get(key, ()), *([(mark.at_s, "mark", "mark")] if mark is not None else ())]
        events += runtimes.gc_marks(key, right_s - window_s, right_s) if runtimes is not None else []
        return Detail(
            row=row,
            status=entry.seen.status if alive and entry is not None and looking_s is None else None,
            series=series(
                self._history, key, right_s=right_s, until_s=until_s, window_s=window_s, points=request.window.points
            ),
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
            outlook=self._endings.outlook(key, frozen=request.window.stands_still)
            if self._endings is not None and looking_s is None
            else None,
            regions=regions,
            sharing=sharing,
            runtime=runtime,
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


def _asked(pid: int, request: Request) -> bool:
    return request.rows.only is not None and pid in request.rows.only
