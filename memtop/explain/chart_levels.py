"""What a chart of RES shows beside the curve: the limits that it may meet, and the rise until one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from memtop.analysis.severity import Severity
from memtop.explain.finding_text import span
from memtop.explain.limit_names import short
from memtop.explain.severity_signs import SIGNS
from memtop.model.assessment import Assessment, Limit, LimitRow

_UNNAMED: Final = {"address_space": Limit.ADDRESS_SPACE, "host_low": Limit.MACHINE}
"""Findings that do not name their limit."""
_ON_THE_CHART: Final = frozenset({Limit.CGROUP, Limit.HIGH, Limit.MACHINE, Limit.ADDRESS_SPACE})
"""Limits on what RES or VIRT counts. A line of another one (the stack, locked memory, a heap) would look as if RES or
VIRT met it."""


class Forecast(NamedTuple):
    """RES grows on at its current rate until the room under the binding limit is used up."""

    room_bytes: float
    """How much RES gains until then: the room, or the part of it that the process itself fills."""
    earliest_s: float
    """Seconds from now."""
    latest_s: float
    rate_bytes_per_s: float | None = None
    """Its own rate, which is between slow and fast; None where the times are those of its own growth alone."""

    def rises_bytes(self, after_s: float) -> tuple[float, float]:
        """The further growth after a time, if slow and if fast. It ends at the limit."""
        slow, fast = (self.room_bytes * after_s / max(end_s, 1e-3) for end_s in (self.latest_s, self.earliest_s))
        if self.rate_bytes_per_s is not None:
            as_now = self.rate_bytes_per_s * after_s
            slow, fast = min(slow, as_now), max(fast, as_now)
        return min(slow, self.room_bytes), min(fast, self.room_bytes)


_ABOUT_LIMITS: Final = frozenset({"near_limit", "near_high", "frozen", "address_space", "host_low"})


def _sign(row: LimitRow, outlook: Assessment) -> str:
    """The sign of the worst finding about a limit, and a blank; empty for none."""
    autopsy, growth, found = outlook.autopsy, outlook.growth, [Severity.NOTE]
    if autopsy is not None and autopsy.is_oom and autopsy.limit_name == row.name:
        found.append(Severity.DANGER)
    for finding in outlook.findings:
        named = finding.facts.get("limit_name", finding.facts.get("brake_name"))
        if finding.name in _ABOUT_LIMITS:
            is_about = named == row.name if named is not None else row.limit is _UNNAMED.get(finding.name)
        else:
            meets = growth is not None and growth.limit_s is not None and not outlook.of_heap
            is_about = finding.name == "growth" and meets and row is outlook.first_met
        if is_about:
            found.append(finding.severity)
    worst = max(found)
    return f"{SIGNS[worst]} " if worst > Severity.NOTE else ""


def chart_limits(outlook: Assessment | None) -> tuple[tuple[str, float], ...]:
    """(label, bytes) of the limits that a chart shows: those that count the same memory as RES or VIRT.

    The label begins with the sign of a warning or danger about that limit. The limit that a confirmed growth will reach
    shows the time as well. The limit at which the OOM killer ended the process is among them even if it was not read
    before: a process that lives for seconds ends before its turn.
    """
    if outlook is None:
        return ()
    growth, state = outlook.growth, outlook.state
    when = ""
    if state is not None and state.alarm and growth is not None and growth.limit_s and not outlook.of_heap:
        when = f" in {span(*growth.limit_s)},"
    target = outlook.first_met
    if target is not None and target.goes_to_swap:  # it is swap that is full then
        when = ""
    drawn = [
        (f"{_sign(row, outlook)}{short(row.name)}{when if row is target else ''}", float(row.limit_bytes))
        for row in outlook.limits
        if row.limit in _ON_THE_CHART
    ]
    end = outlook.autopsy
    if end is not None and end.limit_name is not None and end.limit_bytes is not None:
        met = f"{SIGNS[Severity.DANGER]} {short(end.limit_name)}", float(end.limit_bytes)
        drawn += [met] if met[1] not in [limit_bytes for _, limit_bytes in drawn] else []
    return tuple(drawn)


def chart_forecast(outlook: Assessment | None) -> Forecast | None:
    """The growth of RES until it reaches the limit that :func:`chart_limits` names; None unless growth is confirmed."""
    if outlook is None or outlook.state is None or not outlook.state.alarm or outlook.growth is None:
        return None
    if outlook.of_heap:  # it is not RES that rises
        return None
    target = outlook.first_met
    room_bytes = target.headroom_max_bytes if target is not None and not target.goes_to_swap else 0
    if outlook.growth.limit_s is None or room_bytes <= 0:  # what goes to swap does not raise RES
        return None
    facts: Mapping[str, float | str] = next((one.facts for one in outlook.findings if one.name == "growth"), {})
    rate = float(facts.get("rate_bytes_per_min", 0.0))
    all_rates = float(facts.get("falls_bytes_per_min", rate + float(facts.get("rivals_bytes_per_min", 0.0))))
    if not 0 < rate < all_rates:
        return Forecast(float(room_bytes), *outlook.growth.limit_s)
    return Forecast(room_bytes * rate / all_rates, *outlook.growth.limit_s, rate / 60)  # others fill the rest
