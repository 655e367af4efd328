"""The column table: everything that a view needs to know to show, sort and explain a column.

A column names the readings it needs, so that nothing is read that nobody looks at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from memtop import units
from memtop.model.frame import ProcessRow
from memtop.sampling.request import Need

SPARKS: Final = "▁▂▃▄▅▆▇█"
ASCII_SPARKS: Final = "_.-=+*#@"
TREND_CELLS: Final = 9


class Column(NamedTuple):
    """One column of the process table."""

    key: str
    """What users type: ``-s rss``, ``rss>500m``."""
    title: str
    """The heading, also the name in the help."""
    width: int
    """Cells; 0 takes what is left of the line."""
    field: str
    """Attribute of ProcRow to sort and filter by; None in it sorts last."""
    text: Callable[[ProcessRow], str]
    """The cell, not yet cut to the width."""
    says: str
    """One line for the help and the column chooser."""
    topic: str
    """The explanation that belongs to it."""
    needs: Need = Need.NONE
    descending: bool = True
    """The natural order of the first sort."""
    left: bool = False
    """Aligned to the left (text) instead of the right (numbers)."""
    sized: bool = False
    """Filters may compare it with sizes such as 500m."""
    default: bool = True
    """Shown unless the user chose otherwise."""
    aliases: tuple[str, ...] = ()


def trend_text(row: ProcessRow, sparks: str = SPARKS) -> str:
    """The row's own RES over two minutes as one character a bucket."""
    return "".join(" " if level is None else sparks[level] for level in row.trend)


def _mem_percent(row: ProcessRow) -> str:
    return units.percent(row.mem_percent)


COLUMNS: Final[tuple[Column, ...]] = (
    Column("pid", "PID", 7, "pid", lambda r: str(r.pid), "process id", "process", descending=False),
    Column(
        "user", "USER", 8, "user", lambda r: r.user, "owner (effective user)", "process", descending=False, left=True
    ),
    Column(
        "s",
        "S",
        1,
        "state",
        lambda r: r.state,
        "state: R running, S sleeping, D waiting for I/O, Z zombie ...",
        "state",
        Need.STAT,
        descending=False,
        left=True,
        aliases=("state",),
    ),
    Column(
        "virt",
        "VIRT",
        6,
        "virt_bytes",
        lambda r: units.size(r.virt_bytes),
        "address space promised to it, most of it never touched",
        "virt",
        sized=True,
    ),
    Column(
        "res",
        "RES",
        6,
        "rss_bytes",
        lambda r: units.size(r.rss_bytes),
        "pages in RAM now, shared ones counted in full",
        "rss",
        sized=True,
        aliases=("rss", "mem"),
    ),
    Column(
        "anon",
        "ANON",
        6,
        "anon_bytes",
        lambda r: units.size(r.anon_bytes),
        "the part of RES that is its own: heap, stacks, copies",
        "anon",
        sized=True,
    ),
    Column(
        "shr",
        "SHR",
        6,
        "shr_bytes",
        lambda r: units.size(r.shr_bytes),
        "the part of RES backed by files or shared memory",
        "shr",
        sized=True,
    ),
    Column(
        "swap",
        "SWAP",
        6,
        "swap_bytes",
        lambda r: units.size(r.swap_bytes),
        "its own pages that are on swap",
        "swap",
        Need.STATUS,
        sized=True,
    ),
    Column(
        "mem%", "%MEM", 5, "mem_percent", _mem_percent, "RES over the machine's RAM", "mem_percent", aliases=("%mem",)
    ),
    Column(
        "growth",
        "Δ/min",
        7,
        "growth_bytes_per_min",
        lambda r: units.signed_size(r.growth_bytes_per_min),
        "change of RES over the last minute",
        "growth",
        sized=True,
        aliases=("delta", "d/min"),
    ),
    Column(
        "verdict",
        "V",
        2,
        "verdict_rank",
        lambda r: r.verdict,
        "verdict: ↗ grows (· ! ▲ by evidence)  ? not sure yet  ─ flat  ~ noisy  w sawtooth  ^ spike  "
        "┘ step  ╭ warm-up  ↘ falls",
        "verdicts",
        left=True,
        aliases=("leak",),
    ),
    Column(
        "minflt",
        "MINFLT/s",
        8,
        "minflt_per_s",
        lambda r: units.count(r.minflt_per_s),
        "pages touched for the first time, copied or mapped again, each second",
        "minor_faults",
        Need.STAT,
    ),
    Column(
        "majflt",
        "MAJFLT/s",
        8,
        "majflt_per_s",
        lambda r: units.count(r.majflt_per_s),
        "faults that had to wait for storage, each second",
        "major_faults",
        Need.STAT,
    ),
    Column(
        "oom",
        "OOM",
        4,
        "oom_score",
        lambda r: units.count(r.oom_score),
        "oom_score: 666 means it uses nothing; the host's OOM killer takes the highest",
        "oom_score",
        Need.OOM,
    ),
    Column("thr", "THR", 4, "threads", lambda r: units.count(r.threads), "threads", "threads", Need.STAT),
    Column(
        "cpu",
        "CPU%",
        5,
        "cpu_percent",
        lambda r: units.percent(r.cpu_percent),
        "processor time, 100 is one core",
        "cpu",
        Need.STAT,
        aliases=("cpu%",),
    ),
    Column(
        "trend",
        "TREND",
        TREND_CELLS,
        "growth_bytes_per_min",
        trend_text,
        "its RES over the last two minutes, level at the bottom",
        "trend",
        left=True,
    ),
    Column(
        "command",
        "COMMAND",
        0,
        "command",
        lambda r: r.command,
        "command line",
        "process",
        descending=False,
        left=True,
        aliases=("cmd",),
    ),
    # Not shown unless asked for
    Column(
        "ppid",
        "PPID",
        7,
        "ppid",
        lambda r: units.UNKNOWN if r.ppid is None else str(r.ppid),
        "its parent",
        "process",
        Need.STAT,
        descending=False,
        default=False,
    ),
    Column(
        "name",
        "NAME",
        15,
        "name",
        lambda r: r.name,
        "the kernel's short name",
        "process",
        descending=False,
        left=True,
        default=False,
    ),
    Column(
        "file",
        "FILE",
        6,
        "file_bytes",
        lambda r: units.size(r.file_bytes),
        "resident pages of mapped files: code, libraries, data",
        "shr",
        Need.STATUS,
        sized=True,
        default=False,
    ),
    Column(
        "shmem",
        "SHMEM",
        6,
        "shmem_bytes",
        lambda r: units.size(r.shmem_bytes),
        "resident shared memory: tmpfs, memfd, shared anonymous",
        "shmem",
        Need.STATUS,
        sized=True,
        default=False,
    ),
    Column(
        "peak",
        "PEAK",
        6,
        "peak_rss_bytes",
        lambda r: units.size(r.peak_rss_bytes),
        "the highest RES since exec",
        "peak",
        Need.STATUS,
        sized=True,
        default=False,
    ),
    Column(
        "pte",
        "PTE",
        6,
        "page_tables_bytes",
        lambda r: units.size(r.page_tables_bytes),
        "page tables: RAM that RES does not count",
        "page_tables",
        Need.STATUS,
        sized=True,
        default=False,
    ),
    Column(
        "pss",
        "PSS",
        6,
        "pss_bytes",
        lambda r: units.size(r.pss_bytes),
        "its share of RES: shared pages divided by their users (read in turn, costs the process a little)",
        "pss",
        Need.ROLLUP,
        sized=True,
        default=False,
    ),
    Column(
        "uss",
        "USS",
        6,
        "uss_bytes",
        lambda r: units.size(r.uss_bytes),
        "pages that nobody else maps (read in turn, costs the process a little)",
        "uss",
        Need.ROLLUP,
        sized=True,
        default=False,
    ),
    Column(
        "adj",
        "ADJ",
        5,
        "oom_score_adj",
        lambda r: units.UNKNOWN if r.oom_score_adj is None else str(r.oom_score_adj),
        "oom_score_adj: -1000 never killed, 1000 first",
        "oom_score",
        Need.OOM,
        default=False,
    ),
    Column(
        "lim%",
        "%LIM",
        5,
        "limit_percent",
        lambda r: units.percent(r.limit_percent),
        "how full the cgroup is that limits it: what cannot simply be dropped, over the limit",
        "limits",
        Need.CGROUP,
        default=False,
        aliases=("%lim", "limit"),
    ),
    Column(
        "oom%",
        "OOM%",
        5,
        "oom_share_permille",
        lambda r: units.percent(None if r.oom_share_permille is None else r.oom_share_permille / 10),
        "the share of RAM and swap that oom_score stands for",
        "oom_score",
        Need.OOM,
        default=False,
        aliases=("%oom",),
    ),
    Column(
        "oom#",
        "OOM#",
        4,
        "oom_rank",
        lambda r: units.count(r.oom_rank),
        "place in the order in which an OOM of the machine would take them; 1 dies first",
        "oom_killer",
        Need.VICTIM,
        descending=False,
        default=False,
        aliases=("rank",),
    ),
)

BY_NAME: Final[dict[str, Column]] = {
    name: column for column in COLUMNS for name in (column.key, column.title.lower(), *column.aliases)
}
"""Every name under which users may ask for a column, in small letters."""
DEFAULT_COLUMNS: Final[tuple[Column, ...]] = tuple(column for column in COLUMNS if column.default)
