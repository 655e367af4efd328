"""The facts of a report, made of a frame: texts that are already worded, and series for the chart.

Nothing here is escaped: names are cleaned of control characters, and the templates escape every text.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from memtop import __version__, units
from memtop.analysis.findings import Severity, Weight, weighing
from memtop.analysis.memory_map.moment import NEW_S
from memtop.explain.answers import answers
from memtop.explain.chart_levels import Forecast, chart_forecast, chart_limits
from memtop.explain.event_names import EVENT_WORDS
from memtop.explain.exit_text import how
from memtop.explain.finding_text import autopsy_lines, nothing_wrong, sentences_of, span
from memtop.explain.incident_text import headline, incident_sentences
from memtop.explain.limit_names import short
from memtop.explain.machine_sentences import PART_NAMES, held_by, large_and_small
from memtop.explain.region_sentences import mark_sentence
from memtop.explain.virt_text import virt_sentence
from memtop.model.assessment import Assessment, CountLimit, ExitReport, LimitRow
from memtop.model.frame import Detail, Frame, Mark, ProcessRow
from memtop.model.group import GroupRow
from memtop.model.machine import MachineView
from memtop.model.timeline import EventKind, TimelineEvent
from memtop.redaction import scrub
from memtop.sampling.smaps.smaps_view import RegionsView
from memtop.sanitize import clean
from memtop.units import counted

MOST_ROWS: Final = 15
MOST_MAPPINGS: Final = 10
MOST_EVENTS: Final = 30
MOST_KILLED: Final = 5
"""Groups that an OOM kill has emptied."""
_ENDS: Final = (EventKind.OOM, EventKind.EXIT)
_MOST_HOLDERS: Final = 3
SIGNS: Final = {Severity.DANGER: "▲", Severity.WARNING: "!", Severity.NOTE: "·"}
_MOST_PROBLEMS: Final = 2
"""The last one is that a recording is not complete."""
_LIMIT_FROM: Final = 60
_NUMBER: Final = re.compile(r"([-+≥]?[0-9.]+[A-Za-z]?|–)?")
_SAME_END_S: Final = 5.0
"""An end that the chart has and an event of an end that is so near are the same one."""


class Told(NamedTuple):
    """One finding or incident: how bad, what, and what to do next."""

    sign: str
    severity: str
    says: str
    evidence: str = ""
    next: str = ""


class Table(NamedTuple):
    """A table of texts. The first column is a name."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Of each column, whether its cells are numbers, which a page aligns on the right."""
        return tuple(all(_NUMBER.fullmatch(cell) for cell in cells) for cells in zip(*self.rows, strict=True))


class Report(NamedTuple):
    """Everything that a page says."""

    title: str
    as_of: str
    """The instant that all numbers and ages are of."""
    summary: tuple[str, ...]
    """What happened, in at most five lines."""
    answers: tuple[Told, ...]
    """Whether the process grows, whether VIRT is a problem, and how far its limit is, in the words of the screen."""
    told: tuple[Told, ...]
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
        as_of=f"As of {_clock(frame.shown_s)}.",
        summary=tuple(_summary(frame, line.says, exits))[:5],
        answers=tuple(_answers(frame)),
        told=tuple(_told(frame, outlook)),
        detail=detail,
        limits=tuple(limit for limit in chart_limits(outlook) if limit[1] > 0),
        forecast=chart_forecast(outlook),
        marks=tuple(_marks(detail, events)) if detail is not None else (),
        tables=tuple(table for table in _tables(frame, exits, frame.groups or groups, events) if table.rows),
        provenance=tuple(_provenance(frame, host, kernel, source)),
    )


def _title(detail: Detail | None, host: str) -> str:
    where = f" on {clean(host)}" if host else ""
    return f"Memory of {detail.row.name} ({detail.row.pid}){where}" if detail is not None else f"Memory{where}"


def _summary(frame: Frame, machine: str, exits: Sequence[ExitReport]) -> Iterable[str]:
    yield f"Machine: {machine}."
    if frame.problems:
        yield f"Problems: {'; '.join(frame.problems[-_MOST_PROBLEMS:])}."
    detail = frame.detail
    if detail is not None:
        row, outlook = detail.row, detail.outlook
        yield (
            f"{row.name} ({row.pid}): RES {units.long_size(row.rss_bytes)}, VIRT {units.long_size(row.virt_bytes)}, "
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
        names = ", ".join(f"{one.name} ({one.key.pid})" for one in killed[:3])
        more = f" and {len(killed) - 3} more" if len(killed) > 3 else ""
        yield f"Ended during this time: {names}{more}."


def _answers(frame: Frame) -> Iterable[Told]:
    if frame.detail is None:
        return
    for answer in answers(frame.detail, frame.system, frame.past_percent):
        yield Told(SIGNS[answer.severity], answer.severity.name.lower(), answer.says)
    outlook = frame.detail.outlook
    if outlook is None or outlook.autopsy is not None or outlook.growth is None:
        return
    is_bad = any(finding.severity > Severity.NOTE for finding in outlook.findings)
    if not is_bad and not weighing(outlook.findings, Weight.OPEN):
        says = nothing_wrong(outlook, alone=not outlook.findings, computed_percent=frame.past_percent)
        yield Told(SIGNS[Severity.NOTE], "note", says)


def _told(frame: Frame, outlook: Assessment | None) -> Iterable[Told]:
    if frame.detail is not None and (marked := mark_sentence(frame.detail)):
        yield Told(SIGNS[Severity.NOTE], "note", marked)
    if outlook is not None:
        if outlook.autopsy is not None:
            first, *rest = autopsy_lines(outlook.autopsy)
            yield Told("▲", "danger", first, " ".join(rest))
        for finding in outlook.findings:
            text = sentences_of(finding, outlook.tools)
            yield Told(SIGNS[text.severity], text.severity.name.lower(), text.says, text.doubt, text.next)
    for incident in frame.incidents.standing if frame.incidents is not None else ():
        said = incident_sentences(incident)
        severity = incident.severity
        yield Told(SIGNS[severity], severity.name.lower(), said.says, "; ".join(said.evidence), said.next)


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
        found.append(Mark(event.at_s - detail.right_edge_s, event.kind.value, words))
    for mark in detail.marks:
        near = [one for one in found if one.kind in _ENDS and abs(one.at_s - mark.at_s) < _SAME_END_S]
        if mark.kind == "gc" or (mark.kind == "gone" and near) or any(one.kind == mark.kind == "mark" for one in found):
            continue
        killed = mark.kind == "gone" and autopsy is not None and autopsy.is_oom
        found.append(mark._replace(label="OOM kill") if killed else mark)
    return sorted(found)


def _tables(
    frame: Frame, exits: Sequence[ExitReport], groups: Sequence[GroupRow], events: Sequence[TimelineEvent]
) -> Iterable[Table]:
    detail = frame.detail
    outlook = detail.outlook if detail is not None else None
    if outlook is not None:
        rows = (*map(_limit_row, outlook.limits), *map(_count_row, outlook.counts))
        yield Table("Limits", ("limit", "at", "used", "%", "room", "when full"), rows)
        rise = chart_forecast(outlook)
        if rise is not None and outlook.first_met is not None:
            name, when = short(outlook.first_met.name, _LIMIT_FROM), span(rise.earliest_s, rise.latest_s)
            yield Table("Forecast", ("limit", "is reached in"), ((name, when),))
    if detail is not None and detail.regions is not None:
        yield from _region_tables(detail.regions)
    yield Table(
        "Groups",
        ("group", "processes", "RES", "limit", "%", "unreclaimable, per minute", "OOM kills"),
        tuple(map(_group_row, _listed(groups))),
    )
    if frame.machine is not None:
        yield _machine_table(frame.machine)
    rows = tuple((_clock(one.at_s), EVENT_WORDS[one.kind], one.label) for one in events[-MOST_EVENTS:])
    yield Table("Events", ("at", "what", "of"), rows)
    yield Table(
        "Ended",
        ("process", "at", "how", "lived", "peak RES", "limit"),
        tuple(_exit_row(one) for one in exits[-MOST_ROWS:]),
    )
    largest = sorted(frame.rows, key=lambda row: row.rss_bytes or 0, reverse=True)[:MOST_ROWS]
    yield Table(
        "Largest processes",
        ("process", "user", "RES", "VIRT", "change per minute", "command"),
        tuple(_process_row(row) for row in largest),
    )


def _limit_row(one: LimitRow) -> tuple[str, ...]:
    return (
        short(one.name, _LIMIT_FROM),
        units.size(one.limit_bytes),
        units.size(one.used_bytes),
        units.percent(100 * one.used_bytes / one.limit_bytes if one.limit_bytes > 0 else 100.0),
        units.size(one.headroom_max_bytes),
        one.effect,
    )


def _count_row(one: CountLimit) -> tuple[str, ...]:
    """A limit on mappings or threads."""
    percent = 100 * one.used / one.limit if one.limit > 0 else 100.0
    room = max(0, one.limit - one.used)
    numbers = (units.count(one.limit), units.count(one.used), units.percent(percent), units.count(room))
    return (short(one.name, _LIMIT_FROM), *numbers, one.beyond)


def _region_tables(view: RegionsView) -> Iterable[Table]:
    """Its mappings by kind, with what each has grown by since they were first read, and the largest mappings."""
    reading = view.reading
    if reading is None:
        return
    grown = {one.kind: one.delta.rss_bytes for one in reading.since_start.kinds}
    past = f", read {units.duration(view.age_s)} before" if (view.age_s or 0.0) > NEW_S else ""
    since = f" (since start: {units.duration(view.start_age_s)} before)" if view.start_age_s else ""
    kinds = sorted(reading.kinds, key=lambda kind: kind.sizes.rss_bytes or 0, reverse=True)
    yield Table(
        f"Regions by kind{past}{since}",
        ("kind", "mappings", "size", "RSS", "since start"),
        tuple(
            (
                one.kind.title,
                units.count(one.count),
                units.size(one.sizes.size_bytes),
                units.size(one.sizes.rss_bytes),
                units.signed_size(grown.get(one.kind, 0)),
            )
            for one in kinds[:MOST_ROWS]
        ),
    )
    yield Table(
        f"Largest mappings{past}",
        ("mapping", "kind", "size", "RSS"),
        tuple(
            (
                f"{one.mapping.start:012x} {one.mapping.perms} {clean(one.mapping.name)}".rstrip(),
                one.kind.title,
                units.size(one.sizes.size_bytes),
                units.size(one.sizes.rss_bytes),
            )
            for one in reading.regions.largest("rss_bytes", MOST_MAPPINGS)
        ),
    )


def _machine_table(view: MachineView) -> Table:
    large, small = large_and_small(view)
    rows = [
        (
            PART_NAMES[row.part],
            ("≥" if row.at_most_bytes is not None else "") + units.size(row.size_bytes),
            units.percent(100 * row.size_bytes / view.total_bytes),
            units.signed_size(row.change_bytes),
            held_by(row, _MOST_HOLDERS, past=view.past),
        )
        for row in large
    ]
    if small:
        names = ", ".join(f"{PART_NAMES[row.part]} {units.size(row.size_bytes)}" for row in small)
        rows.append(("less than 0.05 % each", "", "", "", names))
    past = f", change over {units.duration(view.change_s)}" if view.change_s > 0 else ""
    return Table(f"Where the machine's RAM went{past}", ("part", "size", "%", "change", "held by"), tuple(rows))


def _listed(groups: Sequence[GroupRow]) -> list[GroupRow]:
    """First those that an OOM kill has emptied, then the largest."""
    killed = [row for row in groups if row.gone_s is not None and row.oom_kills][-MOST_KILLED:]
    return [*killed, *(row for row in groups if row.gone_s is None)][:MOST_ROWS]


def _group_row(row: GroupRow) -> tuple[str, ...]:
    return (
        (clean(row.name) or "(none)") + (" (gone)" if row.gone_s is not None else ""),
        units.count(row.members),
        units.size(row.rss_bytes),
        units.size(row.limit_bytes),
        units.percent(row.limit_percent),
        units.signed_size(row.growth_bytes_per_min),
        units.count(row.oom_kills),
    )


def _exit_row(one: ExitReport) -> tuple[str, ...]:
    name, size = one.limit_name or one.cgroup_limit_name, one.limit_bytes or one.cgroup_limit_bytes
    limit = f"{short(name, _LIMIT_FROM)} ({units.long_size(size)})" if name else ""
    lived = units.duration(one.lived_s) if one.lived_s is not None else ""
    return f"{one.name} ({one.key.pid})", _clock(one.at_s), how(one), lived, units.size(one.peak_rss_bytes), limit


def _process_row(row: ProcessRow) -> tuple[str, ...]:
    command = row.command
    if row.command_raw:
        command = clean(scrub(row.command_raw).rstrip(b"\0").replace(b"\0", b" "))
    return (
        f"{row.name} ({row.pid})",
        clean(row.user),
        units.size(row.rss_bytes),
        units.size(row.virt_bytes),
        units.signed_size(row.growth_bytes_per_min),
        command[:200],
    )


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


def _clock(wall_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(wall_s))
