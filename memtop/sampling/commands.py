"""Commands from the user to the sampler. Each names its process, so that it cannot reach another one.

A Request is a state, and a newer one may replace it. A command is done once, and none is lost.
"""

from __future__ import annotations

from typing import NamedTuple

from memtop.process_key import ProcessKey


class ToggleMark(NamedTuple):
    """Set the user's mark on a process, or clear it."""

    key: ProcessKey


class ReadMappings(NamedTuple):
    """Read the mappings of a process once, whatever it costs the process."""

    key: ProcessKey
    family: bool = False
    """Read smaps_rollup of its fork relatives as well."""


class SignalSent(NamedTuple):
    """Know that memtop itself sent a signal to a process, when it ends by that."""

    key: ProcessKey
    number: int


ReadingCommand = ToggleMark | ReadMappings
"""What changes the readings of a process."""
Command = ReadingCommand | SignalSent
