"""Earlier answers to readings that may block, by which the next answer of the same file is packed.

Writer and reader keep the same ones, so both use this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from memtop.sources.protocol import pid_of
from memtop.sources.recording.number_changes import LENGTH_LIMIT

_PROCESS_FILES: Final = 8
"""Files of processes whose answer is kept: those of the process in focus. Of the machine all are."""


class AnswerBases:
    """The last answers by path."""

    def __init__(self) -> None:
        self._machine: dict[str, bytes] = {}
        self._processes: dict[str, bytes] = {}
        """The latest at the end."""

    def get(self, path: str) -> bytes:
        """The last answer; empty for none."""
        return self._machine.get(path) or self._processes.get(path, b"")

    def put(self, path: str, data: bytes) -> None:
        """Keep an answer. A long one is as good as none."""
        if pid_of(path) is None:
            self._machine[path] = data
            return
        self.drop(path)
        if len(data) <= LENGTH_LIMIT:
            self._processes[path] = data
        if len(self._processes) > _PROCESS_FILES:
            del self._processes[next(iter(self._processes))]

    def drop(self, path: str) -> None:
        """Keep none of this file of a process, as after a long answer."""
        self._processes.pop(path, None)

    def sizes_bytes(self) -> Iterator[int]:
        """The size of each answer with its path."""
        for answers in (self._machine, self._processes):
            yield from (len(path) + len(data) for path, data in answers.items())

    def clear(self) -> None:
        """Keep none, as at a keyframe."""
        self._machine.clear()
        self._processes.clear()
