"""``memtop explain [TOPIC]``: prints a topic or the table of contents."""

from __future__ import annotations

from typing import Final, TextIO

from memtop.explain.plain_text import plain
from memtop.explain.topic_loader import contents, following, topic

MAX_WIDTH = 84
"""Widest line. Longer lines are hard to read, however wide the terminal is."""

_ASCII: Final = str.maketrans(
    {
        "Σ": "=",
        "≤": "<",
        "≥": ">",
        "═": "=",
        "·": "-",
        "–": "-",
        "Δ": "d",
        "─": "-",
        "┘": "J",
        "╭": "r",
        "↗": "/",
        "↘": "\\",
        "▲": "^",
        "←": "Left",
        "→": "Right",
    }
)
"""ASCII replacements of the other characters in the texts, for outputs that cannot show those."""


def _encodable(text: str, out: TextIO) -> str:
    """``text`` unchanged, or in ASCII if the encoding of ``out`` lacks one of its characters."""
    try:
        text.encode(out.encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(_ASCII)
    return text


def run(topic_name: str | None, width: int, out: TextIO, color: bool) -> int:
    """Print one topic, or the table of contents for None. The exit code is 0. Raises UsageError for unknown topics."""
    width = min(width, MAX_WIDTH)
    if topic_name is None:
        text = plain(contents(), width, color)
    else:
        asked = topic(topic_name)
        after = following(asked.name)
        onward = [f"Linked here: {', '.join(asked.links)}"] if asked.links else []
        onward += [f"Next in the course: {after.name}"] if after is not None else []
        text = plain(asked.fill({}), width, color) + ("\n" + plain("\n\n".join(onward), width) if onward else "")
    out.write(_encodable(text, out))
    return 0
