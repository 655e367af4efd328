"""Groups of processes as rows: those of one cgroup, container, pod, unit, user or program. Values without behavior."""

from enum import StrEnum
from typing import NamedTuple


class By(StrEnum):
    """What the processes of one group have in common."""

    CGROUP = "cgroup"
    CONTAINER = "container"
    POD = "pod"
    UNIT = "unit"
    USER = "user"
    PROGRAM = "program"

    __hash__ = str.__hash__
    """Every key of a group is hashed with it: that of an Enum is a function of Python."""


class GroupKey(NamedTuple):
    """The identity of a group."""

    by: By
    name: str
    """Directory of the cgroup where there is one, else uid, program, or name; empty for the processes without any."""


class GroupRow(NamedTuple):
    """One group at one instant. Sizes in bytes, rates per second, None where unknown.

    Fields that a ProcessRow has too are the sum of what is known of the members, unless said otherwise.
    """

    key: GroupKey
    name: str
    """What a person calls it."""
    path: str | None
    """Directory of its cgroup; None where it has none, or has several."""
    members: int
    """Processes that live: of a cgroup its own, in the tree those below it too."""
    virt_bytes: int | None
    rss_bytes: int | None
    """At most what they hold: a shared page counts in each of them."""
    shr_bytes: int | None
    pss_bytes: int | None
    """None unless that of every member is known."""
    pss_read_bytes: int | None
    """The sum over the members of which it was read; None where it was read of none."""
    pss_read_members: int
    """How many those are."""
    anon_bytes: int | None
    """Of a cgroup what it is charged; so are the next four."""
    file_bytes: int | None
    """Page cache, without tmpfs and shared memory."""
    shmem_bytes: int | None
    kernel_bytes: int | None
    """Slab, page tables, stacks and the like; None without a cgroup."""
    swap_bytes: int | None
    charge_bytes: int | None
    """memory.current; None without a cgroup."""
    working_set_bytes: int | None
    """The charge without inactive page cache."""
    used_bytes: int | None
    """What the kernel cannot take back: of a cgroup from its charge, else anonymous memory of the members."""
    limit_bytes: int | None
    """The limit that binds, its own or that of a cgroup above it; None without one."""
    limit_percent: float | None
    """What cannot be reclaimed where that limit stands, over it."""
    room_bytes: int | None
    """Limit less working set, where page cache in use begins to be reclaimed; negative where a limit was lowered."""
    room_max_bytes: int | None
    """Limit less what cannot be reclaimed, where it swaps or kills."""
    limit_unread: str | None
    """Why its limit, or one above it, is not known; empty where all of them were read, also if there is none. None
    without a cgroup, and at an earlier instant."""
    growth_bytes_per_min: float | None
    """Change of :attr:`used_bytes` over the last minute, or since it was first seen; not extrapolated."""
    minflt_per_s: float | None
    majflt_per_s: float | None
    cpu_percent: float | None
    threads: int | None
    psi_some_avg10: float | None
    """Share of time in which some task of the cgroup waited for memory, percent; None where not measured."""
    oom_kills: int | None
    """Members that the kernel's OOM killer has killed since memtop started; None without a cgroup, and if that is
    not counted or cannot be read."""
    restarts: int | None
    """Times since memtop started that a member crashed, or was large and ended, and the same command came back; None at
    an earlier instant."""
    trend: tuple[int | None, ...]
    """Working set of a cgroup, or RES, over the last two minutes, oldest first: 0 to 7 within its own range."""
    gone_s: float | None = None
    """When its last member was found to have ended, seconds since the epoch; None while there are any."""
    verdict: str = ""
    """What :attr:`used_bytes` does, as a sign of two cells; empty before there is a verdict."""
    verdict_rank: int | None = None
    shape: str = ""
    """What that is, as a word; empty before there is a verdict."""
    confirmed: bool = False
    """Whether growth is confirmed."""
    slope_bytes_per_s: float | None = None
    """Of :attr:`used_bytes`, as the verdict found it; None where it has none."""
    limit_s: tuple[float, float] | None = None
    """Seconds until the limit, early and late; None unless growth is confirmed and the limit is known."""
    soon: bool = False
    """Whether that is soon, as :attr:`Growth.soon`."""

    @property
    def eta_s(self) -> float | None:
        """The earlier end of :attr:`limit_s`; None if there is none."""
        return self.limit_s[0] if self.limit_s is not None else None
