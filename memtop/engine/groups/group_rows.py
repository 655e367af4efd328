"""Builds the row of a group from the sums over its members, the charge of its cgroup, its series and its verdict."""

from __future__ import annotations

from typing import NamedTuple

from memtop.analysis.limits.memory_limits import Ceiling
from memtop.engine.assessment.growth_tracker import Verdict, growth_now
from memtop.engine.assessment.row_marks import sign
from memtop.engine.groups.charge import Charge
from memtop.engine.groups.sums import Sums
from memtop.engine.row_builder import GROWTH_LEAST_S, GROWTH_S, trend
from memtop.history.rings import Track
from memtop.model.group import GroupRow


class CgroupState(NamedTuple):
    """What is known of the cgroup of a group."""

    charge: Charge | None = None
    ceiling: Ceiling | None = None
    psi_some_avg10: float | None = None
    oom_kills: int | None = None
    swapless: bool = False
    """Whether the machine has no swap."""
    limit_unread: str | None = None
    """See :attr:`GroupRow.limit_unread`."""


def group_row(
    sums: Sums, cgroup: CgroupState, track: Track | None, *, verdict: Verdict | None, restarts: int | None, now_s: float
) -> GroupRow:
    """One group as views show it, at ``now_s`` on the clock of Instant.mono_s."""
    charge, ceiling = cgroup.charge, cgroup.ceiling
    used = charge.used_bytes if charge is not None else sums.anon_bytes
    level = charge.working_set_bytes if charge is not None else sums.rss_bytes
    growth = growth_now(verdict, now_s) if verdict is not None and verdict.alarm else None
    soon = growth is not None and growth.soon
    found, rank = sign(verdict, soon=soon)
    return GroupRow(
        key=sums.name.key,
        name=sums.name.name,
        path=sums.name.path,
        members=sums.members,
        virt_bytes=sums.virt_bytes,
        rss_bytes=sums.rss_bytes,
        shr_bytes=sums.shr_bytes,
        pss_bytes=sums.pss_bytes if sums.pss_members == sums.members else None,
        pss_read_bytes=sums.pss_bytes,
        pss_read_members=sums.pss_members,
        anon_bytes=charge.anon_bytes if charge is not None else sums.anon_bytes,
        file_bytes=charge.file_bytes if charge is not None else sums.file_bytes,
        shmem_bytes=charge.shmem_bytes if charge is not None else sums.shmem_bytes,
        kernel_bytes=charge.kernel_bytes if charge is not None else None,
        swap_bytes=_swap_bytes(sums, cgroup),
        charge_bytes=charge.charge_bytes if charge is not None else None,
        working_set_bytes=charge.working_set_bytes if charge is not None else None,
        used_bytes=used,
        limit_bytes=ceiling.limit_bytes if ceiling is not None else None,
        limit_percent=ceiling.used_percent if ceiling is not None else None,
        room_bytes=ceiling.headroom_bytes if ceiling is not None else None,
        room_max_bytes=ceiling.headroom_max_bytes if ceiling is not None else None,
        limit_unread=cgroup.limit_unread,
        growth_bytes_per_min=_growth(track, used, now_s),
        minflt_per_s=sums.minflt_per_s,
        majflt_per_s=sums.majflt_per_s,
        cpu_percent=sums.cpu_percent,
        threads=sums.threads,
        psi_some_avg10=cgroup.psi_some_avg10,
        oom_kills=cgroup.oom_kills,
        restarts=restarts,
        trend=trend(track, level, now_s),
        verdict=found,
        verdict_rank=rank,
        shape=verdict.state.kind.value if verdict is not None else "",
        confirmed=verdict is not None and verdict.alarm,
        slope_bytes_per_s=verdict.standing.slope_bytes_per_s if verdict is not None else None,
        limit_s=growth.limit_s if growth is not None else None,
        soon=soon,
    )


def gone_row(row: GroupRow, wall_s: float) -> GroupRow:
    """The last row of a group whose last member had ended by ``wall_s``: its sizes stay, and it has no rates."""
    return row._replace(
        members=0,
        gone_s=wall_s,
        growth_bytes_per_min=None,
        minflt_per_s=None,
        majflt_per_s=None,
        cpu_percent=None,
        psi_some_avg10=None,
        limit_s=None,
        soon=False,
    )


def _swap_bytes(sums: Sums, cgroup: CgroupState) -> int | None:
    """What is on swap. Of a cgroup only the kernel knows it: processes do not show its tmpfs, nor that of the dead."""
    if cgroup.charge is None:
        return sums.swap_bytes
    return 0 if cgroup.swapless else cgroup.charge.swap_bytes  # v1 gives it as a difference of two readings


def _growth(track: Track | None, used_bytes: int | None, now_s: float) -> float | None:
    if track is None or used_bytes is None or not len(track) or now_s - track.first_s < GROWTH_LEAST_S:
        return None
    then = track.at(now_s - GROWTH_S) or track.point(0)
    return float(used_bytes - (then.rss_bytes - then.shr_bytes))
