"""Builds the view of the machine's memory: the ledger of an instant, its past, and the holders of its parts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from heapq import nlargest
from typing import Final

from memtop.analysis.ledger.ledger import Ledger
from memtop.analysis.ledger.machine import MachinePart, machine_ledger, of_container, reclaim_of
from memtop.columns import TREND_CELLS
from memtop.engine.row_builder import TREND_LEVELS
from memtop.history.rates import levels, per_s
from memtop.history.rings import NumberColumns
from memtop.model.machine import Holder, MachinePartRow, MachineView, Rates
from memtop.model.row import Note, ProcessRow
from memtop.procfs.memfds_report import Memfd
from memtop.procfs.meminfo import Meminfo
from memtop.procfs.statm import page_bytes
from memtop.sampling.machine_reading import SUBSTANTIAL, MachineReading
from memtop.sampling.sample import Sample
from memtop.sanitize import clean

CHANGE_S: Final = 300.0
MOST_HOLDERS: Final = 5
_NOTABLE_THREADS: Final = 0.01
"""A process is named as a holder of kernel stacks if it has at least this share of all threads, and several."""
_EVERY_S: Final = 2.0
_MOST: Final = 900
"""Entries kept: half an hour at one in two seconds."""
_PARTS: Final = tuple(MachinePart)
_INDEX: Final = {part.value: number for number, part in enumerate(_PARTS)}
_UNKNOWN: Final = -1


class LedgerPast:
    """The sizes of all parts over the last half hour, on the clock of Instant.mono_s."""

    def __init__(self) -> None:
        self._sizes = NumberColumns("q" * len(_PARTS))

    def add(self, now_s: float, ledger: Ledger) -> None:
        """Add an instant, unless the last one is less than two seconds ago."""
        if len(self._sizes) and now_s - self._sizes.times_s[-1] < _EVERY_S - 0.05:
            return
        row = [_UNKNOWN] * len(_PARTS)
        for part in ledger.parts:
            row[_INDEX[part.name]] = part.size_bytes
        if row[_INDEX[MachinePart.FREE_PER_CPU]] == _UNKNOWN:  # then it is in the remainder, which is not comparable
            row[_INDEX[MachinePart.UNACCOUNTED]] = _UNKNOWN
        self._sizes.append(now_s, row)
        if len(self._sizes) > _MOST:
            self._sizes.drop(slice(1))

    @property
    def first_s(self) -> float | None:
        """The oldest instant; None before the first."""
        return self._sizes.times_s[0] if len(self._sizes) else None

    def size_at(self, part: MachinePart, when_s: float) -> int | None:
        """The size of a part at an instant, or at the first one kept; None where unknown."""
        if not len(self._sizes):
            return None
        index = max(0, bisect_right(self._sizes.times_s, when_s + 0.001) - 1)
        size: int = self._sizes.value(_INDEX[part], index)
        return None if size == _UNKNOWN else size

    def trend(self, part: MachinePart, now_s: float, span_s: float) -> tuple[int | None, ...]:
        """Levels of its size over the last ``span_s``, one for each cell of a trend."""
        edges_s = [now_s - span_s * back / TREND_CELLS for back in range(TREND_CELLS - 1, -1, -1)]
        first_s = self.first_s
        known = [None if first_s is None or at_s < first_s else self.size_at(part, at_s) for at_s in edges_s]
        return levels(known, TREND_LEVELS)


def ledger_of(sample: Sample) -> Ledger | None:
    """The ledger of one sample; None where MemTotal is unknown."""
    meminfo, vmstat, reading = sample.system.meminfo, sample.system.vmstat, sample.machine
    if meminfo is None:
        return None
    if is_own(sample):
        return machine_ledger(of_container(meminfo))
    return machine_ledger(
        meminfo,
        per_cpu_bytes=sample.system.per_cpu_bytes,
        zspages_bytes=vmstat.zspages * page_bytes() if vmstat is not None and vmstat.zspages is not None else None,
        zram_bytes=sum(stat.used_bytes for stat in reading.zram) if reading is not None and reading.zram else None,
        arc_bytes=reading.arc_bytes if reading is not None else None,
    )


def is_own(sample: Sample) -> bool:
    """Whether meminfo is that of a container (lxcfs)."""
    mounts = sample.machine.mounts if sample.machine is not None else None
    return (mounts is not None and mounts.lxcfs) or (sample.cgroups is not None and sample.cgroups.own_meminfo)


def machine_view(
    sample: Sample,
    before: Sample | None,
    past: LedgerPast,
    rows: Iterable[ProcessRow],
    *,
    mark_s: float | None = None,
    past_s: float | None = None,
) -> MachineView | None:
    """The view of a sample, or of the instant ``past_s`` before it; None where MemTotal is unknown.

    ``before`` is the sample that rates are computed from, ``mark_s`` the instant of the user's mark.
    """
    ledger = ledger_of(sample)
    if ledger is None:
        return None
    now_s = sample.mono_s if past_s is None else past_s
    first_s = past.first_s if past.first_s is not None else now_s
    change_s = max(0.0, min(CHANGE_S, now_s - first_s))
    reading = sample.machine or MachineReading()
    living = [] if past_s is not None else [row for row in rows if row.gone_s is None and row.note is not Note.KERNEL]
    found = []
    for one in ledger.parts:
        part = MachinePart(one.name)
        size = one.size_bytes if past_s is None else past.size_at(part, past_s)
        if size is None:
            continue
        then, marked = past.size_at(part, now_s - change_s), None
        if mark_s is not None and first_s <= mark_s <= now_s:
            marked = past.size_at(part, mark_s)
        comparable = part is not MachinePart.UNACCOUNTED or sample.system.per_cpu_bytes is not None
        found.append(
            MachinePartRow(
                part,
                size,
                one.at_most_bytes if past_s is None else None,
                size - then if then is not None and comparable and change_s > 0 else None,
                size - marked if marked is not None and comparable else None,
                past.trend(part, now_s, CHANGE_S),
                reclaim_of(part),
                _holders(part, size, living, reading),
            )
        )
    found.sort(key=lambda row: row.size_bytes, reverse=True)
    mounts = reading.mounts
    return MachineView(
        ledger.whole_bytes,
        tuple(found),
        change_s,
        ledger.excess_bytes,
        sample.system.pressure,
        _rates(sample, before),
        reading.swaps,
        reading.zram,
        reading.nodes,
        mounts is not None and mounts.contained,
        is_own(sample),
        reading.unread,
        _zswap(sample.system.meminfo) if past_s is None else None,
        past_s is not None,
    )


def _zswap(meminfo: Meminfo | None) -> tuple[int, int] | None:
    if meminfo is None or not meminfo.zswapped_bytes or meminfo.zswap_bytes is None:
        return None
    return meminfo.zswapped_bytes, meminfo.zswap_bytes


def _holders(part: MachinePart, size_bytes: int, rows: list[ProcessRow], reading: MachineReading) -> tuple[Holder, ...]:
    fields = {
        MachinePart.ANONYMOUS: "anon_bytes",
        MachinePart.FILE_MAPPED: "file_bytes",
        MachinePart.PAGE_TABLES: "page_tables_bytes",
        MachinePart.HUGETLB_USED: "hugetlb_bytes",
    }
    if part in fields:
        return _largest(rows, fields[part])
    if part is MachinePart.KERNEL_STACKS:
        least = max(2.0, _NOTABLE_THREADS * sum(row.threads or 0 for row in rows))
        most = nlargest(MOST_HOLDERS, rows, key=lambda row: row.threads or 0)
        return tuple(Holder("process", one.program, None, one.pid, one.threads) for one in most if _has(one, least))
    if part is MachinePart.SHMEM:
        return _shared(size_bytes, rows, reading)
    if part in (MachinePart.SLAB_RECLAIMABLE, MachinePart.SLAB_UNRECLAIMABLE):
        wanted = part is MachinePart.SLAB_RECLAIMABLE
        caches = [cache for cache in reading.slab or () if cache.reclaimable is wanted]
        return tuple(Holder("slab", clean(cache.name), cache.size_bytes) for cache in caches[:MOST_HOLDERS])
    return ()


def _has(row: ProcessRow, least_threads: float) -> bool:
    return row.threads is not None and row.threads >= least_threads


def _largest(rows: list[ProcessRow], field: str) -> tuple[Holder, ...]:
    largest = nlargest(MOST_HOLDERS, rows, key=lambda row: getattr(row, field) or 0)
    sizes = ((row, getattr(row, field)) for row in largest)
    return tuple(Holder("process", row.program, size, row.pid) for row, size in sizes if size)


def _shared(size_bytes: int, rows: list[ProcessRow], reading: MachineReading) -> tuple[Holder, ...]:
    """tmpfs mounts and System V segments, which hold memory without a process, and memfds that are open; then processes
    that map much of it."""
    found = [
        Holder("tmpfs", clean(mount.path), mount.used_bytes)
        for mount in (reading.mounts.tmpfs if reading.mounts is not None else ())
        if mount.used_bytes
    ]
    for segment in reading.segments or ():
        if segment.rss_bytes:
            attached = f"{segment.attached} attached" if segment.attached else "none attached"
            found.append(Holder("sysv", f"System V segment {segment.id}, {attached}", segment.rss_bytes))
    found = [*nlargest(MOST_HOLDERS, found, key=_size_bytes), *_memfds(rows, reading)]
    found.sort(key=_size_bytes, reverse=True)
    least = SUBSTANTIAL * size_bytes
    mapped = [one for one in _largest(rows, "shmem_bytes") if _size_bytes(one) >= least]
    notable = [one for one in found if _size_bytes(one) >= least]
    return (*notable, *mapped, *found[len(notable) :])


def _memfds(rows: list[ProcessRow], reading: MachineReading) -> list[Holder]:
    """Processes that have memfds open, which hold their memory whether they are mapped or not.

    Each memfd counts once. Those that the same processes have open are together, and so is what is beyond the largest.
    """
    if reading.memfds is None:
        return []
    programs = {row.pid: row.program for row in rows}
    memfds: dict[int, Memfd] = {}
    pids: dict[int, list[int]] = {}
    for pid, opened in reading.memfds.by_pid.items():
        for memfd in opened if pid in programs else ():
            memfds[memfd.inode] = memfd
            pids.setdefault(memfd.inode, []).append(pid)
    together: dict[tuple[int, ...], list[Memfd]] = {}
    for inode, memfd in memfds.items():
        together.setdefault(tuple(sorted(pids[inode])), []).append(memfd)
    found = [_opened(programs, openers, some) for openers, some in together.items()]
    found.sort(key=_size_bytes, reverse=True)
    if len(found) > MOST_HOLDERS:
        rest = found[MOST_HOLDERS - 1 :]
        size, number = sum(map(_size_bytes, rest)), sum(one.memfds or 0 for one in rest)
        found[MOST_HOLDERS - 1 :] = [Holder("memfd", "other processes", size, memfds=number)]
    return found


def _opened(programs: dict[int, str], openers: tuple[int, ...], memfds: list[Memfd]) -> Holder:
    pid, largest = openers[0], max(memfds, key=lambda memfd: memfd.size_bytes)
    size = sum(memfd.size_bytes for memfd in memfds)
    return Holder("memfd", programs[pid], size, pid, None, len(memfds), clean(largest.name), len(openers) - 1)


def _size_bytes(holder: Holder) -> int:
    return holder.size_bytes or 0


def _rates(sample: Sample, before: Sample | None) -> Rates:
    now, then = sample.system.vmstat, before.system.vmstat if before is not None else None
    if now is None or then is None or before is None:
        return Rates(*[None] * len(Rates._fields))
    elapsed_s = sample.mono_s - before.mono_s

    def rate(*names: str) -> float | None:
        pairs = [(getattr(now, name), getattr(then, name)) for name in names]
        known = [(new, old) for new, old in pairs if new is not None and old is not None]
        return per_s(sum(new for new, _ in known), sum(old for _, old in known), elapsed_s) if known else None

    return Rates(
        rate("scan_kswapd"),
        rate("scan_direct"),
        rate("allocstall"),
        rate("refault_anon", "refault_file"),
        rate("pswpin"),
        rate("pswpout"),
    )
