"""Follows a recording that is still being written: wakes the sampler when more has come, and says when none comes."""

from __future__ import annotations

import threading
import time
from typing import Final

from memtop import units
from memtop.engine.player import Player
from memtop.engine.sampler_thread import SamplerThread
from memtop.explain.severity_signs import DANGER_MARK
from memtop.sources.protocol import Growth

_WAIT_S: Final = 0.5


def follow_tail(player: Player, sampler: SamplerThread) -> None:
    """Have samples taken as soon as they have come, in a thread that ends with the recording."""
    if player.growth is not None:
        threading.Thread(target=_follow, args=(player, sampler), name="memtop-tail", daemon=True).start()


def _follow(player: Player, sampler: SamplerThread) -> None:
    while True:
        if player.wait(_WAIT_S):
            sampler.go_on()
        elif (growth := player.growth) is None or not growth.is_open:
            return


def tail_words(growth: Growth | None) -> str:
    """What is said across the screen while nothing comes, or after a writer has gone without a word; or empty."""
    if growth is None:
        return ""
    if growth.is_broken:
        at = time.strftime("%H:%M:%S", time.localtime(time.time() - growth.age_s))
        return f"{DANGER_MARK} {growth.ended}. The last sample came at {at}."
    if growth.is_late:
        age = units.duration(growth.age_s)
        return f"{DANGER_MARK} NO SAMPLE FOR {age}: what the screen shows is that old. Nothing comes from the recorder."
    return ""


def tail_state(growth: Growth | None, *, follows: bool) -> str:
    """Two words for the header: whether new samples are shown as they come; empty for a finished recording."""
    if growth is None:
        return ""
    if not growth.is_open:
        return "ENDED"
    return "FOLLOWING" if follows else "BEING WRITTEN"
