"""Replay: a Source that plays a recording."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Final

from memtop.errors import DamagedError, NotRecorded, RecordingError
from memtop.sanitize import clean
from memtop.sources.protocol import READ_LIMIT, Answer, Exit, Growth, Instant, NotedEvent, pid_of
from memtop.sources.recording.checked_values import mono_time_s, wall_time_s
from memtop.sources.recording.events import decode_event
from memtop.sources.recording.format import ERRORS, Outcome
from memtop.sources.recording.known import Known
from memtop.sources.recording.one_sentence import one_sentence
from memtop.sources.recording.opened import Opened, open_file
from memtop.sources.recording.sweep_scan import scan_sweeps
from memtop.sources.recording.tick import Recorded
from memtop.sources.recording.ticks import need
from memtop.units import counted

WARM_TICKS: Final = 2
"""Instants at which a viewer that has just begun asks for everything."""
_CHANGING: Final = frozenset(
    {
        "oom_score",
        "memory.current",
        "memory.stat",
        "memory.usage_in_bytes",
        "memory.kmem.usage_in_bytes",
        "memory.memsw.usage_in_bytes",
    }
)
"""Files of which an earlier answer says nothing of now: beside the next one it would look like a rise."""


_SET_S: Final = 1.0
"""The clock was set where it went by so much more or less than the monotonic one."""


class Replay:
    """A Source that returns what a Recorder has written.

    What was not requested during the recording is unknown: read raises NotRecorded, a sweep gives None. Raises
    RecordingError, with one sentence, for anything that is wrong with the file.

    ``received`` are the samples of a stream, in place of a file at ``path``. What is still being written is played up
    to what there is; :meth:`wait` waits for more.
    """

    def __init__(self, path: str, received: Opened | None = None) -> None:
        self._path = path
        self._known = Known()
        self._target = 0
        """The instant that was approached: those before it are only learned."""
        self._warm_until = 0
        """Up to this instant what was not asked for at an instant is answered with what is known; see :meth:`seek`."""
        self._mono_s = -math.inf
        opened = received
        with one_sentence(path):
            opened = opened or open_file(path)
        self._ticks, self._tail, self._unfinished, self._missing_log = opened
        try:
            with self._asking():
                self._first, self._end = need(self._ticks.extent(), self._missing_log)
                self._measure(self._first)
        except RecordingError:
            self.close()
            raise
        self._oldest = self._next = self._first

    @property
    def _is_warm(self) -> bool:
        return self._next <= self._warm_until

    def position(self) -> tuple[int, int]:
        """(instants played so far, total instants)."""
        return self._next - self._first, self._end - self._first

    @property
    def span(self) -> tuple[float, float]:
        """The earliest and the latest wall time, in seconds since 1970: those of the first and the last instant, unless
        the clock was set meanwhile."""
        return self._span

    @property
    def own_pid(self) -> int | None:
        """The PID of the memtop that recorded; None in recordings that do not say it."""
        return self._known.own_pid

    @property
    def page_bytes(self) -> int | None:
        """The page size of the machine that recorded, as of the instant that is played; None where it is not said."""
        return self._known.page_bytes

    @property
    def growth(self) -> Growth | None:
        """What is known of its end while it is being written; None for a recording that is not."""
        return None if self._tail is None else self._tail.growth

    def wait(self, timeout_s: float) -> bool:
        """Wait until more has come since the last time, or no more will. False if neither has happened in this time.

        Another thread may call it.
        """
        return self._tail is not None and self._tail.wait(timeout_s)

    def position_at(self, wall_s: float) -> int:
        """How many instants there are up to a wall time, that one included; at least 1. Raises RecordingError.

        Where the clock was set meanwhile, it is the one whose wall time is nearest.
        """
        with self._asking():
            is_set = self._clock_was_set and wall_s < math.inf
            last = self._ticks.number_near(wall_s) if is_set else self._ticks.number_at(wall_s)
        return 1 if last is None else last - self._first + 1

    def wall_at(self, elapsed_s: float) -> float | None:
        """The wall time of the sample so many seconds after the first one; before the last one with a minus, -0.0 too.

        None where there is none. The seconds are real ones, also where the clock was set. Raises RecordingError.
        """
        with self._asking():
            first, end = need(self._ticks.extent())
            first_s, last_s = self._mono_s_of(first), self._mono_s_of(end - 1)
            at_s = (last_s if math.copysign(1.0, elapsed_s) < 0 else first_s) + elapsed_s
            if not first_s <= at_s <= last_s + 1:
                return None
            number = self._ticks.number_after(at_s)
            return None if number is None else self._wall_s(number)

    @property
    def has_events(self) -> bool:
        """Whether it was recorded by a memtop that writes events. In older recordings only ends are found."""
        return self._ticks.has_events

    def event_before(self, position: int) -> int | None:
        """The position of the last event before a position; None for none. Raises RecordingError."""
        with self._asking():
            found = self._ticks.event_before(self._first + position - 1)
        return None if found is None else found - self._first + 1

    def event_after(self, position: int) -> int | None:
        """The position of the first event after a position; None for none. Raises RecordingError."""
        with self._asking():
            found = self._ticks.event_after(self._first + position - 1)
        return None if found is None else found - self._first + 1

    def events(self) -> list[tuple[float, NotedEvent]]:
        """Wall times and events, the oldest first; the latest ones where there are too many. Raises RecordingError."""
        with self._asking():
            return [(wall_time_s(wall_s), decode_event(*row)) for wall_s, *row in self._ticks.latest_events()][::-1]

    def sweeps_of(self, name: str, pid: int) -> Iterator[tuple[float, bytes | None]]:
        """Wall time of each instant, and what a sweep has then of one process. Nothing else is learned on the way.

        Raises RecordingError.
        """
        scan = scan_sweeps(self._ticks, (self._oldest, self._end), name, pid)
        while True:
            with self._asking():
                found = next(scan, None)
            if found is None:
                return
            yield found

    def again(self) -> Replay:
        """The same recording, to be played from elsewhere at the same time by the same thread.

        It is open as long as this one.
        """
        other = copy(self)
        other._known = self._known.another()
        other.approach(0)
        return other

    def seek(self, position: int) -> None:
        """Continue after so many instants. Raises RecordingError."""
        self.approach(position)
        while self.position()[0] < position and self.begin() is not None:
            pass

    def approach(self, position: int) -> None:
        """Continue from the keyframe before a position, to which :meth:`begin` then leads. Raises RecordingError.

        A viewer that begins at the position has no past. So at the next two instants it is also answered what had been
        asked for earlier and was not asked for again because it holds.
        """
        self._refresh()
        target = max(self._oldest, min(self._first + max(0, position), self._end))
        with self._asking():
            key = self._ticks.key_before(target)
        self._known.forget()
        self._mono_s = -math.inf
        self._next, self._target = self._oldest if key is None else key, target
        self._warm_until = target + WARM_TICKS

    @property
    def incomplete(self) -> str | None:
        """What the recording lacks, as far as it was played, in one sentence; None if nothing."""
        said = []
        if self._known.lost:
            said.append(f"{counted(self._known.lost, 'sample')} missing up to here")
        if self._unfinished:
            alone = f" and {clean(self._missing_log)} is not beside it" if self._missing_log else ""
            said.append(f"it was not finished{alone}, so its last samples may be missing")
        return f"the recording is incomplete: {'; '.join(said)}" if said else None

    def begin(self) -> Instant | None:
        """Open the next instant; None at the end, or where the next one is not written yet. Raises RecordingError."""
        if self._next >= self._end:
            self._refresh()
        if self._next >= self._end:
            return None
        with self._asking():
            found = self._ticks.times(self._next)
            if found is None and self._tail is not None:
                found = self._begin_at_oldest()
            if found is None:
                raise DamagedError("a sample is missing")
            mono_s = mono_time_s(found[1])  # the clock of a process that was restored elsewhere has gone back
            instant = Instant(wall_time_s(found[0]), max(mono_s, self._mono_s))
            self._known.take(self._ticks.facts(self._next), on_the_way=self._next < self._target)
        self._mono_s = instant.mono_s
        self._next += 1
        return instant

    @property
    def lists_all(self) -> bool:
        """Whether the list of all processes was recorded. If not, it is not known which others there were."""
        return self._known.pids is not None

    def pids(self) -> Sequence[int]:
        """See ``Source.pids``. Without a recorded list, the processes whose statm was read."""
        known = self._known
        return tuple(sorted(known.swept.get("statm") or ())) if known.pids is None else known.pids

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        """See ``Source.read``."""
        if not self._known.is_settled:
            with one_sentence(self._path):
                self._known.settle()
        pid = pid_of(path)
        answer = self._known.reads[pid].get(path) if path in self._known.read_set else None
        if answer is None and self._is_warm:
            answer = self._known_of(path, pid)
        if answer is None:
            raise NotRecorded(f"{path}: not in the recording")
        return _given(answer)[:size]

    def _known_of(self, path: str, pid: int | None) -> Recorded | None:
        """The last answer of a file that was not asked for now: of a sweep, which is newer, or of a reading."""
        if pid is not None:
            swept = self._known.values.get(path.removeprefix(f"proc/{pid}/"), {}).get(pid)
            if swept is not None:
                return Outcome.OK, swept
        return None if path.rpartition("/")[2] in _CHANGING else self._known.reads[pid].get(path)

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        """See ``Source.sweep``."""
        known = self._known
        if name not in known.swept:
            return [None] * len(pids)
        swept = known.swept[name]
        asked = known.listed if swept is None else swept
        if self._is_warm and not (name == "stat" and self._next == self._warm_until):  # an old one is no rate of 0
            asked |= known.listed
        values = known.values[name]
        return [values.get(pid) if pid in asked else None for pid in pids]

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        """See ``Source.ask``. The answer comes at the instant at which it came during the recording."""
        asks = self._known.asks
        if answers := asks.get(path):
            recorded, took_s = answers.pop(0)
            return Answer(_given(recorded)[:size], took_s)
        if path in asks or path in self._known.waiting:
            return None
        if kept := self._known.kept[pid_of(path)].get(path):
            return Answer(_given(kept)[:size], 0.0)
        raise NotRecorded(f"{path}: not in the recording")

    def abandon(self, path: str) -> None:
        """Nothing is ever under way."""

    def settle(self, seconds: float) -> None:
        """Return at once: a replay never waits."""

    def tids(self, pid: int) -> Sequence[int]:
        """See ``Source.tids``."""
        with one_sentence(self._path):
            return [int(tid) for tid in self.read(f"proc/{pid}/task").split()]

    def watch(self, pids: Sequence[int]) -> None:
        """Do nothing: only the processes that were watched during the recording can be reported."""

    def exits(self) -> list[Exit]:
        """See ``Source.exits``."""
        exits, self._known.exits = self._known.exits, []
        return exits

    def close(self) -> None:
        """Close the file."""
        self._ticks.rest()
        if self._tail is not None:
            self._tail.close()

    def _refresh(self) -> None:
        """Take notice of what was written meanwhile. Raises RecordingError."""
        if self._tail is None:
            return
        with self._asking():
            extent = need(self._ticks.extent())
            if extent.end > self._end or extent.first > self._oldest:
                self._oldest, self._end = extent
                self._measure(self._oldest)

    def _begin_at_oldest(self) -> tuple[object, object] | None:
        """Go on with the oldest instant, which is a keyframe, since the next one was dropped meanwhile."""
        self._oldest, self._end = need(self._ticks.extent())
        if self._next < self._oldest:
            self._next = self._oldest
            self._known.forget()
        return self._ticks.times(self._next)

    def _measure(self, first: int) -> None:
        """Look between which wall times the recording lies, and whether the clock was set meanwhile."""
        last = self._end - 1
        first_s, last_s = self._wall_s(first), self._wall_s(last)
        lasted_s = self._mono_s_of(last) - self._mono_s_of(first)
        self._clock_was_set = abs(last_s - first_s - lasted_s) > _SET_S
        if self._clock_was_set:
            earliest, latest = self._ticks.wall_extent()
            first_s, last_s = wall_time_s(earliest), wall_time_s(latest)
        self._span = first_s, last_s

    def _mono_s_of(self, number: int) -> float:
        times = self._ticks.times(number)
        if times is None:
            raise DamagedError("a sample is missing")
        return mono_time_s(times[1])

    def _wall_s(self, number: int) -> float:
        times = self._ticks.times(number)
        if times is None:
            raise DamagedError("a sample is missing")
        return wall_time_s(times[0])

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask the file, within the time for one query; one that grows as it is at the first. Raises RecordingError."""
        with one_sentence(self._path), self._ticks.asking():
            try:
                yield
            finally:
                if self._tail is not None:
                    self._ticks.rest()


def _given(recorded: Recorded) -> bytes:
    outcome, data = recorded
    if outcome in ERRORS:
        raise ERRORS[outcome](clean(data))
    return data
