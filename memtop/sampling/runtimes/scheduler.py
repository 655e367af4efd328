"""Decides which processes have their runtimes read, and how often. It knows no runtime by name.

It reads the process in focus, without a screen the processes of the command line, and less often a few others. The
runtime of a process is detected once. Figures are read at most once a second. All reads go through Source.ask, so a
program that hangs holds up
nothing. The engine owns it and uses it in its thread only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from memtop.errors import MemtopError, NotRecorded
from memtop.process_key import ProcessKey
from memtop.runtimes.identity import decode_identity
from memtop.runtimes.protocol import Conditions, ProcessContext, ReadingMoment, Wanted
from memtop.runtimes.registry import IDENTITY, Registry
from memtop.sampling.request import Need, ReadingsRequest
from memtop.sampling.runtimes.runtime_record import Pace, Pending, RuntimeRecord
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sanitize import clean
from memtop.sources.protocol import Source

CLK_TCK: Final = os.sysconf("SC_CLK_TCK")
KEPT: Final = 12
"""Processes whose readings are kept."""
MOST_ASKED: Final = 12
"""Processes whose runtimes are read at the same time without a screen."""
OTHERS_EVERY_S: Final = 3.0
"""How often processes out of focus are read."""
FIRST_SETTLE_S: Final = 0.25
"""Without a screen: time to wait for answers. After the first step it is at most half the delay."""
AGAIN_S: Final = 30.0
"""Time after which the identity is read again while it is on screen."""
MOST_MARKS: Final = 40
"""If the window has more collections than this, marks would hide the chart."""


class RuntimeScheduler:
    """See the module."""

    def __init__(
        self,
        source: Source,
        registry: Registry,
        lazy_free_bytes: Callable[[ProcessKey], int | None],
        *,
        replaying: bool = False,
    ) -> None:
        self._source = source
        self._registry = registry
        self._lazy_free_bytes = lazy_free_bytes
        self._replaying = replaying
        self._records: dict[ProcessKey, RuntimeRecord] = {}
        self._sample: Sample | None = None
        self._others_s = -OTHERS_EVERY_S
        """When processes out of focus were read last."""
        self._bound: ProcessKey | None = None
        """The process to which an address without a PID belongs."""

    # -- what is read, and when

    def step(
        self,
        request: ReadingsRequest,
        sample: Sample,
        asked_for: Sequence[ProcessKey],
        others: Sequence[ProcessKey] = (),
    ) -> None:
        """Take what has come and begin what is due.

        ``asked_for`` are the processes of the command line, ``others`` those that are read every few seconds.
        """
        self._sample = sample
        wanted = [request.focus] if request.focus is not None else []
        if request.runtimes or (not wanted and len(asked_for) == 1):
            wanted += asked_for[:MOST_ASKED]
        if self._replaying or sample.mono_s - self._others_s >= OTHERS_EVERY_S:
            self._others_s = sample.mono_s
            wanted += others
        else:  # what a new one answers is taken at once, and leads to its figures
            wanted += [key for key in others if self._is_new(key)]
        first = False
        for key in dict.fromkeys(wanted):
            seen = self._seen(key)
            if seen is None:
                continue
            record = self._record(key, seen)
            first |= not record.begun_s and not record.pending
            self._serve(request, key, seen, record)
        if request.runtimes:
            self._wait_for_answers(request, wanted, first=first)
        for key in [key for key in self._records if key not in wanted and key not in others][
            : max(0, len(self._records) - KEPT)
        ]:
            del self._records[key]

    def _wait_for_answers(self, request: ReadingsRequest, wanted: Iterable[ProcessKey], *, first: bool) -> None:
        """Wait for answers without a screen.

        A record has readings of its own instant, and a one-shot run has no later one. The first step waits for the
        identity, then for the readings that follow from it. Later steps wait for whatever is under way.
        """
        for _ in range(2 if first else 1):
            if not any(self._records[key].pending for key in wanted if key in self._records):
                return
            self._source.settle(FIRST_SETTLE_S if first else min(FIRST_SETTLE_S, request.delay_s / 2))
            for key in wanted:
                seen = self._seen(key)
                if seen is not None and (record := self._records.get(key)) is not None:
                    self._serve(request, key, seen, record)

    def _seen(self, key: ProcessKey) -> ProcessSample | None:
        """The process at this sample; None if it has ended, or has no memory anymore because it is ending."""
        seen = self._sample.processes.get(key.pid) if self._sample is not None else None
        return seen if seen is not None and seen.key == key and seen.statm is not None else None

    def _is_new(self, key: ProcessKey) -> bool:
        """Whether it has not been asked, or has not given its first figures."""
        record = self._records.get(key)
        return record is None or (bool(record.pending) and record.figures_s is None)

    def _record(self, key: ProcessKey, seen: ProcessSample) -> RuntimeRecord:
        record = self._records.pop(key, None)
        if record is None or record.execs != seen.execs:
            record = RuntimeRecord(seen.execs, self._registry.of(None))
        self._records[key] = record  # those needed last are at the end
        return record

    def _serve(self, request: ReadingsRequest, key: ProcessKey, seen: ProcessSample, record: RuntimeRecord) -> None:
        assert self._sample is not None
        for name in list(record.pending):
            self._poll(key, record, name)
        shown = Need.RUNTIME in request.focus_needs
        self._want(key, seen, record, Wanted(IDENTITY, AGAIN_S if shown else None))
        address = self._address_of(request, key)
        if address != record.address:
            record.address, record.pace, record.trouble = address, Pace(), ""
            record.figures_s = None
            record.tracker.forget_figures()
            record.version += 1
        unknown = self._replaying and record.identity is None
        record.become(self._registry.with_address() if address or unknown else self._registry.of(record.identity))
        record.take_command(seen.command_raw)
        for wanted in record.tracker.wanted(Conditions(shown, bool(address), self._replaying)):
            self._want(key, seen, record, wanted)

    def _address_of(self, request: ReadingsRequest, key: ProcessKey) -> str:
        """The address that the user gave for this process; empty for none."""
        for pid, url in request.go_urls:
            if pid == key.pid:
                return url
            if pid is None:
                if self._bound is None or self._seen(self._bound) is None:
                    self._bound = key
                if self._bound == key:
                    return url
        return ""

    def _want(self, key: ProcessKey, seen: ProcessSample, record: RuntimeRecord, wanted: Wanted) -> None:
        """Begin a reading that is due."""
        assert self._sample is not None and seen.statm is not None
        now_s, before_s = self._sample.mono_s, record.begun_s.get(wanted.name)
        if wanted.name in record.pending:
            return
        if wanted.figures:
            if not (self._replaying or record.pace.due(now_s)):
                return
            record.pace.asked(now_s)
        elif before_s is not None and (wanted.every_s is None or now_s - before_s < wanted.every_s):
            return
        else:
            record.begun_s[wanted.name] = now_s
        minflt = seen.stat.minflt if seen.stat is not None else None
        moment = ReadingMoment(now_s, seen.statm.rss_bytes, seen.statm.anon_bytes, minflt)
        record.pending[wanted.name] = Pending(moment, wanted)
        self._poll(key, record, wanted.name)
        if self._replaying and wanted.figures:
            record.pending.pop(wanted.name, None)  # a recorded answer comes at its instant, or not at all

    # -- what has come

    def _poll(self, key: ProcessKey, record: RuntimeRecord, name: str) -> None:
        assert self._sample is not None
        begun, wanted = record.pending[name]
        argument = f"#{record.address}" if wanted.figures and record.address else ""
        try:
            answer = self._source.ask(f"proc/{key.pid}/runtime/{name}{argument}")
            if answer is None:
                return
            del record.pending[name]
            self._take(key, record, wanted, begun, answer.data)
        except MemtopError as error:
            record.pending.pop(name, None)
            if self._replaying and isinstance(error, NotRecorded):
                record.begun_s.pop(name, None)  # a recording has it at a later instant, or never
            record.failed(wanted, error, self._sample.mono_s)

    def _take(self, key: ProcessKey, record: RuntimeRecord, wanted: Wanted, begun: ReadingMoment, data: bytes) -> None:
        record.version += 1
        if wanted.name == IDENTITY:
            record.identity = decode_identity(data)
            record.unreadable = record.identity.trouble
            record.tracker.identified(record.identity)
            return
        record.tracker.take(wanted.name, data, begun, self._context(key))
        if wanted.figures:
            record.pace.answered()
            record.trouble, record.figures_s = "", begun.at_s

    def _context(self, key: ProcessKey) -> ProcessContext:
        assert self._sample is not None
        start_s, seen = key.start_ticks / CLK_TCK, self._seen(key)
        booted_s = self._sample.wall_s - self._sample.mono_s
        return ProcessContext(
            started_s=booted_s + start_s if start_s <= self._sample.mono_s + 1 else None,
            virt_bytes=seen.statm.virt_bytes if seen is not None and seen.statm is not None else None,
            lazy_free_bytes=self._lazy_free_bytes(key),
        )

    # -- what is known

    def gc_marks(self, key: ProcessKey, from_s: float, to_s: float) -> list[tuple[float, str, str]]:
        """(time, kind, label) of its collections for the chart; empty if they are too many to be distinguished."""
        record = self._records.get(key)
        times = [] if record is None else [at_s for at_s in record.tracker.collections_s if from_s <= at_s <= to_s]
        return [(at_s, "gc", "GC") for at_s in times] if len(times) <= MOST_MARKS else []

    def objects(self, keys: Iterable[ProcessKey]) -> dict[ProcessKey, dict[str, Any]]:
        """The ``runtime`` objects of the JSON contract. A process without a known runtime has none."""
        now_s = self._sample.mono_s if self._sample is not None else None
        found = {}
        for key in keys:
            record = self._records.get(key)
            known = record.tracker.to_json(fresh=not record.trouble) if record is not None else None
            if record is not None and known is not None:
                age_s = None if record.figures_s is None or now_s is None else round(now_s - record.figures_s, 3)
                found[key] = known | {"heap_age_s": age_s, "heap_trouble": clean(record.trouble) or None}
        return found

    def problems(self) -> list[str]:
        """Why addresses that were given have no metrics, of processes that have no ``runtime`` object to say it."""
        return [
            f"no metrics of process {key.pid}: {clean(record.trouble)}"
            for key, record in self._records.items()
            if record.address and record.trouble and record.tracker.to_json(fresh=False) is None
        ]

    def lazy_free_decides(self, key: ProcessKey) -> bool:
        """Whether the runtime is known to give memory back by MADV_FREE."""
        record = self._records.get(key)
        return record is not None and record.tracker.lazy_free_decides

    def record(self, key: ProcessKey) -> RuntimeRecord | None:
        """What the runtime of a process has reported; None if it was not looked for, as in most."""
        return self._records.get(key)
