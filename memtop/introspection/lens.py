"""The reader of runtimes: whom it asks, when, and what is known by now. Owned by the engine, used in its thread only.

It looks into the process in focus (without a screen: into those asked for). What runs there is found out once; only
a Go program whose address the user gave, and a JVM, are asked again, once a second at most. Everything goes through
Source.ask, so a program that hangs holds up nothing. What understands the answers is imported with the first of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from memtop.errors import MemtopError
from memtop.introspection.dossier import LEAST_INTERVAL_S, Around, Moment, Pace, RuntimeDossier
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need, ReadingsRequest
from memtop.sampling.sample import ProcessSample, Sample
from memtop.sources.protocol import Source

if TYPE_CHECKING:
    from memtop.model.frame import ProcessRow
    from memtop.model.runtime_view import HeapFacts, Inside
    from memtop.sampling.smaps.smaps_view import Reading

CLK_TCK: Final = os.sysconf("SC_CLK_TCK")
FILES: Final = 12
"""Processes whose readings are kept."""
MOST_ASKED: Final = 12
"""Processes that are looked into at a time without a screen."""
FIRST_SETTLE_S: Final = 0.25
"""Without a screen: how long answers are waited for; later than at first no longer than half the delay."""
AGAIN_S: Final = 30.0
"""What hardly ever changes is asked for again while somebody looks at it."""
MOST_MARKS: Final = 40
"""With more collections in the window than this, marks would hide the chart."""


class Lens:
    """See the module."""

    def __init__(
        self, source: Source, lazy_free_bytes: Callable[[ProcessKey], int | None], *, replaying: bool = False
    ) -> None:
        self._source = source
        self._lazy_free_bytes = lazy_free_bytes
        self._replaying = replaying
        self._files: dict[ProcessKey, RuntimeDossier] = {}
        self._sample: Sample | None = None
        self._bound: ProcessKey | None = None
        """Whom a URL without a pid belongs to."""

    # -- who is asked, and when

    def step(self, request: ReadingsRequest, sample: Sample, asked_for: Sequence[ProcessKey]) -> None:
        """Take what has come and begin what is due. ``asked_for`` are those of the command line."""
        self._sample = sample
        wanted = [request.focus] if request.focus is not None else []
        if request.runtimes or (not wanted and len(asked_for) == 1):
            wanted += asked_for[:MOST_ASKED]
        fresh = False
        for key in dict.fromkeys(wanted):
            seen = self._seen(key)
            if seen is None or seen.statm is None:
                continue
            file = self._file(key, seen)
            fresh |= not file.done_s and not file.pending
            self._serve(request, key, seen, file)
        if request.runtimes:
            self._wait_for_answers(request, wanted, fresh=fresh)
        for key in [key for key in self._files if key not in wanted][: max(0, len(self._files) - FILES)]:
            del self._files[key]

    def _wait_for_answers(self, request: ReadingsRequest, wanted: Iterable[ProcessKey], *, fresh: bool) -> None:
        """Without a screen: a line tells what was read at its own instant, and a one-shot run has no later one.

        At first the identity is waited for, then what follows from it; later whatever is under way.
        """
        for _ in range(2 if fresh else 1):
            if not any(self._files[key].pending for key in wanted if key in self._files):
                return
            self._source.settle(FIRST_SETTLE_S if fresh else min(FIRST_SETTLE_S, request.delay_s / 2))
            for key in wanted:
                seen = self._seen(key)
                if seen is not None and (file := self._files.get(key)) is not None:
                    self._serve(request, key, seen, file)

    def _seen(self, key: ProcessKey) -> ProcessSample | None:
        seen = self._sample.processes.get(key.pid) if self._sample is not None else None
        return seen if seen is not None and seen.key == key else None

    def _file(self, key: ProcessKey, seen: ProcessSample) -> RuntimeDossier:
        file = self._files.pop(key, None)
        if file is None or file.execs != seen.execs:
            file = RuntimeDossier(seen.execs)
        self._files[key] = file  # those wanted last are at the end
        return file

    def _serve(self, request: ReadingsRequest, key: ProcessKey, seen: ProcessSample, file: RuntimeDossier) -> None:
        assert self._sample is not None
        now_s = self._sample.mono_s
        for name in list(file.pending):
            self._poll(key, file, name)
        shown = Need.RUNTIME in request.focus_needs
        self._want(key, seen, file, "identity", AGAIN_S if shown else None)
        identity = file.identity
        url = self._url_of(request, key)
        if url != file.asked_url:
            file.asked_url, file.pace, file.trouble = url, Pace(), ""
            file.go.clear()
            file.heap_s = None
        if url or (self._replaying and (identity is None or identity.build is not None)):
            self._every_second(key, seen, file, "metrics", now_s)
        if identity is None:
            return
        if identity.build is not None or file.go:
            self._want(key, seen, file, "environ", None)
            self._want(key, seen, file, "container", AGAIN_S if shown else None)
            if shown and not url and not self._replaying:
                self._want(key, seen, file, "listeners", LEAST_INTERVAL_S * 5)
        elif identity.native.runtime is not None and identity.native.runtime.value == "jvm":
            file.take_flags(seen.command_raw)
            self._every_second(key, seen, file, "jvm", now_s)

    def _url_of(self, request: ReadingsRequest, key: ProcessKey) -> str:
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

    def _want(
        self, key: ProcessKey, seen: ProcessSample, file: RuntimeDossier, name: str, again_s: float | None
    ) -> None:
        """Begin a reading that has not been made yet, or is old; None for once."""
        assert self._sample is not None
        now_s, before_s = self._sample.mono_s, file.done_s.get(name)
        if name in file.pending or (before_s is not None and (again_s is None or now_s - before_s < again_s)):
            return
        file.done_s[name] = now_s
        self._begin(key, seen, file, name)

    def _every_second(
        self, key: ProcessKey, seen: ProcessSample, file: RuntimeDossier, name: str, now_s: float
    ) -> None:
        if name not in file.pending and (self._replaying or file.pace.due(now_s)):
            file.pace.asked(now_s)
            self._begin(key, seen, file, name)

    def _begin(self, key: ProcessKey, seen: ProcessSample, file: RuntimeDossier, name: str) -> None:
        assert self._sample is not None and seen.statm is not None
        minflt = seen.stat.minflt if seen.stat is not None else None
        file.pending[name] = Moment(self._sample.mono_s, seen.statm.rss_bytes, seen.statm.anon_bytes, minflt)
        self._poll(key, file, name)
        if self._replaying and name in ("metrics", "jvm"):
            file.pending.pop(name, None)  # an answer comes at its instant, or not at all

    # -- what has come

    def _poll(self, key: ProcessKey, file: RuntimeDossier, name: str) -> None:
        assert self._sample is not None
        url = f"#{file.asked_url}" if name == "metrics" and file.asked_url else ""
        try:
            answer = self._source.ask(f"proc/{key.pid}/runtime/{name}{url}")
            if answer is None:
                return
            begun = file.pending.pop(name)
            file.take(name, answer.data, begun, self._around(key))
        except MemtopError as error:
            file.pending.pop(name, None)
            file.failed(name, error, self._sample.mono_s)

    def _around(self, key: ProcessKey) -> Around:
        assert self._sample is not None
        start_s, seen = key.start_ticks / CLK_TCK, self._seen(key)
        booted_s = self._sample.wall_s - self._sample.mono_s
        return Around(
            started_s=booted_s + start_s if start_s <= self._sample.mono_s + 1 else None,
            virt_bytes=seen.statm.virt_bytes if seen is not None and seen.statm is not None else None,
            lazy_free_bytes=self._lazy_free_bytes(key),
        )

    # -- what is told

    def gc_marks(self, key: ProcessKey, from_s: float, to_s: float) -> list[tuple[float, str, str]]:
        """(when, kind, label) of its collections for the chart; none where they are too many to be told apart."""
        file = self._files.get(key)
        times = [] if file is None else [at_s for at_s in file.collections_s if from_s <= at_s <= to_s]
        return [(at_s, "gc", "GC") for at_s in times] if len(times) <= MOST_MARKS else []

    def objects(self, keys: Iterable[ProcessKey]) -> dict[ProcessKey, dict[str, Any]]:
        """The ``runtime`` objects of the JSON contract; nothing for a process without a runtime that is known."""
        now_s = self._sample.mono_s if self._sample is not None else None
        said = {key: self._files[key].said(now_s) for key in keys if key in self._files}
        return {key: one for key, one in said.items() if one is not None}

    def heap_facts(self, row: ProcessRow, at_s: float) -> HeapFacts | None:
        """For the findings, whatever panel is open; None where its runtime has told nothing."""
        file = self._files.get(row.key)
        if file is None:
            return None
        from memtop.introspection.insight import heap_facts  # noqa: PLC0415 (not without a screen)

        return heap_facts(file, row, at_s)

    def inside(self, row: ProcessRow, at_s: float, reading: Reading | None) -> Inside:
        """For the panel, at the instant shown."""
        from memtop.introspection.insight import inside  # noqa: PLC0415 (as above)

        lazy_free_bytes = self._lazy_free_bytes(row.key)
        file = self._files.get(row.key)
        return inside(file, row, at_s, reading, lazy_free_bytes=lazy_free_bytes, sample=self._sample)
