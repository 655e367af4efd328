"""Builds the detail of the group in focus: its series with the largest members under them, its limit, its verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import nlargest

from memtop.analysis.limits.memory_limits import Ceiling, unread_swap
from memtop.engine.assessment.growth_tracker import growth_now
from memtop.engine.groups.charge import blind_path, brake_of, ceiling_of, chain_of
from memtop.engine.groups.group_table import GroupTable
from memtop.engine.groups.listing import found_key, members_of
from memtop.history.process_history import fitting_window_s, right_edge_s, series
from memtop.history.rings import History
from memtop.model.detail import GroupDetail, Series, ShownWindow
from memtop.model.group import GroupRow
from memtop.model.request import Request
from memtop.model.row import ProcessRow
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.sample import Sample
from memtop.units import long_size

LARGEST = 2
"""Members that are drawn on their own."""
NOT_ACCOUNTED = "its memory is not charged to a cgroup of its own, so it has no charge and no limit"
NO_CHARGE = "what its cgroup is charged cannot be read"


def group_detail(
    table: GroupTable,
    history: History,
    request: Request,
    sample: Sample,
    chosen: Sequence[ProcessRow],
    *,
    past_s: float | None,
    groups: Sequence[GroupRow] | None,
    severities_of: Callable[[Sequence[str]], Mapping[str, int]],
) -> GroupDetail | None:
    """The detail of ``request.groups.focus`` at the instant shown; None where there is no such group.

    ``severities_of`` gives the severities of the incidents of some cgroups, by rule.
    """
    key, window = request.groups.focus, request.window
    assert key is not None
    key = found_key(key, sample)
    members = members_of(table, key, [row for row in chosen if row.gone_s is None], sample)
    row = next((one for one in groups or () if one.key == key), None)
    if row is None:
        row = table.row(key, members, sample, past_s)
    if row is None:
        return None
    of, now_s = table.series_of(row), sample.mono_s
    at_s = now_s if past_s is None else past_s
    track = table.series.growth.track(of)
    window_s = window.window_s or fitting_window_s(now_s - track.first_s if track is not None else 0.0)
    right_s = right_edge_s(at_s, now_s, window_s, window.points)
    until_s = now_s if row.gone_s is None else min(now_s, row.gone_s - (sample.wall_s - sample.mono_s))
    span = {"right_s": right_s, "until_s": until_s, "window_s": window_s}
    whole = series(table.series.growth.tracks, of, points=window.points, **span)
    largest = nlargest(LARGEST, members, key=lambda one: one.rss_bytes or 0)
    parts = [series(history, one.key, points=window.points, **span).rss_bytes for one in largest]
    level = row.working_set_bytes if row.working_set_bytes is not None else row.rss_bytes
    known = sum(one.rss_bytes or 0 for one in largest)
    cgroups = sample.cgroups or CgroupSample()
    ceiling, brake, blind, own = None, None, None, row.path or None
    if own is not None and past_s is not None:
        ceiling = table.series.limits.at(own, past_s)
    elif own is not None and row.gone_s is None:
        ceiling = ceiling_of(own, cgroups, sample.system.meminfo)
        brake = brake_of(own, cgroups, sample.system.meminfo)
        blind = blind_path(own, (one.key for one in members), cgroups)
    verdict = table.series.growth.verdict(of) if past_s is None else None
    return GroupDetail(
        row=row,
        series=_stacked(whole, parts, charged=row.charge_bytes is not None),
        largest=tuple(largest),
        rest_bytes=None if level is None else max(0, level - known),
        window=ShownWindow(
            window_s,
            right_edge_s=right_s + (sample.wall_s - sample.mono_s),
            edge_age_s=now_s - right_s,
            cursor_s=None if past_s is None else past_s - right_s,
        ),
        limit_name=_limit_name(ceiling, cgroups),
        growth=growth_now(verdict, now_s),
        state=verdict.state if verdict is not None else None,
        unread=""
        if row.charge_bytes is not None or past_s is not None
        else NOT_ACCOUNTED
        if own is None
        else NO_CHARGE,
        blind_name="" if blind is None else _name(blind, cgroups),
        undivided=ceiling is not None and 0 < ceiling.unreclaimable_bytes <= ceiling.unsure_bytes,
        standing=severities_of(chain_of(own, cgroups)) if own is not None and past_s is None else {},
        swaps=ceiling is None or ceiling.swap_room_bytes != 0,
        brake=None if brake is None else (_limit_name(brake, cgroups), brake.limit_bytes, brake.used_percent),
        swap_unread="" if own is None or past_s is not None else _swap_unread(own, row, members, cgroups),
    )


def _swap_unread(path: str, row: GroupRow, members: Sequence[ProcessRow], cgroups: CgroupSample) -> str:
    """See :attr:`GroupDetail.swap_unread`."""
    timed = cgroups.latest.get(path)
    if timed is None or row.charge_bytes is None or row.swap_bytes is not None:
        return ""
    why = unread_swap(timed.reading.use) or "this kernel does not count it by cgroup"
    sizes = [one.swap_bytes for one in members]
    if not sizes or None in sizes:
        return why
    shared = "" if len(sizes) < 2 else ", where what was shared since a fork counts in each"
    return f"{why}; VmSwap of its processes: {long_size(sum(filter(None, sizes)))}{shared}"


def _limit_name(ceiling: Ceiling | None, cgroups: CgroupSample) -> str:
    return "" if ceiling is None or ceiling.path is None else cgroups.labels.get(ceiling.path, "")


def _name(path: str, cgroups: CgroupSample) -> str:
    return cgroups.labels.get(path) or path


def _stacked(whole: Series, parts: Sequence[tuple[float | None, ...]], *, charged: bool) -> Series:
    """The series with the largest members as its parts, cut where together they exceed the whole, and the rest."""
    first = parts[0] if parts else (None,) * len(whole.times_s)
    second = parts[1] if len(parts) > 1 else (None,) * len(whole.times_s)
    stacks = [_stack(*point) for point in zip(whole.rss_bytes, first, second, strict=True)]
    nothing = (None,) * len(whole.times_s)
    return whole._replace(
        virt_bytes=whole.virt_bytes if charged else nothing,
        anon_bytes=tuple(one[0] for one in stacks),
        file_bytes=tuple(one[1] for one in stacks),
        shmem_bytes=tuple(one[2] for one in stacks),
        minflt_per_s=nothing,
        majflt_per_s=nothing,
    )


def _stack(whole: float | None, one: float | None, other: float | None) -> tuple[float | None, ...]:
    if whole is None:
        return None, None, None
    first = min(one or 0.0, whole)
    second = min(other or 0.0, whole - first)
    return first, second, whole - first - second
