"""What a recording says of the machine it was made on, and of what was asked."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Mapping
from typing import Final

from memtop.errors import DamagedError
from memtop.sanitize import clean

ASKED_LIMIT: Final = 1000
_PAGE_SIZES: Final = frozenset(1 << power for power in range(12, 21))
"""Of all architectures of Linux: 4 KiB to 1 MiB."""


def about_this_machine(asked: str, own_pid: int | None) -> dict[str, bytes]:
    """Values by name. ``asked`` are the processes that were asked for, in words, ``own_pid`` is memtop among them."""
    machine = os.uname()
    values = {
        "host": machine.nodename,
        "kernel": machine.release,
        "machine": machine.machine,
        "page_bytes": str(resource.getpagesize()),
        "utc_offset_s": str(time.localtime().tm_gmtoff),
        "cpus": str(os.cpu_count() or ""),
        "asked": asked[:ASKED_LIMIT],
        "own_pid": str(own_pid or ""),
    }
    return {name: os.fsencode(value) for name, value in values.items()}


def own_pid_of(about: Mapping[str, bytes]) -> int | None:
    """The PID of the memtop that recorded; None in recordings that do not say it."""
    digits = about.get("own_pid", b"")
    return int(digits) if digits.isdigit() and len(digits) < 12 else None


def page_bytes_of(about: Mapping[str, bytes]) -> int | None:
    """The page size of the machine; None in recordings that do not say it. Raises DamagedError for any other value."""
    digits = about.get("page_bytes", b"")
    if not digits:
        return None
    size = int(digits) if digits.isdigit() and len(digits) < 12 else 0
    if size not in _PAGE_SIZES:
        raise DamagedError(f"its machine has pages of {clean(digits[:10])} bytes, which no machine has")
    return size
