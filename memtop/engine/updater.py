"""Updates rows, history, assessments and groups with the next sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from memtop.engine.row_selection import is_named
from memtop.engine.state import EngineState, shown_moving
from memtop.history.rings import Event, Gap, is_gap
from memtop.model.request import Request, RowSelection
from memtop.model.row import ProcessRow, SystemRow
from memtop.process_key import ProcessKey
from memtop.sampling.request import SamplePlan
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sanitize import clean
from memtop.sources.protocol import NotedEvent

if TYPE_CHECKING:
    from memtop.engine.assessment import Assessor
    from memtop.engine.groups.group_table import GroupTable
    from memtop.model.assessment import ExitReport

HELD: Final = 256
"""Processes of the command line whose end is reported. Each needs a descriptor."""


class Updater:
    """Writes the engine's state. ``note`` takes the events of each instant."""

    def __init__(self, state: EngineState, note: Callable[[NotedEvent], None]) -> None:
        self._state = state
        self._note = note

    def take(self, sample: Sample, request: Request, plan: SamplePlan, *, is_shown: bool) -> bool:
        """Take a sample, which was read by ``plan``. Rows that are not shown may lack what is only to be seen.

        Returns whether anything was done but to note sizes, so that the next plan may be another one.
        """
        before, readings, now_s = self._state.sample, request.readings, sample.mono_s
        plan = plan._replace(interval_s=self._keep_time(sample, readings.delay_s))
        machine_is_new = self._state.machine.take(sample, everybody=request.everybody and sample.everybody)
        noted = before is not None and not (is_shown or machine_is_new or self._has_news(sample))
        if noted and self._note_sizes(sample):
            self._state.rows_lag = True
            return False
        ended = {exit_.pid: exit_.wall_s for exit_ in sample.exits}
        last = {key: row for key in sample.gone if (row := self._state.table.row(key)) is not None}
        living = {key: row for key in last if (row := self._state.table.last_row(key)) is not None}
        unwatched = [key for key in sample.gone if not self._depart(key, ended.get(key.pid, sample.wall_s), sample)]
        still, doubted = request.window.stands_still, self._doubted(readings.focus, now_s)
        families = self._state.assessor.families(plan) if self._state.assessor is not None else ()
        heaps = self._heaps_beside(readings.focus)
        self._state.readers.want(readings, doubted, heaps, families)
        renewed: frozenset[ProcessKey] = frozenset()
        if still:
            self._state.readers.stand_still(readings, lambda: self._state.shown(request).sample)
        else:
            renewed = self._state.readers.take(readings, sample)
        if not noted:
            self._note_sizes(sample)
        system = self._state.machine.row
        assert system is not None
        if self._state.assessor is not None and machine_is_new:
            renewed |= self._judge_growth(self._state.assessor, sample, plan, before)
        renewed = renewed.union(sample.moved)
        # A row's trend and its last minute change by themselves as old changes leave them. Such rows are updated at
        # every tick if they are shown, and others in turn.
        moving = shown_moving(request) if is_shown else ()
        trends = None if is_shown else [*self._state.asked_for, *([] if readings.focus is None else [readings.focus])]
        if trends is None and not request.rows.trends:
            trends = []
        self._state.rows_lag = not is_shown
        inputs = self._state.row_inputs(sample)
        self._state.table.build(
            sample, inputs, moving=None if before is None else moving, renewed=renewed, trends=trends
        )
        if machine_is_new and not still:
            shares = partial(self._state.shares_wanted, request)
            come = self._state.readers.begin(plan, shares, doubted, families)
            self._state.table.put_shares(come, inputs)
        self._watch(request, sample, system)
        if not still:
            self._state.readers.step_runtimes(readings, sample, self._state.asked_for, heaps)
        if self._state.groups is not None and machine_is_new:
            self._note_groups(self._state.groups, sample, request, plan.interval_s)
        if self._state.assessor is not None and machine_is_new:
            self._assess(self._state.assessor, sample, plan, last, heaps, shown=request.rows)
            if self._state.groups is not None:
                self._state.groups.note_ends(self._state.assessor.fresh, self._state.assessor.restarted, sample)
        self._forget_departed(unwatched, living, ended, sample)
        return True

    def _note_groups(self, groups: GroupTable, sample: Sample, request: Request, interval_s: float) -> None:
        assessor = self._state.assessor
        groups.note(sample)
        groups.series.note(
            sample,
            self._state.table.by_pid(),
            delay_s=interval_s,
            looked_at=[*([] if request.groups.focus is None else [request.groups.focus]), *request.groups.judged],
            alone=assessor.growing_alone() if assessor is not None else {},
            heaps=assessor.heap_uses if assessor is not None else {},
            take_touched=self._state.table.take_touched,
        )

    def _has_news(self, sample: Sample) -> bool:
        """Whether a sample that is not shown is more than sizes between two readings of the machine."""
        # A recording has answers at the instant at which they came.
        return bool(sample.gone or sample.exits or self._state.readers.waits or self._state.replaying)

    def _note_sizes(self, sample: Sample) -> bool:
        """Add the sizes to the history. Returns whether all processes are known and run the same program as before."""
        system = self._state.machine.row
        assert system is not None
        are_known = self._state.table.note(sample, partial(self._exec, sample.mono_s))
        self._state.watched_history.note(sample, system)
        return are_known

    def _keep_time(self, sample: Sample, delay_s: float) -> float:
        """Note the time since the previous sample, and a gap. Returns the time between samples.

        Those of a recording may be further apart than ``delay_s``: the usual one of the last intervals counts, so that
        a gap does not.
        """
        before, self._state.sample = self._state.sample, sample
        if before is None:
            self._state.boot_wall_s = sample.wall_s - sample.mono_s
            return delay_s
        self._state.elapsed_s = elapsed_s = sample.mono_s - before.mono_s
        if self._state.replaying:
            self._state.last_intervals_s.append(elapsed_s)
            known_s = sorted(self._state.last_intervals_s)
            delay_s = max(delay_s, known_s[(len(known_s) - 1) // 2])
        if is_gap(elapsed_s, delay_s):
            self._state.history.gaps.append(Gap(before.mono_s, sample.mono_s))
        return delay_s

    def _doubted(self, focus: ProcessKey | None, now_s: float) -> ProcessKey | None:
        """The process whose verdict depends on LazyFree now: that in focus first."""
        if self._state.assessor is None:
            return None
        if focus is not None:
            always = self._state.readers.lazy_free_decides(focus)
            if self._state.assessor.wants_lazy_free(focus, now_s, always=always):
                return focus
        return self._state.assessor.row_wanting_lazy_free(focus, now_s)

    def _judge_growth(
        self, assessor: Assessor, sample: Sample, plan: SamplePlan, before: Sample | None
    ) -> frozenset[ProcessKey]:
        """Judge growth. Returns the processes whose rows show another verdict, limit or rank than before."""
        focus = plan.readings.focus
        keys = {*assessor.verdicts.rows_with_lazy_free, *([] if focus is None else [focus])}
        readings = {key: reading for key in keys if (reading := self._state.readers.lazy_free(key)) is not None}
        return frozenset(assessor.judge_growth(sample, plan, readings, before))

    def _heaps_beside(self, focus: ProcessKey | None) -> list[ProcessKey]:
        """The processes out of focus whose runtimes are to be read."""
        if self._state.assessor is None:
            return []
        return [key for key in self._state.assessor.heaps_to_read(self._state.table.by_pid()) if key != focus]

    def _assess(
        self,
        assessor: Assessor,
        sample: Sample,
        plan: SamplePlan,
        last: dict[ProcessKey, ProcessRow],
        heaps: Sequence[ProcessKey],
        *,
        shown: RowSelection,
    ) -> None:
        rows = self._state.table.by_pid()
        assessor.hold((key for key in self._state.held if self._state.table.row(key) is not None), self._state.held)
        families = assessor.families(plan)
        expensive = {
            key: self._state.readers.inputs(key, rows[key.pid], plan, sample, sums_family=key in families)
            for key in plan.assessed
            if key.pid in rows
        }
        beside = {
            key: facts
            for key in heaps
            if (row := self._state.table.row(key)) is not None
            and (facts := self._state.readers.heap_facts(row, sample)) is not None
        }
        groups = self._state.groups.series.growing if self._state.groups is not None else ()
        assessor.assess(rows, last, expensive, groups, beside, changes=self._state.table.changes)
        self._state.exits += tuple(one for one in assessor.fresh if _is_reported(one, shown))
        for event in assessor.events:
            self._note(event)
        for report in assessor.fresh:
            if report.is_oom:
                self._state.oom_victim = f"{report.shown_name} {report.key.pid}"
                self._state.departed.note_kill(report.key)

    def _watch(self, request: Request, sample: Sample, system: SystemRow) -> None:
        """Keep detailed tracks of those on the command line and of the last ones in focus, and watch for their ends."""
        rows, focus = request.rows, request.readings.focus
        named = self._state.table.rows() if rows.only or rows.names else ()
        if rows.names:
            from memtop.engine.named_rows import NamedRows, own_line  # noqa: PLC0415 (1.4 ms; most runs name no program)

            if self._state.named_rows is None:
                self._state.named_rows = NamedRows()
            # PIDs of a recording belong to other processes.
            own = frozenset[int]() if self._state.replaying else own_line(self._state.table.by_pid())
            self._state.named_rows.note(named, rows.names, own)
        departed, names = self._state.departed.keys, self._state.named_rows
        self._state.asked_for = [row.key for row in named if is_named(row, rows, departed, names)]
        self._state.watched_history.watch(
            self._state.asked_for if focus is None else [focus, *self._state.asked_for], sample, system
        )
        if self._state.assesses_all(request):  # only their detailed tracks have memory that is shared or on swap
            sizes = {row.key: (row.shmem_bytes or 0) + (row.swap_bytes or 0) for row in self._state.table.rows()}
            beside = {key: size_bytes for key, size_bytes in sizes.items() if size_bytes}
            self._state.watched_history.keep_also(beside, sample, system)
        family: list[ProcessKey] = []
        if rows.children and named:
            family = [row.key for row in self._state.chosen(named, request) if row.gone_s is None]
        self._state.held = list(dict.fromkeys([*self._state.watched_history.watched, *self._state.asked_for, *family]))[
            :HELD
        ]

    def _exec(self, now_s: float, process: ProcessSample) -> None:
        self._state.history.forget(process.key)
        if self._state.assessor is not None:
            self._state.assessor.begin_again(process.key)
        self._state.events.add(process.key, Event(now_s, "exec", f"became {clean(process.name_raw)}"))

    def _depart(self, key: ProcessKey, wall_s: float, sample: Sample) -> bool:
        """Note that a process has ended. Returns whether its row is kept because it was watched."""
        report = self._state.assessor.report_on(key) if self._state.assessor is not None else None
        wall_s = report.at_s if report is not None else wall_s  # it was a zombie from then on
        if self._state.assessor is not None:
            self._state.assessor.forget(key)
        row = self._state.table.remove(key)
        if row is None or key not in self._state.watched_history:
            return False
        self._keep_departed(row, wall_s, sample)
        return True

    def _keep_departed(self, row: ProcessRow, wall_s: float, sample: Sample) -> None:
        self._state.events.add(row.key, Event(wall_s - (sample.wall_s - sample.mono_s), "gone", "ended"))
        self._state.departed.add(row, wall_s)
        report = self._state.assessor.report_on(row.key) if self._state.assessor is not None else None
        if report is not None and report.is_oom:
            self._state.departed.note_kill(row.key)

    def _worth(self, key: ProcessKey) -> int:
        """How much is lost with the row of an ended process: 2 if it was watched or OOM-killed, 1 if it was notable."""
        report = self._state.assessor.report_on(key) if self._state.assessor is not None else None
        if key in self._state.watched_history or (report is not None and (report.is_oom or report.wanted)):
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
                self._state.history.forget(key)
                self._state.events.forget(key)
        for key in self._state.departed.shed(self._worth):
            self._state.history.forget(key)
            self._state.events.forget(key)


def _is_reported(end: ExitReport, shown: RowSelection) -> bool:
    """Whether an end is printed: where PIDs were asked for, others were read for a sum, or for who is killed first."""
    only = None if shown.names or shown.children else shown.only
    return only is None or end.key.pid in only or end.is_oom
