"""Parses the text of smaps, or a report on pagemap, into a Reading; megabytes of it in a separate thread."""

from __future__ import annotations

import ctypes
import threading
from bisect import bisect_right
from collections.abc import Hashable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from memtop.analysis.memory_map.classification import classify
from memtop.analysis.memory_map.region_diff import RegionGrowth, since
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import NOTHING, Region, Regions
from memtop.analysis.memory_map.sharing import freed_by_kill, summed
from memtop.errors import ParseError
from memtop.procfs.pagemap_report import mappings_of, parse_report
from memtop.procfs.smaps import Smaps, parse_smaps
from memtop.sampling.smaps.smaps_view import InPieces, Reading

NO_GROWTH: Final = RegionGrowth(NOTHING, (), ())


class Raw(NamedTuple):
    """The text of a reading, and everything that is needed to parse it."""

    data: bytes
    at_s: float
    took_s: float
    cut: bool
    start_code: int
    """An address in the program's text, which identifies its executable."""
    threads: int
    tmpfs: tuple[bytes, ...]
    """Mount points of file systems in RAM."""
    first: tuple[float, Regions] | None
    """The first reading and its time; None if this is the first."""
    mark: Regions | None
    in_pieces: bool = False
    """Whether it is a report on pagemap."""
    hugetlbfs: tuple[bytes, ...] = ()
    """Mount points of file systems of huge pages."""


class ParsedSmaps(NamedTuple):
    """A Reading, and its comparison with the mark."""

    reading: Reading
    mark: Regions | None
    """The mark that it was compared with."""
    since_mark: RegionGrowth | None


def digest(raw: Raw) -> ParsedSmaps | None:
    """Parse one smaps. None if it has no mapping. Raises ParseError."""
    in_pieces, cut = None, raw.cut
    if raw.in_pieces and not raw.data:
        return None
    if raw.in_pieces:
        report = parse_report(raw.data)
        smaps, cut = mappings_of(report, raw.hugetlbfs), cut or report.cut
        in_pieces = InPieces(
            report.span_ms / 1000,
            report.longest_us / 1e6,
            report.tallies.count(None),
            report.zero_pages_known,
            report.sampled,
        )
    else:
        smaps = parse_smaps(raw.data)
    if not smaps:
        return None
    regions = classify(smaps, exe=_program(smaps, raw.start_code), tmpfs=raw.tmpfs)
    kinds = tuple(regions.by_kind())
    largest = _largest(regions)
    reading = Reading(
        at_s=raw.at_s,
        took_s=raw.took_s,
        regions=regions,
        kinds=kinds,
        largest=tuple(largest[one.kind] for one in kinds),
        total=regions.total(),
        split=regions.split(),
        rollup=summed(smaps),
        freed=freed_by_kill(regions),
        confidence=regions.confidence(raw.threads),
        since_start=NO_GROWTH if raw.first is None else since(raw.first[1], regions),
        start_s=raw.at_s if raw.first is None else raw.first[0],
        cut=cut,
        in_pieces=in_pieces,
        deleted_files=regions.deleted_files(),
    )
    return ParsedSmaps(reading, raw.mark, None if raw.mark is None else since(raw.mark, regions))


def _program(smaps: Smaps, start_code: int) -> bytes | None:
    """The file that the program's text is mapped from.

    It is the target of /proc/PID/exe, found without reading that.
    """
    place = bisect_right(smaps.starts, start_code) - 1
    if place < 0 or not smaps.starts[place] <= start_code < smaps.ends[place]:
        return None
    return smaps.names[place] or None


def _largest(regions: Regions) -> dict[RegionKind, Region]:
    places: dict[RegionKind, int] = {}
    smaps = regions.smaps
    spans = [end - start for start, end in zip(smaps.starts, smaps.ends, strict=True)]
    for place, kind in enumerate(regions.kinds):
        if kind not in places or spans[place] > spans[places[kind]]:
            places[kind] = place
    return {kind: regions[place] for kind, place in places.items()}


class ParseWorker:
    """Parses in the background, in one thread for each text. The caller collects the results."""

    def __init__(self) -> None:
        self._begun: SimpleQueue[tuple[Hashable, Raw]] = SimpleQueue()
        self._done: SimpleQueue[tuple[Hashable, ParsedSmaps | ParseError | None]] = SimpleQueue()

    def begin(self, who: Hashable, raw: Raw) -> None:
        """Start parsing. The result will be in :meth:`done`."""
        self._begun.put((who, raw))
        threading.Thread(target=self._cook, name="memtop-digest", daemon=True).start()

    def _cook(self) -> None:
        who, raw = self._begun.get()
        found: ParsedSmaps | ParseError | None
        try:
            found = digest(raw)
        except ParseError as error:
            found = error
        self._done.put((who, found))

    def done(self) -> list[tuple[Hashable, ParsedSmaps | ParseError | None]]:
        """The results since the last call."""
        found = []
        try:
            while True:
                found.append(self._done.get_nowait())
        except Empty:
            return found


def give_memory_back() -> None:
    """Let glibc return freed memory to the kernel, malloc_trim(3).

    A text of tens of megabytes is read in pieces of a page, and their memory would stay resident.
    """
    with suppress(AttributeError):  # musl does not have it
        ctypes.CDLL(None).malloc_trim(0)
