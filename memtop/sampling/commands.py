"""Commands from the user to the sampler. Each names its process, so that it cannot reach another one.

A Request is a state, and a newer one may replace it. A command is done once, and none is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from memtop.process_key import ProcessKey


@dataclass(frozen=True, slots=True)
class ToggleMark:
    """Set the user's mark on a process, or clear it."""

    key: ProcessKey


@dataclass(frozen=True, slots=True)
class ReadMappings:
    """Read the mappings of a process once, whatever it costs the process."""

    key: ProcessKey
    family: bool = False
    """Read smaps_rollup of its fork relatives as well."""


Command = ToggleMark | ReadMappings
