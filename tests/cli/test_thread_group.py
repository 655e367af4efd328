"""A thread id that is given as a process id stands for its process, and memtop says so in one line."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator

import pytest

from memtop.cli import run
from memtop.cli.command_parsers import parser_of
from memtop.cli.settings_from_args import notice_of, settings_of, thread_group


@pytest.fixture
def tid() -> Iterator[int]:
    """A second thread of this process."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    assert thread.native_id is not None
    yield thread.native_id
    end.set()
    thread.join()


def test_a_thread_belongs_to_its_process(tid: int) -> None:
    assert thread_group(tid) == thread_group(os.getpid()) == os.getpid()


def test_a_process_that_is_not_there_stays_what_was_asked_for() -> None:
    assert thread_group(2**22 + 1) == 2**22 + 1


def test_each_thread_is_named_and_processes_are_not() -> None:
    assert notice_of({10: 10}) == ""
    assert notice_of({11: 10, 10: 10}) == "11 is a thread of process 10, which is shown in its place"


def test_a_thread_and_its_process_are_watched_once_and_the_metrics_follow(tid: int) -> None:
    own = os.getpid()
    argv = [str(tid), str(own), "--go-url", f"{tid}=http://127.0.0.1:6060"]
    settings = settings_of(parser_of("").parse(argv))
    assert settings.pids == (own,)
    assert settings.go_urls == ((own, "http://127.0.0.1:6060/debug/vars"),)
    assert settings.notice == f"{tid} is a thread of process {own}, which is shown in its place"
    assert settings_of(parser_of("").parse([str(own)])).notice == ""


def test_a_report_is_on_the_process_of_a_thread(tid: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--markdown", "--for", "0.1", str(tid)]) == 0
    out, err = capsys.readouterr()
    assert f"({os.getpid()}" in out.splitlines()[0].replace("\\", "")
    assert f"{tid} is a thread of process" in err


@pytest.mark.parametrize("argv", [["--json", "-n", "1"], ["regions", "--json"]])
def test_without_a_screen_it_is_said_on_standard_error(
    argv: list[str], tid: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*argv, str(tid)]) == 0
    out, err = capsys.readouterr()
    shown = json.loads(out)
    assert (shown["processes"][0] if "processes" in shown else shown)["pid"] == os.getpid()
    assert err.splitlines()[0] == f"memtop: {tid} is a thread of process {os.getpid()}, which is shown in its place"
