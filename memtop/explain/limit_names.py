"""Short names of limits for sentences: the last part of a long cgroup path, or both its ends."""

from __future__ import annotations

from typing import Final

MOST_CELLS: Final = 32


def short(name: str, most: int = MOST_CELLS) -> str:
    """``memory.high of …/app`` for ``memory.high of /a/very/long/path/app``. Names without a path stay the same.

    A last part that is long itself is cut in its middle: names of one family often differ at one end only.
    """
    before, slash, path = name.partition("/")
    if len(name) <= most or not slash:
        return name
    last = path.rstrip("/").rpartition("/")[2]
    room = most - len(before) - 2
    if room < 1:  # the unit or container before the path is long itself
        return f"{before[: most - 1]}…"
    if len(last) <= room:
        return f"{before}…/{last}"
    end = len(last) - room // 2
    return f"{before}…{last[: room - room // 2]}…{last[end:]}"
