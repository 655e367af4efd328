"""/proc/vmstat, proc_vmstat(5): the machine's paging events since boot."""

import re
from typing import Final, NamedTuple

from memtop.procfs.lines import int_or_none, pairs

_STALLS: Final = re.compile(rb"^allocstall[^ \n]*(?= )", re.MULTILINE)


class Vmstat(NamedTuple):
    """Counts since boot, and pages now. None if this kernel does not have the line."""

    pgfault: int | None
    """All page faults, minor and major."""
    pgmajfault: int | None
    oom_kill: int | None
    """Kills by the kernel's OOM killer, in any memory cgroup (since 4.13)."""
    pswpin: int | None
    """Pages read from swap."""
    zswpin: int | None
    """Pages that zswap has answered from its compressed pool, which pswpin does not count."""
    pswpout: int | None
    """Pages written to swap."""
    refault_anon: int | None
    refault_file: int | None
    zspages: int | None
    """Pages of zsmalloc now. They hold the data that zram and zswap have compressed."""
    scan_kswapd: int | None = None
    """Pages that kswapd has looked at to reclaim them."""
    scan_direct: int | None = None
    """Pages that allocating tasks have looked at themselves, because kswapd was too slow (direct reclaim)."""
    allocstall: int | None = None
    """How often a task had to reclaim before its allocation went on, over all zones."""


def parse_vmstat(data: bytes) -> Vmstat:
    """Parse /proc/vmstat. Absent lines become None."""
    lines = pairs(data)

    def count(key: bytes) -> int | None:
        return int_or_none(lines.get(key))

    stalls = [number for key in _STALLS.findall(data) if (number := count(key)) is not None]
    return Vmstat(
        pgfault=count(b"pgfault"),
        pgmajfault=count(b"pgmajfault"),
        oom_kill=count(b"oom_kill"),
        pswpin=count(b"pswpin"),
        zswpin=count(b"zswpin"),
        pswpout=count(b"pswpout"),
        refault_anon=count(b"workingset_refault_anon"),
        refault_file=count(b"workingset_refault_file"),
        zspages=count(b"nr_zspages"),
        scan_kswapd=count(b"pgscan_kswapd"),
        scan_direct=count(b"pgscan_direct"),
        allocstall=sum(stalls) if stalls else None,
    )
