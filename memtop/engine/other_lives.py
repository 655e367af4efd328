"""The lives of a program whose process is in focus, for its chart: each crashed, and the same command came back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from memtop.engine.detail_builder import OtherLife
from memtop.model.lives import Lives
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey


def other_lives(lives: Lives, focus: ProcessKey, offset_s: float) -> tuple[OtherLife, ...]:
    """The lives before that of ``focus``, and itself, the oldest first; ``offset_s`` is wall time minus mono_s."""
    found = [OtherLife(one.key, one.at_s - offset_s, one.on_chart) for one in lives.ends]
    if all(one.key != focus for one in found):
        found.append(OtherLife(focus, math.inf, ""))
    return tuple(one for one in found if one.key.start_ticks <= focus.start_ticks)


def life_at(rows: Iterable[ProcessRow], lives: Sequence[OtherLife]) -> ProcessRow | None:
    """The life that was the latest to begin, among the ``rows`` of an earlier instant; None before the first."""
    keys = {one.key for one in lives}
    return max((row for row in rows if row.key in keys), key=lambda row: row.key.start_ticks, default=None)
