"""Limits at the end of a process: the lowest over it, the one that caused an OOM kill, and its own that was full."""

from __future__ import annotations

import signal
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from memtop.analysis.limits.memory_limits import binding, ceilings, is_known
from memtop.engine.assessment.event_counters import Counters
from memtop.engine.assessment.limit_names import limit_name, machine_name
from memtop.engine.assessment.step_input import StepInput, is_low
from memtop.model.assessment import Assessment, FullLimit, Limit
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED

_NEARLY_FULL: Final = 0.75
"""A cgroup that is used to this part of its limit may have been full a second later."""
_NEAR: Final = 0.1
"""With more than this share of a limit left, that limit was not the cause, if the machine was low."""
_FULL_SHARE: Final = 0.85
"""A limit of the process itself that was used to this part may be what ended it: what failed is the next allocation,
which may be large, and the last sample is up to a second old."""
_FAIL_WHEN_FULL: Final = frozenset({Limit.ADDRESS_SPACE, Limit.DATA, Limit.COMMIT, Limit.RUNTIME})
"""Limits at which an allocation fails. A program that does not expect that ends in its own way."""
_SIGNAL_WHEN_FULL: Final[Mapping[Limit, int]] = MappingProxyType(
    {Limit.STACK: signal.SIGSEGV, Limit.HUGETLB: signal.SIGBUS}
)
"""Limits beyond which the kernel sends a signal."""


def full_limit(last: Assessment, ending: int | None) -> FullLimit | None:
    """The fullest of the limits of a process itself at its last assessment, if its failure may be due to that limit.

    ``ending`` is the signal that ended it; None for an exit with an error. SIGKILL has other causes.
    """
    if ending == signal.SIGKILL:
        return None
    found = [
        FullLimit(row.name, row.limit_bytes, row.used_bytes, row.effect, in_bytes=True)
        for row in last.limits
        if row.limit in _FAIL_WHEN_FULL or (ending is not None and _SIGNAL_WHEN_FULL.get(row.limit) == ending)
    ]
    found += [FullLimit(one.name, one.limit, one.used, one.beyond, in_bytes=False) for one in last.counts]
    full = [one for one in found if one.limit > 0 and one.used >= _FULL_SHARE * one.limit]
    return max(full, key=lambda one: one.used_percent, default=None)


def lowest_limit(counters: Counters, step: StepInput, key: ProcessKey) -> tuple[str | None, int | None]:
    """Name and bytes of the lowest limit of its cgroups; None where there is none, or none is known."""
    found: tuple[str, int] | None = None
    total_bytes = step.meminfo.total_bytes if step.meminfo is not None else None
    for path in counters.chain(key):
        timed = step.cgroups.latest.get(path)
        reading = timed.reading if timed is not None else counters.now(path)
        limit_bytes = reading.limit_bytes if reading is not None else None
        if limit_bytes is None or limit_bytes >= min(UNLIMITED, total_bytes or UNLIMITED):
            continue
        if found is None or limit_bytes < found[1]:
            found = path, limit_bytes
    return (limit_name(found[0], step), found[1]) if found is not None else (None, None)


class KillingLimit(NamedTuple):
    """The limit at which the OOM killer acted."""

    name: str
    limit_bytes: int
    path: str | None = None
    """Directory of the cgroup; None for the machine's memory, or where it is not certain whose it was."""
    of_machine: bool = False
    """Whether it is the machine's memory, which nothing raises."""


def limit_that_killed(counters: Counters, step: StepInput, chain: tuple[str, ...]) -> KillingLimit | None:
    """The limit that caused an OOM kill: of the cgroup that counted it, or of the one with the least room left.

    If a cgroup was first read after the kill, its room before is unknown. Then a limit that was ever reached counts
    as the cause, and so does the lowest one where the machine was not low.
    """
    pairs = [(counters.now(path), counters.before(path)) for path in chain]
    known = [(now, before) for now, before in pairs if now is not None and before is not None]
    for now, before in reversed(known):
        if now.oom is not None and before.oom is not None and now.oom > before.oom and now.limit_bytes:
            return KillingLimit(limit_name(now.path, step), now.limit_bytes, now.path)
    total = step.meminfo.total_bytes if step.meminfo is not None else None
    read = {before.path for _, before in known}
    others = [step.cgroups.latest[path].reading for path in chain if path in step.cgroups.latest and path not in read]
    uses = [one.use for one in (*(before for _, before in known), *others)]
    found = binding([one for one in ceilings(uses, total) if one.kills])
    was_low = step.machine_is_low or (step.before is not None and is_low(step.before.system.meminfo))
    if found is not None and found.path is not None:
        near = found.headroom_max_bytes <= _NEAR * found.limit_bytes or _touched_unseen(counters, found.path)
        if near or not was_low:
            return KillingLimit(limit_name(found.path, step), found.limit_bytes, found.path)
    # A limit that was not read may have been the cause too.
    all_read = 0 < len(chain) == sum(map(is_known, uses))
    if total is not None and (was_low or all_read):
        return KillingLimit(machine_name(step), total, of_machine=True)
    return None


def _touched_unseen(counters: Counters, path: str) -> bool:
    now, before = counters.now(path), counters.before(path)
    return now is not None and now is before and bool(now.max_events)


def was_nearly_full(step: StepInput, chain: Collection[str]) -> bool:
    """Whether one of these cgroups was nearly full at its last reading."""
    uses = [step.cgroups.latest[path].reading.use for path in chain if path in step.cgroups.latest]
    found = [one for one in ceilings(uses, None) if one.kills and one.path is not None]
    return any(one.headroom_max_bytes <= (1 - _NEARLY_FULL) * one.limit_bytes for one in found)
