"""Runtimes by the name of a program: each is one of the registry, and versions belong to the name."""

from __future__ import annotations

import pytest

from memtop.runtimes.program_names import WITH_COUNTERS, WITH_HEAP_LIMIT, counts_its_heap, has_heap_limit
from memtop.runtimes.protocol import Identity
from memtop.runtimes.registry import REGISTRY


@pytest.mark.parametrize("runtime", sorted(set(WITH_HEAP_LIMIT.values())))
def test_each_runtime_is_in_the_registry(runtime: str) -> None:
    assert REGISTRY.of(Identity(runtime=runtime)).name == runtime


@pytest.mark.parametrize(
    ("program", "ends"),
    [("java", True), ("php8.2", True), ("node18", True), ("nodejs", True), ("nodemon", False), ("python3", False)],
)
def test_a_version_belongs_to_the_name(program: str, ends: bool) -> None:
    assert has_heap_limit(program) is ends


def test_only_programs_with_a_heap_limit_count_their_heap() -> None:
    assert WITH_HEAP_LIMIT.keys() >= WITH_COUNTERS
    assert counts_its_heap(("app.jar", "java"))
    assert not counts_its_heap(("node", "server.js"))
