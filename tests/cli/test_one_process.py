"""Commands about one process take a name that only one has."""

from __future__ import annotations

import pytest

from memtop.cli import one_process
from memtop.cli.one_process import process_named
from memtop.errors import UsageError
from tests.fakes import FakeProcess, FakeSource


def test_of_many_processes_with_a_name_some_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource(*(FakeProcess(pid, comm=b"worker", cmdline=b"worker\0") for pid in range(100, 120)))
    monkeypatch.setattr(one_process, "LiveSource", lambda: source)
    with pytest.raises(UsageError, match=r"worker is 20 processes.* and 12 more$") as raised:
        process_named("worker")
    assert str(raised.value).count("(worker") == 8
