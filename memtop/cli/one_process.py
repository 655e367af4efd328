"""Finds the one process that a PID or a name stands for, for commands that are about one process."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from memtop.cli.batch import say_choices
from memtop.cli.composition import engine_on
from memtop.errors import ProcessGone, UsageError
from memtop.model.request import Request, RowSelection
from memtop.sampling.request import Need, ReadingsRequest
from memtop.sanitize import clean
from memtop.sources.live import LiveSource
from memtop.units import counted, long_size

MOST_NAMED: Final = 8
"""Candidates that the error names."""


def process_named(name: str) -> int:
    """The PID of the only process that a name stands for, as the list of processes understands names.

    Raises ProcessGone where there is none, and UsageError, which names the candidates, where there are several.
    """
    readings = ReadingsRequest(needs_all=Need.STAT, once=True)
    with closing(LiveSource()) as source:
        frame = engine_on(source).step(
            Request(readings, RowSelection(only=frozenset(), names=(name,), descending=True))
        )
    assert frame is not None, "a machine always has a sample"
    rows = frame.rows
    if not rows:
        hint = "" if frame.hidden == 0 else "; or it belongs to another user and /proc hides it (hidepid)"
        raise ProcessGone(f"no process matches {name}{hint}")
    if len(rows) > 1:
        found = [f"{row.pid} ({row.program}, {long_size(row.rss_bytes)})" for row in rows]
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        listed = clean(", ".join(found[:MOST_NAMED]))
        raise UsageError(f"{name} is {counted(len(found), 'process')}, give the PID of one: {listed}{more}")
    say_choices(frame)
    return rows[0].pid
