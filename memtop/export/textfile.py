"""Writes the metrics for node_exporter's textfile collector: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import Final

from memtop.errors import UsageError

NAME: Final = "memtop.prom"


def write_textfile(directory: str, text: bytes) -> None:
    """Replace ``memtop.prom`` in the directory by one rename. Raises UsageError."""
    path = ""
    try:
        descriptor, path = tempfile.mkstemp(prefix=".memtop-", suffix=".tmp", dir=directory)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)  # node_exporter is another user
        os.rename(path, os.path.join(directory, NAME))
    except OSError as error:
        if path:
            with suppress(OSError):
                os.unlink(path)
        raise UsageError(f"--textfile: {directory}: {error.strerror}") from error
