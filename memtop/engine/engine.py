"""Engine.step(request): makes a frame from a sample and its history.

It runs in the sampler thread and holds all state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from memtop.engine.departed import Departed
from memtop.engine.event_log import Event, EventLog
from memtop.engine.focus_readers import FocusReaders
from memtop.engine.frozen_view import FrozenView, Shown
from memtop.engine.machine import Machine
from memtop.engine.row_selection import chosen_rows, is_named, listed_rows, own_line
from memtop.engine.row_table import RowInputs, RowTable
from memtop.engine.watched_history import MOST_WATCHED, WatchedHistory
from memtop.history.rings import Gap, History
from memtop.model.frame import Detail, Frame, GroupDetail, Note, ProcessRow, SystemRow
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sampling.sampler import Sampler
from memtop.sanitize import clean
from memtop.sources.protocol import NotedEvent, OwnCost, Source

if TYPE_CHECKING:
    from memtop.engine.assessment import Assessor
    from memtop.engine.detail_builder import OtherLife
    from memtop.engine.groups.group_table import GroupTable
    from memtop.model.assessment import ExitReport
    from memtop.model.group import GroupRow
    from memtop.model.machine import MachineView
    from memtop.runtimes.registry import Registry
    from memtop.sampling.commands import Command
    from memtop.sampling.second_sampler import SecondSampler

HELD: Final = 256
"""Processes of the command line whose end is reported. Each needs a descriptor."""


class Engine:
    """Turns requests into frames.

    ``own`` measures memtop itself. ``position`` gives the position in a replay, ``trouble`` the reason why a recording
    cannot be written. ``registry`` has the runtimes; None means all. ``note`` takes the events of each instant.
    ``wants_all`` says whether files that are read once are to be read again, because a recording began without them.
    """

    def __init__(
        self,
        source: Source,
        own: Callable[[], OwnCost] = lambda: OwnCost(None, None),
        position: Callable[[], tuple[int, int]] | None = None,
        trouble: Callable[[], str | None] = lambda: None,
        *,
        registry: Registry | None = None,
        note: Callable[[NotedEvent], None] = lambda event: None,
        wants_all: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source = source
        self._wants_all = wants_all
        self._second_sampler: SecondSampler | None = None
        self._sampler = Sampler(source, replaying=position is not None)
        self._own = own
        self._position = position
        self._trouble = trouble
        self._note = note
        self._history = History()
        self._machine = Machine()
        self._table = RowTable(self._history)
        self._departed = Departed()
        self._events = EventLog()
        self._watched_history = WatchedHistory(self._history)
        self._readers = FocusReaders(source, registry, replaying=position is not None)
        self._frozen = FrozenView()
        self._groups: GroupTable | None = None
        """As the assessor, or when groups are listed."""
        self._assessor: Assessor | None = None
        """Created for the second sample, or when a process is in focus. A run of one sample does not need it."""
        self._exits: tuple[ExitReport, ...] = ()
        """Processes whose end was found since the last frame."""
        self._oom_victim = ""
        self._sample: Sample | None = None
        self._elapsed_s: float | None = None
        self._boot_wall_s = 0.0
        self._rows_lag = False
        """Whether the last sample was not to be shown, so that rows lack what is only to be seen."""
        self._tick = -1
        self._late_s = 0.0
        self._asked_for: list[ProcessKey] = []
        self._own_line: frozenset[int] = frozenset()
        """Pids of memtop and its ancestors, while processes are asked for by name."""
        self._held: list[ProcessKey] = []
        """Processes whose end is reported because they are on the command line, descend from such a process, or were in
        focus."""

    def step(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> Frame | None:
        """Take the next sample, carry out the commands, and make its frame. None at the end of a recording."""
        return self._show(request) if self._take(request, commands, late_s, is_shown=True) else None

    def take(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> bool:
        """Take the next sample, to be shown with a later one. False at the end of a recording."""
        return self._take(request, commands, late_s, is_shown=False)

    def _take(self, request: Request, commands: Iterable[Command], late_s: float, *, is_shown: bool) -> bool:
        self._command(commands)  # at once: no command is lost if the sample fails
        if self._tick >= 0 or request.readings.focus is not None:
            self.prepare()
        elif request.rows.by is not None:
            self._prepare_groups()
        plan = self._plan(request)
        sample = self._sampler.sample(plan)
        if sample is None:
            return False
        if self._wants_all():
            self._read_again(plan, sample)
        else:
            self._second_sampler = None
        self._tick += 1
        self._late_s = late_s
        self._absorb(sample, request, plan, is_shown=is_shown)
        return True

    def _read_again(self, plan: SamplePlan, sample: Sample) -> None:
        if self._second_sampler is None:
            from memtop.sampling.second_sampler import SecondSampler  # noqa: PLC0415 (only large machines need it)

            self._second_sampler = SecondSampler(self._source)
        self._second_sampler.read(plan, sample)

    def prepare(self) -> None:
        """Create what the second sample needs and a single one does not. Its import would make that sample late."""
        if self._assessor is None:
            from memtop.engine.assessment import Assessor  # noqa: PLC0415 (as the docstring says)

            self._assessor = Assessor(self._history)
            self._sampler.prepare()
            self._machine.prepare()
            self._prepare_groups()

    def _prepare_groups(self) -> None:
        if self._groups is None:
            from memtop.engine.groups.group_table import GroupTable  # noqa: PLC0415 (as above)

            self._groups = GroupTable(self._history.gaps)

    def view(self, request: Request, commands: Iterable[Command] = ()) -> Frame | None:
        """Carry out the commands, and show the last sample again for another request. None before the first sample."""
        self._command(commands)
        if self._sample is not None:
            self._readers.want(request.readings)
            if request.window.stands_still:
                self._readers.stand_still(request.readings, lambda: self._shown(request).sample)
            else:
                wanted = partial(self._shares_wanted, request)
                self._readers.begin_between(self._plan(request), self._sample, wanted)
        return self._show(request)

    def past_rss_bytes(self, key: ProcessKey, first_s: float, last_s: float, points: int) -> tuple[float | None, ...]:
        """RES of a process between two wall times, in so many equal parts, the highest of each."""
        from memtop.history.process_history import series  # noqa: PLC0415 (one sample has no past)

        if self._sample is None:
            return ()
        right_s = last_s - (self._sample.wall_s - self._sample.mono_s)
        window_s = max(1.0, last_s - first_s)
        past = series(self._history, key, right_s=right_s, until_s=right_s, window_s=window_s, points=points)
        return past.rss_bytes

    def _command(self, commands: Iterable[Command]) -> None:
        commands = tuple(commands)
        if self._readers.command(commands):
            self._note_marks(commands)
            self._frozen.make_again()

    def _note_marks(self, commands: Iterable[Command]) -> None:
        """Note the marks that these commands are about to set."""
        from memtop.engine.assessment.process_names import process_name  # noqa: PLC0415 (one sample has no marks)
        from memtop.model.timeline import EventKind  # noqa: PLC0415 (as above)
        from memtop.sampling.commands import ToggleMark  # noqa: PLC0415 (as above)

        for command in commands:
            row = self._table.row(command.key)
            if isinstance(command, ToggleMark) and row is not None and self._readers.mark(command.key, 0.0) is None:
                self._note(NotedEvent(EventKind.MARK, command.key.pid, process_name(row)))

    def _plan(self, request: Request) -> SamplePlan:
        """The readings of the next sample, and of which processes."""
        readings, focus = request.readings, request.readings.focus
        watched = [key.pid for key in self._held]
        if self._assessor is not None:
            watched = self._assessor.to_watch([*self._held, *readings.visible])
        assessed = dict.fromkeys([] if focus is None else [focus])
        if readings.outlooks:
            assessed |= dict.fromkeys(self._asked_for[:MOST_WATCHED])
            if self._position is not None and request.rows.only is None:  # a recording is not in a hurry
                assessed |= dict.fromkeys(row.key for row in self._table.rows() if row.note is not Note.KERNEL)
        return SamplePlan(
            readings,
            # Any process may replace one that has ended.
            pids=None if request.everybody or focus in self._departed else request.rows.only,
            family=self._readers.family(readings),
            watched=tuple(watched),
            parents=frozenset(key.pid for key in self._held if request.rows.children),
            cgroups=tuple(key.name for key in request.groups.looked_at),
            assessed=tuple(assessed),
        )

    # -- facts become rows

    def _absorb(self, sample: Sample, request: Request, plan: SamplePlan, *, is_shown: bool) -> None:
        before, readings, now_s = self._sample, request.readings, sample.mono_s
        self._keep_time(sample, readings.delay_s)
        machine_is_new = self._machine.take(sample, everybody=request.everybody and sample.everybody)
        ended = {exit_.pid: exit_.wall_s for exit_ in sample.exits}
        last = {key: row for key in sample.gone if (row := self._table.row(key)) is not None}
        unwatched = [key for key in sample.gone if not self._depart(key, ended.get(key.pid, sample.wall_s), sample)]
        still, doubted = request.window.stands_still, self._doubted(readings.focus, now_s)
        sums_family = self._assessor is not None and self._assessor.wants_family_sum(readings.focus)
        self._readers.want(readings, doubted, sums_family=sums_family)
        renewed: frozenset[ProcessKey] = frozenset()
        if still:
            self._readers.stand_still(readings, lambda: self._shown(request).sample)
        else:
            renewed = self._readers.take(readings, sample)
        self._table.note(sample, partial(self._exec, now_s))
        system = self._machine.row
        assert system is not None
        self._watched_history.note(sample, system)
        if self._assessor is not None and machine_is_new:
            renewed |= self._judge_growth(self._assessor, sample, plan)
        renewed = renewed.union(sample.moved)
        # A row's trend and its last minute change by themselves as old changes leave them. Such rows are updated at
        # every tick if they are shown, and others in turn.
        moving = _shown_moving(request) if is_shown else ()
        trends = None if is_shown else [*self._asked_for, *([] if readings.focus is None else [readings.focus])]
        self._rows_lag = not is_shown
        inputs = self._row_inputs(sample)
        self._table.build(sample, inputs, moving=None if before is None else moving, renewed=renewed, trends=trends)
        if machine_is_new and not still:
            shares = partial(self._shares_wanted, request)
            come = self._readers.begin(plan, shares, doubted, sums_family=sums_family)
            self._table.put_shares(come, inputs)
        self._watch(request, sample, system)
        if not still:
            self._readers.step_runtimes(readings, sample, self._asked_for)
        if self._groups is not None and machine_is_new:
            focus = [] if request.groups.focus is None else [request.groups.focus]
            alone = self._assessor.growing_alone() if self._assessor is not None else {}
            self._groups.note(sample, self._table.by_pid(), delay_s=readings.delay_s, looked_at=focus, alone=alone)
        if self._assessor is not None and machine_is_new:
            self._assess(self._assessor, sample, plan, last)
            if self._groups is not None:
                self._groups.note_restarts(self._assessor.restarted, sample)
        self._forget_departed(unwatched, last, ended, sample)

    def _keep_time(self, sample: Sample, delay_s: float) -> None:
        before, self._sample = self._sample, sample
        if before is None:
            self._boot_wall_s = sample.wall_s - sample.mono_s
            return
        self._elapsed_s = sample.mono_s - before.mono_s
        if self._elapsed_s > 3 * delay_s + 1:
            self._history.gaps.append(Gap(before.mono_s, sample.mono_s))

    def _row_inputs(self, sample: Sample) -> RowInputs:
        assert self._machine.row is not None
        assessor = self._assessor
        return RowInputs(
            sample.mono_s,
            self._boot_wall_s,
            self._machine.row,
            self._readers.sums,
            sample.names,
            (lambda key: assessor.row_marks(key)._asdict()) if assessor is not None else (lambda key: {}),
        )

    def _doubted(self, focus: ProcessKey | None, now_s: float) -> ProcessKey | None:
        """The process whose verdict depends on LazyFree now: that in focus first."""
        if self._assessor is None:
            return None
        if focus is not None:
            always = self._readers.lazy_free_decides(focus)
            if self._assessor.wants_lazy_free(focus, now_s, always=always):
                return focus
        return self._assessor.row_wanting_lazy_free(focus, now_s)

    def _judge_growth(self, assessor: Assessor, sample: Sample, plan: SamplePlan) -> frozenset[ProcessKey]:
        """Judge growth. Returns the processes whose rows show another verdict, limit or rank than before."""
        focus = plan.readings.focus
        keys = {*assessor.verdicts.rows_with_lazy_free, *([] if focus is None else [focus])}
        readings = {key: reading for key in keys if (reading := self._readers.lazy_free(key)) is not None}
        return frozenset(assessor.judge_growth(sample, plan, readings))

    def _assess(self, assessor: Assessor, sample: Sample, plan: SamplePlan, last: dict[ProcessKey, ProcessRow]) -> None:
        rows = self._table.by_pid()
        assessor.hold((key for key in self._held if self._table.row(key) is not None), self._held)
        expensive = {
            key: self._readers.inputs(key, rows[key.pid], plan, sample, sums_family=assessor.wants_family_sum(key))
            for key in plan.assessed
            if key.pid in rows
        }
        assessor.assess(rows, last, expensive, self._groups.growing if self._groups is not None else ())
        self._exits += assessor.fresh
        for event in assessor.events:
            self._note(event)
        for report in assessor.fresh:
            if report.is_oom:
                self._oom_victim = f"{report.shown_name} {report.key.pid}"
                self._departed.note_kill(report.key)

    def _watch(self, request: Request, sample: Sample, system: SystemRow) -> None:
        """Keep the diaries of processes on the command line and of those in focus last, and watch for their ends."""
        rows, focus = request.rows, request.readings.focus
        named = self._table.rows() if rows.only or rows.names else ()
        if rows.names and self._position is None:  # PIDs of a recording belong to other processes
            self._own_line = own_line(self._table.by_pid())
        self._asked_for = [row.key for row in named if is_named(row, rows, self._departed.keys, self._own_line)]
        self._watched_history.watch(self._asked_for if focus is None else [focus, *self._asked_for], sample, system)
        family: list[ProcessKey] = []
        if rows.children and named:
            family = [row.key for row in self._chosen(named, request) if row.gone_s is None]
        self._held = list(dict.fromkeys([*self._watched_history.watched, *self._asked_for, *family]))[:HELD]

    def _exec(self, now_s: float, process: ProcessSample) -> None:
        self._history.forget(process.key)
        if self._assessor is not None:
            self._assessor.forget(process.key)
        self._events.add(process.key, Event(now_s, "exec", f"became {clean(process.name_raw)}"))

    def _depart(self, key: ProcessKey, wall_s: float, sample: Sample) -> bool:
        """Note that a process has ended. Returns whether its row is kept because it was watched."""
        if self._assessor is not None:
            self._assessor.forget(key)
        row = self._table.remove(key)
        if row is None or key not in self._watched_history:
            return False
        self._keep_departed(row, wall_s, sample)
        return True

    def _keep_departed(self, row: ProcessRow, wall_s: float, sample: Sample) -> None:
        self._events.add(row.key, Event(wall_s - (sample.wall_s - sample.mono_s), "gone", "gone"))
        self._departed.add(row, wall_s)
        report = self._assessor.report_on(row.key) if self._assessor is not None else None
        if report is not None and report.is_oom:
            self._departed.note_kill(row.key)

    def _worth(self, key: ProcessKey) -> int:
        """How much is lost with the row of an ended process: 2 if it was watched or OOM-killed, 1 if it was notable."""
        report = self._assessor.report_on(key) if self._assessor is not None else None
        if key in self._watched_history or (report is not None and (report.is_oom or report.wanted)):
            return 2
        return int(report is not None and report.is_notable)

    def _forget_departed(
        self, keys: Iterable[ProcessKey], last: dict[ProcessKey, ProcessRow], ended: dict[int, float], sample: Sample
    ) -> None:
        """Forget unwatched processes, except those that were large or killed, which is known by now."""
        for key in keys:
            if key in last and self._worth(key):
                self._keep_departed(last[key], ended.get(key.pid, sample.wall_s), sample)
            else:
                self._history.forget(key)
                self._events.forget(key)
        for key in self._departed.shed(self._worth):
            self._history.forget(key)
            self._events.forget(key)

    # -- what is shown

    def _live(self, request: Request) -> Shown:
        assert self._sample is not None and self._machine.row is not None
        if self._rows_lag:
            self._rows_lag = False
            self._table.build(self._sample, self._row_inputs(self._sample), moving=_shown_moving(request))
        focus, outlooks = request.readings.focus, {}
        if self._assessor is not None:
            ended = self._departed.keys if request.window.stands_still else ()
            outlooks = self._assessor.known([*([] if focus is None else [focus]), *ended])
        rows = [*self._table.rows(), *self._departed.rows]
        return Shown(self._tick, self._sample, self._machine.row, rows, self._elapsed_s, outlooks)

    def _shown(self, request: Request) -> Shown:
        return self._frozen.shown(partial(self._live, request), request)

    def _show(self, request: Request) -> Frame | None:
        if self._sample is None:
            return None
        shown = self._shown(request)
        sample, rows, system, past_s = shown.sample, shown.rows, shown.system, None
        if request.window.cursor_s is not None:
            from memtop.engine.past_rows import rows_at  # noqa: PLC0415 (one sample has no past)

            past_s = min(request.window.cursor_s - shown.offset_s, shown.now_s)
            total_bytes = system.mem_total_bytes
            rows = rows_at(self._history, rows, past_s, boot_wall_s=self._boot_wall_s, total_bytes=total_bytes)
            system = self._machine.at(past_s) or system
        chosen = self._chosen(rows, request)
        groups: tuple[GroupRow, ...] | None = None
        listed: tuple[ProcessRow, ...] = ()
        if self._groups is not None and request.rows.by is not None:
            from memtop.engine.groups.listing import list_groups, members_of  # noqa: PLC0415 (as above)

            if request.rows.inside is None:
                groups, places = list_groups(self._groups, chosen, request, sample, past_s)
            else:
                listed, places = listed_rows(members_of(request.rows.inside, chosen, sample), request.rows)
        else:
            listed, places = listed_rows(chosen, request.rows)
        exits, self._exits = self._exits, ()
        assess_all = self._assessor is not None and request.readings.outlooks
        return Frame(
            tick=shown.tick,
            at_s=sample.wall_s,
            elapsed_s=shown.elapsed_s,
            late_s=self._late_s,
            system=system,
            rows=listed,
            tree=places,
            total=sum(row.gone_s is None for row in chosen),
            detail=self._frozen.detail(partial(self._detail, request, shown, rows, past_s), request),
            own=self._own(),
            hidden=sample.hidden,
            problems=(*sample.problems, trouble) if (trouble := self._trouble()) else sample.problems,
            runtimes=self._readers.runtime_objects(row.key for row in listed) if request.readings.runtimes else {},
            shares=self._readers.shares(request.readings, partial(self._shares_wanted, request)),
            replay_position=self._position() if self._position is not None else None,
            exits=exits,
            outlooks=self._assessor.outlooks if self._assessor is not None and assess_all else {},
            incidents=self._assessor.incidents if self._assessor is not None else None,
            ended=self._assessor.ended if self._assessor is not None else (),
            machine=self._machine_view(request, shown, past_s),
            oom_victim=self._oom_victim,
            groups=groups,
            group=self._group_detail(request, shown, groups, chosen, past_s),
            groupings=self._groups.kinds if self._groups is not None else frozenset(),
        )

    def _machine_view(self, request: Request, shown: Shown, past_s: float | None) -> MachineView | None:
        readings = request.readings
        if Need.MACHINE not in readings.focus_needs:
            return None
        mark = self._readers.mark(readings.focus, shown.now_s) if readings.focus is not None else None
        return self._machine.view(shown.sample, shown.rows, mark.at_s if mark is not None else None, past_s)

    def _group_detail(
        self,
        request: Request,
        shown: Shown,
        groups: tuple[GroupRow, ...] | None,
        chosen: Sequence[ProcessRow],
        past_s: float | None,
    ) -> GroupDetail | None:
        """The group in focus: one of ``groups``, or that whose members are listed."""
        if self._groups is None or request.groups.focus is None or request.rows.by is None:
            return None
        from memtop.engine.groups.group_detail import group_detail  # noqa: PLC0415 (as above)

        return group_detail(self._groups, self._history, request, shown.sample, chosen, past_s=past_s, groups=groups)

    def _detail(self, request: Request, shown: Shown, rows: list[ProcessRow], past_s: float | None) -> Detail | None:
        focus = request.readings.focus
        if focus is None:
            return None
        row = next((row for row in rows if row.key == focus), None)
        others: Sequence[OtherLife] = ()
        lives = self._assessor.lives(focus) if self._assessor is not None else None
        if lives is not None:
            from memtop.engine.other_lives import life_at, other_lives  # noqa: PLC0415 (few programs have several)

            others = other_lives(lives, focus, shown.offset_s)
            if row is None and past_s is not None:
                row = life_at(rows, others)
        if row is None:
            return None
        from memtop.engine.detail_builder import DetailBuilder  # noqa: PLC0415 (one sample has no past)

        return DetailBuilder(self._history, self._events, self._readers).build(request, shown, row, past_s, others)

    def _chosen(self, rows: Sequence[ProcessRow], request: Request) -> list[ProcessRow]:
        """The rows that the command line asks for."""
        now_s = self._sample.wall_s if self._sample is not None else 0.0
        focus = request.readings.focus
        return chosen_rows(rows, request.rows, self._departed.keys, focus, self._own_line, now_s=now_s)

    def _shares_wanted(self, request: Request) -> list[ProcessKey]:
        """The processes whose PSS and USS are needed: rows on screen, or all rows if order or filter need them."""
        readings, selection = request.readings, request.rows
        if Need.ROLLUP not in readings.row_needs:
            return []
        if Need.ROLLUP not in readings.needs_all and readings.visible:
            return list(readings.visible)
        rows = self._chosen(self._table.rows(), request)
        if selection.where is not None and Need.ROLLUP not in selection.where_needs:
            rows = [row for row in rows if selection.where(row)]
        return [row.key for row in rows]


def _shown_moving(request: Request) -> frozenset[ProcessKey] | None:
    """Processes whose rows are shown, so that their trend and last minute are to be those of now; None for all."""
    rows, visible = request.rows, request.readings.visible
    depends = rows.where is not None or rows.sort == "growth_bytes_per_min"
    return None if depends or not (visible or rows.by) else visible
