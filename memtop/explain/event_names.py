"""What the events of a timeline are called."""

from __future__ import annotations

from typing import Final

from memtop.model.timeline import EventKind

EVENT_WORDS: Final = {
    EventKind.OOM: "OOM kill",
    EventKind.LIMIT: "limit crossed",
    EventKind.VERDICT: "verdict",
    EventKind.RESTART: "restart",
    EventKind.EXIT: "end",
    EventKind.MARK: "mark",
    EventKind.LOST: "samples are missing",
}
