"""``memtop explain [TOPIC]``: the texts, without a screen."""

from __future__ import annotations

from typing import TextIO

from memtop.explain.loader import contents, following, topic
from memtop.explain.plain import plain

MAX_WIDTH = 84
"""Longer lines are hard to read, however wide the terminal is."""


def run(topic_name: str | None, width: int, out: TextIO, color: bool) -> int:
    """Print one topic, or the table of contents for None; the exit code is 0. Raises UsageError for unknown topics."""
    width = min(width, MAX_WIDTH)
    if topic_name is None:
        out.write(plain(contents(), width, color))
        return 0
    asked = topic(topic_name)
    out.write(plain(asked.fill({}), width, color))
    onward = [f"Linked here: {', '.join(asked.links)}"] if asked.links else []
    after = following(asked.name)
    if after is not None:
        onward.append(f"Next in the course: {after.name}")
    out.write("\n" + plain("\n\n".join(onward), width) if onward else "")
    return 0
