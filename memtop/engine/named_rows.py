"""Finds the processes that a name on the command line stands for: those that have it, or else those that contain it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from memtop.model.name_choice import NameChoice
from memtop.model.row import Note, ProcessRow

COMM_BYTES: Final = 15
"""The kernel keeps so many bytes of a name."""
MOST_NAMES: Final = 5
COUNTED_SAMPLES: Final = 3
"""Samples at which command lines may still be missing, so that what was chosen is counted again."""


class NamedRows:
    """Decides for each name once whether it is a whole name. :meth:`note` once a sample.

    A name that a process has is the whole name from then on, also after that process has ended: its end must not bring
    other programs into the list.
    """

    def __init__(self) -> None:
        self._whole: set[str] = set()
        self.choices: tuple[NameChoice, ...] = ()
        """What was chosen when it was decided last, for each name."""
        self._own: Collection[int] = ()
        self._noted = 0

    def note(self, rows: Iterable[ProcessRow], names: tuple[str, ...], own: Collection[int]) -> None:
        """Decide by the rows of a sample. ``own`` are the PIDs of memtop and its ancestors: no name stands for them."""
        self._own = own
        self._noted += 1
        counts, open_names = self._noted <= COUNTED_SAMPLES, [name for name in names if name not in self._whole]
        if not counts and not open_names:
            return
        rows = [row for row in rows if row.gone_s is None and row.pid not in own]
        found = {name for name in open_names if any(has_name(row, name) for row in rows)}
        self._whole |= found
        if counts or found:
            self.choices = tuple(_choice(name, rows) for name in names)

    def stands_for(self, row: ProcessRow, names: Iterable[str]) -> bool:
        """Whether one of the names stands for this process."""
        whole = self._whole
        return row.pid not in self._own and any(
            has_name(row, name) if name in whole else contains_name(row, name) for name in names
        )


def own_line(rows: Mapping[int, ProcessRow]) -> frozenset[int]:
    """The PIDs of memtop and of its ancestors, found among the rows."""
    found: set[int] = set()
    pid = os.getpid()
    while pid and pid not in found:
        found.add(pid)
        pid = row.ppid or 0 if (row := rows.get(pid)) is not None else 0
    return frozenset(found)


def without_own_arguments(rows: Sequence[ProcessRow], where: Callable[[ProcessRow], bool]) -> list[ProcessRow]:
    """The rows without memtop and its ancestors where ``where`` finds them by their arguments only.

    Their arguments hold the text that memtop was given to look for.
    """
    own = own_line({row.pid: row for row in rows if row.gone_s is None})
    return [row for row in rows if row.pid not in own or where(row._replace(command=" ".join(row.program_names)))]


def has_name(row: ProcessRow, name: str) -> bool:
    """Whether a program has exactly this name, by the kernel, its file, or the script or module that it runs.

    A path is that of the file or script as its command line has it.
    """
    raw = os.fsencode(name)
    if "/" in name and row.command_raw and os.path.basename(name) in row.program_names:
        return raw in row.command_raw.split(b"\0")
    cut = len(raw) > COMM_BYTES and row.name == raw[:COMM_BYTES].decode(errors="ignore")
    return cut or name in row.program_names


def contains_name(row: ProcessRow, name: str) -> bool:
    """Whether one of the names of a program contains this. Kernel threads, which have no memory, are meant by their
    whole names only."""
    return row.note is not Note.KERNEL and any(name in known for known in row.program_names)


def _choice(name: str, rows: Iterable[ProcessRow]) -> NameChoice:
    exact, others = 0, Counter[str]()
    for row in rows:
        if has_name(row, name):
            exact += 1
        elif contains_name(row, name):
            others[next(known for known in reversed(row.program_names) if name in known)] += 1
    return NameChoice(name, exact, tuple(known for known, _ in others.most_common(MOST_NAMES)), others.total())
