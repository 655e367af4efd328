"""Frames to draw, made of as few words as a test needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from rich.style import Style
from textual.app import App, ComposeResult
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from memtop.frame import Frame, Note, OwnCost, ProcRow, SystemRow, TreePlace
from memtop.sample import ProcKey
from memtop.tui import palette

M = TypeVar("M", bound=Message)

MIB = 1 << 20
GIB = 1 << 30


def proc_row(pid: int, **changes: Any) -> ProcRow:
    """An ordinary process, with what the test says of it."""
    values: dict[str, Any] = {
        "key": ProcKey(pid, 1000 + pid),
        "pid": pid,
        "ppid": 1,
        "uid": 1000,
        "user": "app",
        "state": "S",
        "name": f"proc-{pid}",
        "command": f"proc-{pid} --serve",
        "name_raw": b"proc",
        "command_raw": b"proc\0--serve",
        "virt_bytes": 1200 * MIB,
        "rss_bytes": 212 * MIB,
        "anon_bytes": 190 * MIB,
        "file_bytes": 22 * MIB,
        "shmem_bytes": 0,
        "shr_bytes": 22 * MIB,
        "swap_bytes": 0,
        "peak_rss_bytes": 212 * MIB,
        "page_tables_bytes": MIB,
        "mem_percent": 0.9,
        "growth_bytes_per_min": 0.0,
        "minflt": 100,
        "majflt": 0,
        "minflt_per_s": 12.0,
        "majflt_per_s": 0.0,
        "cpu_percent": 1.5,
        "threads": 4,
        "oom_score": 671,
        "oom_score_adj": 0,
        "trend": (None, 0, 1, 2, 3, 4, 5, 6, 7),
        "started_s": 1.7e9,
        "note": Note.NONE,
    }
    return ProcRow(**{**values, **changes})


def system_row(**changes: Any) -> SystemRow:
    """A machine at ease."""
    values: dict[str, Any] = {
        "mem_total_bytes": int(23.5 * GIB),
        "mem_available_bytes": int(8.3 * GIB),
        "mem_free_bytes": GIB,
        "swap_total_bytes": 2 * GIB,
        "swap_free_bytes": 2 * GIB,
        "pgfault_per_s": 3100.0,
        "pgmajfault_per_s": 0.0,
        "oom_kills": 0,
        "oom_kills_boot": 0,
        "psi_memory_some_avg10": 0.0,
        "psi_memory_full_avg10": 0.0,
        "processes": 312,
    }
    return SystemRow(**{**values, **changes})


def frame(rows: Sequence[ProcRow] = (), tree: Sequence[TreePlace] | None = None, **changes: Any) -> Frame:
    """A picture of these rows."""
    values: dict[str, Any] = {
        "tick": 1,
        "at_s": 1.7e9,
        "elapsed_s": 1.0,
        "late_s": 0.0,
        "system": system_row(),
        "rows": tuple(rows),
        "tree": None if tree is None else tuple(tree),
        "total": len(rows),
        "detail": None,
        "own": OwnCost(1.4, 46 * MIB),
        "hidden": 0,
        "problems": (),
    }
    return Frame(**{**values, **changes})


class WidgetApp(App[None]):
    """One widget, with memtop's palette; keeps what the widget says."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.heard: list[Message] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return palette.variables(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_mount(self) -> None:
        self.widget.focus()

    def heard_of(self, kind: type[M]) -> list[M]:
        """The messages of one kind that the widget has sent."""
        return [message for message in self.heard if isinstance(message, kind)]

    async def _on_message(self, message: Message) -> None:
        self.heard.append(message)
        await super()._on_message(message)


def line(widget: Widget, y: int) -> str:
    """Line ``y`` of what the screen shows of a widget, as text."""
    return _strip(widget, y).text


def styles_at(widget: Widget, x: int, y: int) -> Style:
    """How the screen shows one cell of a widget."""
    (segment, *_) = _strip(widget, y).crop(x, x + 1)
    return segment.style or Style()


def _strip(widget: Widget, y: int) -> Strip:
    region = widget.region
    return widget.screen._compositor.render_strips()[region.y + y].crop(region.x, region.right)
