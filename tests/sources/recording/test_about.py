"""What a recording says of its machine."""

from __future__ import annotations

from memtop.sources.recording.about import about_this_machine


def test_a_long_command_line_is_cut() -> None:
    assert about_this_machine("postgres", None)["asked"] == b"postgres"
    assert len(about_this_machine("x" * 100_000, None)["asked"]) == 1000
