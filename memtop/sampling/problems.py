"""Sentences about failed readings: one for each kind of failure and how often it happened, and about what is hidden."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeVar

from memtop.errors import MemtopError, NotRecorded, ParseError
from memtop.process_key import ProcessKey
from memtop.sanitize import clean

_Value = TypeVar("_Value")


_COUNTS: Final = r" \([\d,]+ times\)$|[\d,]+ (?:samples?(?: is| are)?|dropped)\b"
"""What changes in a sentence while the trouble that it tells is the same."""


def announcer(say: Callable[[str], None]) -> Callable[[Iterable[str]], None]:
    """A function that says each problem once, however its counts change.

    One with counts, such as a disk that takes no samples, is said again when it comes back after an end.
    """
    said: set[str] = set()
    counted: set[str] = set()
    """Those that the last call had."""

    def announce(problems: Iterable[str]) -> None:
        now = {re.sub(_COUNTS, "", problem): problem for problem in problems}
        for what, problem in now.items():
            if what not in said | counted:
                say(problem)
        counted.clear()
        counted.update(what for what, problem in now.items() if what != problem)
        said.update(now.keys() - counted)

    return announce


def hidden_processes(hidden: int | None, lacks: str) -> str:
    """What /proc does not show of other users' processes: how many, None for not known; and what ``lacks`` them."""
    many = "of other users, not counted" if hidden is None else f"{hidden:,}"
    return f"hidden processes (hidepid): {many}; {lacks}"


def without_metrics(runtimes: Mapping[ProcessKey, Mapping[str, Any]], pids: Collection[int | None]) -> list[str]:
    """Why the addresses of these Go programs gave no metrics, one sentence each."""
    return [
        f"no metrics of process {key.pid}: {runtime['heap_trouble']}"
        for key, runtime in runtimes.items()
        if key.pid in pids and runtime["heap_trouble"]
    ]


class Problems:
    """The failures since memtop started."""

    def __init__(self) -> None:
        self._by_kind: dict[str, tuple[str, int]] = {}

    def note(self, error: MemtopError) -> None:
        """Keep the first sentence of its kind, and count it."""
        if isinstance(error, NotRecorded):
            return
        text, count = self._by_kind.get(type(error).__name__, (clean(str(error)), 0))
        self._by_kind[type(error).__name__] = text, count + 1

    def parse(self, parse: Callable[[bytes], _Value], raw: bytes, path: str) -> _Value | None:
        """Parse a file. None, and a noted problem with the path, if it cannot be parsed."""
        try:
            return parse(raw)
        except ParseError as error:
            self.note(ParseError(path, error.why))
            return None

    def sentences(self) -> tuple[str, ...]:
        """One for each kind of failure."""
        return tuple(text if count == 1 else f"{text} ({count} times)" for text, count in self._by_kind.values())
