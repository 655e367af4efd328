"""The table of columns of groups: columns that groups share with processes, and those that only groups have."""

from __future__ import annotations

from typing import Any, Final

from memtop import units
from memtop.columns.column import Column, Values
from memtop.columns.table import BY_NAME
from memtop.model.group import By
from memtop.sampling.request import Need

_ELLIPSIS_CELLS: Final = 3
"""In ASCII."""


def _shared(key: str, **changes: object) -> Column:
    """A column of processes that holds the sum over the members, or what ``changes`` say."""
    return BY_NAME[key]._replace(**changes)  # type: ignore[arg-type]


def _eta(seconds: float | None) -> str:
    """A stretch of time in at most 5 cells."""
    if seconds is None:
        return units.UNKNOWN
    for size_s, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size_s:
            return f"{seconds / size_s:.0f}{unit}"
    return f"{seconds:.0f}s"


def _end_of_path(row: Any, cells: int) -> str:
    """The last parts of a path, which tell cgroups apart; other names stay the same."""
    name: str = row.name
    if not name.startswith("/"):
        return name
    end = name[-max(1, cells - _ELLIPSIS_CELLS) :]
    whole = end.find("/")
    return "…" + (end[whole:] if whole >= 0 else end)


GROUP_COLUMNS: Final[tuple[Column, ...]] = (
    Column("n", "N", 5, "members", lambda r: units.count(r.members), "processes in it", "groups", aliases=("members",)),
    _shared("res", says="sum of RES: an upper bound, because a shared page counts in each process"),
    Column(
        "charge",
        "CHARGE",
        6,
        "charge_bytes",
        lambda r: units.size(r.charge_bytes),
        "what its cgroup is charged, including page cache",
        "who_pays",
        values=Values.SIZE,
        importance=240,
    ),
    Column(
        "ws",
        "WSET",
        6,
        "working_set_bytes",
        lambda r: units.size(r.working_set_bytes),
        "working set: the charge minus inactive page cache",
        "working_set",
        values=Values.SIZE,
        aliases=("wset", "workingset"),
        importance=200,
    ),
    Column(
        "limit",
        "LIMIT",
        6,
        "limit_bytes",
        lambda r: "unread" if r.limit_unread and r.limit_bytes is None else units.size(r.limit_bytes),
        "the limit that binds: its own, or a parent cgroup's",
        "limits",
        values=Values.SIZE,
        importance=230,
    ),
    _shared(
        "lim%", says="how full that limit is: unreclaimable memory over the limit", needs=Need.NONE, importance=260
    )._replace(aliases=("%lim",), default=True),
    Column(
        "room",
        "ROOM",
        6,
        "room_bytes",
        lambda r: units.size(r.room_bytes),
        "limit minus working set: past it, page cache in use is reclaimed",
        "limits",
        descending=False,
        values=Values.SIZE,
        importance=130,
    ),
    Column(
        "maxroom",
        "MAXROOM",
        7,
        "room_max_bytes",
        lambda r: units.size(r.room_max_bytes),
        "limit minus what cannot be reclaimed: past it, the kernel swaps or kills",
        "limits",
        descending=False,
        values=Values.SIZE,
        importance=140,
    ),
    _shared("anon", says="anonymous memory: the charge of a cgroup, otherwise the sum over its processes"),
    _shared(
        "file",
        says="page cache without shared memory: the charge of a cgroup, otherwise mapped pages",
        default=True,
        importance=100,
    ),
    _shared("shmem", says="tmpfs and shared memory: the charge of a cgroup", default=True, importance=90),
    Column(
        "kernel",
        "KERNEL",
        6,
        "kernel_bytes",
        lambda r: units.size(r.kernel_bytes),
        "kernel memory charged to its cgroup: slab, page tables, stacks, socket buffers",
        "slab",
        values=Values.SIZE,
        importance=80,
    ),
    _shared("swap", says="memory on swap"),
    _shared("growth", says="change of unreclaimable memory over the last minute"),
    _shared("verdict"),
    Column(
        "eta",
        "ETA",
        4,
        "eta_s",
        lambda r: _eta(r.eta_s),
        "earliest time to its limit; only if growth is confirmed",
        "time_to_limit",
        descending=False,
        importance=220,
    ),
    Column(
        "psi",
        "PSI",
        5,
        "psi_some_avg10",
        lambda r: units.percent(r.psi_some_avg10),
        "percentage of the last 10 s in which some task of its cgroup waited for memory",
        "psi",
        importance=110,
    ),
    Column(
        "kills",
        "KILLS",
        5,
        "oom_kills",
        lambda r: units.count(r.oom_kills),
        "its processes that the OOM killer has killed since memtop started",
        "oom_kills",
        importance=150,
    ),
    Column(
        "restarts",
        "RESTARTS",
        8,
        "restarts",
        lambda r: units.count(r.restarts),
        "times that a command ended and came back since memtop started",
        "groups",
        importance=70,
    ),
    _shared("trend", says="its working set or RES over the last two minutes, level at the bottom"),
    Column(
        "group",
        "GROUP",
        0,
        "name",
        lambda r: r.name,
        "what the processes have in common: cgroup, container, pod, unit, user or program",
        "groups",
        descending=False,
        left=True,
        aliases=("name",),
        values=Values.TEXT,
        branch=True,
        shorter=_end_of_path,
    ),
    _shared("virt", default=False),
    _shared(
        "pss",
        field="pss_read_bytes",
        text=lambda r: (
            ("" if r.pss_bytes is not None or r.pss_read_bytes is None else "≥") + units.size(r.pss_read_bytes)
        ),
        says="sum of PSS; ≥ while that of some processes is not read, or not permitted",
        default=False,
    ),
    _shared("minflt", default=False),
    _shared("majflt", default=False),
    _shared("thr", default=False),
    _shared("cpu", default=False),
)

_OF_CGROUP: Final = frozenset({"charge", "ws", "limit", "lim%", "room", "maxroom", "kernel", "eta", "psi", "kills"})
"""Keys of columns that are empty for groups without a cgroup."""


def fitting(columns: tuple[Column, ...], by: By, sort_key: str) -> tuple[Column, ...]:
    """The columns that say something about groups of a kind; that of the name is called after the kind."""
    charged = by not in (By.USER, By.PROGRAM)
    kept = (column for column in columns if charged or column.key == sort_key or column.key not in _OF_CGROUP)
    title = by.value.upper()
    return tuple(column._replace(title=title) if column.key == "group" else column for column in kept)


GROUP_BY_NAME: Final[dict[str, Column]] = {
    name: column for column in GROUP_COLUMNS for name in (column.key, column.title.lower(), *column.aliases)
}
"""Every name under which users may ask for a column of groups, in small letters."""
DEFAULT_GROUP_COLUMNS: Final[tuple[Column, ...]] = tuple(column for column in GROUP_COLUMNS if column.default)
