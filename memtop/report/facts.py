"""The facts of a report, made of a frame: texts that are already worded, and series for the chart.

Nothing here is escaped: names are cleaned of control characters, and the templates escape every text.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from memtop import __version__, units
from memtop.analysis.findings import Severity
from memtop.analysis.memory_map.moment import NEW_S
from memtop.explain.exit_text import how
from memtop.explain.finding_text import autopsy_lines, nothing_wrong, sentences_of, span
from memtop.explain.incident_text import headline, incident_sentences
from memtop.explain.limit_names import short
from memtop.explain.machine_sentences import PART_NAMES, held_by
from memtop.explain.placeholders import virt_sentence
from memtop.model.assessment import Assessment, ExitReport
from memtop.model.frame import Detail, Frame, ProcessRow
from memtop.redaction import scrub
from memtop.sanitize import clean

MOST_ROWS: Final = 15
SIGNS: Final = {Severity.DANGER: "▲", Severity.WARNING: "!", Severity.NOTE: "·"}
_LIMIT_FROM: Final = 60


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


class Report(NamedTuple):
    """Everything that a page says."""

    title: str
    summary: tuple[str, ...]
    """What happened, in at most five lines."""
    told: tuple[Told, ...]
    detail: Detail | None
    limits: tuple[tuple[str, float], ...]
    forecast: tuple[float, float] | None
    """Earliest and latest time until the first limit, in seconds from the end of the chart."""
    room_bytes: float
    """The room under that limit."""
    tables: tuple[Table, ...]
    provenance: tuple[str, ...]
    """When and with what it was made, and how to see it again."""


def report_of(
    frame: Frame, *, exits: Sequence[ExitReport] = (), host: str = "", kernel: str = "", source: str = ""
) -> Report:
    """Make the report of one frame.

    ``exits`` are those of the whole time, the latest last, ``source`` is the command that shows the data again.
    """
    detail = frame.detail
    outlook = detail.outlook if detail is not None else None
    line = headline(frame.incidents, frame.system)
    return Report(
        title=_title(detail, host),
        summary=tuple(_summary(frame, line.says, exits))[:5],
        told=tuple(_told(frame, outlook)),
        detail=detail,
        limits=_limits(outlook),
        forecast=outlook.growth.limit_s if outlook is not None and outlook.growth is not None else None,
        room_bytes=float(outlook.first_met.headroom_max_bytes) if outlook is not None and outlook.first_met else 0.0,
        tables=tuple(table for table in _tables(frame, exits) if table.rows),
        provenance=tuple(_provenance(frame, host, kernel, source)),
    )


def _title(detail: Detail | None, host: str) -> str:
    where = f" on {clean(host)}" if host else ""
    return f"Memory of {detail.row.name} ({detail.row.pid}){where}" if detail is not None else f"Memory{where}"


def _summary(frame: Frame, machine: str, exits: Sequence[ExitReport]) -> Iterable[str]:
    yield f"Machine: {machine}."
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
        yield virt_sentence(row, frame.system, outlook)
    killed = [one for one in exits if detail is None or one.key != detail.row.key]
    if killed:
        names = ", ".join(f"{one.name} ({one.key.pid})" for one in killed[:3])
        more = f" and {len(killed) - 3} more" if len(killed) > 3 else ""
        yield f"Ended during this time: {names}{more}."


def _told(frame: Frame, outlook: Assessment | None) -> Iterable[Told]:
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


def _limits(outlook: Assessment | None) -> tuple[tuple[str, float], ...]:
    if outlook is None:
        return ()
    return tuple((short(row.name), float(row.limit_bytes)) for row in outlook.limits if row.limit_bytes > 0)


def _tables(frame: Frame, exits: Sequence[ExitReport]) -> Iterable[Table]:
    detail = frame.detail
    outlook = detail.outlook if detail is not None else None
    if outlook is not None:
        rows = [
            (
                short(one.name, _LIMIT_FROM),
                units.long_size(one.limit_bytes),
                units.long_size(one.used_bytes),
                units.long_size(one.headroom_max_bytes),
            )
            for one in outlook.limits
        ]
        yield Table("Limits", ("limit", "at", "used", "room"), tuple(rows))
        if outlook.growth is not None and outlook.growth.limit_s is not None and outlook.first_met is not None:
            when = span(*outlook.growth.limit_s)
            yield Table("Forecast", ("limit", "is reached in"), ((short(outlook.first_met.name, _LIMIT_FROM), when),))
    if detail is not None and detail.regions is not None and detail.regions.reading is not None:
        regions = detail.regions.reading.regions
        kinds = sorted(regions.by_kind(), key=lambda kind: kind.sizes.rss_bytes or 0, reverse=True)
        lines = tuple(
            (kind.kind.title, str(kind.count), units.size(kind.sizes.size_bytes), units.size(kind.sizes.rss_bytes))
            for kind in kinds[:MOST_ROWS]
        )
        age_s = detail.regions.age_s or 0.0
        title = "Regions by kind" if age_s <= NEW_S else f"Regions by kind, read {units.duration(age_s)} before"
        yield Table(title, ("kind", "mappings", "size", "RSS"), lines)
    if frame.machine is not None:
        yield Table(
            "Where the machine's RAM went",
            ("part", "size", "%", "held by"),
            tuple(
                (
                    PART_NAMES[row.part],
                    units.size(row.size_bytes),
                    units.percent(100 * row.size_bytes / frame.machine.total_bytes),
                    held_by(row, 3),
                )
                for row in frame.machine.rows
                if row.size_bytes
            ),
        )
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
    yield f"As of {_clock(frame.shown_s)}."
    if host or kernel:
        yield f"Machine {clean(host)}, Linux {clean(kernel)}."
    if frame.hidden is None:
        yield "Processes of other users were not visible (hidepid), and their number is unknown."
    elif frame.hidden:
        yield f"{frame.hidden} processes could not be read (permission)."
    yield f"Made by memtop {__version__}."
    if source:
        yield f"Replay it with: {source}"


def _clock(wall_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(wall_s))
