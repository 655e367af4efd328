"""``memtop --check PID``: watch for a while, say what was found, and end with 0 (fine) or 1; for scripts."""

from __future__ import annotations

import time
from typing import Final, TextIO

from memtop.analysis.autopsy import Oom
from memtop.engine import Engine
from memtop.errors import ProcessGone
from memtop.explain.findings import autopsy_lines, nothing_wrong, told
from memtop.frame import Detail
from memtop.outlook import Outlook
from memtop.sample import Ask, Need

FINE: Final = 0
BAD: Final = 1
USUAL_S: Final = 100.0
"""Growth takes a minute to be seen, and a little longer to be confirmed."""
ALARMING: Final = frozenset(
    {"growth", "near_limit", "frozen", "oom_kill", "address_space", "data_limit", "commit", "mappings"}
)
"""Growing, or near a limit."""


def run(engine: Engine, pid: int, seconds: float, delay_s: float, out: TextIO) -> int:
    """Watch ``pid`` for so long, or until something is found. Raises ProcessGone where it is not there."""
    ask = Ask(only=frozenset({pid}), needs_all=Need.STAT | Need.STATUS | Need.OOM, delay_s=delay_s)
    end_s = time.monotonic() + seconds
    detail: Detail | None = None
    while True:
        frame = engine.step(ask)
        if frame is None:
            break
        if ask.focus is None:
            row = next((row for row in frame.rows if row.pid == pid), None)
            if row is None:
                raise ProcessGone(f"no such process: {pid}")
            ask = ask._replace(focus=row.key, visible=frozenset({row.key}))
            continue
        detail = frame.detail
        outlook = detail.outlook if detail is not None else None
        if outlook is not None and outlook.autopsy is not None:
            print(*autopsy_lines(outlook.autopsy), sep="\n", file=out)
            return BAD if outlook.autopsy.oom in (Oom.CERTAIN, Oom.PROBABLE) else FINE
        if outlook is not None and any(finding.name in ALARMING for finding in outlook.findings):
            break
        left_s = end_s - time.monotonic()
        if left_s <= 0 or (detail is not None and detail.gone):
            break
        time.sleep(min(delay_s, left_s))
    return _tell(detail.outlook if detail is not None else None, out)


def _tell(outlook: Outlook | None, out: TextIO) -> int:
    if outlook is None:
        print("nothing could be seen", file=out)
        return FINE
    alarming = [finding for finding in outlook.findings if finding.name in ALARMING]
    for finding in alarming:
        print(told(finding).says, file=out)
    if not alarming:
        print(nothing_wrong(outlook), file=out)
    return BAD if alarming else FINE
