"""Process tables for tests: rows, and what is read off the screen."""

from __future__ import annotations

from textual.pilot import Pilot

from memtop.model.frame import Frame
from memtop.process_key import ProcessKey
from memtop.tui.table.process_table import ProcessTable
from tests.rows import proc_row
from tests.tui.frames import line

ROWS = tuple(proc_row(pid) for pid in range(1, 41))
SIZE = (120, 11)
BODY_LINES = 10


async def shown(pilot: Pilot[None], picture: Frame) -> ProcessTable:
    """The table of a WidgetApp, with this picture drawn."""
    table = pilot.app.query_one(ProcessTable)
    table.show(picture)
    await pilot.pause()
    return table


def pid_at(table: ProcessTable, y: int) -> int:
    """The process that line ``y`` shows."""
    return int(line(table, y)[1:8])


def cursor_pid(table: ProcessTable) -> int | None:
    return table.selected.pid if isinstance(table.selected, ProcessKey) else None
