"""The limits over a process: cgroups, the machine, resource limits; and which of them it meets first."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from memtop.analysis.cgroups import owner
from memtop.analysis.limits import Ceiling, binding, ceilings, host_ceiling
from memtop.endings.scene import Scene
from memtop.frame import ProcRow
from memtop.outlook import Limit, LimitRow
from memtop.procfs.cgroup import UNLIMITED
from memtop.sample import ProcKey
from memtop.text import clean
from memtop.verdicts import Verdict, Verdicts

MACHINE_NAME: Final = "this machine's memory"
_ENDS: Final = frozenset({Limit.CGROUP, Limit.MACHINE, Limit.ADDRESS_SPACE, Limit.DATA})
_SHARED: Final = frozenset({Limit.CGROUP, Limit.MACHINE})
"""Limits on what several processes use together."""


def limit_rows(row: ProcRow, scene: Scene) -> tuple[LimitRow, ...]:
    """Every limit over a process, the nearest cgroup first."""
    chain, cgroups, meminfo = scene.chain(row.key), scene.cgroups, scene.meminfo
    found = _ceilings(row.key, scene)
    tightest = binding(found)
    rows = [
        LimitRow(
            Limit.CGROUP if one.path is not None else Limit.MACHINE,
            cgroup_name(one.path, chain) if one.path is not None else MACHINE_NAME,
            one.limit_bytes,
            one.working_set_bytes,
            one.headroom_bytes,
            one.headroom_max_bytes,
            one is tightest,
            one.path,
        )
        for one in found
    ]
    for reading in scene.readings(row.key):
        name = cgroup_name(reading.path, chain)
        if reading.high_bytes not in (None, UNLIMITED) and reading.usage_bytes is not None:
            rows.append(_plain(Limit.HIGH, f"memory.high of {name}", reading.high_bytes, reading.usage_bytes))
        if reading.swap_limit_bytes not in (None, UNLIMITED) and reading.swap_bytes is not None:
            rows.append(_plain(Limit.CGROUP_SWAP, f"swap of {name}", reading.swap_limit_bytes, reading.swap_bytes))
    limits = cgroups.limits
    if limits is not None and limits.address_space_bytes not in (None, UNLIMITED) and row.virt_bytes is not None:
        rows.append(_plain(Limit.ADDRESS_SPACE, "ulimit -v (RLIMIT_AS)", limits.address_space_bytes, row.virt_bytes))
    status = scene.status(row.key)
    if limits is not None and limits.data_bytes not in (None, UNLIMITED) and status and status.data_bytes:
        rows.append(_plain(Limit.DATA, "ulimit -d (RLIMIT_DATA)", limits.data_bytes, status.data_bytes))
    if cgroups.policy.overcommit == 2 and meminfo is not None and meminfo.committed_bytes is not None:
        rows.append(_plain(Limit.COMMIT, "CommitLimit", meminfo.commit_limit_bytes, meminfo.committed_bytes))
    return tuple(rows)


def used_percent(key: ProcKey, scene: Scene) -> float | None:
    """How full the cgroup is that binds; None without one."""
    tightest = binding([one for one in _ceilings(key, scene) if one.path is not None])
    return tightest.used_percent if tightest is not None else None


def first_met(limits: Iterable[LimitRow]) -> LimitRow | None:
    """What a rising process meets first and what ends it."""
    return min((row for row in limits if row.limit in _ENDS), key=lambda row: row.headroom_bytes, default=None)


def growing_beside(key: ProcKey, limit: LimitRow, scene: Scene, verdicts: Verdicts) -> list[Verdict]:
    """The verdicts on the others whose growth is confirmed and that use up the same room."""
    if limit.limit not in _SHARED:
        return []
    return [
        verdict
        for other in verdicts.alarmed()
        if other != key
        and (limit.path is None or limit.path in scene.chain(other))
        and (verdict := verdicts.of(other)) is not None
    ]


def room_bytes(row: ProcRow, scene: Scene, verdicts: Verdicts) -> float | None:
    """What the limit met first leaves to it, of which those that grow beside it take their share."""
    limit = first_met(limit_rows(row, scene))
    if limit is None:
        return None
    own = verdicts.of(row.key)
    slope = own.growth.slope_bytes_per_s if own is not None else None
    beside = growing_beside(row.key, limit, scene, verdicts)
    others = sum(verdict.growth.slope_bytes_per_s or 0.0 for verdict in beside)
    headroom = float(max(0, limit.headroom_bytes))
    return headroom * slope / (slope + others) if slope and slope > 0 and others > 0 else headroom


def cgroup_name(path: str, chain: tuple[str, ...]) -> str:
    """What a person calls this cgroup: its unit, its container, its pod, or its path."""
    within = inside(path, chain)
    last = owner(os.fsencode(within.rpartition("/")[2]))
    found = owner(os.fsencode(within))
    if last.container is not None:
        container = last.container[:12] if len(last.container) == 64 else last.container
        return f"{found.runtime or 'container'} {container}"
    if last.pod is not None:
        return f"pod {last.pod}"
    return last.unit or clean(within)


def inside(path: str, chain: tuple[str, ...]) -> str:
    """The part of a cgroup's directory that lies below the mount point."""
    return path[len(chain[-1]) :] or "/"


def _ceilings(key: ProcKey, scene: Scene) -> tuple[Ceiling, ...]:
    meminfo = scene.meminfo
    own = ceilings([one.use for one in scene.readings(key)], meminfo.total_bytes if meminfo else None)
    host = host_ceiling(meminfo) if meminfo is not None else None
    return (*own, host) if host is not None else own


def _plain(limit: Limit, name: str, limit_bytes: int | None, used_bytes: int) -> LimitRow:
    ceiling_bytes = limit_bytes or 0
    return LimitRow(limit, name, ceiling_bytes, used_bytes, ceiling_bytes - used_bytes, ceiling_bytes - used_bytes)
