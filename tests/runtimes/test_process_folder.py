"""Where the files of a process answer whose main thread has ended."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from memtop.runtimes.process_folder import process_folder
from memtop.runtimes.protocol import ReadAt


class OneThread:
    """An Access to process 5, of whose threads only one has a program."""

    def __init__(self, threads: Sequence[int], living: int) -> None:
        self.threads, self.living = threads, living
        self.links: list[str] = []

    def names(self, path: str) -> list[str]:
        return [str(tid) for tid in self.threads]

    def link(self, path: str) -> str:
        self.links.append(path)
        if path != f"proc/5/task/{self.living}/exe":
            raise FileNotFoundError
        return "/bin/app"

    def read(self, path: str, size: int) -> bytes:
        raise NotImplementedError

    def read_or_empty(self, path: str) -> bytes:
        raise NotImplementedError

    def regular_file(self, path: str) -> AbstractContextManager[ReadAt | None]:
        raise NotImplementedError

    def read_below(self, root: str, parts: Sequence[str], size: int) -> bytes | None:
        raise NotImplementedError

    def user_name(self, uid: int | None) -> str:
        raise NotImplementedError

    def fetch(self, url: str) -> tuple[str, bytes]:
        raise NotImplementedError


def test_the_files_of_another_thread_answer() -> None:
    assert process_folder(OneThread([5, 6, 7], 7), 5) == "proc/5/task/7"


def test_of_very_many_threads_some_are_tried() -> None:
    access = OneThread(range(5, 5000), 4999)
    assert process_folder(access, 5) == "proc/5"
    assert len(access.links) < 100
