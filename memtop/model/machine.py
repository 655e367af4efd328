"""The machine's memory as views show it: the parts of MemTotal with their changes, and who holds them."""

from collections.abc import Mapping
from typing import NamedTuple

from memtop.analysis.ledger.machine import MachinePart, Reclaim
from memtop.procfs.meminfo import Meminfo
from memtop.procfs.pressure import Pressure
from memtop.procfs.swaps import SwapDevice, ZramStat


class Holder(NamedTuple):
    """One holder of a part: a process, a tmpfs mount, a System V segment, a slab cache, or memfds that are open."""

    kind: str
    """``process``, ``tmpfs``, ``sysv``, ``slab`` or ``memfd``."""
    name: str
    """Cleaned. Of memfds that of the program that has them open."""
    size_bytes: int | None
    """None where only the number of its threads is known, each of which has one kernel stack."""
    pid: int | None = None
    threads: int | None = None
    memfds: int | None = None
    """Number of memfds that exactly these processes have open; None for holders of other kinds."""
    memfd: str | None = None
    """Cleaned name of the largest of them; None where they are those of all other processes."""
    others: int = 0
    """Number of other processes that have them open too."""


class MachinePartRow(NamedTuple):
    """One part of MemTotal. Sizes in bytes."""

    part: MachinePart
    size_bytes: int
    at_most_bytes: int | None
    """Upper bound where the kernel does not separate it; None if the size is exact."""
    change_bytes: int | None
    """Change over ``MachineView.change_s``; None if it was not known then."""
    since_mark_bytes: int | None
    """Change since the mark of the process in focus; None without one."""
    trend: tuple[int | None, ...]
    """The size over ``MachineView.change_s``, oldest first: 0 to 6 within its own range."""
    reclaim: Reclaim
    holders: tuple[Holder, ...]
    """The largest, as far as they are known."""


class Rates(NamedTuple):
    """Reclaim per second since the sample before; None where unknown. Pages, but for the stalls."""

    scan_kswapd_per_s: float | None
    scan_direct_per_s: float | None
    stalls_per_s: float | None
    refaults_per_s: float | None
    swap_in_per_s: float | None
    swap_out_per_s: float | None


class MachineView(NamedTuple):
    """Everything that the Machine panel shows."""

    total_bytes: int
    rows: tuple[MachinePartRow, ...]
    """All parts, the largest first; their sizes add up to the total."""
    change_s: float
    """The time over which changes are measured: five minutes, or less after the start."""
    excess_bytes: int
    """See Ledger."""
    pressure: Pressure | None
    rates: Rates
    swaps: tuple[SwapDevice, ...] | None
    zram: tuple[ZramStat, ...] | None
    nodes: tuple[tuple[int, Meminfo], ...] | None
    contained: bool
    """Whether memtop runs in a container: its numbers are nevertheless those of the whole machine."""
    lxcfs: bool
    """Whether lxcfs shows the container's limit as MemTotal."""
    unread: Mapping[str, str]
    """Path -> why it could not be read."""
    zswap: tuple[int, int] | None = None
    """Bytes of swap that are compressed in RAM by zswap, and bytes of RAM that they take there; None without any."""
    past: bool = False
    """Whether this is an instant of the past, of which holders were not kept."""
