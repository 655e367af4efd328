"""The monitors that are compared, and the options by which each samples once a second."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEMTOP: Final = "memtop"
HTOP: Final = "htop"
FAST: Final = "at 10 Hz"
"""memtop as well, with ten samples a second."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that shows processes."""

    name: str
    everything: tuple[str, ...]
    """The command that shows all processes at 1 s."""
    one: tuple[str, ...] | None
    """The command that shows the process whose PID follows; None where it cannot."""
    prepare: Callable[[Path], None] = lambda home: None
    """Writes what it needs below its home."""


def _btop_at_1_s(home: Path) -> None:
    """btop takes its interval from its configuration only."""
    folder = home / ".config" / "btop"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "btop.conf").write_text("update_ms = 1000\n")


CONTESTANTS: Final = (
    Contestant(MEMTOP, (MEMTOP, "-d", "1"), (MEMTOP, "-d", "1")),
    Contestant(HTOP, (HTOP, "-d", "10"), (HTOP, "-d", "10", "-p")),
    Contestant("btop", ("btop", "--utf-force"), None, _btop_at_1_s),
    Contestant("top", ("top", "-d", "1"), ("top", "-d", "1", "-p")),
)


def program(name: str) -> str | None:
    """The path of a contestant's program: memtop's beside this Python, any other's on PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if name == MEMTOP and beside.exists() else shutil.which(name)


def command(words: tuple[str, ...]) -> list[str]:
    """A command with its program's whole path. Raises FileNotFoundError."""
    path = program(words[0])
    if path is None:
        raise FileNotFoundError(words[0])
    return [path, *words[1:]]
