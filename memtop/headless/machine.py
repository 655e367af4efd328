"""``memtop machine``: prints where the machine's RAM went, once, as text or as JSON."""

from __future__ import annotations

import json as json_format
import sys
from typing import Any, TextIO

from memtop import units
from memtop.engine.engine import Engine
from memtop.errors import MemtopError
from memtop.explain.machine_sentences import PART_NAMES, held_by, sentences
from memtop.headless.remarks import remark
from memtop.model.machine import MachineView
from memtop.model.request import Request
from memtop.model.row import SystemRow
from memtop.sampling.problems import hidden_processes
from memtop.sampling.request import Need, ReadingsRequest
from memtop.sanitize import clean
from memtop.sources.protocol import Source


def run(source: Source, *, json: bool = False, out: TextIO | None = None, err: TextIO | None = None) -> int:
    """Print the parts of MemTotal to ``out``; remarks about what was not read go to ``err``.

    Returns 0. Raises MemtopError if /proc/meminfo cannot be read.
    """
    out, err = out or sys.stdout, err or sys.stderr
    needs = Need.STAT | Need.STATUS
    request = Request(ReadingsRequest(needs=needs, needs_all=needs, focus_needs=Need.MACHINE, once=True))
    frame = Engine(source).step(request)
    view = frame.machine if frame is not None else None
    if frame is None or view is None:
        raise MemtopError("/proc/meminfo cannot be read")
    if frame.hidden != 0:
        remark(hidden_processes(frame.hidden, "some holders are missing"), err)
    if json:
        json_format.dump(as_json(view, frame.system), out)
        out.write("\n")
        return 0
    print(f"RAM {units.long_size(view.total_bytes)}", file=out)
    print(f"{'SIZE':>7} {'%':>5}  {'PART':<26} {'CAN BE RECLAIMED':<34} HELD BY", file=out)
    for row in view.rows:
        if row.size_bytes:
            size = ("≥" if row.at_most_bytes is not None else "") + units.size(row.size_bytes)
            percent = units.percent(100 * row.size_bytes / view.total_bytes)
            held = held_by(row, 5, past=view.past, of_container=view.lxcfs)
            line = f"{size:>7} {percent:>5}  {PART_NAMES[row.part]:<26} {row.reclaim.value:<34} {held}"
            print(line.rstrip(), file=out)
    for text in sentences(view):
        print(text, file=out)
    return 0


def as_json(view: MachineView, system: SystemRow) -> dict[str, Any]:
    """The object of the JSON contract. Sizes in bytes, null where unknown."""
    pressure = {
        name: None
        if stall is None
        else {
            "avg10_percent": stall.avg10_percent,
            "avg60_percent": stall.avg60_percent,
            "avg300_percent": stall.avg300_percent,
            "total_us": stall.total_us,
        }
        for name, stall in (view.pressure._asdict() if view.pressure is not None else {}).items()
    }
    return {
        "total_bytes": view.total_bytes,
        "available_bytes": system.mem_available_bytes,
        "oom_kills_boot": system.oom_kills_boot,
        "parts": [
            {
                "part": row.part.value,
                "bytes": row.size_bytes,
                "at_most_bytes": row.at_most_bytes,
                "reclaim": row.reclaim.name.lower(),
                "holders": [
                    {
                        "kind": holder.kind,
                        "name": holder.name,
                        "pid": holder.pid,
                        "bytes": holder.size_bytes,
                        "threads": holder.threads,
                        "memfds": holder.memfds,
                        "memfd": holder.memfd,
                        "also_open_in": holder.others if holder.memfds is not None else None,
                    }
                    for holder in row.holders
                ],
            }
            for row in view.rows
        ],
        "excess_bytes": view.excess_bytes,
        "pressure": pressure or None,
        "swap": None
        if view.swaps is None
        else [
            {
                "path": clean(area.path),
                "kind": area.kind,
                "size_bytes": area.size_bytes,
                "used_bytes": area.used_bytes,
                "priority": area.priority,
            }
            for area in view.swaps
        ],
        "zram": None if view.zram is None else [device._asdict() for device in view.zram],
        "nodes": None
        if view.nodes is None
        else [
            {"node": number, "total_bytes": node.total_bytes, "free_bytes": node.free_bytes}
            for number, node in view.nodes
        ],
        "contained": view.contained,
        "lxcfs": view.lxcfs,
        "unread": dict(view.unread),
    }
