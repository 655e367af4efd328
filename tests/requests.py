"""Requests in one line: each field goes to the part that has it."""

from __future__ import annotations

from typing import Any

from memtop.model.request import ChartWindow, Request, RowSelection
from memtop.sampling.request import ReadingsRequest, SamplePlan
from memtop.tui.panels.switcher import BY_NAME

_PARTS = {
    field: part
    for part, kind in (("readings", ReadingsRequest), ("rows", RowSelection), ("window", ChartWindow))
    for field in kind._fields
}


def request(**fields: Any) -> Request:
    """A Request with these fields; ``panel`` is the name of a panel, whose needs are taken."""
    return changed(Request(), **fields)


def changed(before: Request, **fields: Any) -> Request:
    """The same Request but for these fields."""
    if (panel := fields.pop("panel", None)) is not None:
        fields["focus_needs"] = type(before.readings.needs)(0) if not panel else BY_NAME[panel].needs
    for field, value in fields.items():
        part = getattr(before, _PARTS[field])
        before = before._replace(**{_PARTS[field]: part._replace(**{field: value})})
    return before


def plan(wanted: Request = Request(), watched: tuple[int, ...] = ()) -> SamplePlan:  # noqa: B008 (it is immutable)
    """What the engine would have read for it, where nothing has ended."""
    focus = wanted.readings.focus
    pids = None if wanted.everybody else wanted.rows.only
    return SamplePlan(
        wanted.readings,
        pids,
        watched=watched,
        assessed=() if focus is None else (focus,),
        interval_s=wanted.readings.delay_s,
    )
