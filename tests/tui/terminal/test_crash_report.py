"""The report on an internal error: a short line for the terminal, everything in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtop.tui.terminal import crash_report


def test_the_line_is_short_however_long_the_error_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    line = crash_report.write(RuntimeError("x" * 5000))
    (report,) = (tmp_path / "memtop").iterdir()
    assert line.endswith(f"; the report is {report}")
    assert len(line) < 300 + len(str(report))
    assert "x" * 5000 in report.read_text()
