"""Parses the parts of an ELF file that lead to build information, read in slices. See elf(5).

The file may be hostile, so every count, every size and the sum of all reads is bounded.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from memtop.errors import ParseError

ReadAt = Callable[[int, int], bytes]
"""``(offset, size)`` -> at most that many bytes of the file; fewer at its end. Offsets stay below 2**63."""

BUDGET_BYTES: Final = 4 << 20
"""Most bytes that are read of one file, whatever its headers say."""
_MOST_SEGMENTS: Final = 128
_MOST_SECTIONS: Final = 4096
_MOST_NAMES_BYTES: Final = 256 << 10
_LARGEST_OFFSET: Final = (1 << 63) - 1
LOAD: Final = 1
NOTE: Final = 4
EXECUTE: Final = 1
WRITE: Final = 2


class Segment(NamedTuple):
    """A program header: the part of the file that is mapped, and its address."""

    kind: int
    flags: int
    offset: int
    address: int
    file_bytes: int


class Section(NamedTuple):
    """A section header. A program can run without any."""

    name: bytes
    address: int
    size_bytes: int


class Elf:
    """An executable behind ``read_at``. Raises ParseError if it is no ELF file or is truncated."""

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._left_bytes = BUDGET_BYTES
        head = self.read(0, 64)
        if not head.startswith(b"\x7fELF"):
            raise ParseError("exe", "not an ELF file")
        if len(head) < 52 or head[4] not in (1, 2) or head[5] not in (1, 2):
            raise ParseError("exe", "an ELF file that is cut short or of an unknown class")
        self.pointer_bytes = 8 if head[4] == 2 else 4
        self._order: Final = "little" if head[5] == 1 else "big"
        layout = (8, 8, 8, 4, 2, 2, 2, 2, 2, 2) if self.pointer_bytes == 8 else (4, 4, 4, 4, 2, 2, 2, 2, 2, 2)
        if len(head) < 24 + sum(layout):
            raise ParseError("exe", "its header is cut short")
        found = self._integers(layout, head, 24)
        _, program_at, section_at, _, _, program_size, programs, section_size, sections, names_at = found
        self.segments = tuple(self._segments(program_at, program_size, programs))
        self._section_table = (section_at, section_size, sections, names_at)

    def read(self, offset: int, size: int) -> bytes:
        """Read a slice of the file, shorter at its end. Raises ParseError when the budget is spent."""
        if size <= 0 or not 0 <= offset <= _LARGEST_OFFSET - size:
            return b""
        if self._left_bytes <= 0:
            raise ParseError("exe", "it refers to more data than memtop reads")
        data = self._read_at(offset, min(size, self._left_bytes))
        self._left_bytes -= max(len(data), 1)
        return data

    def read_address(self, address: int, size: int) -> bytes:
        """Read the file's bytes at a virtual address, up to the end of its segment; empty if there are none."""
        for segment in self.segments:
            if segment.kind == LOAD and segment.address <= address < segment.address + segment.file_bytes:
                into = address - segment.address
                return self.read(segment.offset + into, min(size, segment.file_bytes - into))
        return b""

    def integer(self, data: bytes) -> int:
        """Decode an unsigned integer in the byte order of this file."""
        return int.from_bytes(data, self._order)

    def sections(self) -> tuple[Section, ...]:
        """All sections; empty if the headers were removed or are malformed."""
        table_at, size, count, names_at = self._section_table
        layout = (4, 4, 8, 8, 8, 8) if self.pointer_bytes == 8 else (4,) * 6
        if not 0 < count <= _MOST_SECTIONS or not sum(layout) <= size <= 256 or names_at >= count:
            return ()
        table = self.read(table_at, size * count)
        if len(table) < size * count:
            return ()
        rows = [self._integers(layout, table, size * place) for place in range(count)]
        names = self.read(rows[names_at][4], min(rows[names_at][5], _MOST_NAMES_BYTES))
        return tuple(Section(_name(names, row[0]), row[3], row[5]) for row in rows)

    def _integers(self, layout: Sequence[int], data: bytes, at: int) -> list[int]:
        """Decode neighboring unsigned integers; ``layout`` has the bytes of each."""
        found = []
        for size in layout:
            found.append(self.integer(data[at : at + size]))
            at += size
        return found

    def _segments(self, at: int, size: int, count: int) -> Iterator[Segment]:
        layout = (4, 4, 8, 8, 8, 8) if self.pointer_bytes == 8 else (4,) * 7
        if not sum(layout) <= size <= 256:
            return
        table = self.read(at, size * min(count, _MOST_SEGMENTS))
        for place in range(len(table) // size):
            row = self._integers(layout, table, size * place)
            if self.pointer_bytes == 8:
                kind, flags, offset, address, _, file_bytes = row
            else:
                kind, offset, address, _, file_bytes, _, flags = row
            yield Segment(kind, flags, offset, address, file_bytes)


def _name(names: bytes, at: int) -> bytes:
    return names[at : at + 64].partition(b"\0")[0]
