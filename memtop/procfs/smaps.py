"""/proc/PID/smaps, proc_pid_smaps(5): every mapping with its RSS, PSS and swap.

A process may have 65,000 mappings, which is 47 MB of text. On one kernel all mappings have the same lines in the same
order. Therefore the parser cuts the text into short pieces, splits each once, and reads every field as a stride through
its lines. It checks that each line belongs to its field (a line seen before is known by its hash). If the lines do not
repeat, it reads them one by one instead. No single step holds the interpreter lock for more than about a millisecond,
so a parse in its own thread does not stall a screen.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import Final, NamedTuple, TypeVar, cast, overload

from memtop.errors import ParseError
from memtop.procfs.smaps_fields import FIELD, HEADER, Value, value_of

PIECE_BYTES: Final = 1 << 18
"""Text handled in one step: about 0.5 ms for the longest step that cannot be interrupted."""

T = TypeVar("T")


class _Lines(dict[bytes, Value]):
    """Lines of one field -> their values. A line that is new must belong to that field."""

    def __init__(self, name: bytes) -> None:
        super().__init__()
        self.name = name

    def __missing__(self, line: bytes) -> Value:
        match = FIELD.match(line)
        if match is None or match[1] != self.name:
            raise _Irregular
        value = self[line] = value_of(match[1], match[2])
        return value


class _Once(dict[bytes, T]):
    """Makes each distinct value once."""

    def __init__(self, make: Callable[[bytes], T]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, raw: bytes) -> T:
        value = self[raw] = self.make(raw)
        return value


class _Irregular(Exception):
    """The lines do not repeat from mapping to mapping."""


class _Same(Sequence[T]):
    """A column in which every value is the same, as in most of the two dozen fields."""

    __slots__ = ("_count", "_value")

    def __init__(self, value: T, count: int) -> None:
        self._value = value
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return _Same(self._value, len(range(*index.indices(self._count))))
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._value

    def __iter__(self) -> Iterator[T]:
        return repeat(self._value, self._count)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


class Mapping(NamedTuple):
    """One mapping. Sizes in bytes; None if this kernel does not have the field."""

    start: int
    end: int
    perms: str
    """For example ``rw-p``. The last letter is ``s`` for a mapping that may be shared."""
    offset: int
    """The offset of ``start`` in the file."""
    device: str
    inode: int
    name: bytes
    """Path, ``[heap]``, ``[anon:...]`` or empty. Raw bytes, with a newline decoded."""
    fields: tuple[tuple[str, Value], ...]
    """Every field by its kernel name, including fields without an attribute here."""

    def get(self, field: str) -> Value:
        """A field by its kernel name; None if it is absent."""
        return next((value for name, value in self.fields if name == field), None)

    def number(self, field: str) -> int | None:
        """A numeric field by its kernel name, sizes in bytes; None if it is absent or text."""
        value = self.get(field)
        return value if isinstance(value, int) else None

    @property
    def size_bytes(self) -> int:
        """Size in address space: end minus start."""
        return self.end - self.start

    @property
    def flags(self) -> frozenset[str] | None:
        """The two-letter codes of VmFlags; None before Linux 3.8."""
        value = self.get("VmFlags")
        return value if isinstance(value, frozenset) else None


class Smaps(Sequence[Mapping]):
    """All mappings in address order, stored as columns. A :class:`Mapping` is created on access.

    60,000 mappings take 5 MB: addresses are plain numbers, and a column of equal values is stored as one value.
    """

    __slots__ = ("_columns", "devices", "ends", "inodes", "names", "offsets", "perms", "starts")

    def __init__(self) -> None:
        self.starts = array("Q")
        self.ends = array("Q")
        self.perms: list[str] = []
        self.offsets: list[int] = []
        self.devices: list[str] = []
        self.inodes: list[int] = []
        self.names: list[bytes] = []
        self._columns: dict[str, Sequence[Value]] = {}

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> Mapping: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Mapping]: ...
    def __getitem__(self, index: int | slice) -> Mapping | Sequence[Mapping]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        return Mapping(
            self.starts[index],
            self.ends[index],
            self.perms[index],
            self.offsets[index],
            self.devices[index],
            self.inodes[index],
            self.names[index],
            tuple((name, column[index]) for name, column in self._columns.items() if column[index] is not None),
        )

    def __iter__(self) -> Iterator[Mapping]:
        return map(self.__getitem__, range(len(self)))

    def add_columns(self, columns: Iterable[tuple[str, Sequence[Value]]]) -> None:
        """Add fields from another file than smaps to every mapping. Raises ValueError for a wrong length."""
        for name, column in columns:
            if len(column) != len(self):
                raise ValueError(f"{name}: {len(column)} values for {len(self)} mappings")
            if column:
                same = column.count(column[0]) == len(column)
                self._columns[name] = _Same(column[0], len(column)) if same else column

    @property
    def fields(self) -> tuple[str, ...]:
        """Kernel names of the fields, in the file's order."""
        return tuple(self._columns)

    def column(self, field: str) -> Sequence[Value]:
        """One field of every mapping; None if it is absent."""
        return self._columns.get(field) or _Same(None, len(self))

    def numbers(self, field: str) -> Sequence[int | None]:
        """One numeric field of every mapping, sizes in bytes; None if it is absent or text."""
        column = self.column(field)
        if _types(column) <= {int, type(None)}:
            return cast(Sequence[int | None], column)
        return [value if isinstance(value, int) else None for value in column]

    def sizes(self, field: str) -> Sequence[int]:
        """One field in kB of every mapping, in bytes; 0 if it is absent (see :attr:`fields`)."""
        column = self.column(field)
        if _types(column) <= {int}:
            return cast(Sequence[int], column)
        return [value if isinstance(value, int) else 0 for value in column]

    @property
    def flags(self) -> Sequence[frozenset[str]]:
        """VmFlags of every mapping; empty sets before Linux 3.8."""
        column = self.column("VmFlags")
        if _types(column) <= {frozenset}:
            return cast(Sequence[frozenset[str]], column)
        return [value if isinstance(value, frozenset) else frozenset() for value in column]


def _types(column: Sequence[Value]) -> set[type]:
    """The types of the values. There is nearly always one; then the column needs no conversion."""
    return set(map(type, column))


def _values(known: _Lines, lines: list[bytes]) -> list[Value]:
    """The values of one field's lines, which are often all the same.

    Raises _Irregular if a line belongs to another field.
    """
    first = lines[0]
    if lines.count(first) == len(lines):
        return [known[first]] * len(lines)
    return list(map(known.__getitem__, lines))


class _Builder:
    """Builds a Smaps. Equal names, devices and permissions become one object."""

    def __init__(self) -> None:
        self.smaps = Smaps()
        self._columns: dict[str, list[Value]] = {}
        self._lines: list[_Lines] = []
        self._texts = _Once(lambda raw: raw.decode("ascii", "replace"))
        self._names = _Once(lambda raw: raw.replace(rb"\012", b"\n"))
        self._offsets = _Once(lambda raw: int(raw, 16))
        self._inodes = _Once(int)

    def learn(self, names: list[bytes]) -> None:
        """Take the fields of the first mapping as the fields of all mappings."""
        self._lines = [_Lines(name) for name in names]

    @property
    def stride(self) -> int:
        """Number of lines of one mapping."""
        return len(self._lines) + 1

    def piece(self, lines: list[bytes]) -> None:
        """Add whole mappings. Raises _Irregular, before anything is added, if the lines do not repeat."""
        stride = self.stride
        columns = [_values(known, lines[place::stride]) for place, known in enumerate(self._lines, start=1)]
        headers = [match.groups(b"") for match in map(HEADER.match, lines[::stride]) if match]
        if len(headers) * stride != len(lines):
            raise _Irregular
        self.headers(headers)
        for known, column in zip(self._lines, columns, strict=True):
            self._columns.setdefault(known.name.decode("ascii"), []).extend(column)

    def headers(self, headers: list[tuple[bytes, ...]]) -> None:
        """Start new mappings."""
        smaps = self.smaps
        starts, ends, perms, offsets, devices, inodes, names = zip(*headers, strict=True)
        smaps.starts.extend([int(start, 16) for start in starts])
        smaps.ends.extend([int(end, 16) for end in ends])
        smaps.perms.extend(map(self._texts.__getitem__, perms))
        smaps.offsets.extend(map(self._offsets.__getitem__, offsets))
        smaps.devices.extend(map(self._texts.__getitem__, devices))
        smaps.inodes.extend(map(self._inodes.__getitem__, inodes))
        smaps.names.extend(map(self._names.__getitem__, names))

    def line(self, line: bytes) -> None:
        """Add one line of any kind. Lines that belong to no mapping are skipped; the first of two equal fields wins."""
        header = HEADER.match(line)
        if header:
            self.headers([header.groups(b"")])
            return
        field = FIELD.match(line)
        count = len(self.smaps)
        if field is None or not count:
            return
        column = self._columns.setdefault(field[1].decode("ascii"), [])
        column.extend([None] * (count - len(column) - 1))
        if len(column) < count:
            column.append(value_of(field[1], field[2]))

    def done(self) -> Smaps:
        """Fill columns to equal length, and shrink those with equal values."""
        count = len(self.smaps)
        for name, column in self._columns.items():
            column.extend([None] * (count - len(column)))
            same = column.count(column[0]) == count
            self.smaps._columns[name] = _Same(column[0], count) if same else column
        return self.smaps


def parse_smaps(data: bytes) -> Smaps:
    """Parse one smaps or maps file. Raises ParseError if there is text but no mapping.

    The file is empty for kernel threads and zombies. A last line without a newline was cut by a bounded read and is
    skipped.
    """
    builder = _Builder()
    at = _fast(data, builder)
    end = data.rfind(b"\n") + 1
    while at < end:
        until = data.find(b"\n", min(end - 1, at + PIECE_BYTES)) + 1
        for line in data[at:until].split(b"\n"):
            builder.line(line)
        at = until
    smaps = builder.done()
    if not smaps and data.strip():
        raise ParseError("smaps", "no line that begins a mapping")
    return smaps


def _fast(data: bytes, builder: _Builder) -> int:
    """Parse as far as the lines repeat from mapping to mapping. Returns how far that was."""
    names: list[bytes] = []
    lines = data[:PIECE_BYTES].split(b"\n")
    for line in lines[1:]:
        field = FIELD.match(line)
        if field is None or field[1] in names or HEADER.match(line):
            break
        names.append(field[1])
    builder.learn(names)
    at = 0
    while len(lines) > builder.stride:
        whole = (len(lines) - 1) // builder.stride * builder.stride
        rest = sum(map(len, lines[whole:])) + len(lines) - whole - 1
        try:
            builder.piece(lines[:whole])
        except _Irregular:
            break
        at = min(len(data), at + PIECE_BYTES) - rest
        lines = data[at : at + PIECE_BYTES].split(b"\n")
    return at
