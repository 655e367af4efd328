"""Processes that exist and may not be read: every command says so and ends with 4, whatever /proc hides."""

from __future__ import annotations

import os
import sys

import pytest

from memtop.cli import run

ABSENT = 4_194_305
"""Above the largest pid that there may be."""


@pytest.mark.parametrize(
    "argv",
    [
        ["--check", "{pid}", "--for", "1"],
        ["-b", "{pid}", "-n", "1"],
        ["--json", "{pid}"],
        ["--csv", "{pid}"],
        ["regions", "{pid}"],
        ["report", "{pid}", "--markdown"],
    ],
)
@pytest.mark.parametrize(("error", "code"), [(PermissionError, 4), (ProcessLookupError, 3)])
def test_a_pid_that_proc_does_not_show_is_hidden_or_absent(
    argv: list[str],
    error: type[OSError],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def kill(pid: int, number: int) -> None:
        assert (pid, number) == (ABSENT, 0)
        raise error

    monkeypatch.setattr(os, "kill", kill)
    monkeypatch.setattr(sys, "stdin", sys.__stdin__)
    assert run([word.format(pid=ABSENT) for word in argv]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert ("not permitted" in said.err) == (code == 4)
