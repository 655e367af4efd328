"""Bounded storage of the history: tracks of all processes, detailed tracks of watched ones, events, gaps in sampling.

Every process has a :class:`Track` from the first tick. An entry is added only when its numbers change, so the hundreds
of idle processes cost nothing. A watched process also has a :class:`DetailedTrack`, with an entry at every tick and
everything that a chart can show. Both are bounded: older entries are thinned out or dropped. The last half hour of the
machine itself is kept too (:class:`MachinePast`).
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from memtop.model.row import SystemRow
from memtop.process_key import ProcessKey

Key = TypeVar("Key")
TRACK_BUDGET_BYTES: Final = 12 * 1024 * 1024
"""Limit for the tracks of all processes together."""
TRACK_MOST: Final = 1024
TRACK_LEAST: Final = 48
DETAILED_MOST: Final = 7200
"""Entries of one detailed track; when full, every second entry of its older half is dropped."""
DETAILED_ENTRY_BYTES: Final = 64
"""What an entry takes at most."""
CLOSE_S: Final = 0.0005
"""Two instants nearer than this count as one, because tracks store milliseconds."""
_FIELDS: Final = 4
_ENTRY_BYTES: Final = 8 * _FIELDS
EVENTS_KEPT: Final = 32
"""Events kept per process. The oldest are dropped first."""
MACHINE_TICKS: Final = 1800
_SYSTEM_ROW: Final = "qqqqqddqqddq"
"""Type codes of array(3) for the fields of SystemRow; -1 is unknown."""


class Point(NamedTuple):
    """A process at one instant of its past; None for numbers that were not read. Sizes in bytes."""

    at_s: float
    virt_bytes: int
    rss_bytes: int
    shr_bytes: int
    shmem_bytes: int | None = None
    minflt: int | None = None
    majflt: int | None = None
    swap_bytes: int | None = None


class Track:
    """VIRT, RES and SHR of one process: one entry for each change, newest last."""

    __slots__ = ("_data", "first_s")

    def __init__(self, now_s: float) -> None:
        self._data = array("q")
        self.first_s = now_s
        """When the process was first seen, or last seen to exec, on the clock of Instant.mono_s."""

    def add(self, now_s: float, virt_bytes: int, rss_bytes: int, shr_bytes: int, most: int) -> None:
        """Add a change. Beyond ``most`` entries the oldest are dropped, at least a quarter of ``most``."""
        data = self._data
        data.extend((int(now_s * 1000), virt_bytes, rss_bytes, shr_bytes))
        if (surplus := len(self) - most) > 0:  # more than one if ``most`` has fallen since
            del data[: (surplus - 1 + most // 4) * _FIELDS]
            self.first_s = max(self.first_s, data[0] / 1000)

    def __len__(self) -> int:
        return len(self._data) // _FIELDS

    def before(self, when_s: float) -> "Track | None":
        """A copy of what came before an instant; None where that is nothing."""
        until = self.index_at(when_s - 0.001) + 1
        if not until:
            return None
        copy = Track(self.first_s)
        copy._data = self._data[: until * _FIELDS]
        return copy

    @property
    def changed_s(self) -> float:
        """When its numbers last changed."""
        return self._data[-_FIELDS] / 1000 if self._data else self.first_s

    def point(self, index: int) -> Point:
        """The entry at an index, negative from the newest."""
        at = (index + len(self) if index < 0 else index) * _FIELDS
        ms, virt, rss, shr = self._data[at : at + _FIELDS]
        return Point(ms / 1000, virt, rss, shr)

    def at(self, when_s: float) -> Point | None:
        """The values at an instant; None before the first entry."""
        index = self.index_at(when_s)
        return self.point(index) if index >= 0 else None

    def rss_bytes_at(self, when_s: float) -> int:
        """RES at an instant; before the first entry that of the first."""
        return self._data[max(0, self.index_at(when_s)) * _FIELDS + 2]

    def index_at(self, when_s: float) -> int:
        """The last entry at or before an instant; -1 if there is none."""
        data, when_ms = self._data, int(when_s * 1000 + 0.5)
        low, high = 0, len(self)
        if high and data[-_FIELDS] <= when_ms:
            return high - 1
        while low < high:
            middle = (low + high) // 2
            if data[middle * _FIELDS] <= when_ms:
                low = middle + 1
            else:
                high = middle
        return low - 1

    def columns(self, until: int) -> "tuple[array[int], ...]":
        """Times in milliseconds, VIRT, RES, SHR of the first ``until`` entries."""
        return tuple(self._data[field : until * _FIELDS : _FIELDS] for field in range(_FIELDS))

    def peaks(self, edges_s: list[float]) -> list[int | None]:
        """The highest RES between each two neighboring edges (one fewer than edges); None before it was seen."""
        held = self.index_at(edges_s[0])
        start = max(held, 0) * _FIELDS
        times_ms, rss = self._data[start::_FIELDS], self._data[start + 2 :: _FIELDS]
        first = min(held, 0)
        found: list[int | None] = []
        for edge_s in edges_s[1:]:  # by slices: rows of all processes are built from this, at every tick
            end = max(first + 1, bisect_left(times_ms, int(edge_s * 1000 + 0.5), max(first, 0)))
            found.append(max(rss[max(first, 0) : end]) if end else None)
            first = end - 1
        return found


class NumberColumns:
    """Numbers at many instants, oldest first. A column whose values are all the same takes no memory, and one of
    integers of up to 31 bits half of what longer ones take.

    The owner says what a number means, and which one is unknown.
    """

    __slots__ = ("_codes", "_columns", "times_s")

    def __init__(self, codes: str) -> None:
        """``codes`` has the type code of array(3) for each column: ``q`` for integers, ``d`` for floats."""
        self.times_s = array("d")
        self._codes = codes
        self._columns: list[Any] = [0] * len(codes)
        """For each column its one value, or an array of its values."""

    def __len__(self) -> int:
        return len(self.times_s)

    def append(self, at_s: float, values: list[Any]) -> None:
        """Add an entry, with a number for each column."""
        before, columns = len(self.times_s), self._columns
        if not before:
            columns[:] = values
        for number, (column, value) in enumerate(zip(columns, values, strict=True)):
            if isinstance(column, array):
                try:
                    column.append(value)
                except OverflowError:
                    columns[number] = array(self._codes[number], column)
                    columns[number].append(value)
            elif column != value:
                columns[number] = _narrow(self._codes[number], [column, value])
                columns[number][:1] *= before
        self.times_s.append(at_s)

    def drop(self, entries: slice) -> None:
        """Drop some entries."""
        del self.times_s[entries]
        for column in self._columns:
            if isinstance(column, array):
                del column[entries]

    def column(self, number: int, start: int = 0, end: int | None = None) -> "array[Any]":
        """The values of a column, of some entries."""
        column, code = self._columns[number], self._codes[number]
        if isinstance(column, array):
            return column[start:end] if column.typecode == code else array(code, column[start:end])
        return array(code, [column]) * len(self.times_s[start:end])

    def value(self, number: int, index: int) -> Any:
        """The value of one column in the entry at an index."""
        column = self._columns[number]
        return column[index] if isinstance(column, array) else column

    def values(self, index: int) -> list[Any]:
        """The values of all columns in the entry at an index."""
        return [column[index] if isinstance(column, array) else column for column in self._columns]


def _narrow(code: str, values: list[Any]) -> "array[Any]":
    """An array of these values; of 32 bits for integers that fit."""
    try:
        return array("i" if code == "q" else code, values)
    except OverflowError:
        return array(code, values)


class DetailedTrack(NumberColumns):
    """Everything that a chart shows of one watched process: one entry per tick, thinned when it grows long.

    Its columns are the fields of Point but the first. -1 is unknown.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("q" * (len(Point._fields) - 1))

    def add(self, point: Point, most: int = DETAILED_MOST) -> None:
        """Add one tick. Beyond ``most`` entries every second one of the older half is dropped."""
        self.append(point.at_s, [-1 if value is None else value for value in point[1:]])
        while (length := len(self)) > most:  # more than once if ``most`` has fallen since
            self.drop(slice(1, length // 2, 2))

    def columns(self, start: int = 0) -> "tuple[array[int], ...]":
        """The values of all fields but ``at_s``, from an entry on."""
        return tuple(self.column(field, start) for field in range(len(Point._fields) - 1))

    def point(self, index: int) -> Point:
        """The entry at an index."""
        virt, rss, shr, *rest = self.values(index)
        return Point(self.times_s[index], virt, rss, shr, *(None if value < 0 else value for value in rest))

    def index_at(self, when_s: float) -> int:
        """The last entry at or before an instant; -1 if there is none."""
        return bisect_right(self.times_s, when_s + CLOSE_S) - 1


class Gap(NamedTuple):
    """A period in which nothing was read, because the machine slept or memtop was stopped."""

    from_s: float
    to_s: float


def is_gap(elapsed_s: float, usual_s: float) -> bool:
    """Whether the time since the previous sample is so long that samples were lost; ``usual_s`` is the usual time."""
    return elapsed_s > 3 * usual_s + 1


class Tracks(Generic[Key]):
    """Tracks and detailed tracks by key, and the gaps, on the clock of Instant.mono_s."""

    def __init__(self, gaps: deque[Gap] | None = None) -> None:
        """``gaps`` are those of another past that goes on at the same time."""
        self.tracks: dict[Key, Track] = {}
        self.detailed_tracks: dict[Key, DetailedTrack] = {}
        self.gaps: deque[Gap] = deque(maxlen=64) if gaps is None else gaps
        self._earlier: Tracks[Key] | None = None

    def begin_with(self, other: "Tracks[Key]") -> None:
        """Begin each track with what another past of the same machine has of the time before it. That must have been
        kept all the time up to there."""
        self._earlier = other

    def note(self, key: Key, now_s: float, virt_bytes: int, rss_bytes: int, shr_bytes: int) -> Track:
        """Add to a process's track if its numbers differ from the last entry."""
        track = self.tracks.get(key)
        if track is None:
            track = self.tracks[key] = self._first(key, now_s)
            if len(track) and track.point(-1)[1:4] == (virt_bytes, rss_bytes, shr_bytes):
                return track
        most = min(TRACK_MOST, max(TRACK_LEAST, TRACK_BUDGET_BYTES // _ENTRY_BYTES // (len(self.tracks) + 1)))
        track.add(now_s, virt_bytes, rss_bytes, shr_bytes, most)
        return track

    def _first(self, key: Key, now_s: float) -> Track:
        other = self._earlier.tracks.get(key) if self._earlier is not None else None
        return (other.before(now_s) if other is not None else None) or Track(now_s)

    def forget(self, key: Key) -> None:
        """Drop the past of a process, after its end or its exec."""
        self.tracks.pop(key, None)
        self.detailed_tracks.pop(key, None)

    def in_gap(self, when_s: float) -> bool:
        """Whether nothing was read around this instant."""
        return any(gap.from_s < when_s < gap.to_s for gap in self.gaps)


class History(Tracks[ProcessKey]):
    """All tracks of processes, and the detailed tracks of watched ones."""


class MachinePast:
    """Half an hour at one tick per second, on the clock of Instant.mono_s. Older ticks are dropped."""

    def __init__(self) -> None:
        self._ticks = NumberColumns(_SYSTEM_ROW)

    def add(self, now_s: float, row: SystemRow) -> None:
        """Add one tick."""
        self._ticks.append(now_s, [-1 if value is None else value for value in row])
        if len(self._ticks) > MACHINE_TICKS:
            self._ticks.drop(slice(1))

    def at(self, when_s: float) -> SystemRow | None:
        """The values at an instant; None before the first tick that is kept."""
        index = bisect_right(self._ticks.times_s, when_s + CLOSE_S) - 1
        return (
            SystemRow._make(None if value < 0 else value for value in self._ticks.values(index)) if index >= 0 else None
        )


class Event(NamedTuple):
    """Something that happened."""

    at_s: float
    """On the clock of Instant.mono_s."""
    kind: str
    label: str


class EventLog:
    """The events of each process, bounded."""

    def __init__(self) -> None:
        self._events: dict[ProcessKey, list[Event]] = {}

    def add(self, key: ProcessKey, event: Event) -> None:
        """Add an event."""
        events = self._events.setdefault(key, [])
        events.append(event)
        del events[:-EVENTS_KEPT]

    def of(self, key: ProcessKey) -> Sequence[Event]:
        """The events of a process, oldest first."""
        return self._events.get(key, ())

    def forget(self, key: ProcessKey) -> None:
        """Drop the events of a process that no view can show anymore."""
        self._events.pop(key, None)
