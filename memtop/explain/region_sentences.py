"""Sentences about smaps readings: why there is none, the age of the last one, growth since the mark.

They consist of numbers, of memtop's own words, and of the login name, which the row has cleaned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from memtop.analysis.memory_map.moment import has_moved
from memtop.analysis.memory_map.region_diff import KindChange, RegionGrowth
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.model.detail import Detail
from memtop.model.row import ProcessRow
from memtop.sampling.smaps.smaps_view import MarkView, Missing, RegionsView
from memtop.units import duration, long_size

_LONG_S: Final = 2.5
"""A reading that takes longer than this is mentioned."""
_LATE_S: Final = 2.5
_FRESH_S: Final = 10.0
"""Mappings that were read longer ago do not show where RES has grown since."""
_MANY: Final = 3000
"""With fewer mappings, the time of a reading depends on the pages."""
_LEAST_BYTES: Final = 1 << 20
_NAMED_KINDS: Final = 3
_WITHOUT: Final = (Missing.KERNEL, Missing.ZOMBIE, Missing.GONE)


def milliseconds(seconds: float) -> str:
    """``0.4 ms``, ``12 ms``, ``1.2 s``."""
    if seconds >= 0.9995:
        return f"{seconds:.1f} s"
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 9.95 else f"{value:.0f} ms"


def caption(view: RegionsView | None, rss_bytes: int | None = None) -> str:
    """The age and the cost of the reading, what the next one waits for, and how far RES has moved since.

    ``rss_bytes`` is RES at the instant shown.
    """
    if view is None:
        return ""
    if view.reading is None:
        return "reading …" if view.missing is Missing.UNREAD else ""
    pieces = view.reading.in_pieces
    how = (
        f"in {milliseconds(view.reading.took_s)}"
        if pieces is None
        else f"in pieces within {milliseconds(pieces.span_s)}"
    )
    parts = [f"{'old: ' if view.is_old else ''}read {duration(view.age_s)} ago {how}"]
    then_bytes = view.reading.moment.rss_bytes
    if then_bytes is not None and rss_bytes is not None and has_moved(then_bytes, rss_bytes):
        parts.append(f"RES {signed(rss_bytes - then_bytes)} since")
    if not view.reading.is_whole:
        parts.append("not all mappings")
    if pieces is not None and not pieces.zero_pages_known:
        parts.append("RSS includes zero pages")
    if view.waiting_s is not None and view.waiting_s > _LONG_S:
        parts.append(f"next one under way for {duration(view.waiting_s)}")
    elif view.missing is Missing.TOO_DEAR and view.stall_s is not None:
        parts.append(f"R reads again, {_cost(view)}")
    elif view.missing not in (Missing.NOTHING, Missing.UNREAD):
        parts.append(f"no newer one: {view.missing.value}")
    elif view.resting_s > _LONG_S:
        parts.append(f"next in {duration(view.resting_s)}")
    elif view.calm:
        parts.append("nothing has changed since")
    return ", ".join(parts)


def why_no_reading(view: RegionsView, row: ProcessRow, own_uid: int) -> str:
    """Why the panel has no mappings to show, and how to get them; empty if there is a reading."""
    if view.reading is not None:
        return ""
    if view.missing is Missing.NOTHING:
        return "Not read yet."
    if view.missing is Missing.UNREAD:
        waited = view.waiting_s is not None and view.waiting_s > _LONG_S
        return f"A reading has been under way for {duration(view.waiting_s)}." if waited else "Reading …"
    if view.missing is Missing.TOO_DEAR:
        cost = "too long" if view.stall_s is None else _cost(view)
        return f"Not read automatically: mmap and munmap in the process would wait for {cost}. R reads it now."
    if view.missing is Missing.UNKNOWN_COST:
        return f"Not read automatically: {view.missing.value}. R reads it once."
    if view.missing is Missing.DENIED:
        return why_denied(row, own_uid)
    if view.missing is Missing.FORBIDDEN:
        return "Not read: memtop was started with --no-smaps."
    return f"No mappings to show: {view.missing.value}."


def _cost(view: RegionsView) -> str:
    """The cost of a reading, and its cause if there are many mappings."""
    many = f" for {view.mappings:,} mappings" if view.mappings is not None and view.mappings >= _MANY else ""
    return f"about {milliseconds(view.stall_s or 0.0)}{many}"


def why_denied(row: ProcessRow, own_uid: int) -> str:
    """Which readings are missing, why, and how to get them."""
    if row.uid is not None and row.uid != own_uid:
        why = f"it belongs to another user ({row.user})"
    else:
        why = (
            "it is protected (set-user-ID, file capabilities, or set to non-dumpable), its group or "
            "capabilities are not yours, or a security module forbids it"
        )
    return f"No permission to read smaps: {why}. Run memtop as root or with CAP_SYS_PTRACE (Yama is not the reason)."


def what_is_known(detail: Detail) -> str:
    """The memory of a process whose mappings cannot be read, from statm and status; empty if those are unknown."""
    row, status = detail.row, detail.status
    of_res = _sized([("anonymous", row.anon_bytes), ("files", row.file_bytes), ("shared memory", row.shmem_bytes)])
    parts = [("on swap", row.swap_bytes), ("page tables", row.page_tables_bytes)]
    if status is not None:
        parts += [
            ("private writable", status.data_bytes),
            ("main stack", status.stack_bytes),
            ("own code", status.exe_bytes),
            ("libraries' code", status.lib_bytes),
        ]
    known = [*_sized([("VIRT", row.virt_bytes), ("RES", row.rss_bytes)]), *_sized(parts)]
    if of_res and row.rss_bytes:
        known[known.index(f"RES {long_size(row.rss_bytes)}")] += f" ({', '.join(of_res)})"
    return f"Without reading it: {', '.join(known)}." if known else ""


def _sized(parts: Sequence[tuple[str, int | None]]) -> list[str]:
    """Those that are known, and not zero."""
    return [f"{name} {long_size(value)}" for name, value in parts if value]


def mark_sentence(detail: Detail) -> str:
    """What has grown since the mark, and in which kinds of memory; empty without a mark."""
    mark = detail.mark
    if detail.window.cursor_s is not None:
        return ""  # its numbers are current
    if mark is None:
        if detail.mark_dropped:
            return "The mark was removed: the process has executed another program. m sets a new one."
        return ""
    if mark.rss_delta_bytes is None or mark.virt_delta_bytes is None:
        return ""  # it has ended, or is ending
    since = f"since the mark, {duration(mark.age_s)} ago"
    if growth_is_nothing(mark):
        read = mark.growth is not None and detail.regions is not None and (detail.regions.age_s or 0.0) <= _FRESH_S
        return (
            f"{'Nothing has' if read else 'RES and VIRT have not'} changed since the mark, {duration(mark.age_s)} ago."
        )
    moved = f"RES {signed(mark.rss_delta_bytes)}, VIRT {signed(mark.virt_delta_bytes)} {since}"
    growth = mark.growth
    if growth is None or growth.delta.rss_bytes is None or not growth.kinds:  # not read again since the mark
        return f"{moved}."
    if detail.regions is None or (detail.regions.age_s or 0.0) > _FRESH_S:
        return f"{moved}. The Regions panel shows the kinds of memory."
    if mark.late_s > _LATE_S:
        since = f"since the first reading after the mark ({duration(mark.late_s)} later)"
    return f"{_by_kind(growth, since, moved)}{_by_now(mark, growth.delta.rss_bytes)}."


def _by_kind(growth: RegionGrowth, since: str, moved: str) -> str:
    total = growth.delta.rss_bytes or 0
    named = growth.leading(_LEAST_BYTES)[:_NAMED_KINDS]
    if total >= _LEAST_BYTES and named:
        first, *others = (f"{_where(one)}" for one in named)
        verb = "are" if total >= 2 * _LEAST_BYTES else "is"
        parts = [f"{_amount(named[0])} {verb} in {first}"]
        parts += [f"{_amount(one)} in {where}" for one, where in zip(named[1:], others, strict=True)]
        return f"Of the {signed(total)} {since}, {', '.join(parts)}"
    if named:
        parts = [f"+{_amount(one)} in {_where(one)}" for one in named]
        return f"RES {signed(total)} {since}: {', '.join(parts)}, the rest shrank"
    shrunk = [one for one in reversed(growth.kinds) if (one.delta.rss_bytes or 0) <= -_LEAST_BYTES][:_NAMED_KINDS]
    if shrunk:
        parts = [f"{signed(one.delta.rss_bytes)} in {_title(one)}" for one in shrunk]
        return f"RES {signed(total)} {since}: {', '.join(parts)}"
    return f"{moved}; no kind of memory changed by 1 MiB or more"


def _by_now(mark: MarkView, read_bytes: int) -> str:
    """The change of RES since the latest reading of the mappings; empty if it is small."""
    now_bytes = mark.rss_delta_bytes
    if now_bytes is None or abs(now_bytes - read_bytes) < _LEAST_BYTES:
        return ""
    return f"; now it is {signed(now_bytes)}"


def growth_is_nothing(mark: MarkView) -> bool:
    """Whether no number has changed since the mark."""
    return not (mark.rss_delta_bytes or mark.virt_delta_bytes or (mark.growth is not None and mark.growth.changes))


def signed(size_bytes: int | None) -> str:
    """``+12.4 MiB``, ``-3.00 MiB``, ``0 B``."""
    text = long_size(size_bytes)
    return text if size_bytes is None or size_bytes <= 0 else f"+{text}"


def _amount(one: KindChange) -> str:
    return long_size(one.delta.rss_bytes)


def _title(one: KindChange) -> str:
    title = one.kind.title
    if one.kind in (RegionKind.ANON, RegionKind.SHARED_ANON):
        return f"{title} memory"
    return f"{title}s" if title.endswith(("stack", "arena", "library", "file")) else title


def _where(one: KindChange) -> str:
    return f"{_title(one)} ({one.new} new)" if one.new else _title(one)


def is_without_memory(view: RegionsView) -> bool:
    """Whether the process has no memory: a kernel thread, a zombie, or ended."""
    return view.missing in _WITHOUT
