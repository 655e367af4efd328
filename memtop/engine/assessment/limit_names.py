"""Names of cgroups and of limits in sentences: a container, pod or unit, this container, this machine."""

from __future__ import annotations

import os
from typing import Final

from memtop.engine.assessment.step_input import StepInput
from memtop.procfs.cgroup import UNLIMITED
from memtop.procfs.membership import cgroup_label

MACHINE_NAME: Final = "this machine's memory"
OWN_MEMINFO_NAME: Final = "this container's memory"
"""The same where /proc/meminfo is that of a container (lxcfs)."""
CONTAINER_NAME: Final = "this container"
"""The cgroup at the root of a cgroup namespace."""


def machine_name(step: StepInput) -> str:
    """What /proc/meminfo is about: the machine, or a container."""
    return OWN_MEMINFO_NAME if step.cgroups.own_meminfo else MACHINE_NAME


def cgroup_name(path: str, step: StepInput) -> str:
    """The usual name of this cgroup: its container, pod or unit, or its path."""
    return step.cgroups.labels.get(path) or cgroup_label(os.fsencode("/" + path))


def limit_name(path: str, step: StepInput) -> str:
    """The same for a cgroup with a limit. The visible root inside a container is the container."""
    name = cgroup_name(path, step)
    return CONTAINER_NAME if name == "/" else name


def limit_file(path: str, step: StepInput, *, kills: bool = True) -> str | None:
    """The file to which a higher limit of a cgroup can be written; None where that is not known to work.

    Version 1 refuses a limit above the one on memory and swap together, so that must leave half as much again.
    """
    timed = step.cgroups.latest.get(path)
    if timed is None:
        return None
    reading = timed.reading
    if reading.v2:
        return f"/{path}/{'memory.max' if kills else 'memory.high'}"
    swap_bytes, limit_bytes = reading.swap_limit_bytes, reading.limit_bytes
    is_free = swap_bytes is None or swap_bytes >= UNLIMITED or 2 * swap_bytes >= (limit_bytes or 0)
    return f"/{path}/memory.limit_in_bytes" if is_free else None
