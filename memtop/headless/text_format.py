"""Formats frames as a plain table for standard output, like top's batch mode."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TextIO

from memtop import units
from memtop.columns import Column
from memtop.explain.first_headline import first_clauses
from memtop.headless.formats import Writer
from memtop.model.frame import Frame


def text_writer(out: TextIO, columns: Sequence[Column], width: int | None) -> Writer:
    """Write a table like top's batch mode. ``width`` cuts lines; None leaves them whole."""

    def write(frame: Frame) -> None:
        lines = [*_heading(frame), "", _line([(column, column.title) for column in columns])]
        places = frame.tree or (None,) * len(frame.listed)
        for row, place in zip(frame.listed, places, strict=True):
            lead = place.prefix if place is not None else ""
            lines.append(_line([(c, (lead if c.branch else "") + c.text(row)) for c in columns]))
        if frame.exits:
            from memtop.explain.exit_text import autopsy_lines  # noqa: PLC0415 (45 ms, with the first process that ended)
        for autopsy in frame.exits:
            lines += ["", f"{autopsy.key.pid} {autopsy.name} has ended", *autopsy_lines(autopsy)]
        out.write("\n".join(line[:width].rstrip() for line in lines) + "\n\n")
        out.flush()

    return write


def _heading(frame: Frame) -> tuple[str, str, str]:
    system = frame.system
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(frame.at_s))
    hidden = "  (others hidden, not countable: hidepid)" if frame.hidden is None else ""
    if frame.hidden:
        hidden = f"  ({frame.hidden} hidden)"
    return (
        _headline(frame),
        f"memtop  {moment}  {_many(frame.groups)}{units.counted(frame.total, 'process')}{hidden}",
        f"RAM {units.long_size(system.mem_total_bytes)}  available {units.long_size(system.mem_available_bytes)}  "
        f"swap {units.long_size(system.swap_total_bytes)} free {units.long_size(system.swap_free_bytes)}  "
        f"PSI some {units.percent(system.psi_memory_some_avg10)} full {units.percent(system.psi_memory_full_avg10)}  "
        f"OOM kills {units.count(system.oom_kills)} (since boot {units.count(system.oom_kills_boot)})",
    )


def _headline(frame: Frame) -> str:
    if frame.incidents is None:
        return "; ".join(first_clauses(frame.system))
    from memtop.explain.incident_text import headline  # noqa: PLC0415 (54 ms; one sample has no incidents)

    found = headline(frame.incidents, frame.system)
    return f"{found.sign} {found.says}".lstrip()


def _many(groups: Sequence[object] | None) -> str:
    return "" if groups is None else f"{units.counted(len(groups), 'group')} of "


def _line(cells: Sequence[tuple[Column, str]]) -> str:
    return " ".join(
        text if not column.width else text.ljust(column.width) if column.left else text.rjust(column.width)
        for column, text in cells
    )
