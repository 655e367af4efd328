"""Keys that act on what the screen says of a process: pressed right after a jump, they wait for its own numbers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from memtop.model.frame import Frame
from memtop.model.row import RowKey
from memtop.tui.app.app_state import AppState
from memtop.tui.side.side_panel import SidePanel, subject_of

AGAIN_S: Final = 0.05
"""Time until it is checked again whether its numbers are there."""
JUDGED_S: Final = 3.0
"""Longest wait for its findings, which come with the sample after its numbers."""
GIVES_UP_S: Final = 10.0
"""Longest wait for its numbers: samples may be overdue."""


def when_shown(app: AppState, act: Callable[[], object], *, in_sentences: bool = False) -> None:
    """Run ``act`` once the screen shows the process or group in focus, and not the one before: mostly at once.

    ``in_sentences``: once "What is going on" says what was found of it. Nothing is run if the focus moves meanwhile.
    """
    wanted, began_s = focus_of(app), time.monotonic()

    def attempt() -> None:
        if focus_of(app) != wanted:
            return
        waited_s = time.monotonic() - began_s
        frame = app.query_one(SidePanel).frame if in_sentences else app.frame
        if frame is None or app.cursor.wanted is not None or (subject_of(frame) != wanted and frame.listed):
            if waited_s < GIVES_UP_S:
                app.set_timer(AGAIN_S, attempt)
            else:
                app.say("nothing is known yet about the process in focus", severity="warning")
        elif in_sentences and _is_unjudged(frame) and waited_s < JUDGED_S:
            app.set_timer(AGAIN_S, attempt)
        else:
            act()

    attempt()


def focus_of(app: AppState) -> RowKey | None:
    """The process or group that the keys mean, which the next frame shows."""
    return app.watched or app.view.rows.inside or app.table.selected


def _is_unjudged(frame: Frame) -> bool:
    """Whether the next sample will bring what was found of the process."""
    detail = frame.detail
    return detail is not None and detail.outlook is None and detail.window.cursor_s is None and not detail.paused
