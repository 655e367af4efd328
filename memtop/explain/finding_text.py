"""Sentences about findings on processes, from ``findings.toml``; numbers get their units here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from memtop.analysis.findings import Finding
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Shape
from memtop.explain.limit_names import short
from memtop.explain.next_steps import NextStep, next_step
from memtop.explain.package_files import tables_of
from memtop.model.assessment import Assessment
from memtop.runtimes.view import ToolTarget
from memtop.units import count, duration, long_size, percent, plural

_PLACE: Final = re.compile(r"\{([a-z0-9_]+)(?: ([a-zA-Z ]+))?\}")
"""A fact, or a count with its noun, which is put in the plural where it has to be."""
_STEPS_S: Final = (5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 86400)
_OPEN: Final = frozenset({Shape.INSUFFICIENT, Shape.LEAK, Shape.LEAK_GC, Shape.GROWTH})
"""Shapes of curves that may be growth, while no finding says so."""
SHAPES: Final = {
    Shape.FLAT: "flat",
    Shape.NOISY: "noisy, no trend",
    Shape.LEAK: "rising",
    Shape.LEAK_GC: "rising, with drops in between",
    Shape.SAWTOOTH: "a sawtooth with level low points",
    Shape.STEP: "a step",
    Shape.STAIRS: "steps",
    Shape.WARMUP: "a rise that is ending",
    Shape.SPIKE: "a temporary peak",
    Shape.GROWTH: "possibly rising",
    Shape.SHRINK: "falling",
    Shape.INSUFFICIENT: "not known yet",
}
"""The shape of a curve, in a few words."""
_FILES_BYTES: Final = 16 << 20
"""A smaller change of pages of files is not worth a sentence."""
_CGROUPS: Final = frozenset({"limit_name", "brake_name", "of"})
"""Facts that may be paths of cgroups."""
_OUTSIDE: Final = {
    "memfd_bytes": "memfds",
    "huge_memfd_bytes": "memfds of huge pages",
    "unlinked_bytes": "unlinked files on tmpfs",
    "tmpfs_bytes": "files on tmpfs",
    "sysv_bytes": "System V segments",
    "socket_bytes": "socket buffers",
    "page_tables_bytes": "page tables",
}
"""The parts of memory outside RES, by their facts."""
_WIDE: Final = 5.0
"""Each end of a range is rounded by its own size if the later one is more than so many times the earlier one."""
_FAR_S: Final = 10 * 86400
"""A forecast does not tell later times apart."""
_SECONDS: Final = (("h", 3600.0, 7200.0), ("min", 60.0, 120.0), ("s", 1.0, 0.0))


class FindingText(NamedTuple):
    """The sentences of one finding."""

    severity: Severity
    topic: str
    says: str
    doubt: str = ""
    next: str = ""
    """What to do, with the command if there is one; empty for nothing."""
    command: str = ""
    """The command of the next step, to copy; empty if it has none."""
    next_topic: str = ""
    """The topic that explains the next step."""


@cache
def finding_texts() -> dict[str, Any]:
    """The tables of ``findings.toml``, by the name of the finding."""
    return tables_of("findings.toml")


def sentences_of(finding: Finding, tools: ToolTarget | None = None, *, answered: bool = False) -> FindingText:
    """The finding's sentences with its numbers. Sentences that name an unknown fact are left out.

    The next step is that of the program, if ``tools`` says which it is and the table has one for it. ``answered``: only
    what an answer above it does not say already, which may be nothing.
    """
    text = finding_texts()[finding.name]
    facts = worded(finding.facts)
    variant = next((text[name] for name in facts if isinstance(text.get(name), dict)), text)
    step = next_step(finding.name, tools) or NextStep(variant.get("next", ""))
    return FindingText(
        finding.severity,
        finding.topic,
        _worded_as(variant, facts, answered=answered),
        variant.get("doubt", ""),
        step.text,
        step.command,
        step.topic or finding.topic,
    )


def _worded_as(variant: Mapping[str, list[str]], facts: Mapping[str, str], *, answered: bool) -> str:
    lead, says = variant.get("lead", []), variant["says"]
    if answered and "more" in variant:
        lead, says = variant["more"], says if lead else []
    text = " ".join(known_sentences([*lead, *says], facts))
    return _then(facts) + text if text else ""


def _then(facts: Mapping[str, str]) -> str:
    """The beginning of sentences whose numbers are those of a reading, after which RES has moved."""
    return f"As read {facts['past_s']} ago: " if "past_s" in facts else ""


def computed(subject: str, percent_done: int) -> str:
    """That something is not known yet of an earlier instant, because what precedes it is still being played."""
    return f"{f'{subject} is being' if subject else 'Being'} computed for this moment: {percent_done} %"


def nothing_wrong(
    outlook: Assessment, *, alone: bool = True, computed_percent: int | None = None, answered: bool = False
) -> str:
    """The line "nothing is wrong" for a process without warnings. It claims nothing about limits that were not read.

    ``alone``: there are no notes either, which might contradict the line. ``computed_percent`` is how much of the past
    of an earlier instant was played, as long as it is. ``answered``: answers above the line say whether it grows
    and how far the limit is, so it may be empty.
    """
    growth, state = outlook.growth, outlook.state
    alone = alone and not (outlook.charge_open or outlook.family_open or outlook.held_open or outlook.held_doubt)
    if computed_percent is not None and (growth is None or growth.kind in _OPEN):
        name = "computed"
    elif growth is None or growth.kind is Shape.INSUFFICIENT:
        name = "unknown"
    elif growth.kind in _OPEN:
        name = "heap_open" if outlook.of_heap else "heap_level" if outlook.heap_level else "open"
    elif state is not None and state.changing:
        name = "changing"
    elif outlook.creeps:
        name = "creeping"
    elif growth.kind in (Shape.FLAT, Shape.NOISY):
        name = "flat" if alone or outlook.unread else "level"
    else:
        name = "" if alone else "beside"
    if answered:
        name = "" if name in ("", "flat") else "beside"
    if outlook.unread:
        name = "unread" if name in ("", "beside") else f"unread_{name}"
    texts = finding_texts()["nothing"]
    facts: dict[str, float | str] = {
        "unread": "; ".join(outlook.unread),
        "done": str(computed_percent),
        "verdict_s": outlook.verdict_s,
    }
    files = _file_change(outlook)
    sums = _sum("its fork family as a whole", outlook.family_rise_bytes, is_open=outlook.family_open)
    sums += _sum("its cgroup as a whole", None, is_open=outlook.charge_open)
    sums += _sum("its memory outside RES", outlook.held_rise_bytes, is_open=outlook.held_open)
    sums += f" Not known {outlook.held_doubt}." if outlook.held_doubt else ""
    beside = f" Not checked: {'; '.join(outlook.not_looked_at)}." if outlook.not_looked_at else ""
    if growth is not None:
        facts["span_s"] = growth.span_s
        facts["rise_bytes"] = max(0.0, growth.rise_bytes or 0.0)
        facts["held"] = "has been level" if growth.kind is Shape.FLAT else "has varied without a trend"
    if answered and name == "beside":  # the answers say how much room is left, and whether it grows
        return (sums + files + beside).strip()
    return " ".join(known_sentences((texts[name] if name else texts)["says"], worded(facts))) + sums + files + beside


def _sum(what: str, rise_bytes: float | None, *, is_open: bool) -> str:
    """Whether a sum that RES does not show has grown; empty if it has not."""
    if is_open:
        return f" Unknown yet whether {what} grows."
    return f" {what[0].upper()}{what[1:]} rose by {long_size(rise_bytes)}, and is level now." if rise_bytes else ""


def _file_change(outlook: Assessment) -> str:
    """What a chart of RES shows beside a level curve of all else; empty if that is little."""
    change_bytes, growth = outlook.file_change_bytes, outlook.growth
    if change_bytes is None or growth is None or abs(change_bytes) < max(_FILES_BYTES, 0.1 * (growth.level_bytes or 0)):
        return ""
    size, moved = long_size(abs(change_bytes)), "risen" if change_bytes > 0 else "fallen"
    return f" File pages have {moved} by {size} meanwhile; the kernel can reclaim them."


def worded(facts: Mapping[str, float | str]) -> dict[str, str]:
    """Format numbers by the unit at the end of their name.

    The ends of a rate become ``rate_range``, one number where both read the same, and with the rate itself ``rates``.
    ``early_s`` and ``late_s`` become ``when``. Those that begin with ``slow_`` become ``slow_when``. The parts of
    memory outside RES become ``outside``.
    """
    found = {name: _worded(name, value) for name, value in facts.items()}
    if (early := facts.get("early_s")) is not None and (late := facts.get("late_s")) is not None:
        found["when"] = span(float(early), float(late))
    if (early := facts.get("slow_early_s")) is not None and (late := facts.get("slow_late_s")) is not None:
        found["slow_when"] = span(float(early), float(late))
    if (full_s := facts.get("full_s")) is not None:
        found["full_s"] = about(float(full_s))
        found["pace"] = _pace(found)
    low, high = found.get("rate_low_bytes_per_min"), found.get("rate_high_bytes_per_min")
    if low is not None and high is not None:
        found["rate_range"] = low if low == high else f"{low} to {high}"
    if "rate_range" in found and (rate := found.get("rate_bytes_per_min")) is not None:
        found["rates"] = f"{rate} per minute" + ("" if rate == low == high else f" ({found['rate_range']})")
    if outside := [f"{found[name]} in {words}" for name, words in _OUTSIDE.items() if name in facts]:
        found["outside"] = ", ".join(outside)
    if isinstance(evidence := facts.get("evidence"), str):
        found["evidence"] = evidence.capitalize()
    return found


def _pace(facts: Mapping[str, str]) -> str:
    """What uses up the room of a limit: the process alone, with others, or something else."""
    if "falls" in facts:
        return "Available memory falls faster than it rises; at that rate"
    if (count := facts.get("beside_count")) is not None:
        return f"With {count} other{' that grows' if count == '1' else 's that grow'},"
    return "At this rate"


def _worded(name: str, value: float | str) -> str:
    if isinstance(value, str):
        return short(value) if name in _CGROUPS else value
    if "_bytes" in name:
        return long_size(value)
    if name.endswith("_percent"):
        return percent(value)
    if name.endswith("_per_s"):
        return count(value)
    if name.endswith("_s"):
        return duration(value)
    return f"{value:,.0f}"


def span(early_s: float, late_s: float) -> str:
    """Format a range of time, rounded outward: ``20 to 35 min``, ``less than 10 s``, ``3 min to over 10 days``."""
    if early_s >= _FAR_S:
        return "over 10 days"
    wide, width_s = late_s > _WIDE * early_s > 0, late_s - early_s
    low = _rounded_down(early_s, early_s if wide else max(early_s, min(width_s, _FAR_S)))
    if late_s > _FAR_S:
        unit, size = _unit_of(low)
        return f"{f'{low / size:.3g} {unit}' if low > 0 else 'seconds'} to over 10 days"
    step = _step_s(late_s if wide else max(early_s, width_s))
    high = max(math.ceil(late_s / step) * step, low + step)
    unit, size = _unit_of(low if low > 0 else high)
    if low <= 0:
        return f"less than {high / size:.3g} {unit}"
    high_unit, high_size = _unit_of(high / 2)
    if high_size > size:  # so that a beginning near two minutes does not change the unit of the end to and fro
        return f"{low / size:.3g} {unit} to {high / high_size:.3g} {high_unit}"
    return f"{low / size:.3g} to {high / size:.3g} {unit}"


def about(seconds: float) -> str:
    """A time at a pace that may change, with one digit that counts: ``less than 5 s``, ``about 2 min``."""
    if seconds < 5:
        return "less than 5 s"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s"
    if seconds < 5400:
        return f"about {max(2, round(seconds / 60))} min"
    return f"about {max(2, round(seconds / 3600))} h"


def _step_s(size_s: float) -> int:
    """About a tenth of a time, as a round number."""
    return next((step for step in _STEPS_S if step >= max(size_s, 5) / 10), _STEPS_S[-1])


def _rounded_down(time_s: float, size_s: float) -> int:
    step = _step_s(size_s)
    return math.floor(time_s / step) * step


def _unit_of(time_s: float) -> tuple[str, float]:
    """The unit that a time is given in, and its length in seconds."""
    return next((unit, size) for unit, size, least in _SECONDS if time_s >= least)


def known_sentences(sentences: list[str], facts: Mapping[str, str]) -> list[str]:
    """The sentences with their facts, without those that name an unknown one."""
    return [
        _PLACE.sub(lambda place: _filled(facts[place[1]], place[2]), sentence)
        for sentence in sentences
        if all(place[1] in facts for place in _PLACE.finditer(sentence))
    ]


def _filled(fact: str, noun: str | None) -> str:
    return fact if noun is None else f"{fact} {noun if fact == '1' else plural(noun)}"
