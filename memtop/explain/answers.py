"""Three answers of one line each: does it grow, is VIRT a problem, how far is the limit.

They are short enough for a line of a narrow terminal, and there is one of each in every state of a process. Evidence,
doubts and next steps are in ``finding_text``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.analysis.findings import Finding
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Evidence
from memtop.explain.finding_text import about, computed, span
from memtop.explain.limit_names import short
from memtop.explain.virt_text import virt_answer
from memtop.model.assessment import Assessment, Limit, LimitRow
from memtop.model.detail import Detail
from memtop.model.row import SystemRow
from memtop.units import duration, long_size, percent

_NAME_CELLS: Final = 24
_FULL_SHARE: Final = 0.8
"""A limit that is this full comes before the limit with the least room."""
_BOUNDS_MEMORY: Final = frozenset(
    {Limit.CGROUP, Limit.HIGH, Limit.MACHINE, Limit.ADDRESS_SPACE, Limit.DATA, Limit.COMMIT, Limit.RUNTIME}
)
_RISEN_BYTES: Final = 8 << 20
"""A change within the last minute that is said before there is a verdict."""
_EARLY: Final = "Growing? Unknown yet"
_EARLY_THEN: Final = "Growing then? Not known: too few samples before that moment"
_GROWS: Final = {Evidence.POSSIBLE_LEAK.value: "Leak?", Evidence.LIKELY_LEAK.value: "Likely leak:"}
"""What growth is called, by the evidence; it has no other name in the first five minutes."""
_OF_SHAPES: Final = {
    Shape.FLAT: "No: level for {span}",
    Shape.NOISY: "No: it varies without a trend for {span}",
    Shape.SAWTOOTH: "No: it swings, and the low points stay flat",
    Shape.STEP: "No: a step of {rise}, level since",
    Shape.STAIRS: "In steps: {rise} in {span}",
    Shape.WARMUP: "Slowing down: {rise} in {span}",
    Shape.SPIKE: "No: a peak that has passed",
    Shape.SHRINK: "No: it is falling",
    Shape.GROWTH: "Maybe: {rate}/min, but not steadily",
    Shape.LEAK: "Maybe: {rate}/min; verdict in a few seconds",
    Shape.LEAK_GC: "Maybe: {rate}/min; verdict in a few seconds",
}
_FINDINGS: Final = {
    Shape.SAWTOOTH: "sawtooth",
    Shape.STEP: "step",
    Shape.STAIRS: "stairs",
    Shape.WARMUP: "warmup",
    Shape.SPIKE: "spike",
    Shape.SHRINK: "shrink",
    Shape.GROWTH: "maybe_growing",
}
"""The findings that say the same as the answer to a shape, with more words."""
_OUTSIDE: Final = {"held_growth": "outside RES", "huge_growth": "in huge pages"}
"""Findings about growth of memory that is its own and that RES does not have, and where that is."""
_RISES: Final = (Shape.WARMUP, Shape.STAIRS, Shape.GROWTH, Shape.LEAK, Shape.LEAK_GC)


class Answer(NamedTuple):
    """One line."""

    says: str
    severity: Severity
    topic: str
    shorter: tuple[str, ...] = ()
    """The same in fewer words, for lines into which it does not fit; the last is the shortest."""
    finding: str = ""
    """The name of the finding that it says in short; empty for none."""


_YOUNG: Final = "young"
_NO_LIMITS: Final = Answer("Limit? Not read yet", Severity.NOTE, "limits")
_NO_LIMITS_THEN: Final = Answer("Limit then? Not known", Severity.NOTE, "limits")


def answers(detail: Detail, system: SystemRow, computed_percent: int | None = None) -> list[Answer]:
    """The three lines about the process in focus; fewer if it has no memory of its own, or has ended.

    ``computed_percent`` is how much of the past of an earlier instant was played, as long as it is.
    """
    outlook, row = detail.outlook, detail.row
    if outlook is not None and outlook.autopsy is not None:
        return []  # the exit report says it all
    virt = virt_answer(row, system, outlook)
    of_virt = Answer(virt.says, Severity.NOTE, "virt", (virt.shorter,) if virt.shorter else ())
    if not virt.is_known:
        return [of_virt] if virt.says else []
    if outlook is None and detail.window.cursor_s is None and not detail.paused:
        return [_early(), of_virt, _NO_LIMITS]
    if outlook is None:
        moved_bytes = row.growth_bytes_per_min  # as in the table: never scaled up to a minute
        moved = "Not known"
        if moved_bytes is not None:
            moved = f"RES {_signed(moved_bytes) if moved_bytes else 'did not change'} in the minute before"
        return [Answer(f"Growing then? {moved}", Severity.NOTE, "growth"), of_virt, _NO_LIMITS_THEN]
    grows = _growth(outlook, computed_percent, row.growth_bytes_per_min)
    if detail.window.cursor_s is not None and grows.finding == _YOUNG:
        grows = grows._replace(says=_EARLY_THEN)
    return [grows, of_virt, _limit(outlook, system)]


def _growth(outlook: Assessment, computed_percent: int | None, minute_bytes: float | None) -> Answer:
    """``minute_bytes`` is the change of RES within the last minute, which the table shows."""
    found = {finding.name: finding for finding in outlook.findings}
    if (confirmed := next((found[name] for name in ("growth", *_OUTSIDE) if name in found), None)) is not None:
        return _confirmed(confirmed, outlook) if confirmed.name == "growth" else _outside(confirmed)
    growth, state = outlook.growth, outlook.state
    early = state is None or state.kind is Shape.INSUFFICIENT
    if computed_percent is not None and (growth is None or early or growth.kind is Shape.INSUFFICIENT):
        return Answer(f"Growing? {computed('', computed_percent)}", Severity.NOTE, "verdicts")
    heap = found.get("heap_full") or found.get("heap_leak")
    if heap is not None and outlook.of_heap and growth is not None:
        return Answer(_of_heap(heap, growth), heap.severity, heap.topic)
    if (finding := found.get("rising")) is not None:
        facts = finding.facts
        rise = f"{_signed(float(facts['rise_bytes']))} in {duration(float(facts['rise_s']))}"
        if "full_s" in facts:
            name = str(facts["limit_name"])
            name = "RAM" if outlook.first_met is not None and outlook.first_met.limit is Limit.MACHINE else short(name)
            when = about(float(facts["full_s"]))
            if "falls" in facts:
                shorter = f"Growing? {rise}, too early to say"
                says = f"Growing? {rise} · available falls: {name} full in {when}"
                return Answer(says, Severity.NOTE, "verdicts", (shorter,), "rising")
            full = f"{rise} · {name} full in {when}"
            shorter = f"Growing? {rise} · limit in {when}"
            return Answer(f"Growing? {full}", Severity.NOTE, "verdicts", (shorter,), "rising")
        return Answer(f"Growing? {rise}, too early to say", Severity.NOTE, "verdicts", (), "rising")
    if (finding := found.get("confirming")) is not None and "rise_bytes" in finding.facts:
        rise = f"{_signed(float(finding.facts['rise_bytes']))} in {duration(float(finding.facts['span_s']))}"
        return Answer(f"Growing? {rise}; verdict in a few seconds", Severity.NOTE, "verdict_growing", (), "confirming")
    if growth is None or state is None or state.kind is Shape.INSUFFICIENT or growth.kind is Shape.INSUFFICIENT:
        if minute_bytes is not None and minute_bytes >= _RISEN_BYTES:
            says = f"Growing? {_signed(minute_bytes)} within a minute, too early to say"
            return Answer(says, Severity.NOTE, "verdicts")
        return _early(outlook.verdict_s)
    if outlook.of_heap and growth.slope_high_bytes_per_s is not None:
        most = _signed(60 * growth.slope_high_bytes_per_s)
        return Answer(f"Growing? Maybe: up to {most}/min survives; it varies", Severity.NOTE, "jvm_gc")
    if outlook.of_heap and growth.slope_bytes_per_s is not None:
        says = f"Maybe: {_signed(60 * growth.slope_bytes_per_s)}/min survives; a major collection will tell"
        return Answer(f"Growing? {says}", Severity.NOTE, "jvm_gc")
    if state.changing and not (growth.pause is not None and growth.pause.unusual):
        return Answer("Growing? The trend is changing; verdict in a few seconds", Severity.NOTE, "verdicts")
    return Answer(f"Growing? {_shape(growth)}", Severity.NOTE, "verdicts", (), _FINDINGS.get(growth.kind, ""))


def _outside(finding: Finding) -> Answer:
    """``Growing +60.0 MiB/min outside RES for 98 s · RAM full in 2 to 3 min``."""
    facts = finding.facts
    rate = f"Growing {_signed(float(facts['rate_bytes_per_min']))}/min {_OUTSIDE[finding.name]}"
    full = f" · limit in {span(float(facts['early_s']), float(facts['late_s']))}" if "early_s" in facts else ""
    since = f" for {duration(float(facts['span_s']))}"
    return Answer(f"{rate}{since}{full}", finding.severity, finding.topic, (f"{rate}{full}", rate), finding.name)


def _early(verdict_s: float | None = None) -> Answer:
    takes = f": a verdict takes about {duration(verdict_s)}" if verdict_s is not None else ""
    return Answer(f"{_EARLY}{takes}", Severity.NOTE, "verdicts", (), _YOUNG)


def _confirmed(finding: Finding, outlook: Assessment) -> Answer:
    """``Growing +60.0 MiB/min for 3 min · shop full in 2 to 3 min``; ``Leak?`` after five minutes."""
    facts, growth, target = finding.facts, outlook.growth, outlook.first_met
    rate = f"{_signed(float(facts['rate_bytes_per_min']))}/min"
    since = f" for {duration(float(facts['seen_s']))}"
    if "level_s" in facts:
        level = f"Level for the last {duration(float(facts['level_s']))}"
        shorter = (f"{level} · {rate}", level)
        return Answer(f"{level} · {rate}{since} before that", finding.severity, "verdict_growing", shorter, "growth")
    rate = f"{_GROWS.get(str(facts.get('evidence')), 'Growing')} {rate}"
    since += ", level now" if "rests_s" in facts else ""
    ends, briefly = "", ""
    if growth is not None and growth.limit_s is not None and target is not None:
        when = span(*growth.limit_s)
        slows = target.limit is Limit.HIGH
        ends = f" · slowed in {when}" if slows else f" · {_end(target)} full in {when}"
        briefly = ends if slows else f" · limit in {when}"
    shorter = (f"{rate}{since}{briefly}", f"{rate}{briefly}")
    return Answer(f"{rate}{since}{ends}", finding.severity, "verdict_growing", shorter, "growth")


def _of_heap(finding: Finding, growth: Growth) -> str:
    """``Leak? Heap +60.0 MiB/min after collections · -Xmx heap full in 2 to 3 min``."""
    facts, slope = finding.facts, growth.slope_bytes_per_s
    if finding.name == "heap_full":
        return f"Heap full: {long_size(float(facts['live_bytes']))} in use after collections"
    says = "Leak? More on its heap after collections"
    if slope is not None:
        says = f"Leak? Heap {_signed(60 * slope)}/min after collections"
    if "early_s" not in facts or "late_s" not in facts:
        return says
    return f"{says} · {facts['heap_limit']} full in {span(float(facts['early_s']), float(facts['late_s']))}"


def _shape(growth: Growth) -> str:
    if growth.pause is not None and growth.pause.unusual and growth.kind in _RISES:
        rise = "" if growth.rise_bytes is None else f", after {_signed(growth.rise_bytes)}"
        return f"No: level for the last {duration(growth.pause.level_s)}{rise}"
    if growth.creeps:
        return f"Not known: {_signed(growth.rise_bytes or 0.0)} in {duration(growth.span_s)}, steadily"
    rate = growth.slope_bytes_per_s
    return _OF_SHAPES[growth.kind].format(
        span=duration(growth.span_s),
        rise="some" if growth.rise_bytes is None else _signed(growth.rise_bytes),
        rate="?" if rate is None else _signed(60 * rate),
    )


def _limit(outlook: Assessment, system: SystemRow) -> Answer:
    rows = [row for row in outlook.limits if row.limit in _BOUNDS_MEMORY and row.limit_bytes > 0]
    fullest = max(rows, key=_share, default=None)
    row = next((one for one in rows if one.binds), None)
    if fullest is not None and _share(fullest) >= _FULL_SHARE:
        row = fullest
    unknown = outlook.unread[0] if outlook.unread else "it has not been read"
    if row is None:
        return Answer(f"Limit? Unknown: {unknown}", Severity.NOTE, "limits")
    room = long_size(max(0, row.headroom_max_bytes))
    says = f"Limit? {_name(row)} {percent(100 * _share(row))} % full, {room} left"
    if outlook.unread:
        says += "; others not read"
    near = next((finding.severity for finding in outlook.findings if finding.name in _NEAR), Severity.NOTE)
    return Answer(says, near, "limits")


_NEAR: Final = frozenset({"near_limit", "frozen", "address_space", "data_limit", "commit", "heap_full"})


def _share(row: LimitRow) -> float:
    return row.used_bytes / row.limit_bytes


def _name(row: LimitRow) -> str:
    return "RAM" if row.limit is Limit.MACHINE else short(row.name, _NAME_CELLS)


def _end(row: LimitRow) -> str:
    """What is full when the forecast ends."""
    return f"{_name(row)} and swap" if row.goes_to_swap else _name(row)


def _signed(size_bytes: float) -> str:
    return f"{'-' if size_bytes < 0 else '+'}{long_size(abs(size_bytes))}"
