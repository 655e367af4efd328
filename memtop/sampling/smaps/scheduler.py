"""Decides which processes have smaps or smaps_rollup read, and when. USS, PSS and sharing come from them.

Both files hold up the target's own mmap calls. A budget limits them (:mod:`memtop.analysis.memory_map.read_cost`), and
only what is on screen is read: smaps of the process in focus while a panel shows it, smaps_rollup of its family while
the Sharing panel is open, smaps_rollup in turn of the processes whose PSS and USS are shown, and every few seconds
smaps_rollup of the process in focus while its verdict depends on LazyFree; of other processes only where their growth
is about to be confirmed. The number of mappings is counted first, in
the file maps, which needs no lock that the target's own calls would wait for. All reads go through Source.ask, so one
that hangs holds up nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Final

from memtop.analysis.memory_map.moment import Moment
from memtop.process_key import ProcessKey
from memtop.sampling.commands import ReadingCommand, ToggleMark
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sampling.smaps.admission import Admission, why_without_memory
from memtop.sampling.smaps.collector import Collector
from memtop.sampling.smaps.family import family_of, sharing_view
from memtop.sampling.smaps.family_sums import FamilySums
from memtop.sampling.smaps.parse_worker import NO_GROWTH
from memtop.sampling.smaps.process_readings import PAGEMAP, ProcessReadings, UserMark
from memtop.sampling.smaps.smaps_view import (
    DeletedFile,
    FamilySum,
    MarkView,
    Missing,
    Reading,
    RegionsView,
    SharingView,
)
from memtop.sources.protocol import Source

DOUBTED_S: Final = 4.5
"""How long a reading on which a verdict depends is tried. Then it starts again."""
FRESH_S: Final = 3.0
"""A LazyFree that is not older than this still holds."""

_MAY_STILL_COME: Final = (Missing.UNREAD, Missing.NOTHING, Missing.TOO_DEAR, Missing.UNKNOWN_COST, Missing.ABSENT)


class SmapsScheduler:
    """Schedules the readings. The engine owns it and uses it in its thread only."""

    def __init__(self, source: Source) -> None:
        self._collector = Collector(source)
        self._admission = Admission(self._collector)
        self._doubted: tuple[ProcessKey, float] | None = None
        """The process whose LazyFree is needed, and since when."""
        self._commanded: dict[ProcessKey, str] = {}
        """Processes of which the user wants a reading that was not begun yet, in focus or not, with the name of the
        reading."""
        self._family: frozenset[ProcessKey] = frozenset()
        self._family_sums = FamilySums(self._collector)
        self._family_s = 0.0
        """Since when the family has been the same."""

    # -- what the engine asks

    def take(self, sample: Sample) -> frozenset[ProcessKey]:
        """Take what has come since the previous sample. Returns the processes whose PSS and USS are new."""
        self.open(sample)
        self._collector.take()
        return self._collector.renewed()

    @property
    def opened(self) -> bool:
        """Whether it has a sample."""
        return self._collector.sample is not None

    def obey(self, commands: Iterable[ReadingCommand], *, allowed: bool) -> None:
        """Carry out commands of the user. ``allowed`` is whether smaps may be read at all.

        A command for a process that has ended does nothing.
        """
        for command in commands:
            key = command.key
            if self._collector.sample is None or self._seen(key) is None:
                continue
            if isinstance(command, ToggleMark):
                self._toggle_mark(self._collector.record(key), key)
                self._commanded[key] = "smaps"
                continue
            if command.family:
                for relative in family_of(self._collector.sample.processes, key.pid):
                    self._collector.record(relative.key).asked = allowed
                    self._commanded[relative.key] = "smaps_rollup"
            self._collector.record(key).asked = allowed
            self._commanded[key] = "smaps"

    def begin(
        self,
        plan: SamplePlan,
        wanted: Sequence[ProcessKey],
        doubted: ProcessKey | None = None,
        families: Sequence[ProcessKey] = (),
    ) -> frozenset[ProcessKey]:
        """Begin readings that are due. Returns the processes whose PSS and USS are new at once, as :meth:`take` does.

        ``wanted`` are the processes whose PSS and USS are needed. ``doubted`` is a process that seems to grow, unless
        LazyFree shows otherwise. The fork families of ``families`` are read, for :meth:`family_sum`.
        """
        if doubted is not None:
            self._doubted = doubted, self._collector.now_s
        self._begin_due(plan, wanted, self._collector.now_s, families)
        return self._collector.renewed()

    def open(self, sample: Sample) -> None:
        """Use the last sample again, for another request."""
        self._collector.open(sample)
        self._collector.close_records()

    def begin_between(self, plan: SamplePlan, wanted: Sequence[ProcessKey]) -> None:
        """Begin readings for another request, after the last sample and before the next."""
        self._begin_due(plan, wanted, from_s=self._collector.now_s + plan.readings.delay_s)

    def sums(self, key: ProcessKey) -> tuple[int | None, int | None]:
        """PSS and USS in bytes, as last read; None for what was not read."""
        record = self._collector.records.get(key)
        return (
            (None, None)
            if record is None or record.rollup is None
            else (record.rollup.pss_bytes, record.rollup.uss_bytes)
        )

    def missing(self, key: ProcessKey) -> Missing:
        """Why PSS and USS are unknown, or not newer."""
        record = self._collector.records.get(key)
        return Missing.UNREAD if record is None else record.missing

    def regions(
        self, key: ProcessKey, now_s: float, *, looking_back: bool = False, paused: bool = False
    ) -> RegionsView:
        """The mappings of a process at the instant shown. Those of the past are not kept."""
        record = self._collector.records.get(key)
        unread = record is None or (record.reading is None and record.missing in (Missing.UNREAD, Missing.NOTHING))
        waits = paused and unread
        if record is not None and not looking_back and not waits:
            return record.regions_view(now_s)
        seen = self._seen(key)
        missing = why_without_memory(seen) if seen is None or seen.statm is None else Missing.PAUSED
        return RegionsView(None, None, None, missing, None, 0.0, False, None, None, None)

    def sharing(self, key: ProcessKey, own: RegionsView) -> SharingView | None:
        """What the family of a process shares; None before there is a sample."""
        if self._collector.sample is None:
            return None
        return sharing_view(
            key,
            self.family(key),
            self._collector.records,
            own,
            same_since_s=self._family_s,
            now_s=self._collector.now_s,
        )

    def family(self, key: ProcessKey) -> list[ProcessSample]:
        """A process and its fork relatives."""
        if self._collector.sample is None or self._seen(key) is None:
            return []
        found = family_of(self._collector.sample.processes, key.pid)
        who = frozenset(seen.key for seen in found)
        if who != self._family:
            self._family, self._family_s = who, self._collector.now_s
        return found

    def family_sum(self, key: ProcessKey) -> FamilySum | None:
        """What the fork family of a process takes, as last read; None if it has no relatives."""
        return self._family_sums.sum(key)

    def reading(self, key: ProcessKey) -> Reading | None:
        """The mappings of a process, as last read; None if they were not."""
        record = self._collector.records.get(key)
        return None if record is None else record.reading

    def deleted_file(self, key: ProcessKey) -> DeletedFile | None:
        """The program or library of a process that is not on disk anymore, by its last reading; None for none."""
        record = self._collector.records.get(key)
        return None if record is None else record.deleted_file()

    def lazy_free_bytes(self, key: ProcessKey) -> int | None:
        """Memory that a process has freed and the kernel has not reclaimed yet; None if no recent reading shows it."""
        found = self.given_back(key)
        return None if found is None or self._collector.now_s - found[0].at_s > FRESH_S else found[1]

    def given_back(self, key: ProcessKey) -> tuple[Moment, int] | None:
        """The last LazyFree of a process in bytes, by smaps or smaps_rollup, and its moment; None if not read."""
        record = self._collector.records.get(key)
        return None if record is None else record.given_back

    def unread(self, key: ProcessKey) -> str:
        """Why there is no newer reading; empty if there is one, or if one is under way."""
        record = self._collector.records.get(key)
        waits = (Missing.NOTHING, Missing.UNREAD)
        return "" if record is None or record.missing in waits else record.missing.value

    def mark(self, key: ProcessKey, now_s: float) -> MarkView | None:
        """The user's mark; None if there is none."""
        record = self._collector.records.get(key)
        return None if record is None else record.mark_view(self._seen(key), now_s)

    def mark_dropped(self, key: ProcessKey) -> bool:
        """Whether the mark was dropped because the process has become another program."""
        record = self._collector.records.get(key)
        return record is not None and record.mark_dropped

    # -- who is read, and when

    def _seen(self, key: ProcessKey) -> ProcessSample | None:
        return self._collector.seen(key)

    def _begin_due(
        self, plan: SamplePlan, wanted: Sequence[ProcessKey], from_s: float, families: Sequence[ProcessKey] = ()
    ) -> None:
        """Begin readings that are needed and allowed. ``from_s`` is the latest time that it may be now."""
        self._collector.take_digests()
        self._admission.wanted.clear()
        readings, focus = plan.readings, plan.readings.focus
        if readings.once:
            self._read_once(plan, wanted)
            return
        shown = Need.MAPPINGS in readings.focus_needs
        if focus is not None and (seen := self._seen(focus)) is not None:
            record = self._collector.records.get(focus)
            mark = record.mark if record is not None else None
            marking = mark is not None and mark.regions is None
            if shown or marking or (record is not None and record.asked):
                self._admission.begin(
                    plan, seen, "smaps", from_s, calm=Need.FAMILY not in readings.focus_needs and not marking
                )
            elif mark is not None:  # for the sentence about it
                self._admission.begin(plan, seen, "smaps", from_s, seldom=True)
        if shown and focus is not None and (record := self._collector.records.get(focus)) is not None:
            shown = record.missing is not Missing.ABSENT  # a recording may have the sums only
        if (seen := self._still_doubted()) is not None and not (shown and seen.key == focus):
            self._admission.take_turns(plan, [seen], from_s, calm=False, lazy_free=True)
        family = self.family(focus) if Need.FAMILY in readings.focus_needs and focus is not None else []
        self._begin_commanded(plan, {seen.key for seen in family} | {focus}, from_s)
        if family:
            self._admission.take_turns(plan, [seen for seen in family if seen.key != focus], from_s, calm=False)
        elif Need.LAZY_FREE in readings.focus_needs and focus is not None and (seen := self._seen(focus)) is not None:
            self._admission.take_turns(plan, [seen], from_s, calm=False, lazy_free=True)
        summed = {
            seen.key: seen
            for key in families
            if not (family and key == focus)
            for seen in self._family_sums.to_read(key)
        }
        self._admission.take_turns(plan, list(summed.values()), from_s, calm=True)
        others = [seen for key in wanted if not (shown and key == focus) and (seen := self._seen(key)) is not None]
        self._admission.take_turns(plan, others, from_s, calm=True)
        for _ in range(3):  # the number of mappings, then pagemap, or else smaps
            self._admission.settle(plan, from_s)
        self._admission.forget_waiting()
        self._collector.abandon_all_but(self._admission.wanted)
        self._collector.forget_the_oldest(focus)

    def _still_doubted(self) -> ProcessSample | None:
        """The process whose LazyFree is needed and was not tried yet.

        Its mappings are counted first, one tick before.
        """
        if self._doubted is None:
            return None
        key, since_s = self._doubted
        record, now_s = self._collector.records.get(key), self._collector.now_s
        if now_s - since_s > DOUBTED_S or (record is not None and record.tried_s >= since_s):
            self._doubted = None
            return None
        return self._seen(key)

    def _read_once(self, plan: SamplePlan, wanted: Sequence[ProcessKey]) -> None:
        """Make all readings once, whatever they cost, and wait for them, because there will be no later tick."""
        self._collector.once = True
        readings = plan.readings
        shown = [readings.focus] if Need.MAPPINGS in readings.focus_needs and readings.focus is not None else []
        for name, keys in (("smaps", shown), ("smaps_rollup", wanted)):
            for key in keys:
                if (seen := self._seen(key)) is not None:
                    whatever = name == "smaps_rollup" or readings.whole_smaps
                    self._collector.record(key).asked = readings.smaps and whatever
                    self._admission.begin(plan, seen, name, self._collector.now_s)
        self._admission.wait_for_all()
        for key in shown:  # counted by now, then in pieces; without pagemap smaps is read, whatever it costs
            for asked in (False, readings.smaps):
                record, seen = self._collector.record(key), self._seen(key)
                if seen is not None and record.reading is None and record.missing in _MAY_STILL_COME:
                    record.asked = record.asked or asked
                    self._admission.begin(plan, seen, "smaps", self._collector.now_s)
                    self._admission.wait_for_all()
        self._admission.forget_waiting()

    def _begin_commanded(self, plan: SamplePlan, shown: Container[ProcessKey | None], from_s: float) -> None:
        """Begin readings that the user asked for of processes that are not in focus anymore.

        Those ``shown`` are read anyway.
        """
        for key, name in list(self._commanded.items()):
            seen, record = self._seen(key), self._collector.records.get(key)
            marking = record is not None and record.mark is not None and record.mark.regions is None and name == "smaps"
            if seen is None or record is None or not (record.asked or marking):
                del self._commanded[key]
            elif key not in shown:
                self._admission.begin(plan, seen, name, from_s)

    def _toggle_mark(self, record: ProcessReadings, key: ProcessKey) -> None:
        record.mark_dropped, record.since_mark = False, None
        if record.mark is not None:
            record.mark = None
            return
        seen, reading = self._seen(key), record.reading
        statm = seen.statm if seen is not None else None
        record.mark = UserMark(self._collector.now_s, statm and statm.rss_bytes, statm and statm.virt_bytes)
        if reading is None or seen is None:
            return
        if reading.at_s >= self._collector.now_s or record.calm(PAGEMAP, seen):
            record.mark.regions, record.mark.regions_s = reading.regions, reading.at_s
            record.since_mark = NO_GROWTH
