"""Go version and build settings of a program, from slices of its file. See Go's debug/buildinfo and cmd/link.

The linker leaves a block that starts with a magic of 14 bytes. Since Go 1.18 the version and the module text follow in
it; from 1.13 to 1.17 it holds pointers to both. The block survives stripping and the removal of section headers.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from memtop.errors import ParseError
from memtop.runtimes.go.elf import EXECUTE, LOAD, NOTE, WRITE, Elf, ReadAt, Section
from memtop.sanitize import clean

MAGIC: Final = b"\xff Go buildinf:"
_ALIGNED: Final = 16
_HEADER_BYTES: Final = 32
_POINTERS_UNLESS: Final = 2
"""If this flag is set, strings follow; otherwise pointers do."""
_SCAN_BYTES: Final = 1 << 20
_MOST_TEXT_BYTES: Final = 1 << 20
_LONGEST: Final = 200
_GO_SECTIONS: Final = frozenset((b".go.buildinfo", b".gopclntab", b".note.go.buildid"))
_UNKNOWN_VERSION: Final = b"go"
_RELEASE: Final = r"go(\d{1,4})\.(\d{1,4})"

KEPT_SETTINGS: Final = frozenset(
    ("-buildmode", "-compiler", "-race", "-msan", "-asan", "CGO_ENABLED", "DefaultGODEBUG", "GOARCH", "GOEXPERIMENT")
)
"""Build settings that matter for memory. The others (linker flags first of all) may contain secrets."""


class GoBuild(NamedTuple):
    """The build information of a Go program. Text is clean; None for what it does not state."""

    version: str | None
    """For example ``go1.22.3``; None before Go 1.13."""
    path: str | None
    """Package path of main."""
    module: str | None
    settings: tuple[tuple[str, str], ...] = ()
    """Those of KEPT_SETTINGS that are present."""

    @property
    def release(self) -> tuple[int, int] | None:
        """Major and minor version, (1, 22); None if unknown, and for gccgo."""
        match = re.search(_RELEASE, self.version or "")
        return (int(match[1]), int(match[2])) if match else None

    def setting(self, name: str) -> str | None:
        """One build setting; None if it is not known."""
        return dict(self.settings).get(name)


def extract_build_info(read_at: ReadAt) -> bytes:
    """The build information of an executable as small text: the version, then lines ``key<TAB>value``.

    Empty for a program that was not built by Go. Dependencies and settings that may contain secrets are left out, so
    the text may be recorded. Raises ParseError if the file is no ELF file, or is truncated or packed.
    """
    elf = Elf(read_at)
    sections = elf.sections()
    names = {section.name for section in sections}
    if sections and not names & _GO_SECTIONS:
        return b""
    for start, data in _places(elf, [s for s in sections if s.name == b".go.buildinfo"]):
        for at in _magics(start, data):
            version, text = _decode(elf, start + at, data[at : at + _HEADER_BYTES])
            if version:
                return version[:_LONGEST].split(b"\n", 1)[0] + b"\n" + _kept(text)
    if names & _GO_SECTIONS or _has_go_note(elf):
        return _UNKNOWN_VERSION + b"\n"
    if b"UPX!" in elf.read(0, 1024):
        raise ParseError("exe", "packed by UPX, which hides its build information")
    return b""


def parse_build_info(data: bytes) -> GoBuild | None:
    """Parse the text of :func:`extract_build_info`. None for a program that was not built by Go."""
    if not data:
        return None
    version, _, text = data.partition(b"\n")
    fields: dict[str, str] = {}
    settings: list[tuple[str, str]] = []
    for line in text.split(b"\n"):
        key, *values = (clean(part[:_LONGEST]) for part in line.split(b"\t"))
        if key == "build" and values:
            name, _, value = values[0].partition("=")
            if name in KEPT_SETTINGS:
                settings.append((name, value.strip('"`')))
        elif values:
            fields.setdefault(key, values[0])
    known = None if version == _UNKNOWN_VERSION else clean(version[:_LONGEST])
    return GoBuild(known, fields.get("path"), fields.get("mod"), tuple(settings))


def _places(elf: Elf, sections: list[Section]) -> Iterator[tuple[int, bytes]]:
    """(address, bytes) where the block may be, the most likely first."""
    for section in sections:
        yield section.address, elf.read_address(section.address, min(section.size_bytes, _SCAN_BYTES))
    if sections:
        return
    loads = [segment for segment in elf.segments if segment.kind == LOAD and not segment.flags & EXECUTE]
    for segment in sorted(loads, key=lambda each: not each.flags & WRITE):
        yield segment.address, elf.read(segment.offset, min(segment.file_bytes, _SCAN_BYTES))


def _magics(start: int, data: bytes) -> Iterator[int]:
    at = data.find(MAGIC)
    while at >= 0:
        if (start + at) % _ALIGNED == 0 and at + _HEADER_BYTES <= len(data):
            yield at
        at = data.find(MAGIC, at + 1)


def _decode(elf: Elf, address: int, header: bytes) -> tuple[bytes, bytes]:
    """(version, module text without its frame). The version is empty if the block is malformed."""
    pointer_bytes, flags = header[14], header[15]
    if flags & _POINTERS_UNLESS:
        version, after = _string_at(elf, address + _HEADER_BYTES)
        text = _string_at(elf, after)[0] if version else b""
    elif pointer_bytes in (4, 8):
        order: Final = "big" if flags & 1 else "little"
        places = [16 + pointer_bytes * which for which in range(2)]
        pointers = [int.from_bytes(header[at : at + pointer_bytes], order) for at in places]
        version, text = (_pointed_at(elf, pointer, pointer_bytes) for pointer in pointers)
    else:
        return b"", b""
    framed = len(text) >= 33 and text[-17:-16] == b"\n"
    return version, text[16:-16] if framed else b""


def _string_at(elf: Elf, address: int) -> tuple[bytes, int]:
    """Read a string that has its length in front as a varint. Returns it and the address after it."""
    length = shift = 0
    for place, byte in enumerate(elf.read_address(address, 10)):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            begin = address + place + 1
            return (elf.read_address(begin, length), begin + length) if length <= _MOST_TEXT_BYTES else (b"", begin)
    return b"", address


def _pointed_at(elf: Elf, address: int, pointer_bytes: int) -> bytes:
    """The bytes that a Go string header at ``address`` points to."""
    header = elf.read_address(address, 2 * pointer_bytes)
    if len(header) < 2 * pointer_bytes:
        return b""
    length = elf.integer(header[pointer_bytes:])
    return elf.read_address(elf.integer(header[:pointer_bytes]), length) if length <= _MOST_TEXT_BYTES else b""


def _has_go_note(elf: Elf) -> bool:
    notes = [segment for segment in elf.segments if segment.kind == NOTE]
    return any(b"\x04\0\0\0Go\0\0" in elf.read(note.offset, min(note.file_bytes, 4096)) for note in notes[:8])


def _kept(text: bytes) -> bytes:
    """Keep the lines that are needed and may be shown."""
    kept = []
    for line in text.split(b"\n"):
        key, _, value = line.partition(b"\t")
        name = value.partition(b"=")[0].decode("utf-8", "replace")
        if key in (b"path", b"mod") or (key == b"build" and name in KEPT_SETTINGS):
            kept.append(line[: 4 * _LONGEST])
    return b"\n".join(kept)
