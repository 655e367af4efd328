"""Sentences about a group of processes, the worst first: its limit, its growth, what happened to it."""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.analysis.findings.limits import FULL_PERCENT, NEAR_PERCENT
from memtop.analysis.findings.rule import graded, growth_severity
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Shape
from memtop.explain.finding_text import computed, span
from memtop.explain.limit_names import short
from memtop.explain.severity_signs import SIGNS
from memtop.model.detail import GroupDetail
from memtop.model.group import By, GroupRow
from memtop.sanitize import clean
from memtop.units import count, counted, duration, long_size, percent

NAME_CELLS: Final = 24
PSI_PERCENT: Final = 10.0
RESTARTS: Final = 3
_SHAPES: Final = {
    Shape.FLAT: "Memory is level.",
    Shape.NOISY: "Memory varies without a trend.",
    Shape.SAWTOOTH: "Memory rises and falls again and again; the low points stay flat.",
    Shape.SPIKE: "Memory rose once and came back down.",
    Shape.STEP: "Memory rose in one step and has been level since.",
    Shape.STAIRS: "Memory rose in steps.",
    Shape.WARMUP: "Memory rose at first and is leveling off.",
    Shape.SHRINK: "Memory is falling.",
    Shape.GROWTH: "Memory may be rising; too early to say whether it will continue.",
    Shape.LEAK: "Memory rises; verdict in a few seconds.",
    Shape.LEAK_GC: "Memory rises, its low points too; verdict in a few seconds.",
}
"""All shapes but that of too few readings."""


_LEAST_REST_BYTES: Final = 4 << 20
_LEAST_REST_SHARE: Final = 0.01
"""What the kernel names of no part of a charge is said from here on: it updates its statistics late."""


class GroupSentence(NamedTuple):
    """One sentence and the topic that explains it."""

    severity: Severity
    says: str
    topic: str


def group_sentences(
    detail: GroupDetail, *, swaps: bool = True, computed_percent: int | None = None
) -> list[GroupSentence]:
    """All that there is to say, the worst first.

    ``swaps`` is False on a machine without swap. ``computed_percent`` is how much of the past of an earlier instant was
    played, as long as it is.
    """
    row = detail.row
    found = [
        *_gone(row),
        *_growth(detail, computed_percent),
        *_limit(detail, swaps=swaps),
        *_events(row),
        _ledger(detail),
    ]
    found.sort(key=lambda one: -one.severity)
    return found


def _gone(row: GroupRow) -> list[GroupSentence]:
    if row.gone_s is None:
        return []
    return [GroupSentence(Severity.WARNING, "No process is left in it; these are its last numbers.", "groups")]


def _growth(detail: GroupDetail, computed_percent: int | None) -> list[GroupSentence]:
    row, growth, state = detail.row, detail.growth, detail.state
    if row.gone_s is not None or (detail.window.cursor_s is not None and state is None):
        return []
    if state is None or growth is None or Shape.INSUFFICIENT in (growth.kind, state.kind):
        rise = row.growth_bytes_per_min
        says = "Unknown yet whether it grows."
        if computed_percent is not None:
            return [GroupSentence(Severity.NOTE, computed("Whether it grows", computed_percent), "verdicts")]
        if row.used_bytes is None and detail.swap_unread:
            says = f"Whether it grows is unknown, because what it has on swap is ({detail.swap_unread})."
        if rise is not None and rise > max(1 << 20, 0.02 * (row.used_bytes or 0)):
            says = f"Rising: +{long_size(rise)} within the last minute; too early to say whether it will continue."
        return [GroupSentence(Severity.NOTE, says, "verdicts")]
    if not state.alarm or growth.slope_bytes_per_s is None:
        says = "The trend is changing; verdict in a few seconds." if state.changing else _SHAPES[growth.kind]
        if detail.swap_unread:  # what is swapped out looks like memory given back
            says += f" What it has on swap is unknown, and not counted ({detail.swap_unread})."
        return [GroupSentence(Severity.NOTE, says, "verdicts")]
    rate = long_size(growth.slope_bytes_per_s * 60)
    says = f"Growing{' as a whole' if row.members > 1 else ''}: +{rate}/min for {duration(growth.span_s)}"
    severity = Severity.WARNING
    if growth.pause is not None and growth.pause.unusual:
        says = f"Level for the last {duration(growth.pause.level_s)}. Before that: {says[0].lower()}{says[1:]}"
    if row.limit_s is not None and detail.limit_name:
        says += f" · {_limit_name(detail)} full in {span(*row.limit_s)}"
        severity = growth_severity(soon=row.soon)
    return [GroupSentence(severity, says, "verdict_growing")]


def limit_sign(detail: GroupDetail) -> str:
    """The sign of the worst that is said about its limit, and a blank; empty for none."""
    said = [*_limit(detail, swaps=True), *_growth(detail, None)] if detail.limit_name else []
    worst = max((one.severity for one in said if one.topic == "limits" or detail.row.limit_s), default=Severity.NOTE)
    return f"{SIGNS[worst]} " if worst > Severity.NOTE else ""


def _limit(detail: GroupDetail, *, swaps: bool) -> list[GroupSentence]:
    row = detail.row
    if row.gone_s is not None:
        return []
    blind = short(clean(detail.blind_name), NAME_CELLS)
    unknown = [GroupSentence(Severity.NOTE, f"The limit of {blind} is not known.", "limits")] if blind else []
    is_near_high = detail.brake is not None and (
        graded(detail.brake[2], NEAR_PERCENT, was=detail.standing.get("near_high")) is not None
    )
    if detail.brake is not None and is_near_high:
        name, high_bytes, used_percent = detail.brake
        says = (
            f"memory.high of {short(clean(name), NAME_CELLS)} ({long_size(high_bytes)}): {percent(used_percent)} % is "
            "in use and cannot be reclaimed. Beyond it the kernel slows its tasks down."
        )
        unknown.append(GroupSentence(Severity.WARNING, says, "limits"))
    if row.limit_percent is None or row.limit_bytes is None:
        return unknown
    was = detail.standing.get("near_limit")
    severity = graded(row.limit_percent, NEAR_PERCENT, FULL_PERCENT, was=was) or Severity.NOTE
    reclaims, kills = long_size(row.room_bytes), long_size(row.room_max_bytes)
    acts = "swaps or kills" if swaps and detail.swaps else "kills"
    room = f"{kills} before the kernel {acts}"
    if reclaims != kills:
        room = f"{reclaims} before the kernel reclaims page cache in use, {kills} before it {acts}"
    used = f"{percent(row.limit_percent)} % is in use"
    used += ". How much of that can be reclaimed is unknown" if detail.undivided else " and cannot be reclaimed"
    says = f"Limit of {_limit_name(detail)} ({long_size(row.limit_bytes)}): {used}. Room: {room}."
    return [GroupSentence(severity, says, "limits"), *unknown]


def _events(row: GroupRow) -> list[GroupSentence]:
    found = []
    if row.oom_kills:
        says = f"{counted(row.oom_kills, 'OOM kill')} in this group since memtop started."
        found.append(GroupSentence(Severity.DANGER, says, "oom_killer"))
    if (row.restarts or 0) >= RESTARTS:
        says = f"Its commands crashed and restarted {counted(row.restarts, 'time')} since memtop started."
        found.append(GroupSentence(Severity.WARNING, says, "groups"))
    if row.psi_some_avg10 is not None and row.psi_some_avg10 >= PSI_PERCENT:
        says = f"Some of its tasks waited for memory {percent(row.psi_some_avg10)} % of the last 10 s."
        found.append(GroupSentence(Severity.WARNING, says, "psi"))
    return found


def _ledger(detail: GroupDetail) -> GroupSentence:
    """How the charge and the sum of RES belong together."""
    row = detail.row
    gone = row.gone_s is not None
    many = counted(row.members, "process")
    if row.charge_bytes is None:
        holding = "It held" if gone else f"{many}, holding"
        says = f"{holding} at most {long_size(row.rss_bytes)} (sum of RES)"
        by_name = row.key.by in (By.USER, By.PROGRAM)
        says += "." if by_name or not detail.unread else f"; {detail.unread}."
        says += "" if gone else _pss(row)
        return GroupSentence(Severity.NOTE, says, "groups")
    parts = [
        ("anonymous", row.anon_bytes),
        ("page cache", row.file_bytes),
        ("shared", row.shmem_bytes),
        ("kernel", row.kernel_bytes),
    ]
    rest_bytes = row.charge_bytes - sum(size or 0 for _, size in parts)
    if rest_bytes > max(_LEAST_REST_BYTES, _LEAST_REST_SHARE * row.charge_bytes):
        parts.append(("in no known part", rest_bytes))
    named = ", ".join(f"{long_size(size)} {name}" for name, size in parts if size)
    says = f"Charged {long_size(row.charge_bytes)}{': ' + named if named else ''}. "
    sum_of_res = f"sum of RES {'was' if gone else 'is'} {long_size(row.rss_bytes)}."
    says += f"The {sum_of_res}" if gone else f"{many}; the {sum_of_res}{_pss(row)}"
    return GroupSentence(Severity.NOTE, says, "who_pays")


def _pss(row: GroupRow) -> str:
    """What was read of PSS; empty where it was read of no process."""
    if row.pss_read_bytes is None or not row.pss_read_members:
        return ""
    size = long_size(row.pss_read_bytes)
    if row.pss_bytes is not None:
        return f" The sum of PSS is {size}."
    some = f"{count(row.pss_read_members)} of {counted(row.members, 'process')}"
    return f" The sum of PSS is at least {size}: read for {some}; for the others it is too expensive or not permitted."


def _limit_name(detail: GroupDetail) -> str:
    return short(clean(detail.limit_name), NAME_CELLS) or "its cgroup"
