"""smaps results as the views display them: regions, sharing, the user's mark; expensive to read, so often old."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from memtop.analysis.memory_map.region_diff import RegionGrowth
from memtop.analysis.memory_map.regions import Confidence, KindSum, Region, Regions, Sizes, Split
from memtop.analysis.memory_map.sharing import Bounds, CopyRate, Freed, Member, Sharing
from memtop.procfs.smaps import Rollup


class Missing(Enum):
    """Why there is no reading, or no newer one."""

    NOTHING = ""
    UNREAD = "it is being read"
    HANGING = "a reading does not come back: the process, or what its memory lies on, is stuck"
    FORBIDDEN = "--no-smaps was given"
    TOO_DEAR = "a reading would hold up the process for too long to be done unasked"
    UNKNOWN_COST = "RES is not known, so neither is what a reading would cost"
    DENIED = "this user may not read it"
    KERNEL = "a kernel thread has no memory of its own"
    ZOMBIE = "a zombie has ended and holds no memory"
    GONE = "the process has ended"
    ENDING = "the process was ending, or starting another program"
    ABSENT = "this kernel, or this recording at this moment, does not have it"
    UNREADABLE = "it is not what the manual page promises"
    PAUSED = "nothing is read while the picture stands still"


class InPieces(NamedTuple):
    """How pagemap was read, where it took the place of smaps."""

    span_s: float
    """From the first piece to the last."""
    longest_s: float
    """The longest piece, for which the process's own mmap calls may have waited."""
    unread: int
    """Mappings that were not read: it took too long, or this kernel cannot skip what was never touched."""
    zero_pages_known: bool = True
    """Whether the zero page was reported apart; where not, RSS of memory that was only read is too high."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One smaps, or pagemap in its place, with what follows from it."""

    at_s: float
    """On the clock of Instant.mono_s."""
    took_s: float
    """Processor time: for smaps that is how long the target's own mmap calls may have waited for it."""
    regions: Regions
    kinds: tuple[KindSum, ...]
    """Largest address space first."""
    largest: tuple[Region, ...]
    """For each of :attr:`kinds` its largest mapping."""
    total: Sizes
    split: Split
    rollup: Rollup
    """The sums over all mappings."""
    freed: Freed | None
    """None where it is not known which pages are its own."""
    confidence: Confidence
    since_start: RegionGrowth
    """Since the first reading of this program."""
    start_s: float
    """When the first reading was."""
    cut: bool
    """Whether there are more mappings than were read."""
    replaced_file: str | None
    """The program, or else a library, that it runs and that is not on disk any more; cleaned."""
    in_pieces: InPieces | None = None
    """None where it was smaps. Otherwise there are no PSS, no dirty pages and no LazyFree in it."""


@dataclass(frozen=True, slots=True)
class RegionsView:
    """The mappings of the process in focus, or why they are not known. Times in seconds."""

    reading: Reading | None
    age_s: float | None
    """Of the reading, at the instant shown."""
    start_age_s: float | None
    """Of the first reading."""
    missing: Missing
    """Why there is none, or none newer; NOTHING where the next one comes by itself."""
    waiting_s: float | None
    """How long a reading has been under way by now; None where none is."""
    resting_s: float
    """Until the next reading may begin, for the last one's cost."""
    calm: bool
    """Whether the next one waits because nothing has moved since the last."""
    stall_s: float | None
    """Expected time for which a reading would hold up the process."""
    mappings: int | None
    """How many there are, as they were counted last."""
    since_mark: RegionGrowth | None
    is_old: bool = False
    """Whether the reading is older than twice the interval at which it was to be read again."""


@dataclass(frozen=True, slots=True)
class Relative:
    """One process of a family."""

    pid: int
    name: str
    rss_bytes: int | None
    """From statm, which is always new."""
    member: Member | None
    """From smaps_rollup."""
    read_s: float | None
    """When that was read, on the clock of Instant.mono_s."""
    missing: Missing
    copying: CopyRate | None


@dataclass(frozen=True, slots=True)
class SharingView:
    """What the process in focus shares with its family."""

    relatives: tuple[Relative, ...]
    """The process in focus first, then largest first."""
    known: Sharing
    """Of those whose reading there is."""
    bounds: Bounds | None
    """Of the whole family, without any reading."""
    freed: Freed | None
    """By the end of the process in focus."""
    own: RegionsView

    @property
    def unknown(self) -> int:
        """How many of the family are not in :attr:`known`."""
        return len(self.relatives) - len(self.known.members)


@dataclass(frozen=True, slots=True)
class MarkView:
    """The user's mark on the process in focus."""

    at_s: float
    """On the clock of Instant.mono_s."""
    age_s: float
    rss_delta_bytes: int | None
    virt_delta_bytes: int | None
    growth: RegionGrowth | None
    """By kind; None until there is a reading after one at the mark."""
    late_s: float
    """How much later than the mark the reading was with which it is compared."""
