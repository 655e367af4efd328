"""What limits the process in focus, how much room is left, and whom the kernel would take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from memtop import units
from memtop.analysis.growth import Kind
from memtop.explain.findings import SHAPES, span
from memtop.explain.names import short
from memtop.frame import Detail, Frame
from memtop.outlook import Autopsy, LimitRow, Outlook, Place
from memtop.procfs.cgroup import UNLIMITED
from memtop.tui.marks import DANGER_MARK, WARNING_MARK
from memtop.tui.plot import Forecast
from memtop.tui.prose import Line, Prose, wrapped

WARN_PERCENT: Final = 80.0
DANGER_PERCENT: Final = 90.0
_NAME_CELLS: Final = 30
_COLUMNS: Final = (("LIMIT", 9), ("USED", 9), ("%", 6), ("ROOM", 9))
_OVERCOMMIT: Final = {0: "heuristic (0)", 1: "always (1)", 2: "never beyond CommitLimit (2)"}


class LimitsPanel(VerticalScroll, can_focus=True):
    """Ceilings as a table, then sentences."""

    def compose(self) -> ComposeResult:
        """One text."""
        yield Prose()

    def show(self, frame: Frame) -> None:
        """Take a newer frame."""
        width = self.scrollable_content_region.width
        if width > 0:
            self.query_one(Prose).show(limit_lines(frame, width))

    def caption(self, frame: Frame) -> str:
        """The limit that binds, and how full it is."""
        outlook = frame.detail.outlook if frame.detail is not None else None
        binds = next((row for row in outlook.limits if row.binds), None) if outlook is not None else None
        if binds is None or binds.limit_bytes <= 0:
            return ""
        return f"{short(binds.name)} {units.percent(100 * binds.used_bytes / binds.limit_bytes)} % full"


def limit_lines(frame: Frame, width: int) -> list[Line]:
    """Everything about limits, most urgent first."""
    detail = frame.detail
    if detail is None:
        return [Line("Select a process.")]
    outlook = detail.outlook
    if outlook is None or (outlook.autopsy is not None and not outlook.limits):
        past = detail.cursor_s is not None
        why = "not kept for this moment of the past" if past else "it has ended, and nobody looked at them before"
        return wrapped(f"No limits to show: {why}.", width)
    lines = list(_end(outlook.autopsy, width)) if outlook.autopsy is not None else []
    lines.append(Line(_heading(width), "dim"))
    lines += [_row(row, width) for row in outlook.limits]
    for text in _sentences(detail, outlook, frame):
        lines += wrapped(text, width, indent="  ")
    return lines


def _end(autopsy: Autopsy, width: int) -> Iterator[Line]:
    """When that was, and what its end gave back."""
    clock = time.strftime("%H:%M:%S", time.localtime(autopsy.at_s))
    text = f"As of its end at {clock}."
    if autopsy.cgroup_before_bytes is not None:
        before, after = units.long_size(autopsy.cgroup_before_bytes), autopsy.cgroup_after_bytes
        then = "is not there any more" if after is None else f"{units.long_size(after)} after"
        text += f" The cgroup was charged {before} before it and {then}."
    yield from wrapped(text, width, "strong")


def _heading(width: int) -> str:
    name = _name_cells(width)
    cells = "".join(f"{title:>{size}}" for title, size in _COLUMNS)
    return f"  {'':<{name}}{cells}   beyond it"[:width]


def _name_cells(width: int) -> int:
    return max(10, min(_NAME_CELLS, width - 2 - sum(size for _, size in _COLUMNS)))


def _row(row: LimitRow, width: int) -> Line:
    percent = 100 * row.used_bytes / row.limit_bytes if row.limit_bytes > 0 else 100.0
    mark, look = " ", ""
    if percent >= DANGER_PERCENT:
        mark, look = DANGER_MARK, "danger"
    elif percent >= WARN_PERCENT:
        mark, look = WARNING_MARK, "warning"
    elif row.binds:
        mark, look = "►", "strong"
    name = _name_cells(width)
    label = short(row.name, name - 1)
    label = label if len(label) < name else label[: name - 2] + "…"
    room = units.size(row.headroom_bytes)
    cells = (units.size(row.limit_bytes), units.size(row.used_bytes), units.percent(percent), room)
    text = "".join(f"{cell:>{size}}" for cell, (_, size) in zip(cells, _COLUMNS, strict=True))
    return Line(f"{mark} {label:<{name}}{text}   {_beyond(row)}"[:width], look)


def _beyond(row: LimitRow) -> str:
    """What happens when it is passed."""
    return f"swaps {units.size(row.swap_room_bytes)}, then " * (row.swap_room_bytes > 0) + row.limit.value


def _sentences(detail: Detail, outlook: Outlook, frame: Frame) -> Iterator[str]:
    yield from _verdict(outlook)
    yield from _cgroup(outlook)
    yield from _bridge(detail, outlook)
    yield from _victims(outlook)
    pressure = outlook.cgroup.pressure if outlook.cgroup is not None else None
    if pressure is not None and pressure.some is not None and pressure.full is not None:
        some, full = pressure.some.avg10_percent, pressure.full.avg10_percent
        yield f"Pressure of the cgroup: some {units.percent(some)} %, full {units.percent(full)} % of the last 10 s."
    elif frame.system.psi_memory_some_avg10 is not None:
        full_percent = frame.system.psi_memory_full_avg10
        full_text = "" if full_percent is None else f", full {units.percent(full_percent)} %"
        some_text = units.percent(frame.system.psi_memory_some_avg10)
        yield f"Pressure of the machine: some {some_text} %{full_text} of the last 10 s."
    else:
        yield "Pressure: this kernel does not measure it (PSI is off)."


def _verdict(outlook: Outlook) -> Iterator[str]:
    growth, state = outlook.growth, outlook.state
    if growth is None or state is None:
        return
    words = f"Verdict: {state.evidence.value}, " if state.evidence is not None else "Verdict: "
    words += SHAPES[state.kind]
    if growth.slope_bytes_per_s is not None and growth.kind is not Kind.FLAT:
        low, high = (growth.slope_low_bytes_per_s or 0) * 60, (growth.slope_high_bytes_per_s or 0) * 60
        words += f"; floor {units.signed_size(growth.slope_bytes_per_s * 60)}/min"
        words += f" ({units.signed_size(low)} to {units.signed_size(high)})"
    words += f", from {growth.points} readings over {units.duration(growth.span_s)}"
    if outlook.lazy_free_bytes:
        words += f"; {units.size(outlook.lazy_free_bytes)} that is given back already (LazyFree) is not counted"
    if state.alarm and growth.limit_s is not None:
        words += f"; limit in {span(*growth.limit_s)}"
    yield words + "."


def _cgroup(outlook: Outlook) -> Iterator[str]:
    cgroup, owner = outlook.cgroup, outlook.owner
    if not outlook.cgroup_known or cgroup is None:
        yield "Memory cgroup: unknown from here (another namespace, no memory controller, or not readable)."
        return
    names = [f"unit {owner.unit}"] if owner.unit else []
    if owner.container:
        names.append(f"{owner.runtime or 'container'} {owner.container[:12]}")
    if owner.pod:
        names.append(f"pod {owner.pod}")
    named = f" ({', '.join(names)})" if names else ""
    charged = "" if cgroup.usage_bytes is None else f" is charged {units.long_size(cgroup.usage_bytes)}"
    parts = _split(outlook)
    yield f"Cgroup {outlook.cgroup_name}{named}{charged}{': ' + parts if parts else ''}."
    events = outlook.events
    counted = (
        ("the limit was touched", events.max),
        ("slowed down at memory.high", events.high),
        ("out of memory", events.oom),
        ("killed by the OOM killer", events.oom_kill),
    )
    known = [f"{what} {_times(number)}" for what, number in counted if number is not None]
    if known:
        yield f"Since memtop looks: {', '.join(known)}."
    hidden = cgroup.stat.hierarchical_limit_bytes if cgroup.stat is not None else None
    seen = [row.limit_bytes for row in outlook.limits if row.path is not None]
    if hidden is not None and hidden < UNLIMITED and hidden < min(seen, default=UNLIMITED):
        yield f"Above what can be seen from here stands a limit of {units.long_size(hidden)}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{units.count(number)} times"


def _split(outlook: Outlook) -> str:
    stat = outlook.cgroup.stat if outlook.cgroup is not None else None
    if stat is None:
        return ""
    parts = (
        ("anon", stat.anon_bytes),
        ("file", stat.file_bytes),
        ("of it shmem", stat.shmem_bytes),
        ("kernel", stat.kernel_bytes),
        ("sock", stat.sock_bytes),
    )
    return ", ".join(f"{name} {units.size(size)}" for name, size in parts if size is not None)


def _bridge(detail: Detail, outlook: Outlook) -> Iterator[str]:
    """Why RES and the cgroup's use differ."""
    cgroup, rss = outlook.cgroup, detail.row.rss_bytes
    if cgroup is None or cgroup.usage_bytes is None or rss is None:
        return
    tasks = outlook.tasks_rss_bytes
    if tasks is not None and outlook.tasks is not None and outlook.tasks > 1:
        whose = f"RES of its {outlook.tasks} tasks adds up to {units.long_size(tasks)}"
    else:
        whose = f"RES is {units.long_size(rss)}"
    yield (
        f"{whose}, the charge is {units.long_size(cgroup.usage_bytes)}: RES counts shared pages in full, whoever pays "
        "for them; the charge counts page cache, tmpfs and kernel memory as well."
    )


def _victims(outlook: Outlook) -> Iterator[str]:
    for place, where in ((outlook.in_cgroup, "In the cgroup that binds"), (outlook.on_machine, "On the machine")):
        if place is not None:
            yield f"{where} the OOM killer would take {place.first_name} first; {_rank(place)}."


def _rank(place: Place) -> str:
    if place.rank is None:
        return f"of {place.of} candidates this is none (oom_score_adj -1000)"
    return f"this one is {_ordinal(place.rank)} of {place.of}" if place.of > 1 else "there is no other"


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def chart_limits(outlook: Outlook | None) -> tuple[tuple[str, float], ...]:
    """(label, bytes) of the ceilings that a line on the chart may stand for: those of one kind with RES or VIRT.

    The one that a confirmed growth will meet says when.
    """
    if outlook is None:
        return ()
    growth, state = outlook.growth, outlook.state
    when = ""
    if state is not None and state.alarm and growth is not None and growth.limit_s is not None:
        when = f" in {span(*growth.limit_s)},"
    target = outlook.first_met
    return tuple(
        (f"{short(row.name)}{when if row is target else ''}", float(row.limit_bytes)) for row in outlook.limits
    )


def chart_forecast(outlook: Outlook | None) -> Forecast | None:
    """How RES goes on until it meets the ceiling that :func:`chart_limits` names; None unless growth is confirmed."""
    if outlook is None or outlook.state is None or not outlook.state.alarm or outlook.growth is None:
        return None
    room_bytes = outlook.first_met.headroom_bytes if outlook.first_met is not None else 0
    if outlook.growth.limit_s is None or room_bytes <= 0:
        return None
    return Forecast(float(room_bytes), *outlook.growth.limit_s)
