"""Rules about processes that have ended: OOM-killed ones, and large ones that a signal ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from memtop.analysis.findings.rule import DANGER, NOTE, WARNING, facts
from memtop.analysis.incidents.incident import MACHINE, Incident, Scope, Subject
from memtop.analysis.incidents.inputs import ExitFacts, IncidentInputs
from memtop.analysis.limits.exit_cause import ASKS_TO_END
from memtop.process_key import ProcessKey

OOM_FRESH_S: Final = 60.0
"""A kill calls for action for so long ..."""
OOM_SHOWN_S: Final = 900.0
"""... and is reported for so long."""
DEATH_SHOWN_S: Final = 120.0
_STEP_S: Final = 5.0
"""Ages from this on are given in such steps, so that the line stands still in between."""


def oom_kill(inputs: IncidentInputs) -> Iterator[Incident]:
    """The kernel has OOM-killed a process. The lives of a program in a loop are one incident: that one."""
    loops = _in_loops(inputs)
    restarted = frozenset().union(*(one.keys for one in inputs.loops))
    for one in inputs.exits:
        ago_s = inputs.now_s - one.at_s
        if not one.is_oom or ago_s > OOM_SHOWN_S or one.key in loops or not _is_seen(one):
            continue
        yield Incident(
            "oom_kill",
            DANGER if ago_s < OOM_FRESH_S else WARNING,
            _subject(one),
            facts(
                victim=one.name or "a process",
                how="OOM-killed" if one.certain else "probably OOM-killed",
                cgroup=one.cgroup_name if one.cgroup_name != one.limit_name else None,
                ago_s=_even(ago_s),
                kills_count=one.count if one.count > 1 else None,
                limit_name=one.limit_name or None,
                limit_bytes=one.limit_bytes,
                limit_file=one.limit_file,
                limit_of="machine" if one.limit_of_machine else None,
                again="it was started again" if one.key in restarted else None,
            ),
            weight=1 / (_STEP_S + ago_s),  # the latest first
            since_s=one.at_s,
            story="exit",
            show=one.key,
            certain=True,
        )


def unseen_kill(inputs: IncidentInputs) -> Iterator[Incident]:
    """The kernel has OOM-killed a process that was never read, perhaps in a container that memtop cannot see."""
    kills = [one for one in inputs.exits if one.is_oom and not _is_seen(one) and inputs.now_s - one.at_s <= OOM_SHOWN_S]
    if kills:
        last_s = max(one.at_s for one in kills)
        yield Incident(
            "unseen_kill",
            NOTE,
            MACHINE,
            facts(
                ago_s=_even(inputs.now_s - last_s),
                kills_count=sum(one.count for one in kills) if len(kills) > 1 or kills[0].count > 1 else None,
            ),
            weight=1.0,
            since_s=last_s,
            story="unseen_kill",
            certain=True,
        )


def died(inputs: IncidentInputs) -> Iterator[Incident]:
    """A large process has ended by a signal, or with an error; or one of any size has, and was started again."""
    yield from _restarted_once(inputs)
    loops, restarted = _in_loops(inputs), frozenset().union(*(one.keys for one in inputs.loops))
    for one in inputs.exits:
        ago_s = inputs.now_s - one.at_s
        badly = one.signal is not None or bool(one.exit_code)
        if one.is_oom or not one.large or ago_s > DEATH_SHOWN_S or not badly or one.key in loops:
            continue
        yield Incident(
            "died",
            WARNING if one.signal is not None and one.signal not in ASKS_TO_END else NOTE,
            _subject(one),
            facts(
                victim=one.name,
                signal_number=one.signal,
                code=one.exit_code if one.signal is None else None,
                peak_bytes=one.peak_bytes,
                others_count=one.count - 1 if one.count > 1 else None,
                again="it was started again" if one.key in restarted else None,
                cgroup=one.cgroup_name or None,
                ago_s=_even(ago_s),
            ),
            weight=float(one.peak_bytes or 0),
            since_s=one.at_s,
            story="exit",
            show=one.key,
            certain=True,
        )


def _restarted_once(inputs: IncidentInputs) -> Iterator[Incident]:
    """What may become a loop at the next end: then it is the same incident."""
    reported = {one.key for one in inputs.exits}
    for one in inputs.loops:
        ago_s = inputs.now_s - one.restarted_s
        if one.is_loop(inputs.now_s) or one.restarts > 1 or one.is_oom or not one.about_memory:
            continue
        if ago_s > DEATH_SHOWN_S or (one.signal is None and not (one.exit_code and one.large)) or one.keys & reported:
            continue
        yield Incident(
            "died",
            NOTE,
            Subject(Scope.PROCESS, one.name, key=one.key, first=one.first),
            facts(
                victim=one.name,
                signal_number=one.signal,
                code=one.exit_code if one.signal is None else None,
                peak_bytes=one.peak_bytes,
                again="it was started again",
                cgroup=one.cgroup_name or None,
                ago_s=_even(ago_s),
            ),
            weight=1.0,
            since_s=one.since_s,
            story="loop",
            show=one.key,
            certain=True,
        )


def _is_seen(one: ExitFacts) -> bool:
    return one.key is not None or one.cgroup_path is not None


def _in_loops(inputs: IncidentInputs) -> Collection[ProcessKey | None]:
    """The ended lives of all programs in a loop."""
    return frozenset().union(*(one.keys for one in inputs.loops if one.is_loop(inputs.now_s) and one.about_memory))


def _even(ago_s: float) -> float:
    return max(1.0, ago_s // _STEP_S * _STEP_S if ago_s >= _STEP_S else ago_s // 1.0)


def _subject(one: ExitFacts) -> Subject:
    if one.key is None:
        return Subject(Scope.CGROUP, one.cgroup_name, path=one.cgroup_path or "")
    return Subject(Scope.PROCESS, one.name, key=one.key)
