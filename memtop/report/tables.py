"""The tables of a report: limits, regions, groups, the machine, events, ends and processes, as texts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from memtop import units
from memtop.analysis.memory_map.moment import NEW_S
from memtop.explain.chart_levels import chart_forecast
from memtop.explain.event_names import EVENT_WORDS
from memtop.explain.exit_text import how
from memtop.explain.finding_text import span
from memtop.explain.limit_names import short
from memtop.explain.machine_sentences import PART_NAMES, held_by, large_and_small
from memtop.model.assessment import CountLimit, ExitReport, LimitRow
from memtop.model.frame import Frame
from memtop.model.group import GroupRow
from memtop.model.machine import MachineView
from memtop.model.row import ProcessRow
from memtop.model.timeline import TimelineEvent
from memtop.redaction import scrub
from memtop.sampling.smaps.smaps_view import RegionsView
from memtop.sanitize import clean

MOST_ROWS: Final = 15
MOST_MAPPINGS: Final = 10
MOST_EVENTS: Final = 30
MOST_KILLED: Final = 5
"""Groups that an OOM kill has emptied."""
_MOST_HOLDERS: Final = 3
_LIMIT_FROM: Final = 60
_NUMBER: Final = re.compile(r"([-+≥]?[0-9.]+[A-Za-z]?|–)?")


class Table(NamedTuple):
    """A table of texts. The first column is a name."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Of each column, whether its cells are numbers, which a page aligns on the right."""
        return tuple(all(_NUMBER.fullmatch(cell) for cell in cells) for cells in zip(*self.rows, strict=True))


def tables_of(
    frame: Frame, exits: Sequence[ExitReport], groups: Sequence[GroupRow], events: Sequence[TimelineEvent]
) -> Iterable[Table]:
    """All tables of a report; some have no rows."""
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
        ("group", "processes", "RES", "limit", "%", "unreclaimable, change within 1 min", "OOM kills"),
        tuple(map(_group_row, _listed(groups))),
    )
    if frame.machine is not None:
        yield _machine_table(frame.machine)
    rows = tuple((clock(one.at_s), EVENT_WORDS[one.kind], one.label) for one in events[-MOST_EVENTS:])
    yield Table("Events", ("at", "what", "of"), rows)
    yield Table(
        "Ended",
        ("process", "at", "how", "lived", "peak RES", "limit"),
        tuple(_exit_row(one) for one in exits[-MOST_ROWS:]),
    )
    largest = sorted(frame.rows, key=lambda row: row.rss_bytes or 0, reverse=True)[:MOST_ROWS]
    yield Table(
        "Largest processes",
        ("process", "user", "RES", "VIRT", "change within 1 min", "command"),
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
            held_by(row, _MOST_HOLDERS, past=view.past, of_container=view.lxcfs),
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
        "unread" if row.limit_unread and row.limit_bytes is None else units.size(row.limit_bytes),
        units.percent(row.limit_percent),
        units.signed_size(row.growth_bytes_per_min),
        units.count(row.oom_kills),
    )


def _exit_row(one: ExitReport) -> tuple[str, ...]:
    name, size = one.limit_name or one.cgroup_limit_name, one.limit_bytes or one.cgroup_limit_bytes
    limit = f"{short(name, _LIMIT_FROM)} ({units.long_size(size)})" if name else ""
    lived = units.duration(one.lived_s) if one.lived_s is not None else ""
    return f"{one.shown_name} ({one.key.pid})", clock(one.at_s), how(one), lived, units.size(one.peak_rss_bytes), limit


def _process_row(row: ProcessRow) -> tuple[str, ...]:
    command = row.command
    if row.command_raw:
        command = clean(scrub(row.command_raw).rstrip(b"\0").replace(b"\0", b" "))
    return (
        f"{row.program} ({row.pid})",
        clean(row.user),
        units.size(row.rss_bytes),
        units.size(row.virt_bytes),
        units.signed_size(row.growth_bytes_per_min),
        command[:200],
    )


def clock(wall_s: float) -> str:
    """A wall time with its date and zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(wall_s))
