"""The readings that cost the target something, smaps and smaps_rollup: who is read, when, and what is known by now.

Both hold up the target's own mmap calls, so they are read by the observer's contract (:mod:`memtop.analysis.contract`)
and only for what is on screen: smaps of the process in focus while a panel shows it, smaps_rollup of its family while
the Sharing panel does, of the rows on screen, in turn, while a column shows PSS or USS, and of the process in focus
every few seconds while its verdict hangs on LazyFree. All go through Source.ask,
so a reading that hangs holds up nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from memtop.analysis.contract import Contract, Verdict, Why
from memtop.analysis.region_growth import RegionGrowth
from memtop.analysis.regions import Regions
from memtop.digest import NO_GROWTH, Digest, Kitchen, Raw, digest
from memtop.errors import AccessDenied, Blocked, MemtopError, ParseError, ProcessGone
from memtop.procfs.mountinfo import parse_mountinfo
from memtop.procfs.smaps import Rollup, parse_rollup
from memtop.readings import MarkView, Missing, Reading, RegionsView, SharingView
from memtop.relatives import family_of, sharing_view
from memtop.sample import REGIONS, RUNTIME, SHARING, Ask, Need, ProcKey, ProcSample, Sample
from memtop.source import Answer, Source

SMAPS_LIMIT: Final = 64 << 20
"""Most bytes of smaps: 90,000 mappings."""
INLINE_BYTES: Final = 256 << 10
"""A longer smaps is understood in the background."""
FIRST_SETTLE_S: Final = 0.03
"""How long the first reading of a process is waited for, so that a panel opens with numbers in it."""
TURN_S: Final = 0.010
"""What all rollups of one tick may cost together, and ..."""
TURN_MOST: Final = 8
"""... how many they may be."""
FRESH_S: Final = 3.0
"""A reading so old is still good for a mark that is set now."""
FILES: Final = 12
"""Processes whose mappings are kept."""
_NAMESPACE_BYTES: Final = 256 << 10

_WHY: Final = {Why.FORBIDDEN: Missing.FORBIDDEN, Why.TOO_DEAR: Missing.TOO_DEAR, Why.UNKNOWN_COST: Missing.UNKNOWN_COST}


@dataclass(slots=True, eq=False)
class _Mark:
    at_s: float
    rss_bytes: int | None
    virt_bytes: int | None
    regions: Regions | None = None
    regions_s: float = 0.0


@dataclass(slots=True, eq=False)
class _File:
    """What is known of one program in one process."""

    execs: int
    contract: Contract = field(default_factory=Contract)
    pending: dict[str, float] = field(default_factory=dict)
    """Paths that were asked for and when; the paths of one process are read one after the other."""
    stale: set[str] = field(default_factory=set)
    """Of them those that were asked for before it became this program."""
    cooking: Raw | None = None
    asked: bool = False
    """The user wants a reading whatever it costs."""
    missing: Missing = Missing.UNREAD
    verdict: Verdict | None = None
    first: tuple[float, Regions] | None = None
    reading: Reading | None = None
    rollup: Rollup | None = None
    rollup_s: float = -math.inf
    rollup_before: Rollup | None = None
    rollup_before_s: float = -math.inf
    tmpfs: tuple[bytes, ...] | None = None
    mark: _Mark | None = None
    since_mark: RegionGrowth | None = None
    mark_dropped: bool = False
    """It became another program under the mark."""

    def take_rollup(self, rollup: Rollup, at_s: float) -> None:
        self.rollup_before, self.rollup_before_s = self.rollup, self.rollup_s
        self.rollup, self.rollup_s = rollup, at_s


class Dear:
    """Owned by the engine and used in its thread only."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._kitchen = Kitchen()
        self._files: dict[ProcKey, _File] = {}
        self._sample: Sample | None = None
        self._now_s = 0.0
        self._doubted: ProcKey | None = None
        self._reads = self._marks = 0
        self._renewed: set[ProcKey] = set()
        self._unsettled: list[ProcKey] = []
        """Whose first reading was just begun."""

    # -- what the engine asks

    def step(self, ask: Ask, sample: Sample, doubted: ProcKey | None = None) -> frozenset[ProcKey]:
        """Take what has come and begin what is due; the processes whose PSS and USS are new.

        ``doubted`` is a process that seems to grow, where LazyFree may say that it does not.
        """
        self._sample, self._now_s, self._doubted = sample, sample.mono_s, doubted
        for key, file in list(self._files.items()):
            self._check(key, file)
        if not ask.frozen:
            for key, file in list(self._files.items()):
                self._poll_all(key, file)
        self._begin_due(ask, from_s=self._now_s)
        renewed, self._renewed = frozenset(self._renewed), set()
        return renewed

    def look(self, ask: Ask, sample: Sample) -> None:
        """Another ask, after the last sample and before the next: begin what it wants."""
        self._sample, self._now_s = sample, sample.mono_s
        self._begin_due(ask, from_s=self._now_s + ask.delay_s)

    def sums(self, key: ProcKey) -> tuple[int | None, int | None]:
        """PSS and USS in bytes, as they were read last."""
        file = self._files.get(key)
        return (None, None) if file is None or file.rollup is None else (file.rollup.pss_bytes, file.rollup.uss_bytes)

    def regions(self, ask: Ask, now_s: float) -> RegionsView | None:
        """For the panels, at the instant shown; None while none of them is on screen."""
        if ask.panel not in (REGIONS, SHARING) or ask.focus is None:
            return None
        file = self._files.get(ask.focus)
        seen = self._seen(ask.focus)
        if ask.cursor_s is not None or file is None:
            missing = _without_memory(seen) if seen is None or seen.statm is None else Missing.PAUSED
            return RegionsView(None, None, None, missing, None, 0.0, None, None)
        reading, verdict = file.reading, file.verdict
        waiting_s = max((max(0.0, now_s - began_s) for began_s in file.pending.values()), default=None)
        if waiting_s is None and file.cooking is not None:
            waiting_s = max(0.0, now_s - file.cooking.at_s)
        resting = verdict is not None and verdict.why is Why.RESTING
        return RegionsView(
            reading=reading,
            age_s=None if reading is None else max(0.0, now_s - reading.at_s),
            start_age_s=None if reading is None else max(0.0, now_s - reading.start_s),
            missing=file.missing,
            waiting_s=waiting_s,
            resting_s=verdict.wait_s if resting and verdict is not None else 0.0,
            stall_s=None if verdict is None else verdict.stall_s,
            since_mark=file.since_mark,
        )

    def sharing(self, ask: Ask, own: RegionsView | None) -> SharingView | None:
        """For the Sharing panel; None while it is not on screen."""
        if ask.panel != SHARING or ask.focus is None or own is None or self._sample is None or ask.cursor_s is not None:
            return None
        seen = self._seen(ask.focus)
        relatives = [] if seen is None else family_of(self._sample.processes, ask.focus.pid)
        return sharing_view(ask.focus, relatives, self._files, own)

    def reading(self, key: ProcKey) -> Reading | None:
        """The mappings of a process as they were read last."""
        file = self._files.get(key)
        return None if file is None else file.reading

    def lazy_free_bytes(self, key: ProcKey) -> int | None:
        """What a process has given back and the kernel has not taken yet, if that is known of this moment."""
        file = self._files.get(key)
        if file is None or file.rollup is None or self._now_s - file.rollup_s > FRESH_S:
            return None
        return file.rollup.number("LazyFree")

    def lazy_free(self, key: ProcKey) -> tuple[float, int] | None:
        """When smaps or smaps_rollup told last what a process has given back, and how many bytes that was."""
        file = self._files.get(key)
        if file is None or file.rollup is None:
            return None
        size_bytes = file.rollup.number("LazyFree")
        return None if size_bytes is None else (file.rollup_s, size_bytes)

    def unread(self, key: ProcKey) -> str:
        """Why there is no newer reading; empty where there is one, or one is under way."""
        file = self._files.get(key)
        waits = (Missing.NOTHING, Missing.UNREAD)
        return "" if file is None or file.missing in waits else file.missing.value

    def mark(self, key: ProcKey, now_s: float) -> MarkView | None:
        """The user's mark."""
        file = self._files.get(key)
        if file is None or file.mark is None:
            return None
        mark, seen = file.mark, self._seen(key)
        statm = seen.statm if seen is not None else None
        return MarkView(
            at_s=mark.at_s,
            age_s=max(0.0, now_s - mark.at_s),
            rss_delta_bytes=None if statm is None or mark.rss_bytes is None else statm.rss_bytes - mark.rss_bytes,
            virt_delta_bytes=None if statm is None or mark.virt_bytes is None else statm.virt_bytes - mark.virt_bytes,
            growth=file.since_mark,
            late_s=0.0 if mark.regions is None else max(0.0, mark.regions_s - mark.at_s),
        )

    def mark_dropped(self, key: ProcKey) -> bool:
        """Whether the mark was dropped because the process has become another program."""
        file = self._files.get(key)
        return file is not None and file.mark_dropped

    # -- who is read, and when

    def _seen(self, key: ProcKey) -> ProcSample | None:
        seen = self._sample.processes.get(key.pid) if self._sample is not None else None
        return seen if seen is not None and seen.key == key else None

    def _file(self, key: ProcKey) -> _File:
        file = self._files.pop(key, None)
        if file is None:
            seen = self._seen(key)
            file = _File(execs=seen.execs if seen is not None else 0)
        self._files[key] = file  # those wanted last are at the end
        return file

    def _check(self, key: ProcKey, file: _File) -> None:
        """Forget what was read of another program, and of a process that has ended all but its last numbers."""
        seen = self._seen(key)
        if seen is None:
            file.pending.clear()
            file.missing, file.verdict = Missing.GONE, None
            if file.reading is None and file.mark is None:
                del self._files[key]
        elif seen.execs != file.execs:
            dropped = file.mark is not None or file.mark_dropped
            self._files[key] = _File(
                execs=seen.execs,
                contract=file.contract,
                pending=file.pending,
                stale=set(file.pending),
                mark_dropped=dropped,
            )
            self._renewed.add(key)

    def _begin_due(self, ask: Ask, from_s: float) -> None:
        """Begin what is wanted and allowed. ``from_s`` is the latest that it may be now."""
        self._press(ask)
        if ask.frozen:
            return
        for who, found in self._kitchen.done():
            assert isinstance(who, _File)
            self._take_digest(who, found)
        shown = ask.panel in (REGIONS, SHARING)
        if ask.focus is not None and (seen := self._seen(ask.focus)) is not None:
            file = self._files.get(ask.focus)
            marking = file is not None and file.mark is not None and file.mark.regions is None
            if shown or marking or (file is not None and file.asked):
                self._want(ask, seen, "smaps", from_s)
        turn: list[ProcKey] = [self._doubted] if self._doubted is not None and not shown else []
        if ask.panel == SHARING and ask.focus is not None and self._sample is not None:
            turn += [seen.key for seen in family_of(self._sample.processes, ask.focus.pid) if seen.key != ask.focus]
        if ask.panel == RUNTIME and ask.focus is not None:
            turn.append(ask.focus)
        if Need.ROLLUP in ask.needs:
            turn += [key for key in ask.visible if not (shown and key == ask.focus)]
            if not ask.visible and ask.only is not None and self._sample is not None:
                turn += [seen.key for pid in sorted(ask.only) if (seen := self._sample.processes.get(pid))]
        self._take_turns(ask, dict.fromkeys(turn), from_s)
        if self._unsettled:
            self._source.settle(FIRST_SETTLE_S)
            for key in self._unsettled:
                self._poll_all(key, self._files[key])
            self._unsettled.clear()
        self._forget_the_oldest(ask)

    def _press(self, ask: Ask) -> None:
        """R and m, which come as counters."""
        presses, self._reads = ask.read_now - self._reads, ask.read_now
        toggles, self._marks = ask.mark_now - self._marks, ask.mark_now
        if ask.focus is None or self._seen(ask.focus) is None or self._sample is None:
            return
        if presses > 0:
            self._file(ask.focus).asked = ask.smaps
            if ask.panel == SHARING:
                for relative in family_of(self._sample.processes, ask.focus.pid):
                    self._file(relative.key).asked = ask.smaps
        if toggles % 2:
            self._toggle_mark(self._file(ask.focus), ask.focus)

    def _toggle_mark(self, file: _File, key: ProcKey) -> None:
        file.mark_dropped, file.since_mark = False, None
        if file.mark is not None:
            file.mark = None
            return
        seen = self._seen(key)
        statm = seen.statm if seen is not None else None
        file.mark = _Mark(self._now_s, statm and statm.rss_bytes, statm and statm.virt_bytes)
        if file.reading is not None and self._now_s - file.reading.at_s <= FRESH_S:
            file.mark.regions, file.mark.regions_s = file.reading.regions, file.reading.at_s
            file.since_mark = NO_GROWTH

    def _take_turns(self, ask: Ask, keys: Iterable[ProcKey], from_s: float) -> None:
        """Rollups, those that were read longest ago first, until this tick has had its share."""
        waiting = [seen for key in keys if (seen := self._seen(key)) is not None]
        waiting.sort(key=lambda seen: file.rollup_s if (file := self._files.get(seen.key)) else -math.inf)
        begun, left_s = 0, TURN_S
        for seen in waiting:
            verdict = self._want(ask, seen, "smaps_rollup", from_s, left_s)
            if verdict is not None and verdict.allowed:
                begun += 1
                left_s -= verdict.stall_s or 0.0
            if begun == TURN_MOST or left_s <= 0:
                return

    def _want(self, ask: Ask, seen: ProcSample, name: str, from_s: float, most_s: float = math.inf) -> Verdict | None:
        """Begin one reading, if it may be; what the contract says to it."""
        file = self._file(seen.key)
        file.verdict = None
        if seen.statm is None:
            file.missing = _without_memory(seen)
            return None
        if file.cooking is not None:
            return None
        verdict = file.verdict = file.contract.may_read(
            self._now_s, seen.statm.rss_bytes, shown=True, asked=file.asked, forbidden=not ask.smaps
        )
        if not verdict.allowed:
            file.missing = _WHY.get(verdict.why, file.missing)
            return verdict
        if (verdict.stall_s or 0.0) > most_s and most_s < TURN_S:
            return None  # its turn comes first at another tick
        file.asked = False
        first = file.reading is None and file.rollup is None
        if file.missing in _WHY.values():
            file.missing = Missing.UNREAD
        file.contract = file.contract.begun()
        path = f"proc/{seen.key.pid}/{name}"
        if seen.leader_gone and (path_of_other := self._path_of_other(seen, name)):
            path = path_of_other
        paths = [path] if name != "smaps" or file.tmpfs is not None else [f"proc/{seen.key.pid}/mountinfo", path]
        for each in paths:
            file.pending[each] = from_s
            self._poll(seen.key, file, each)
        if first and file.pending:
            self._unsettled.append(seen.key)
        return verdict

    def _path_of_other(self, seen: ProcSample, name: str) -> str | None:
        """Where the main thread has ended, another thread has the memory."""
        pid = seen.key.pid
        try:
            other = next((tid for tid in self._source.tids(pid) if tid != pid), None)
        except MemtopError:
            return None
        return None if other is None else f"proc/{pid}/task/{other}/{name}"

    def _forget_the_oldest(self, ask: Ask) -> None:
        kept = [key for key, file in self._files.items() if file.reading is not None and key != ask.focus]
        for key in kept[: 1 - FILES]:
            file = self._files[key]
            file.reading = file.first = file.mark = file.since_mark = None

    # -- what has come

    def _poll_all(self, key: ProcKey, file: _File) -> None:
        for path in list(file.pending):
            self._poll(key, file, path)

    def _poll(self, key: ProcKey, file: _File, path: str) -> None:
        """Take an answer, if there is one by now."""
        try:
            answer = self._source.ask(path, _NAMESPACE_BYTES if path.endswith("/mountinfo") else SMAPS_LIMIT)
        except MemtopError as error:
            began_s = file.pending.pop(path)
            if path.endswith("/mountinfo"):
                file.tmpfs = ()
            else:
                file.missing = _why(error)
                file.contract = file.contract.ended(began_s, 0.0)
            return
        if answer is None:
            return
        began_s = file.pending.pop(path)
        if path in file.stale:
            file.stale.discard(path)
            file.contract = file.contract.ended(began_s, answer.took_s)
        elif path.endswith("/mountinfo"):
            mounts = parse_mountinfo(answer.data)
            file.tmpfs = tuple(mount.point for mount in mounts if mount.fstype in (b"tmpfs", b"ramfs"))
        elif path.endswith("/smaps"):
            self._take_smaps(key, file, answer, began_s)
        else:
            self._take_rollup(key, file, answer, began_s)

    def _take_smaps(self, key: ProcKey, file: _File, answer: Answer, began_s: float) -> None:
        seen = self._seen(key)
        rss_bytes = seen.statm.rss_bytes if seen is not None and seen.statm is not None else None
        about = len(answer.data) // 720
        file.contract = file.contract.ended(began_s + answer.took_s, answer.took_s, rss_bytes, about)
        if seen is None or seen.stat is None or seen.execs != file.execs:
            return
        raw = Raw(
            data=answer.data,
            at_s=min(began_s, self._now_s),
            took_s=answer.took_s,
            cut=len(answer.data) >= SMAPS_LIMIT,
            start_code=seen.stat.start_code,
            threads=seen.stat.threads,
            tmpfs=file.tmpfs or (),
            first=file.first,
            mark=file.mark.regions if file.mark is not None else None,
        )
        if len(answer.data) > INLINE_BYTES:
            file.cooking = raw
            self._kitchen.begin(file, raw)
            return
        try:
            self._take_digest(file, digest(raw))
        except ParseError as error:
            self._take_digest(file, error)

    def _take_digest(self, file: _File, found: Digest | ParseError | None) -> None:
        file.cooking = None
        if found is None or isinstance(found, ParseError):
            file.missing = Missing.ENDING if found is None else Missing.UNREADABLE
            return
        reading = file.reading = found.reading
        file.missing = Missing.NOTHING
        if file.first is None:
            file.first = reading.at_s, reading.regions
        mark = file.mark
        if mark is not None and mark.regions is None:
            mark.regions, mark.regions_s, file.since_mark = reading.regions, reading.at_s, NO_GROWTH
        elif mark is not None and mark.regions is found.raw.mark:
            file.since_mark = found.since_mark
        file.take_rollup(reading.rollup, reading.at_s)
        self._renewed.update(key for key, other in self._files.items() if other is file)

    def _take_rollup(self, key: ProcKey, file: _File, answer: Answer, began_s: float) -> None:
        seen = self._seen(key)
        rss_bytes = seen.statm.rss_bytes if seen is not None and seen.statm is not None else None
        file.contract = file.contract.ended(began_s + answer.took_s, answer.took_s, rss_bytes)
        if seen is None or seen.execs != file.execs:
            return
        try:
            rollup = parse_rollup(answer.data)
        except ParseError:
            file.missing = Missing.ENDING if not answer.data.strip() else Missing.UNREADABLE
            return
        file.missing = Missing.NOTHING
        file.take_rollup(rollup, min(began_s, self._now_s))
        self._renewed.add(key)


def _without_memory(seen: ProcSample | None) -> Missing:
    if seen is None:
        return Missing.GONE
    if seen.stat is not None and seen.stat.kernel_thread:
        return Missing.KERNEL
    return Missing.ZOMBIE if seen.stat is not None and seen.stat.state in "ZX" else Missing.ENDING


def _why(error: MemtopError) -> Missing:
    if isinstance(error, ProcessGone):
        return Missing.GONE
    if isinstance(error, AccessDenied):
        return Missing.DENIED
    return Missing.HANGING if isinstance(error, Blocked) else Missing.ABSENT
