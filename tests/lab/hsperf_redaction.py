"""An hsperfdata file as it may be put into the test data."""

from __future__ import annotations

from typing import Final

from memtop.runtimes.jvm.flags import kept_flags
from memtop.runtimes.jvm.hsperf import ARGUMENTS, TEXT, counter_places

_OPEN_TEXT: Final = ("sun.gc.", "java.property.java.vm.version", "java.property.java.version")
"""Text counters that may be written down; the others hold command lines, class paths and properties."""


def without_secrets(data: bytes) -> bytes:
    """The same file with command lines, class paths and properties blanked. Raises ParseError.

    Of the JVM's arguments those that speak of memory stay.
    """
    kept = bytearray(data)
    for name, kind, start, size in counter_places(data)[1]:
        if kind == TEXT and not name.startswith(_OPEN_TEXT):
            text = b""
            if name == ARGUMENTS:
                arguments = data[start : start + size].partition(b"\0")[0].decode("utf-8", "replace").split(" ")
                text = " ".join(kept_flags(arguments)).encode()[:size]
            kept[start : start + size] = text.ljust(size, b"\0")
    return bytes(kept)
