"""Family of a process and the memory its members share: from samples and smaps_rollup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from memtop.analysis.memory_map.moment import Moment
from memtop.analysis.memory_map.sharing import (
    CopyRate,
    Kin,
    Member,
    Parts,
    Sharing,
    bounds,
    copy_rate,
    family,
    member,
    same_rollup,
)
from memtop.process_key import ProcessKey
from memtop.procfs.smaps_rollup import Rollup
from memtop.sampling.sample import ProcessSample
from memtop.sampling.smaps.smaps_view import Missing, RegionsView, Relative, SharingView
from memtop.sanitize import clean


class Known(Protocol):
    """The readings of one process."""

    missing: Missing
    rollup: Rollup | None
    rollup_s: float
    rollup_minflt: int | None
    rollup_before: Rollup | None
    rollup_before_s: float
    rollup_before_minflt: int | None


def family_of(processes: Mapping[int, ProcessSample], pid: int) -> list[ProcessSample]:
    """The process and its fork relatives, by pid."""
    kin = [
        Kin(seen.key.pid, seen.stat.ppid, _program(seen))
        for seen in processes.values()
        if seen.stat is not None and not seen.stat.kernel_thread
    ]
    return [processes[one] for one in family(kin, pid)]


def _program(seen: ProcessSample) -> bytes:
    """fork keeps these two addresses, and exec changes them, even if it runs the same file again."""
    assert seen.stat is not None
    start_code, arg_start = seen.stat.start_code, seen.stat.arg_start
    return b"%d %d" % (start_code, arg_start) if start_code > 1 else seen.name_raw


def sharing_view(
    focus: ProcessKey,
    relatives: list[ProcessSample],
    known: Mapping[ProcessKey, Known],
    own: RegionsView,
    *,
    same_since_s: float,
    now_s: float,
) -> SharingView:
    """The family's sharing, as far as it was read. It has been the same family since ``same_since_s``."""
    found: list[Relative] = []
    rollups: list[tuple[int, Rollup]] = []
    for seen in relatives:
        record = known.get(seen.key)
        rollup = record.rollup if record is not None else None
        mine: Member | None = None
        copying: CopyRate | None = None
        if record is not None and rollup is not None:
            twin = next((pid for pid, other in rollups if same_rollup(other, rollup)), None)
            if twin is None:
                rollups.append((seen.key.pid, rollup))
            mine = member(seen.key.pid, rollup, twin)
            if len(relatives) > 1:
                copying = _copying(record, mine, same_since_s)
        found.append(
            Relative(
                pid=seen.key.pid,
                name=clean(seen.name_raw),
                rss_bytes=seen.statm.rss_bytes if seen.statm is not None else None,
                member=mine,
                read_s=record.rollup_s if record is not None and rollup is not None else None,
                missing=record.missing if record is not None else Missing.UNREAD,
                copying=copying,
            )
        )
    found.sort(key=lambda one: (one.pid != focus.pid, -(one.rss_bytes or 0), one.pid))
    return SharingView(
        relatives=tuple(found),
        known=Sharing(tuple(one.member for one in found if one.member is not None)),
        bounds=bounds([parts for seen in relatives if (parts := _parts(seen)) is not None]),
        freed=own.reading.freed if own.reading is not None else None,
        own=own,
        past_s=_past_s(found, now_s),
    )


def _past_s(found: list[Relative], now_s: float) -> float | None:
    """See :attr:`SharingView.past_s`."""
    read = [(one, Moment(one.read_s, one.member.rss_bytes)) for one in found if one.member and one.read_s is not None]
    if all(moment.past_s(now_s, one.rss_bytes) is None for one, moment in read):
        return None
    return max(0.0, now_s - min(moment.at_s for _, moment in read))


def _copying(record: Known, now: Member, same_since_s: float) -> CopyRate | None:
    """The rate between the last two readings; None if a relative came or went meanwhile.

    In that case pages change owners without a copy.
    """
    elapsed_s = record.rollup_s - record.rollup_before_s
    if record.rollup_before is None or record.rollup_before_s < same_since_s or elapsed_s <= 0:
        return None
    before = member(now.pid, record.rollup_before)
    return copy_rate(before, now, elapsed_s, record.rollup_before_minflt, record.rollup_minflt)


def _parts(seen: ProcessSample) -> Parts | None:
    if seen.statm is None:
        return None
    shmem = (seen.status.shmem_bytes if seen.status is not None else None) or 0
    return Parts(seen.statm.anon_bytes, max(0, seen.statm.shr_bytes - shmem), shmem)
