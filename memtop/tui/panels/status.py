"""The Status panel: proc_pid_status(5) of the process in focus, each field with a short explanation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from memtop import units
from memtop.model.detail import Detail
from memtop.model.frame import Frame
from memtop.procfs.status import PidStatus
from memtop.tui.drawing.text_lines import Line, TextLines, lines_without_focus, words_of_group, wrapped

Value = Callable[[Detail, PidStatus], str]

_LABEL_CELLS: Final = 20
_VALUE_CELLS: Final = 22
_BESIDE_FROM: Final = 60
"""Width from which wrapped explanations stay beside the numbers."""


def _clock(wall_s: float | None) -> str:
    return units.UNKNOWN if wall_s is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall_s))


def _number(value: int | None) -> str:
    return units.UNKNOWN if value is None else f"{value:,}"


def _held(detail: Detail) -> str:
    held = detail.outlook.held if detail.outlook is not None else None
    return units.UNKNOWN if held is None or held.is_cut else units.size(held.known_bytes)


FACTS: Final[tuple[tuple[str, Value, str], ...]] = (
    ("Started", lambda d, s: _clock(d.row.started_s), "by the system clock"),
    ("Parent", lambda d, s: _number(d.row.ppid), "parent process"),
    ("Threads", lambda d, s: _number(d.row.threads), "each reserves a stack (VIRT)"),
    ("Largest VIRT", lambda d, s: units.size(s.virt_peak_bytes), "since exec"),
    ("Largest RES", lambda d, s: units.size(d.row.peak_rss_bytes), "since exec; approximate"),
    ("Private writable", lambda d, s: units.size(s.data_bytes), "heap, stacks, data: address space"),
    ("Main stack", lambda d, s: units.size(s.stack_bytes), "of the main thread; never shrinks"),
    ("Own code", lambda d, s: units.size(s.exe_bytes), "program code: address space"),
    ("Libraries' code", lambda d, s: units.size(s.lib_bytes), "code of libraries; can be shared"),
    ("Page tables", lambda d, s: units.size(s.page_tables_bytes), "RAM not in RES; OOM counts it"),
    ("Kept open", lambda d, s: _held(d), "not in RES unless it maps it"),
    ("On swap", lambda d, s: units.size(s.swap_bytes), "anonymous pages, not shmem"),
    ("Locked", lambda d, s: units.size(s.locked_bytes), "mlocked mappings, resident or not"),
    ("Pinned", lambda d, s: units.size(s.pinned_bytes), "pinned for I/O; cannot move"),
    ("Huge page pool", lambda d, s: units.size(s.hugetlb_bytes), "RAM not in RES"),
    ("Minor faults", lambda d, s: _number(d.row.minflt), "since the start of the process"),
    ("Major faults", lambda d, s: _number(d.row.majflt), "since the start of the process"),
    ("oom_score", lambda d, s: _number(d.row.oom_score), "666: no memory, if adj is 0"),
    ("oom_score_adj", lambda d, s: _number(d.row.oom_score_adj), "-1000 never killed, 1000 first"),
)


class StatusPanel(TextLines, can_focus=True):
    """One field per line."""

    def show_frame(self, frame: Frame) -> None:
        """Take a newer frame."""
        width = self.scrollable_content_region.width
        if width > 0:
            self.show(status_lines(frame, width))

    def caption(self, frame: Frame) -> str:
        """Empty, because status is read at every sample."""
        return ""

    def words(self, frame: Frame) -> int | None:
        """See ``Panel``. It always has something to show of a process."""
        return words_of_group(frame, self.scrollable_content_region.width)


def status_lines(frame: Frame, width: int) -> list[Line]:
    """The fields as lines, or the reason why there are none."""
    detail = frame.detail
    if detail is None:
        return lines_without_focus(frame, width)
    if detail.status is None:
        why = "it was not read before the pause" if detail.paused else "it has not been read yet"
        if detail.window.cursor_s is not None:
            why = "not kept for this moment in the past"
        return wrapped(f"No status to show: {detail.row.note.value or why}.", width)
    lines: list[Line] = []
    indent = " " * (_LABEL_CELLS + _VALUE_CELLS if width >= _BESIDE_FROM else 4)
    for label, value, says in FACTS:
        text = f"{label:<{_LABEL_CELLS}}{value(detail, detail.status):<{_VALUE_CELLS}}"
        lines += wrapped(text + says, width, indent=indent)
    return lines
