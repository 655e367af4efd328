"""A process that is not among the rows is hidden, broken or gone, and each has a code of its own."""

from __future__ import annotations

import pytest

from memtop.engine.absent import why_absent
from memtop.errors import AccessDenied, MemtopError, ProcessGone, Unavailable

BROKEN = ("proc/41/stat: no name in parentheses", "proc/42/stat: no name in parentheses (2 times)")


@pytest.mark.parametrize(
    ("hidden", "problems", "error"),
    [
        (1, (), AccessDenied("not permitted to read process 42, 43")),
        (0, BROKEN, Unavailable(BROKEN[1])),
        (None, BROKEN, Unavailable(BROKEN[1])),
        (0, BROKEN[:1], ProcessGone("no such process: 42, 43")),
        (None, (), ProcessGone("no such process: 42, 43")),
    ],
)
def test_why_a_process_is_absent(hidden: int | None, problems: tuple[str, ...], error: MemtopError) -> None:
    found = why_absent([42, 43], hidden, problems)
    assert type(found) is type(error) and str(found) == str(error)
