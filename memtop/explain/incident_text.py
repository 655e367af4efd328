"""The headline of the machine, and the sentences about incidents, from ``incidents.toml``."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cache
from math import ceil
from shlex import quote
from typing import Any, Final, NamedTuple

from memtop.analysis.incidents import RULES, Incident, Scope
from memtop.analysis.severity import Severity
from memtop.explain.finding_text import known_sentences, worded
from memtop.explain.first_headline import available_clause, first_clauses
from memtop.explain.limit_names import short
from memtop.explain.package_files import tables_of
from memtop.explain.severity_signs import SIGNS
from memtop.model.incidents import IncidentReport, Unseen
from memtop.model.row import SystemRow
from memtop.units import counted

JUST_NOW_S: Final = 5.0
"""Ages are given in steps of this time."""
_FALLS: Final = ", as fast as available memory falls"
"""Ends a sentence whose time does not follow from the process that it names alone."""
_EARLY_SHARE: Final = 2 / 15
"""What grows fast is known after this part of the time that a verdict takes: 12 s of 90."""
_VERDICT: Final = "at least 90 s and 40 samples"
"""How long growth takes to be confirmed."""
_VERDICT_S: Final = 90.0
_LOOP_OOM: Final = "1 shows what fills memory just before the end. Raise the limit{}, or limit the runtime."
_LOOP_OTHER: Final = "Read its log, which says why; 1 shows what fills memory just before the end."
_OOM_LIMIT: Final = "raise the limit{}, or limit the runtime (GOMEMLIMIT, -Xmx)"
_OOM_MACHINE: Final = "limit what used the RAM (memory.max, GOMEMLIMIT, -Xmx), or add RAM or swap"
_MORE: Final = 1.5
"""A limit is to be raised by this factor."""
_WHO: Final = ("subject", "victim", "gainer", "copier")
"""Facts that are names of processes, programs and cgroups."""


class IncidentText(NamedTuple):
    """The sentences about one incident."""

    clauses: tuple[str, ...]
    """The most important first; they make sense without the last ones."""
    evidence: tuple[str, ...]
    next: str
    topic: str
    brief: tuple[str, ...] = ()
    """Who, what and when in few words."""
    who: str = ""
    """The name in the first clause."""

    @property
    def says(self) -> str:
        """All clauses in one line."""
        return "; ".join(self.clauses)


class Headline(NamedTuple):
    """The line that speaks for the whole machine."""

    clauses: tuple[str, ...]
    """The most important first."""
    severity: Severity | None = None
    """None where nothing deserves attention."""
    more: int = 0
    """Incidents beside the one that is named."""
    brief: tuple[str, ...] = ()
    """Who, what and when in few words, for narrow lines; empty where ``clauses`` are short."""
    who: str = ""
    """The name in the first clause, which is shortened before anything else is cut."""
    trouble: Hashable = None
    """The subject and the kind of what is named; None where nothing deserves attention."""

    @property
    def sign(self) -> str:
        """How bad it is; empty where nothing deserves attention."""
        return SIGNS[self.severity] if self.severity is not None else ""

    @property
    def says(self) -> str:
        """All clauses in one line, without its severity."""
        return "; ".join(self.clauses) + (f"; and {self.more} more" if self.more else "")


@cache
def incident_texts() -> dict[str, Any]:
    """The tables of ``incidents.toml``, by the names of the incidents."""
    return tables_of("incidents.toml")


def incident_sentences(incident: Incident) -> IncidentText:
    """The sentences about an incident with its numbers; those that name an unknown fact are left out."""
    text = incident_texts()[incident.name]
    facts = worded(incident.facts) | {"subject": _subject(incident)}
    if (ago_s := incident.facts.get("ago_s")) is not None:
        facts["ago"] = "just now" if float(ago_s) < JUST_NOW_S else f"{facts['ago_s']} ago"
    can_be_raised = incident.facts.get("limit_of") != "machine" and "limit_bytes" in facts
    how = _how_to_raise(incident.facts)
    facts["raise_limit"] = f"; or raise the limit to gain time{how}" if can_be_raised else ""
    facts["limit_how"] = how or " (memory.max; in v1 memory.limit_in_bytes)"
    facts["oom_step"] = _OOM_MACHINE if incident.facts.get("limit_of") == "machine" else _OOM_LIMIT.format(how)
    facts["loop_step"] = _LOOP_OOM.format(how) if "oom" in facts else _LOOP_OTHER
    facts["act"] = _act(incident.facts, how)
    beside = facts.get("beside_count")
    also = f", with {beside} other{' that grows' if beside == '1' else 's that grow'}" if beside else ""
    facts["beside"] = _FALLS if "falls" in facts else also
    facts["as_falls"] = _FALLS if "falls" in facts else ""
    if "cgroup" in facts:
        facts["cgroup"] = short(facts["cgroup"])
    variant = next((text[name] for name in facts if isinstance(text.get(name), dict)), text)
    return IncidentText(
        tuple(known_sentences(variant["says"], facts)),
        tuple(known_sentences(variant.get("evidence", []), facts)),
        "".join(known_sentences([variant.get("next", "")], facts)),
        RULES[incident.name].topic,
        tuple(known_sentences(variant.get("brief", []), facts)),
        next((facts[name] for name in _WHO if f"{{{name}}}" in variant["says"][0] and name in facts), ""),
    )


def _how_to_raise(facts: Mapping[str, float | str]) -> str:
    """The command that raises a limit by half, in brackets; empty where it is not known."""
    file, limit_bytes = facts.get("limit_file"), facts.get("limit_bytes")
    if not isinstance(file, str) or not isinstance(limit_bytes, int | float):
        return ""
    return f" (echo {ceil(_MORE * limit_bytes / (1 << 20))}M > {quote(file)})"


def _act(facts: Mapping[str, float | str], how: str) -> str:
    """How to go on with a rise on which there is no verdict yet: a limit may be full before there is one."""
    full_s = facts.get("full_s")
    if not isinstance(full_s, int | float) or full_s >= _VERDICT_S:
        return f"Wait for the verdict ({_VERDICT}), and see"
    return f"It may be full before the verdict: raise the limit at once{how}, and see" if how else "See at once"


def headline(report: IncidentReport | None, system: SystemRow, *, computed_percent: int | None = None) -> Headline:
    """What is to be said of the machine first; ``report`` is None before the second sample.

    ``computed_percent`` is how much of the past of an earlier instant was played, as long as it is.
    """
    if report is not None and report.standing:
        first = report.standing[0]
        words = incident_sentences(first)
        trouble = first.subject.identity, first.name
        return Headline(words.clauses, first.severity, len(report.standing) - 1, words.brief, words.who, trouble)
    if report is None:
        return Headline(first_clauses(system))
    available = available_clause(system)
    unread = unseen_clauses(report.unseen)
    grows = "too early to know what grows"
    if report.watched_s >= _EARLY_SHARE * report.verdict_s:
        which = "watched " if report.unseen.only is not None else "" if report.unseen.hidden == 0 else "readable "
        grows = f"nothing {which}grows{'' if report.watched_s >= report.verdict_s else ' fast'}"
    if report.grows_unseen:
        grows = f"{report.grows_unseen} grows"
    if computed_percent is not None and report.watched_s < report.verdict_s:
        grows = f"what grows is being computed for this moment: {computed_percent} %"
    readable = "readable " if report.unseen.unplaced or report.unseen.unread_cgroups else ""
    near = f"no {readable}cgroup limit is near"
    return Headline((available, f"{grows}, {near}", *unread), brief=(available, grows, near))


def not_looked_at(unseen: Unseen) -> list[str]:
    """All that the incidents do not cover, each as a clause."""
    own = counted(unseen.unassessed, "process")
    return unseen_clauses(unseen) + ([f"ulimits and mappings of {own} not checked"] if unseen.unassessed else [])


def unseen_clauses(unseen: Unseen) -> list[str]:
    """What could not be read, or not yet, each as a clause: short enough for the headline."""
    found = []
    if unseen.only is not None:
        watched = f"only {counted(unseen.only, 'process')} watched"
        found.append(watched if unseen.only else "no process is watched now")
    if unseen.hidden is None:
        found.append("hidden processes not counted (hidepid)")
    elif unseen.hidden:
        found.append(f"{counted(unseen.hidden, 'process')} not readable")
    if unseen.unplaced:
        found.append(f"cgroup of {counted(unseen.unplaced, 'process')} unknown")
    if unseen.unread_cgroups:
        found.append(f"limit of {counted(unseen.unread_cgroups, 'cgroup')} not read")
    return found


def kills_before(system: SystemRow, report: IncidentReport | None) -> str:
    """What the OOM killer did before memtop started, as a clause; empty where it did nothing, or does not say it.

    When, and which processes, only the kernel log says. A cgroup may have been made since its kills were counted.
    """
    count = (system.oom_kills_boot or 0) - (system.oom_kills or 0)
    places = report.killed_before if report is not None else ()
    count = max(count, sum(number for _, number in places))
    if not count:
        return ""
    where = ", ".join(f"{number} in {name}" for name, number in places)
    kills = counted(count, "OOM kill")
    return f"{kills} before memtop started{f' ({where})' if where else ''}: see dmesg -T"


def incident_object(incident: Incident, at: str) -> dict[str, Any]:
    """An incident as the JSON contract has it; ``at`` is when it began, as text."""
    words, subject = incident_sentences(incident), incident.subject
    key = subject.key
    return {
        "id": incident.name,
        "severity": incident.severity.name.lower(),
        "scope": subject.scope.value,
        "pid": key.pid if key is not None else None,
        "start_ticks": key.start_ticks if key is not None else None,
        "cgroup": subject.path,
        "name": subject.name or None,
        "since": at,
        "text": words.says,
        "evidence": list(words.evidence),
        "next": words.next or None,
        "facts": _rounded(incident.facts),
    }


def _rounded(facts: Mapping[str, float | str]) -> dict[str, float | str | None]:
    found: dict[str, float | str | None] = {}
    for name, value in facts.items():
        finite = isinstance(value, str) or abs(value) < float("inf")
        found[name] = (round(value, 3) if isinstance(value, float) else value) if finite else None
    return found


def _subject(incident: Incident) -> str:
    subject = incident.subject
    return short(subject.name) if subject.scope is Scope.CGROUP else subject.name
