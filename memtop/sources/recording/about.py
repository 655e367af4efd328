"""What a recording says of the machine it was made on, and of what was asked."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Mapping
from typing import Final

from memtop.sanitize import clean

ASKED_LIMIT: Final = 1000


def about_this_machine(asked: str) -> dict[str, bytes]:
    """Values by name. ``asked`` are the processes that were asked for, in words."""
    machine = os.uname()
    values = {
        "host": machine.nodename,
        "kernel": machine.release,
        "machine": machine.machine,
        "page_bytes": str(resource.getpagesize()),
        "utc_offset_s": str(time.localtime().tm_gmtoff),
        "cpus": str(os.cpu_count() or ""),
        "asked": asked[:ASKED_LIMIT],
    }
    return {name: os.fsencode(value) for name, value in values.items()}


def page_size_problem(about: Mapping[str, bytes]) -> str | None:
    """Why a recording with these values cannot be understood here; None for no reason."""
    pages = about.get("page_bytes", b"")
    if not pages or pages == b"%d" % resource.getpagesize():
        return None
    return (
        f"its machine has pages of {clean(pages[:10])} bytes and this one of {resource.getpagesize()}, so its sizes"
        " would be wrong"
    )
