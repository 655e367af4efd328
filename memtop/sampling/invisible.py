"""Detects a /proc that does not list the processes of other users, see hidepid in proc(5)."""

from __future__ import annotations

from typing import Final

from memtop.errors import MemtopError
from memtop.procfs.mountinfo import parse_mountinfo
from memtop.procfs.status import parse_status
from memtop.sources.protocol import Source

_LEAVES_OUT: Final = frozenset({b"hidepid=2", b"hidepid=invisible", b"hidepid=4", b"hidepid=ptraceable"})
"""With these options /proc does not list what may not be read; with hidepid=1 it lists a directory that is closed."""


def leaves_processes_out(source: Source, mountinfo: bytes) -> bool:
    """Whether /proc leaves processes out of its list, so that their number cannot be known.

    Every PID namespace has a process 1. Whoever sees that process, and that it is root's, sees all others too.
    """
    # Mounts at one place hide each other: the last one counts.
    options = [mount.super_options for mount in parse_mountinfo(mountinfo) if mount.point == b"/proc"]
    if not options or not _LEAVES_OUT.intersection(options[-1]):
        return False
    try:
        return parse_status(source.read("proc/1/status")).uid != 0
    except MemtopError:
        return True
