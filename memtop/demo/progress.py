"""The message from a workload to its watcher: the current step, one JSON line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a scenario, for people."""

    number: int
    """From 1."""
    total: int
    """How many steps one round has."""
    title: str
    commentary: str
    """What the process does and why it matters, in a few sentences."""
    watch: str
    """What should be seen on the screen."""
    measured: str = ""
    """What the process measured of itself, once the step's work is done, such as ``VIRT 518M (+500M), RES 9.2M
    (unchanged), 0 minor faults``; empty until then."""
    child_pid: int | None = None
    """The child that shares its memory; None where there is none."""


def step_to_line(step: Step) -> bytes:
    """One line of JSON, newline included."""
    return json.dumps(asdict(step)).encode() + b"\n"


def step_from_line(line: bytes) -> Step:
    """The inverse of :func:`step_to_line`."""
    return Step(**json.loads(line))
