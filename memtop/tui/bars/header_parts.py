"""Text of the header: host name, mode (live, paused, replay), and the machine's memory.

It imports neither Textual nor Rich's drawing, because the first picture shows the same text.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from memtop import units
from memtop.explain.severity_signs import DANGER_MARK, WARNING_MARK
from memtop.model.frame import Frame
from memtop.model.row import SystemRow
from memtop.sanitize import clean
from memtop.settings import Settings
from memtop.sources.protocol import RecordingState
from memtop.tui.drawing.line_parts import EDGE_CELLS, GAP_CELLS, LinePart, cells

LATE_S: Final = 0.5
"""A sample that is this much later than planned is reported: the machine is under pressure."""
LOW_AVAILABLE: Final = 0.10
"""Share of RAM. Below it the kernel is about to reclaim a lot."""
VERY_LOW_AVAILABLE: Final = 0.05
HIGH_PRESSURE_PERCENT: Final = 10.0
"""Percentage of the last ten seconds in which some task waited for memory. systemd-oomd acts at 60."""
_RAM_BAR_CELLS: Final = (20, 10, 5)
_LESS_THAN_THE_BAR: Final = 10
"""Parts from this rank on do not shorten the bar to make room for themselves."""
_RATE_CELLS: Final = 7
_SIZE_CELLS: Final = 5
_PERCENT_CELLS: Final = 4
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
MACHINE: Final = "machine"
"""Target of the parts that open the Machine panel; it is the name of the topic as well."""
NAME: Final = LinePart("memtop", 5, style="strong")


class HeaderState(NamedTuple):
    """What memtop itself is doing."""

    host: str = ""
    paused: bool = False
    looking_back_s: float | None = None
    """The instant that the user looks at, seconds since the epoch; None for now."""
    recording: RecordingState | None = None
    """The recording being written; None if there is none."""
    readonly: bool = False
    speed: float = 1.0
    """How many times as fast as it was recorded a recording is played."""
    tail: str = ""
    """Whether the recording that is played still grows; empty for one that does not."""


def state_of(settings: Settings, recording: RecordingState | None = None) -> HeaderState:
    """The parts of the state that do not depend on what the user does, and the recording being written."""
    return HeaderState(
        host="" if settings.replay else os.uname().nodename,
        recording=recording,
        readonly=settings.readonly and not settings.replay,
    )


def has_state(frame: Frame | None, state: HeaderState) -> bool:
    """Whether the header says that the numbers are not those of now, or that they are recorded."""
    is_replay = frame is not None and frame.replay_position is not None
    return is_replay or state.paused or state.looking_back_s is not None or state.recording is not None


def header_parts(
    frame: Frame, delay_s: float, state: HeaderState, width: int, *, ascii_only: bool = False
) -> tuple[list[LinePart], list[LinePart]]:
    """State on the left, the machine on the right, and the bar of RAM if there is room.

    ``delay_s`` is the planned time between two samples.
    """
    left = [NAME, *_state_words(frame, state)]
    if state.host:
        left.append(LinePart(clean(state.host), 6))
    left.append(LinePart(f"{max(f'{delay_s:.1f}', f'{delay_s:g}', key=len)} s", 8))
    room = width - cells(left) - GAP_CELLS - 2 * EDGE_CELLS
    right: list[LinePart] = []
    for bar_cells in _RAM_BAR_CELLS:
        right = _machine(frame.system, bar_cells, ascii_only, frame.oom_victim)
        if cells([part for part in right if part.rank < _LESS_THAN_THE_BAR]) <= room:
            break
    return left, right


def _state_words(frame: Frame, state: HeaderState) -> list[LinePart]:
    """The state in words. Reasons why the numbers are not current come first."""
    words = []
    if frame.late_s >= LATE_S:
        words.append(LinePart(f"{WARNING_MARK} LATE {frame.late_s:.1f} s", 1, "own_cost", "warning"))
    if frame.hidden != 0:
        hidden = "others" if frame.hidden is None else f"{frame.hidden:,}"
        words.append(LinePart(f"{hidden} hidden", 2, "permissions", "strong"))
    if frame.shares is not None and frame.shares.decides and frame.shares.unknown:
        known = frame.shares.wanted - len(frame.shares.unknown)
        words.append(LinePart(f"PSS known of {known} of {frame.shares.wanted}", 1, "pss", "strong"))
    if state.looking_back_s is not None:
        age_s = max(0.0, frame.now_s - state.looking_back_s)
        words.append(LinePart(f"LOOKING BACK {units.duration(age_s)}", 1, "looking_back", "strong"))
    elif state.paused:
        words.append(LinePart("PAUSED", 1, style="strong"))
    if frame.past_percent is not None:
        words.append(LinePart(f"verdicts at {frame.past_percent} %", 1, "recording", "strong"))
    if frame.replay_position is not None:
        words.append(LinePart("REPLAY {}/{}".format(*frame.replay_position), 1, "recording", "strong"))
        words.append(LinePart(time.strftime("%H:%M:%S", time.localtime(frame.at_s)), 3, "recording", glued=True))
        if state.tail:
            words.append(LinePart(state.tail, 2, "recording", "strong"))
        if state.speed != 1:
            words.append(LinePart(f"×{state.speed:g}" if state.speed > 1 else f"×1/{1 / state.speed:g}", 3, glued=True))
    if state.recording is not None:
        words += _recording_words(frame, state.recording)
    if state.readonly:
        words.append(LinePart("READ-ONLY", 5, style="dim"))
    return words


def _recording_words(frame: Frame, recording: RecordingState) -> Iterator[LinePart]:
    if recording.halted:
        yield LinePart(f"{WARNING_MARK} REC {recording.halted}", 1, "recording", "warning")
        return
    yield LinePart(f"● REC {units.size(recording.size_bytes)}", 2, "recording", "strong")
    if recording.from_s is not None:
        yield LinePart(units.duration(max(0.0, frame.now_s - recording.from_s)), 3, "recording", glued=True)


def _machine(system: SystemRow, bar_cells: int, ascii_only: bool, oom_victim: str) -> list[LinePart]:
    """The machine's memory, each value with the topic that explains it."""
    total, available = system.mem_total_bytes, system.mem_available_bytes
    used = None if total is None or available is None else total - available
    mark, style = "", ""
    if total and available is not None and available < total * LOW_AVAILABLE:
        very = available < total * VERY_LOW_AVAILABLE
        mark, style = (f"{DANGER_MARK} ", "danger") if very else (f"{WARNING_MARK} ", "warning")
    right = [LinePart("RAM", 4, MACHINE)]
    if total and used is not None:
        right.append(LinePart(ram_bar(used / total, bar_cells, ascii_only), 6, MACHINE, style or "dim", glued=True))
    right.append(LinePart(_used_of(used, total), 4, MACHINE, glued=True))
    right.append(LinePart(f"{mark}avail {units.size(available):<{_SIZE_CELLS}}", 7, "available", style))
    swap_used = None
    if system.swap_total_bytes is not None and system.swap_free_bytes is not None:
        swap_used = system.swap_total_bytes - system.swap_free_bytes
    swap = "none" if system.swap_total_bytes == 0 else units.size(swap_used)
    right.append(LinePart(f"swap {swap}", 9, "swap"))
    pressure = system.psi_memory_some_avg10
    high = pressure is not None and pressure >= HIGH_PRESSURE_PERCENT
    right.append(
        LinePart(
            f"{WARNING_MARK + ' ' if high else ''}PSI {units.percent(pressure):<{_PERCENT_CELLS}}",
            8,
            "psi",
            "warning" if high else "",
        )
    )
    right.append(LinePart(f"faults {_rate(system.pgfault_per_s)}", 11, "faults_rate"))
    right.append(LinePart(f"major {_rate(system.pgmajfault_per_s)}", 10, "major_faults"))
    kills = system.oom_kills
    right.append(
        LinePart(
            f"{DANGER_MARK + ' ' if kills else ''}OOM kills {units.count(kills)}",
            5 if kills else 9,
            "oom_kills",
            "danger" if kills else "",
        )
    )
    if oom_victim:
        right.append(LinePart(f"last: {oom_victim}", 8, "oom_kills", "danger"))
    return right


def _rate(per_s: float | None) -> str:
    """A rate in as many cells as most others, so that what is left of it does not jump."""
    return (units.count(per_s) + ("/s" if per_s is not None else "")).ljust(_RATE_CELLS)


def _used_of(used_bytes: int | None, total_bytes: int | None) -> str:
    """``15.2 of 23.5G``. The unit appears once if both have the same."""
    used, total = units.size(used_bytes), units.size(total_bytes)
    if used[-1] == total[-1] and used[-1].isalpha():
        used = used[:-1]
    return f"{used} of {total}"


def ram_bar(share: float, width: int, ascii_only: bool) -> str:
    """A bar with ``share`` (0 to 1) of ``width`` cells filled, to an eighth of a cell.

    The rest is dotted to show its end.
    """
    share = min(1.0, max(0.0, share))
    if ascii_only:
        full = round(share * width)
        return "#" * full + "." * (width - full)
    full, eighths = divmod(round(share * width * 8), 8)
    bar = "█" * full + (_EIGHTHS[eighths] if eighths else "")
    return bar + "·" * (width - len(bar))
