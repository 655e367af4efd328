"""Real memory cgroups of version 1, for tests: made below the mount, removed at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.children import eventually

MOUNT = Path("/sys/fs/cgroup/memory")


@contextmanager
def memory_cgroup(limit_bytes: int, name: str = "test") -> Iterator[Path]:
    """A cgroup with a limit, with that in its name; the test is skipped, with the reason, where none may be made."""
    if not (MOUNT / "memory.limit_in_bytes").exists():
        pytest.skip(f"no memory cgroup of version 1 at {MOUNT}")
    folder = MOUNT / f"memtop-{name}-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()
        pytest.skip(f"no memory cgroup may be made here: {error.strerror}")
    try:
        yield folder
    finally:
        assert eventually(lambda: _removed(folder))


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
