"""What the engine knows after a sample: rows, history and assessments, and which of it is shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from memtop.engine.departed import Departed
from memtop.engine.focus_readers import FocusReaders
from memtop.engine.frozen_view import FrozenView, Shown
from memtop.engine.machine import Machine
from memtop.engine.row_selection import chosen_rows
from memtop.engine.row_table import RowInputs, RowTable
from memtop.engine.watched_history import WatchedHistory
from memtop.history.rings import EventLog, History
from memtop.model.request import Request
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need
from memtop.sampling.sample import Sample
from memtop.sources.protocol import Source

if TYPE_CHECKING:
    from memtop.engine.assessment import Assessor
    from memtop.engine.groups.group_table import GroupTable
    from memtop.engine.named_rows import NamedRows
    from memtop.model.assessment import ExitReport
    from memtop.runtimes.registry import Registry


class EngineState:
    """Owned by the engine: :class:`~memtop.engine.updater.Updater` writes it, the frame builder reads it."""

    def __init__(self, source: Source, registry: Registry | None, *, replaying: bool) -> None:
        self.replaying = replaying
        """Whether the source is a recording."""
        self.history = History()
        self.machine = Machine()
        self.table = RowTable(self.history)
        self.departed = Departed()
        self.events = EventLog()
        self.watched_history = WatchedHistory(self.history)
        self.readers = FocusReaders(source, registry, self.history, replaying=replaying)
        self.frozen = FrozenView()
        self.groups: GroupTable | None = None
        """As the assessor, or when groups are listed."""
        self.assessor: Assessor | None = None
        """Created for the second sample, or when a process is in focus. A run of one sample does not need it."""
        self.exits: tuple[ExitReport, ...] = ()
        """Processes whose end was found since the last frame."""
        self.oom_victim = ""
        self.sample: Sample | None = None
        self.elapsed_s: float | None = None
        self.last_intervals_s: deque[float] = deque(maxlen=3)
        """Times between the last samples of a recording."""
        self.boot_wall_s = 0.0
        self.rows_lag = False
        """Whether the last sample was not to be shown, so that rows lack what is only to be seen."""
        self.tick = -1
        self.late_s = 0.0
        self.asked_for: list[ProcessKey] = []
        self.named_rows: NamedRows | None = None
        """What the names of the command line stand for; created when there are any."""
        self.held: list[ProcessKey] = []
        """Processes whose end is reported because they are on the command line, descend from such a process, or were in
        focus."""

    def prepare_assessor(self) -> bool:
        """Create the assessor and the groups; whether they are new."""
        if self.assessor is not None:
            return False
        from memtop.engine.assessment import Assessor  # noqa: PLC0415 (75 ms; one sample does not need it)

        self.assessor = Assessor(self.history)
        self.prepare_groups()
        return True

    def prepare_groups(self) -> None:
        """Create the table of groups."""
        if self.groups is None:
            from memtop.engine.groups.group_table import GroupTable  # noqa: PLC0415 (90 ms; one sample of processes does not need it)

            self.groups = GroupTable(self.history.gaps)

    def assesses_all(self, request: Request) -> bool:
        """Whether every process is judged: in a recording, which is not in a hurry, where verdicts are wanted."""
        return self.replaying and request.readings.outlooks and request.rows.only is None

    def row_inputs(self, sample: Sample) -> RowInputs:
        """What rows need beside the samples of their processes."""
        assert self.machine.row is not None
        assessor = self.assessor
        return RowInputs(
            sample.mono_s,
            self.boot_wall_s,
            self.machine.row,
            self.readers.sums,
            sample.names,
            (lambda key: assessor.row_marks(key)._asdict()) if assessor is not None else (lambda key: {}),
        )

    def shown(self, request: Request) -> Shown:
        """The instant that is shown: the latest, or that of the pause."""
        return self.frozen.shown(partial(self._live, request), request)

    def _live(self, request: Request) -> Shown:
        assert self.sample is not None and self.machine.row is not None
        if self.rows_lag:
            self.rows_lag = False
            self.table.build(self.sample, self.row_inputs(self.sample), moving=shown_moving(request))
        focus, outlooks = request.readings.focus, {}
        if self.assessor is not None:
            ended = self.departed.keys if request.window.stands_still else ()
            outlooks = self.assessor.known([*([] if focus is None else [focus]), *ended])
            if focus is not None and focus not in outlooks and (now := self.assessor.at_last_tick(focus)) is not None:
                outlooks[focus] = now
        rows = [*self.table.rows(), *self.departed.rows]
        return Shown(self.tick, self.sample, self.machine.row, rows, self.elapsed_s, outlooks)

    def chosen(self, rows: Sequence[ProcessRow], request: Request) -> list[ProcessRow]:
        """The rows that the command line asks for. Of memtop's own line, those that a filter finds by their names."""
        if request.rows.where is not None and not self.replaying:
            from memtop.engine.named_rows import without_own_arguments  # noqa: PLC0415 (1.4 ms; most runs have no filter)

            rows = without_own_arguments(rows, request.rows.where)
        return self._asked_for(rows, request)

    def living(self, rows: Sequence[ProcessRow], request: Request) -> int:
        """Number of living processes that the command line asks for, memtop's own line among them."""
        return [row.gone_s for row in self._asked_for(rows, request)].count(None)

    def _asked_for(self, rows: Sequence[ProcessRow], request: Request) -> list[ProcessRow]:
        now_s = self.sample.wall_s if self.sample is not None else 0.0
        focus = request.readings.focus
        return chosen_rows(rows, request.rows, self.departed.keys, focus, self.named_rows, now_s=now_s)

    def shares_wanted(self, request: Request) -> list[ProcessKey]:
        """The processes whose PSS and USS are needed: rows on screen, or all rows if order or filter need them."""
        readings, selection = request.readings, request.rows
        if Need.ROLLUP not in readings.row_needs:
            return []
        if Need.ROLLUP not in readings.needs_all and readings.visible:
            return list(readings.visible)
        rows = self.chosen(self.table.rows(), request)
        if selection.where is not None and Need.ROLLUP not in selection.where_needs:
            rows = [row for row in rows if selection.where(row)]
        return [row.key for row in rows]


def shown_moving(request: Request) -> frozenset[ProcessKey] | None:
    """Processes whose rows are shown, so that their trend and last minute are to be those of now; None for all."""
    rows, visible = request.rows, request.readings.visible
    depends = rows.where is not None or rows.sort == "growth_bytes_per_min"
    return None if depends or not (visible or rows.by) else visible
