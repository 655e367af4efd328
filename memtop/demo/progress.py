"""The message from a workload to its watcher: the current step, as one JSON line each."""

from __future__ import annotations

import json
from typing import NamedTuple


class Step(NamedTuple):
    """One step of a scenario, as users see it."""

    number: int
    """Counts from 1."""
    total: int
    """Number of steps in one round."""
    title: str
    commentary: str
    """What the process does and why it matters, in a few sentences."""
    watch: str
    """What the user should see on the screen."""
    measured: str = ""
    """What the process measured of itself when the step's work was done, such as ``VIRT 518M (+500M), RES 9.2M
    (unchanged), 0 minor faults``; empty before that."""
    child_pid: int | None = None
    """The child that shares its memory; None if there is none."""


def step_to_line(step: Step) -> bytes:
    """Format a step as one line of JSON, newline included."""
    return json.dumps(step._asdict()).encode() + b"\n"


def step_from_line(line: bytes) -> Step:
    """Parse a step; the inverse of :func:`step_to_line`."""
    return Step(**json.loads(line))
