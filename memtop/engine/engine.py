"""Engine.step(request): makes a frame from a sample and its history.

It runs in the sampler thread. Its state is in :mod:`memtop.engine.state`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from memtop.engine.frame_builder import FrameBuilder
from memtop.engine.state import EngineState
from memtop.engine.updater import Updater
from memtop.engine.watched_history import MOST_WATCHED
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.model.row import Note
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sampler import Sampler
from memtop.sources.protocol import NotedEvent, OwnCost, Source

if TYPE_CHECKING:
    from memtop.runtimes.registry import Registry
    from memtop.sampling.commands import Command, ReadingCommand


class Engine:
    """Turns requests into frames.

    ``own`` measures memtop itself. ``position`` gives the position in a replay, ``trouble`` the reason why a recording
    cannot be written. ``registry`` has the runtimes; None means all. ``note`` takes the events of each instant.
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
    ) -> None:
        replaying = position is not None
        self._source = source
        self._sampler = Sampler(source, replaying=replaying)
        self._note = note
        self._state = EngineState(source, registry, replaying=replaying)
        self._updater = Updater(self._state, note)
        self._frames = FrameBuilder(self._state, own, position, trouble)
        self._planned: tuple[Request, SamplePlan] | None = None
        """The last plan and its request, while the same would be planned again."""

    def step(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> Frame | None:
        """Take the next sample, carry out the commands, and make its frame. None at the end of a recording."""
        return self._frames.build(request) if self._take(request, commands, late_s, is_shown=True) else None

    def take(self, request: Request, commands: Iterable[Command] = (), late_s: float = 0.0) -> bool:
        """Take the next sample, to be shown with a later one. False at the end of a recording."""
        return self._take(request, commands, late_s, is_shown=False)

    def _take(self, request: Request, commands: Iterable[Command], late_s: float, *, is_shown: bool) -> bool:
        self._command(commands)  # at once: no command is lost if the sample fails
        if self._state.tick >= 0 or request.readings.focus is not None:
            self.prepare()
        elif request.rows.by is not None:
            self._state.prepare_groups()
        if request.window.frozen and request.window.cursor_s is None and self._state.sample is not None:
            self._state.shown(request)  # a pause keeps what is on screen, not the sample after it
        if self._planned is None or self._planned[0] is not request:
            self._planned = request, self._plan(request)
        plan = self._planned[1]
        sample = self._sampler.sample(plan)
        if sample is None:
            return False
        self._state.tick += 1
        self._state.late_s = late_s
        if self._updater.take(sample, request, plan, is_shown=is_shown):
            self._planned = None
        return True

    def prepare(self) -> None:
        """Create what the second sample needs and a single one does not. Its import would make that sample late."""
        if self._state.prepare_assessor():
            self._sampler.prepare()
            self._state.machine.prepare()

    def begin_with(self, other: Engine) -> None:
        """Begin with the sizes that an engine which samples the same machine keeps of the time before: they need not be
        played to be known."""
        self._state.history.begin_with(other._state.history)

    def drop_exits(self) -> None:
        """Leave out of the next frame the ends that were found until now."""
        self._state.exits = ()

    def view(self, request: Request, commands: Iterable[Command] = ()) -> Frame | None:
        """Carry out the commands, and show the last sample again for another request. None before the first sample."""
        self._command(commands)
        if self._state.sample is not None:
            self._state.readers.want(request.readings)
            if request.window.stands_still:
                self._state.readers.stand_still(request.readings, lambda: self._state.shown(request).sample)
            else:
                wanted = partial(self._state.shares_wanted, request)
                self._state.readers.begin_between(self._plan(request), self._state.sample, wanted)
        return self._frames.build(request)

    def past_rss_bytes(self, key: ProcessKey, first_s: float, last_s: float, points: int) -> tuple[float | None, ...]:
        """RES of a process between two wall times, in so many equal parts, the highest of each."""
        from memtop.history.process_history import series  # noqa: PLC0415 (1.5 ms; one sample has no past)

        if self._state.sample is None:
            return ()
        right_s = last_s - (self._state.sample.wall_s - self._state.sample.mono_s)
        window_s = max(1.0, last_s - first_s)
        past = series(self._state.history, key, right_s=right_s, until_s=right_s, window_s=window_s, points=points)
        return past.rss_bytes

    def _command(self, commands: Iterable[Command]) -> None:
        commands = tuple(commands)
        if not commands:
            return
        from memtop.sampling.commands import SignalSent  # noqa: PLC0415 (one sample has no commands)

        readings: list[ReadingCommand] = []
        for command in commands:
            if not isinstance(command, SignalSent):
                readings.append(command)
            elif self._state.assessor is not None:
                self._state.assessor.note_signal(command.key, command.number)
        if self._state.readers.command(readings):
            self._note_marks(readings)
            self._state.frozen.make_again()

    def _note_marks(self, commands: Iterable[ReadingCommand]) -> None:
        """Note the marks that these commands are about to set."""
        from memtop.engine.assessment.process_names import process_name  # noqa: PLC0415 (73 ms; one sample has no marks)
        from memtop.model.timeline import EventKind  # noqa: PLC0415 (as above)
        from memtop.sampling.commands import ToggleMark  # noqa: PLC0415 (as above)

        for command in commands:
            row = self._state.table.row(command.key)
            if (
                isinstance(command, ToggleMark)
                and row is not None
                and self._state.readers.mark(command.key, 0.0) is None
            ):
                self._note(NotedEvent(EventKind.MARK, command.key.pid, process_name(row)))

    def _reads_all(self, request: Request) -> bool:
        """Whether all processes are read: any of them may replace one that has ended, or be killed first at a limit."""
        assessor, readings = self._state.assessor, request.readings
        is_wanted = request.everybody or readings.focus in self._state.departed
        return is_wanted or (assessor is not None and assessor.wants_all and not readings.alone)

    def _plan(self, request: Request) -> SamplePlan:
        """The readings of the next sample, and of which processes."""
        readings, focus = request.readings, request.readings.focus
        watched = [key.pid for key in self._state.held]
        assessor = self._state.assessor
        if self._state.sample is None and not readings.once:  # one that is asked for may end before the second sample
            watched = sorted(request.rows.only or ())[:MOST_WATCHED]
        if assessor is not None:
            watched = assessor.to_watch([*self._state.held, *readings.visible])
            if assessor.lacks_victim and self._reads_all(request):
                readings = readings._replace(focus_needs=readings.focus_needs | Need.LIMITS)
        assessed = dict.fromkeys([] if focus is None else [focus])
        in_turn: frozenset[ProcessKey] = frozenset()
        if readings.outlooks:
            assessed |= dict.fromkeys(self._state.asked_for[:MOST_WATCHED])
            if self._state.assesses_all(request):
                others = [row.key for row in self._state.table.rows() if row.note is not Note.KERNEL]
                in_turn = frozenset(others) - assessed.keys()
                assessed |= dict.fromkeys(others)
        return SamplePlan(
            readings,
            pids=None if self._reads_all(request) else request.rows.only,
            with_relatives=not (readings.once or readings.alone) and (readings.outlooks or focus is not None),
            family=self._state.readers.family(
                readings, is_summed=assessor is not None and assessor.wants_family_sum(focus)
            ),
            watched=tuple(watched),
            holders=Need.MACHINE in readings.focus_needs or (assessor is not None and assessor.wants_holders),
            parents=frozenset(key.pid for key in self._state.held if request.rows.children),
            cgroups=tuple(key.name for key in request.groups.looked_at),
            assessed=tuple(assessed),
            interval_s=readings.delay_s,
            in_turn=in_turn,
        )
