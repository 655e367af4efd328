"""Rule about crash loops: programs that end and come back again and again."""

from __future__ import annotations

from collections.abc import Iterator

from memtop.analysis.findings.rule import DANGER, NOTE, WARNING, facts
from memtop.analysis.incidents.incident import Incident, Scope, Subject
from memtop.analysis.incidents.inputs import IncidentInputs


def crash_loop(inputs: IncidentInputs) -> Iterator[Incident]:
    """A program has ended and come back again and again: OOM-killed, by a signal, with an error, or it was large."""
    for one in inputs.loops:
        if not one.is_loop(inputs.now_s) or not one.about_memory:
            continue
        ended_well = not one.is_oom and one.signal is None and not one.exit_code
        yield Incident(
            "crash_loop",
            DANGER if one.is_oom else NOTE if ended_well else WARNING,
            Subject(Scope.PROCESS, one.name, key=one.key, first=one.first),
            one.numbers(inputs.now_s)
            | facts(each="each ends" if one.alike == one.ends > 1 else None)  # the line is short
            | facts(cgroup=one.cgroup_name if one.cgroup_name and one.cgroup_name != one.limit_name else None),
            weight=float(one.restarts),
            since_s=one.since_s,
            story="loop",
            show=one.key,
            certain=True,
        )
