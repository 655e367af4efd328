"""Name of a process in the incidents of the machine."""

from __future__ import annotations

from memtop.model.row import ProcessRow


def process_name(row: ProcessRow) -> str:
    """The program that a person means, with its pid: ``orders-api (4242)``."""
    return f"{row.program} ({row.pid})"
