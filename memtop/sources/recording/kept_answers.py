"""Remembers the answers of files that are asked for once, such as command lines, and which of them are new."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from memtop.sources.recording.format import Outcome, RecordKind, Row, encode_changes, is_kept
from memtop.sources.recording.packing import TOOK_BYTES, encode_took
from memtop.sources.recording.tick import Recorded

BATCHED_TO: Final = 4096
"""Largest answer that is written together with those of other processes, in bytes."""
_KNOWN, _ANSWERED = 0, 1
"""Statuses of a ONCE: only known at this instant, or answered at it."""

Ask = tuple[str, Recorded, float]
"""Path, outcome, and seconds that it took."""


class KeptAnswers:
    """The last answer of each file that is asked for once. It can be written as the rows of a keyframe."""

    def __init__(self) -> None:
        self._batched: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        """By name of the file and PID: the seconds that it took, and the bytes."""
        self._single: defaultdict[int | None, dict[str, tuple[Outcome, bytes]]] = defaultdict(dict)
        """Those that were refused, that are long, or that belong to no process, by path."""

    def take(self, asks: Iterable[Ask], waiting: Collection[str]) -> tuple[list[Row], list[Ask]]:
        """Remember the answers of the next tick. Returns the rows for most of them, and those that have none yet.

        What is kept already is not written again: a replay answers with it. A young process is asked twice for its
        command line. ``waiting`` are paths that had no answer at some time of this tick. No file has two answers at one
        tick.
        """
        rest: list[Ask] = []
        new: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        for ask in asks:
            path, recorded, took_s = ask
            if not is_kept(path):
                rest.append(ask)
                continue
            top, _, below = path.partition("/")
            number, _, name = below.partition("/")
            pid = int(number) if top == "proc" and number.isdecimal() else None
            if path not in waiting and self._keeps(pid, name, path, recorded):
                continue
            outcome, data = recorded
            stored = encode_took(took_s) + data
            if pid is None or outcome or len(data) > BATCHED_TO:
                self._batched[name].pop(pid or 0, None)
                self._single[pid][path] = outcome, stored
                rest.append(ask)
                continue
            if pid in self._single:
                self._single[pid].pop(path, None)
            self._batched[name][pid] = new[name][pid] = stored
        return [_row(name, _ANSWERED, answers) for name, answers in new.items() if answers], rest

    def _keeps(self, pid: int | None, name: str, path: str, recorded: Recorded) -> bool:
        outcome, data = recorded
        known = self._batched[name].get(pid) if pid is not None else None
        if known is not None:
            return not outcome and known[TOOK_BYTES:] == data
        single = self._single[pid].get(path) if pid in self._single else None
        return single is not None and single[0] == outcome and single[1][TOOK_BYTES:] == data

    def forget(self, pids: Iterable[int]) -> None:
        """Drop what belongs to processes that have left."""
        for pid in pids:
            self._single.pop(pid, None)
            for answers in self._batched.values():
                answers.pop(pid, None)

    def rows(self) -> Iterator[Row]:
        """All of it as the rows of a keyframe."""
        for name, answers in self._batched.items():
            if answers:
                yield _row(name, _KNOWN, answers)
        for singles in self._single.values():
            for path, (outcome, stored) in singles.items():
                yield RecordKind.KEPT, os.fsencode(path), outcome, b"\0" + stored


def _row(name: str, status: int, answers: dict[int, bytes]) -> Row:
    return RecordKind.ONCE, os.fsencode(name), status, b"\0" + encode_changes(answers)
