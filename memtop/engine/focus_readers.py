"""Requests the expensive readings, smaps and runtimes, mostly of the process in focus.

Each scheduler is created on first use, because few runs need any. While the display is frozen none of them takes or
begins anything, so their state stays that of the instant shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from memtop.history.rings import Event, History
from memtop.model.frame import Shares
from memtop.model.request import ChartWindow
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.runtimes.registry import REGISTRY, Registry
from memtop.sampling.request import Need, ReadingsRequest, SamplePlan
from memtop.sampling.runtimes.scheduler import RuntimeScheduler
from memtop.sampling.sample import Sample
from memtop.sources.protocol import Source

if TYPE_CHECKING:
    from memtop.engine.assessment.expensive_inputs import ExpensiveInputs
    from memtop.engine.runtime_inputs import RuntimeInputs
    from memtop.runtimes.view import FindingFacts, RuntimeView
    from memtop.sampling.commands import ReadingCommand
    from memtop.sampling.smaps.scheduler import SmapsScheduler
    from memtop.sampling.smaps.smaps_view import MarkView, RegionsView, SharingView


class FocusReaders:
    """Both schedulers, and the commands that wait for the first of them."""

    def __init__(self, source: Source, registry: Registry | None, history: History, *, replaying: bool) -> None:
        self._source = source
        self._history = history
        self._registry = registry
        self._replaying = replaying
        self._smaps: SmapsScheduler | None = None
        self._runtimes: RuntimeScheduler | None = None
        self._inputs: RuntimeInputs | None = None
        self._commands: list[ReadingCommand] = []
        """Commands that were not carried out yet."""

    def command(self, commands: Iterable[ReadingCommand]) -> bool:
        """Keep commands until they can be carried out. Returns whether there were any."""
        before = len(self._commands)
        self._commands += commands
        return len(self._commands) > before

    @property
    def waits(self) -> bool:
        """Whether there are commands that were not carried out yet."""
        return bool(self._commands)

    # -- whose turn it is

    def want(
        self,
        readings: ReadingsRequest,
        doubted: ProcessKey | None = None,
        heaps: Sequence[ProcessKey] = (),
        families: Sequence[ProcessKey] = (),
    ) -> None:
        """Create the schedulers that this needs. ``heaps`` are processes out of focus whose runtimes are read,
        ``families`` those whose fork families are summed."""
        shown = readings.focus_needs & (Need.MAPPINGS | Need.FAMILY | Need.LAZY_FREE)
        if self._smaps is None and (
            shown or Need.ROLLUP in readings.row_needs or self._commands or doubted or families
        ):
            from memtop.sampling.smaps.scheduler import SmapsScheduler  # noqa: PLC0415 (34 ms; few runs want it)

            self._smaps = SmapsScheduler(self._source)
        if self._runtimes is None and (readings.focus is not None or readings.runtimes or readings.go_urls or heaps):
            self._runtimes = RuntimeScheduler(
                self._source, self._registry or REGISTRY, self._lazy_free_bytes, replaying=self._replaying
            )

    def stand_still(self, readings: ReadingsRequest, shown: Callable[[], Sample]) -> None:
        """Carry out commands and read nothing: a mark is set on what is shown."""
        if self._smaps is not None:
            if not self._smaps.opened:
                self._smaps.open(shown())
            self._obey(self._smaps, readings)

    def take(self, readings: ReadingsRequest, sample: Sample) -> frozenset[ProcessKey]:
        """Take what has come since the previous sample, and carry out commands.

        Returns the processes whose PSS and USS are new.
        """
        if self._smaps is None:
            return frozenset()
        renewed = self._smaps.take(sample)
        self._obey(self._smaps, readings)
        return renewed

    def begin(
        self,
        plan: SamplePlan,
        wanted: Callable[[], Sequence[ProcessKey]],
        doubted: ProcessKey | None,
        families: Sequence[ProcessKey],
    ) -> frozenset[ProcessKey]:
        """Begin readings that are due. Returns the processes whose PSS and USS are new at once.

        ``wanted`` gives the processes whose PSS and USS are needed, ``families`` are those whose families are summed.
        """
        if self._smaps is None:
            return frozenset()
        return self._smaps.begin(plan, wanted(), doubted, families)

    def begin_between(self, plan: SamplePlan, sample: Sample, wanted: Callable[[], Sequence[ProcessKey]]) -> None:
        """Carry out commands and begin readings for another request, after the last sample and before the next."""
        if self._smaps is not None:
            self._smaps.open(sample)
            self._obey(self._smaps, plan.readings)
            self._smaps.begin_between(plan, wanted())

    def step_runtimes(
        self,
        readings: ReadingsRequest,
        sample: Sample,
        asked_for: Sequence[ProcessKey],
        heaps: Sequence[ProcessKey] = (),
    ) -> None:
        """Take what runtimes have reported, and begin what is due."""
        if self._runtimes is not None:
            self._runtimes.step(readings, sample, asked_for, heaps)

    def family(self, readings: ReadingsRequest, *, is_summed: bool = False) -> frozenset[ProcessKey]:
        """The process in focus and its fork relatives, if they are needed; ``is_summed`` is for their sum."""
        focus = readings.focus
        if self._smaps is None or focus is None or not (is_summed or Need.FAMILY in readings.focus_needs):
            return frozenset()
        return frozenset(relative.key for relative in self._smaps.family(focus))

    def _obey(self, smaps: SmapsScheduler, readings: ReadingsRequest) -> None:
        commands, self._commands = self._commands, []
        smaps.obey(commands, allowed=readings.smaps)

    # -- what is known

    def sums(self, key: ProcessKey) -> tuple[int | None, int | None]:
        """PSS and USS in bytes, as last read."""
        return self._smaps.sums(key) if self._smaps is not None else (None, None)

    def shares(self, readings: ReadingsRequest, wanted: Callable[[], Sequence[ProcessKey]]) -> Shares | None:
        """For how many processes PSS and USS are known; None if they are not requested."""
        smaps = self._smaps
        if smaps is None or Need.ROLLUP not in readings.row_needs:
            return None
        keys = wanted()
        unknown = {key: smaps.missing(key).name.lower() for key in keys if smaps.sums(key)[0] is None}
        return Shares(len(keys), unknown, Need.ROLLUP in readings.needs_all)

    def regions(self, key: ProcessKey, now_s: float, window: ChartWindow) -> RegionsView | None:
        """The mappings of a process at the instant shown."""
        if self._smaps is None:
            return None
        back = window.cursor_s is not None
        return self._smaps.regions(key, now_s, looking_back=back, paused=window.stands_still)

    def sharing(self, key: ProcessKey, regions: RegionsView) -> SharingView | None:
        """The memory that the family of a process shares."""
        return self._smaps.sharing(key, regions) if self._smaps is not None else None

    def mark(self, key: ProcessKey, now_s: float) -> MarkView | None:
        """The user's mark on a process; None without one."""
        return self._smaps.mark(key, now_s) if self._smaps is not None else None

    def mark_dropped(self, key: ProcessKey) -> bool:
        """Whether its mark was dropped because it became another program."""
        return self._smaps is not None and self._smaps.mark_dropped(key)

    def gc_events(self, key: ProcessKey, from_s: float, to_s: float) -> list[Event]:
        """Its garbage collections, if they are few enough to be distinguished."""
        return [] if self._runtimes is None else [Event(*each) for each in self._runtimes.gc_marks(key, from_s, to_s)]

    def runtime(self, row: ProcessRow, at_s: float, sample: Sample) -> RuntimeView | None:
        """Its runtime at the instant shown."""
        inputs = self._runtime_inputs()
        if inputs is None:
            return None
        reading = self._smaps.reading(row.key) if self._smaps is not None else None
        return inputs.view(row, self._lazy_free_bytes(row.key), sample.mono_s, at_s, reading)

    def runtime_objects(self, keys: Iterable[ProcessKey]) -> dict[ProcessKey, dict[str, Any]]:
        """The ``runtime`` objects of the JSON contract."""
        return self._runtimes.objects(keys) if self._runtimes is not None else {}

    def runtime_problems(self) -> list[str]:
        """Why addresses that were given have no metrics, where no ``runtime`` object says it."""
        return self._runtimes.problems() if self._runtimes is not None else []

    def lazy_free_decides(self, key: ProcessKey) -> bool:
        """Whether the runtime's figures fit RES only beside LazyFree, whatever panel is on screen."""
        return self._runtimes is not None and self._runtimes.lazy_free_decides(key)

    def lazy_free(self, key: ProcessKey | None) -> tuple[float, int] | None:
        """Time and bytes of the latest LazyFree of a process; None if it was not read."""
        found = self._smaps.given_back(key) if self._smaps is not None and key is not None else None
        return None if found is None else (found[0].at_s, found[1])

    def heap_facts(self, row: ProcessRow, sample: Sample) -> FindingFacts | None:
        """What the runtime of a process reports of its heap; None if it has reported nothing."""
        if self._runtimes is None or self._runtimes.record(row.key) is None:  # most are not looked for
            return None
        inputs = self._runtime_inputs()
        return None if inputs is None else inputs.facts(row, self._lazy_free_bytes(row.key), sample.mono_s)

    def _runtime_inputs(self) -> RuntimeInputs | None:
        if self._inputs is None and self._runtimes is not None:
            from memtop.engine.runtime_inputs import RuntimeInputs  # noqa: PLC0415 (4.2 ms; not needed for one sample)

            self._inputs = RuntimeInputs(self._runtimes, self._history)
        return self._inputs

    def inputs(
        self, key: ProcessKey, row: ProcessRow, plan: SamplePlan, sample: Sample, *, sums_family: bool
    ) -> ExpensiveInputs:
        """The expensive readings of a process that is assessed."""
        from memtop.engine.assessment.expensive_inputs import OUT_OF_FOCUS, ExpensiveInputs  # noqa: PLC0415 (79 ms; not needed for one sample)

        facts = tools = None
        if row.key == key and (inputs := self._runtime_inputs()) is not None:
            facts, tools = self.heap_facts(row, sample), inputs.tools(key)
        if key != plan.readings.focus:
            family = self._smaps.family_sum(key) if self._smaps is not None and sums_family else None
            known = (facts, tools, family) != (None, None, None)
            return OUT_OF_FOCUS._replace(heap=facts, tools=tools, family=family) if known else OUT_OF_FOCUS
        if (smaps := self._smaps) is None:
            return ExpensiveInputs(heap=facts, tools=tools)
        needs = plan.readings.focus_needs
        regions = smaps.regions(key, sample.mono_s) if Need.MAPPINGS in needs else None
        sharing = smaps.sharing(key, regions) if regions is not None and Need.FAMILY in needs else None
        return ExpensiveInputs(
            regions,
            smaps.reading(key),
            sharing,
            facts,
            smaps.unread(key),
            tools,
            smaps.given_back(key),
            smaps.deleted_file(key),
            smaps.family_sum(key) if sums_family else None,
        )

    def _lazy_free_bytes(self, key: ProcessKey) -> int | None:
        return self._smaps.lazy_free_bytes(key) if self._smaps is not None else None
