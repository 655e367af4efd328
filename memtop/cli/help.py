"""The help of a command, as wide as the terminal."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from memtop.cli.arguments import Command, Flag

WIDEST: Final = 100
WITHOUT_TERMINAL: Final = 80
NARROWEST: Final = 11
FARTHEST: Final = 28
"""Cells before what is said of an option; longer ones have a line of their own."""
_INDENT: Final = "  "


def width() -> int:
    """Cells of a line."""
    return min(WIDEST, os.get_terminal_size().columns) if sys.stdout.isatty() else WITHOUT_TERMINAL


def help_text(command: Command, cells: int) -> str:
    """All that a command takes and what it is for, in lines of at most so many cells."""
    groups = [(title, [(_heading(option), option.says) for option in options]) for title, options in command.groups]
    if command.words:
        groups.insert(0, ("positional arguments", [*command.words]))
    longest = max(len(heading) for _, items in groups for heading, _ in items)
    column = min(len(_INDENT) + longest + 2, FARTHEST)
    parts = [f"usage: {command.usage}", command.says]
    parts += ["\n".join([f"{title}:", *_lines(items, column, cells)]) for title, items in groups]
    return "\n\n".join([*parts, command.epilog.rstrip("\n")]).rstrip("\n") + "\n"


def _heading(option: Flag) -> str:
    """``-p, --pid PID``"""
    names = f"{option.letter}, {option.name}" if option.letter else option.name
    return f"{names} {option.value}" if option.value else names


def _lines(items: Sequence[tuple[str, str]], column: int, cells: int) -> Iterator[str]:
    for heading, says in items:
        first, *others = textwrap.wrap(says, max(cells - column, NARROWEST))
        start = _INDENT + heading
        if len(start) + 2 > column:
            yield start
            start = ""
        yield start.ljust(column) + first
        for line in others:
            yield " " * column + line
