"""The facts of a report, made of a frame: texts that are already worded, and series for the chart.

Nothing here is escaped: names are cleaned of control characters, and the templates escape every text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from memtop import __version__, units
from memtop.analysis.findings import Weight, weighing
from memtop.analysis.severity import Severity
from memtop.explain.answers import answers
from memtop.explain.chart_levels import Forecast, chart_forecast, chart_limits
from memtop.explain.event_names import EVENT_WORDS
from memtop.explain.exit_text import autopsy_lines, exit_severity
from memtop.explain.finding_text import nothing_wrong, sentences_of
from memtop.explain.incident_text import headline, incident_sentences
from memtop.explain.region_sentences import mark_sentence
from memtop.explain.severity_signs import SIGNS
from memtop.explain.virt_text import virt_sentence
from memtop.model.assessment import Assessment, ExitReport
from memtop.model.detail import Detail, Mark
from memtop.model.frame import Frame
from memtop.model.group import GroupRow
from memtop.model.timeline import EventKind, TimelineEvent
from memtop.report.tables import Table, clock, tables_of
from memtop.sanitize import clean
from memtop.units import counted

_ENDS: Final = (EventKind.OOM, EventKind.EXIT)
_MOST_PROBLEMS: Final = 2
"""The last one is that a recording is not complete."""
_SAME_END_S: Final = 5.0
"""An end that the chart has and an event of an end that is so near are the same one."""


class Statement(NamedTuple):
    """One finding or incident: how bad, what, and what to do next."""

    sign: str
    severity: str
    says: str
    evidence: str = ""
    next: str = ""


class Report(NamedTuple):
    """Everything that a page says."""

    title: str
    as_of: str
    """The instant that all numbers and ages are of."""
    summary: tuple[str, ...]
    """What happened, in at most five lines."""
    answers: tuple[Statement, ...]
    """Whether the process grows, whether VIRT is a problem, and how far its limit is, in the words of the screen."""
    findings: tuple[Statement, ...]
    detail: Detail | None
    limits: tuple[tuple[str, float], ...]
    """(label, bytes) of the limits in the chart."""
    forecast: Forecast | None
    """The rise from the end of the chart to the first limit; None unless growth is confirmed."""
    marks: tuple[Mark, ...]
    """What happened to the process, or at its limits, the oldest first."""
    tables: tuple[Table, ...]
    provenance: tuple[str, ...]
    """When and with what it was made, and how to see it again."""


def report_of(
    frame: Frame,
    *,
    exits: Sequence[ExitReport] = (),
    groups: Sequence[GroupRow] = (),
    events: Sequence[TimelineEvent] = (),
    host: str = "",
    kernel: str = "",
    source: str = "",
) -> Report:
    """Make the report of one frame.

    ``exits`` are those of the whole time, the latest last. ``groups`` replace those of the frame, if it lists none.
    ``events`` are those of a recording, the oldest first.
    ``source`` is the command that shows the data again.
    """
    detail = frame.detail
    outlook = detail.outlook if detail is not None else None
    line = headline(frame.incidents, frame.system)
    return Report(
        title=_title(detail, host),
        as_of=f"As of {clock(frame.shown_s)}.",
        summary=tuple(_summary(frame, line.says, exits))[:5],
        answers=tuple(_answers(frame)),
        findings=tuple(_findings(frame, outlook)),
        detail=detail,
        limits=tuple(limit for limit in chart_limits(outlook) if limit[1] > 0),
        forecast=chart_forecast(outlook),
        marks=tuple(_marks(detail, events)) if detail is not None else (),
        tables=tuple(table for table in tables_of(frame, exits, frame.groups or groups, events) if table.rows),
        provenance=tuple(_provenance(frame, host, kernel, source)),
    )


def _title(detail: Detail | None, host: str) -> str:
    where = f" on {clean(host)}" if host else ""
    return f"Memory of {detail.row.program} ({detail.row.pid}){where}" if detail is not None else f"Memory{where}"


def _summary(frame: Frame, machine: str, exits: Sequence[ExitReport]) -> Iterable[str]:
    yield f"Machine: {machine}."
    if frame.problems:
        yield f"Problems: {'; '.join(frame.problems[-_MOST_PROBLEMS:])}."
    detail = frame.detail
    if detail is not None:
        row, outlook = detail.row, detail.outlook
        yield (
            f"{row.program} ({row.pid}): RES {units.long_size(row.rss_bytes)}, VIRT {units.long_size(row.virt_bytes)}, "
            f"peak RES {units.long_size(row.peak_rss_bytes)}."
        )
        if outlook is not None and outlook.autopsy is not None:
            yield autopsy_lines(outlook.autopsy)[0]
        elif outlook is not None and outlook.findings:
            yield sentences_of(outlook.findings[0]).says
        elif outlook is not None and row.virt_bytes:  # otherwise the last sentence says why it has no memory
            yield nothing_wrong(outlook)
        if sentence := virt_sentence(row, frame.system, outlook):
            yield sentence
    killed = [one for one in exits if detail is None or one.key != detail.row.key]
    if killed:
        names = ", ".join(f"{one.shown_name} ({one.key.pid})" for one in killed[:3])
        more = f" and {len(killed) - 3} more" if len(killed) > 3 else ""
        yield f"Ended during this time: {names}{more}."


def _answers(frame: Frame) -> Iterable[Statement]:
    if frame.detail is None:
        return
    for answer in answers(frame.detail, frame.system, frame.past_percent):
        yield Statement(SIGNS[answer.severity], answer.severity.name.lower(), answer.says)
    outlook = frame.detail.outlook
    if outlook is None or outlook.autopsy is not None or outlook.growth is None:
        return
    is_bad = any(finding.severity > Severity.NOTE for finding in outlook.findings)
    if not is_bad and not weighing(outlook.findings, Weight.OPEN):
        says = nothing_wrong(outlook, alone=not outlook.findings, computed_percent=frame.past_percent)
        yield Statement(SIGNS[Severity.NOTE], "note", says)


def _findings(frame: Frame, outlook: Assessment | None) -> Iterable[Statement]:
    if frame.detail is not None and (marked := mark_sentence(frame.detail)):
        yield Statement(SIGNS[Severity.NOTE], "note", marked)
    if outlook is not None:
        if outlook.autopsy is not None:
            first, *rest = autopsy_lines(outlook.autopsy)
            severity = exit_severity(outlook.autopsy)
            yield Statement(SIGNS[severity], severity.name.lower(), first, " ".join(rest))
        for finding in outlook.findings:
            text = sentences_of(finding, outlook.tools)
            yield Statement(SIGNS[text.severity], text.severity.name.lower(), text.says, text.doubt, text.next)
    for incident in frame.incidents.standing if frame.incidents is not None else ():
        said = incident_sentences(incident)
        severity = incident.severity
        yield Statement(SIGNS[severity], severity.name.lower(), said.says, "; ".join(said.evidence), said.next)


def _marks(detail: Detail, events: Sequence[TimelineEvent]) -> list[Mark]:
    """What the chart marks: what memtop noted of the process live, and the recorded events of it and of its limits."""
    limits = {row.name for row in detail.outlook.limits} if detail.outlook is not None else set()
    autopsy = detail.outlook.autopsy if detail.outlook is not None else None
    if autopsy is not None and autopsy.limit_name is not None:
        limits.add(autopsy.limit_name)
    found = []
    for event in events:
        name, colon, tail = event.label.rpartition(": ")
        words = EVENT_WORDS[event.kind]
        if event.kind is EventKind.LIMIT and name in limits:
            words = f"{tail} of limit"
        elif event.pid != detail.row.pid:
            continue
        elif event.kind is EventKind.VERDICT and colon:
            words = tail
        found.append(Mark(event.at_s - detail.window.right_edge_s, event.kind.value, words))
    for mark in detail.marks:
        near = [one for one in found if one.kind in _ENDS and abs(one.at_s - mark.at_s) < _SAME_END_S]
        if mark.kind == "gc" or (mark.kind == "gone" and near) or any(one.kind == mark.kind == "mark" for one in found):
            continue
        killed = mark.kind == "gone" and autopsy is not None and autopsy.is_oom
        found.append(mark._replace(label="OOM kill") if killed else mark)
    return sorted(found)


def _provenance(frame: Frame, host: str, kernel: str, source: str) -> Iterable[str]:
    if host or kernel:
        yield f"Machine {clean(host)}, Linux {clean(kernel)}."
    if frame.hidden is None:
        yield "Processes of other users were not visible (hidepid), and their number is unknown."
    elif frame.hidden:
        yield f"{counted(frame.hidden, 'process')} could not be read (permission)."
    yield f"Made by memtop {__version__}."
    if source:
        yield f"Replay it with: {clean(source)}"
