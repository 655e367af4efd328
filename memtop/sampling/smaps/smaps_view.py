"""smaps results as the views display them: regions, sharing, the user's mark.

They are expensive to read, so often old.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from memtop.analysis.memory_map.moment import Moment
from memtop.analysis.memory_map.region_diff import RegionGrowth
from memtop.analysis.memory_map.regions import Confidence, KindSum, Region, Regions, Sizes, Split
from memtop.analysis.memory_map.sharing import Bounds, CopyRate, Freed, Member, Sharing
from memtop.procfs.deleted_report import DeletedState
from memtop.procfs.smaps_rollup import Rollup


class Missing(Enum):
    """Why there is no reading, or no newer one."""

    NOTHING = ""
    UNREAD = "it is being read"
    HANGING = "a reading hangs: the process, or the storage behind its memory, is stuck"
    FORBIDDEN = "--no-smaps was given"
    TOO_DEAR = "mmap and munmap in the process would wait too long for a reading"
    UNKNOWN_COST = "RES is unknown, so the cost of a reading is too"
    TOO_MANY = "they are too many: their readings would be too far apart"
    DENIED = "no permission to read it"
    KERNEL = "a kernel thread has no memory of its own"
    ZOMBIE = "a zombie has ended and holds no memory"
    GONE = "the process has ended"
    ENDING = "the process is ending and no longer holds memory"
    EMPTY = "the kernel listed none; the process was ending, or starting another program"
    ABSENT = "this kernel or recording lacks the data"
    RAN_OUT = "memtop has no thread, memory or open file left to read it (ulimit, or pids.max of the cgroup)"
    UNREADABLE = "the kernel's text could not be parsed"
    PAUSED = "nothing is read while the screen is frozen"


class DeletedFile(NamedTuple):
    """A file that code is mapped from and whose name was removed."""

    path: str
    """Cleaned."""
    state: DeletedState | None
    """What lies there now; None if that was not, or may not be, looked up."""


class FamilySum(NamedTuple):
    """What a process and its fork relatives take together."""

    processes: int
    at_s: float | None
    """Time of the latest reading of any of them, or of the sample whose faults tell what they have taken since; None if
    one of them was not read."""
    size_bytes: int | None
    measure: str
    """``PSS``, or ESTIMATED_PSS where that is not known; empty if neither is."""
    missing: Missing
    """Why it is not known."""


class InPieces(NamedTuple):
    """How pagemap was read instead of smaps."""

    span_s: float
    """Time from the first piece to the last."""
    longest_s: float
    """Time of the longest piece. The process's own mmap calls may have waited that long."""
    unread: int
    """Mappings that were not read: it took too long, or this kernel cannot skip untouched pages."""
    zero_pages_known: bool = True
    """Whether the zero page was reported separately. If not, RSS of memory that was only read is too high."""
    sampled: int = 0
    """If USS is an estimate, from one page in so many of large mappings; otherwise 0. RSS and swap are counted."""


class Reading(NamedTuple):
    """One reading of smaps, or of pagemap instead, and what follows from it."""

    at_s: float
    """On the clock of Instant.mono_s."""
    took_s: float
    """Processor time. For smaps the target's own mmap calls may have waited that long."""
    regions: Regions
    kinds: tuple[KindSum, ...]
    """Largest address space first."""
    largest: tuple[Region, ...]
    """The largest mapping of each of :attr:`kinds`."""
    total: Sizes
    split: Split
    rollup: Rollup
    """Sums over all mappings."""
    freed: Freed | None
    """None where it is not known which pages are its own."""
    confidence: Confidence
    since_start: RegionGrowth
    """Growth since the first reading of this program."""
    start_s: float
    """Time of the first reading."""
    cut: bool
    """Whether there are more mappings than were read."""
    deleted_files: tuple[bytes, ...]
    """Files of the program and its libraries whose names were removed, not cleaned; the program first."""
    in_pieces: InPieces | None = None
    """None if it was smaps. Otherwise it has no PSS, no dirty pages and no LazyFree."""

    @property
    def is_whole(self) -> bool:
        """Whether every mapping was read. If not, sums are only those of a part."""
        return not self.cut and not (self.in_pieces is not None and self.in_pieces.unread)

    @property
    def moment(self) -> Moment:
        """The instant of the reading, with RES if all mappings were read."""
        return Moment(self.at_s, self.total.rss_bytes if self.is_whole else None)


class RegionsView(NamedTuple):
    """The mappings of the process in focus, or why they are unknown. Times in seconds."""

    reading: Reading | None
    age_s: float | None
    """Age of the reading at the instant shown."""
    start_age_s: float | None
    """Age of the first reading."""
    missing: Missing
    """Why there is no reading, or no newer one; NOTHING if the next one comes automatically."""
    waiting_s: float | None
    """How long a reading has been under way; None if there is none."""
    resting_s: float
    """Time until the next reading may begin, because of the last one's cost."""
    calm: bool
    """Whether the next one waits because nothing has moved since the last."""
    stall_s: float | None
    """Expected time for which a reading would hold up the process."""
    mappings: int | None
    """Number of mappings at the last count."""
    since_mark: RegionGrowth | None
    is_old: bool = False
    """Whether the reading is older than twice its planned interval."""


class Relative(NamedTuple):
    """One process of a family."""

    pid: int
    name: str
    rss_bytes: int | None
    """From statm, which is always current."""
    member: Member | None
    """From smaps_rollup."""
    read_s: float | None
    """Time of that reading, on the clock of Instant.mono_s."""
    missing: Missing
    copying: CopyRate | None


class SharingView(NamedTuple):
    """The memory that the process in focus shares with its family."""

    relatives: tuple[Relative, ...]
    """The process in focus first, then largest first."""
    known: Sharing
    """Sharing among the members that were read."""
    bounds: Bounds | None
    """Bounds for the whole family, without any reading."""
    freed: Freed | None
    """Memory freed by the end of the process in focus."""
    own: RegionsView
    past_s: float | None = None
    """The age of the oldest reading in :attr:`known` if RES of one of its processes has moved since; None otherwise."""

    @property
    def unknown(self) -> int:
        """Number of family members that are not in :attr:`known`."""
        return len(self.relatives) - len(self.known.members)

    @property
    def waiting(self) -> int:
        """Number of those whose reading is still to come. The others cannot be read."""
        waits = (Missing.NOTHING, Missing.UNREAD)
        return sum(one.member is None and one.missing in waits for one in self.relatives)

    @property
    def lacks_pss(self) -> bool:
        """Whether PSS of no process is known, because pagemap was read, which does not have it."""
        return bool(self.known.members) and all(one.pss_bytes is None for one in self.known.members)

    @property
    def range_bytes(self) -> Bounds | None:
        """Bounds for the whole family, narrowed by USS where that of all members was read."""
        uss = [one.uss_bytes for one in self.known.counted]
        if self.bounds is None or self.unknown or None in uss:
            return self.bounds
        low = max(self.bounds.lower_bytes, sum(size for size in uss if size is not None))
        return Bounds(low, max(low, self.bounds.upper_bytes))


class MarkView(NamedTuple):
    """The user's mark on the process in focus."""

    at_s: float
    """On the clock of Instant.mono_s."""
    age_s: float
    rss_delta_bytes: int | None
    virt_delta_bytes: int | None
    growth: RegionGrowth | None
    """Growth by kind; None until there is a reading after the one at the mark."""
    late_s: float
    """Time from the mark to the reading that is used for comparison."""
