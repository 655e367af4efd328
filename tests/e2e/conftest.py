"""What the end-to-end tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.worker import Worker


@pytest.fixture(autouse=True, scope="session")
def tmux() -> None:
    """These tests drive memtop in a terminal that a test can read."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed: memtop in a real terminal is not tested")


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A process that takes and gives back memory when it is told to."""
    with Worker("worker") as worker:
        yield worker
