"""Where the files of a process answer whose main thread has ended, and how much is read of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from memtop.runtimes.go.reading import read_environ, read_listeners
from memtop.runtimes.identity import decode_identity
from memtop.runtimes.process_folder import process_folder
from memtop.runtimes.protocol import ReadAt
from memtop.runtimes.registry import REGISTRY
from memtop.runtimes.small_json import dumps


class OneThread:
    """An Access to process 5, of whose threads only one has a program. It knows what was read of it."""

    def __init__(self, threads: Sequence[int], living: int) -> None:
        self.threads, self.living = threads, living
        self.links: list[str] = []
        self.sizes: dict[str, int] = {}

    def names(self, path: str) -> list[str]:
        return [str(number) for number in (range(20_000) if path.endswith("/fd") else self.threads)]

    def link(self, path: str) -> str:
        self.links.append(path)
        if "/fd/" in path:
            return "/dev/null"
        if path != f"proc/5/task/{self.living}/exe":
            raise FileNotFoundError
        return "/bin/app"

    def read(self, path: str, size: int) -> bytes:
        self.sizes[path.rpartition("/")[2]] = size
        return b""

    def read_or_empty(self, path: str) -> bytes:
        raise NotImplementedError

    def regular_file(self, path: str) -> AbstractContextManager[ReadAt | None]:
        return nullcontext(None)

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


def test_so_much_is_read_of_an_environment_and_of_mappings_and_so_many_descriptors_are_looked_at() -> None:
    access = OneThread([5, 6], 6)
    read_environ(access, 5)
    read_listeners(access, 5)
    assert sum("/fd/" in link for link in access.links) == 4096
    REGISTRY.read(access, 5, "identity", "")
    assert access.sizes == {"environ": 2 << 20, "maps": 8 << 20}


def test_the_build_of_a_program_is_as_long_as_that() -> None:
    assert len(decode_identity(dumps({"runtime": "go", "build": "x" * 10_000})).build) == 4096
