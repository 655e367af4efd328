"""Every command without a screen, under every condition that keeps it from seeing: exit code and sentence, by table."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memtop.cli import run
from memtop.cli.end_signals import EndSignals
from memtop.errors import AccessDenied, MemtopError, Unavailable
from memtop.sources.live import LiveSource
from memtop.sources.protocol import READ_LIMIT, Answer, Instant

ABSENT = 4_194_305
"""Above the largest pid that there may be."""
COMMANDS = {
    "check": ["--check", "{pid}", "--for", "1", "-d", "0.2"],
    "text": ["-b", "{pid}", "-n", "2", "-d", "0.1"],
    "json": ["--json", "{pid}", "-n", "2", "-d", "0.1"],
    "csv": ["--csv", "{pid}", "-n", "2", "-d", "0.1"],
    "regions": ["regions", "{pid}"],
    "regions as JSON": ["regions", "{pid}", "--json"],
    "report": ["report", "{pid}", "--markdown", "--for", "0.2"],
    "record": ["record", "{pid}", "-n", "2", "-d", "0.1", "-o", "{folder}/new.memtop"],
    "and a recording": ["--json", "{pid}", "-n", "2", "-d", "0.1", "--record", "{folder}/beside.memtop"],
}
EVERYBODY = {
    "everybody": ["--json", "-n", "2", "-d", "0.1"],
    "groups": ["--json", "--by", "cgroup", "-n", "2", "-d", "0.1"],
    "groups as text": ["-b", "--by", "cgroup", "-n", "2", "-d", "0.1"],
    "machine": ["machine"],
    "machine as JSON": ["machine", "--json"],
    "export": ["export", "--textfile", "{folder}", "-n", "2", "-d", "0.1"],
}
"""Commands that name no process."""
Change = Callable[[str, bytes], bytes]
"""``(path, content)`` -> what is read in its place; it may raise."""


def cut(path: str, data: bytes) -> bytes:
    return data[: len(data) // 3] if path.endswith(("/status", "/limits", "/cgroup")) else data


def no_cgroup(path: str, data: bytes) -> bytes:
    if "sys/fs/cgroup" in path:
        raise Unavailable(f"{path}: No such file or directory")
    return b"" if path.endswith("/mountinfo") else data


def forbidden(path: str, data: bytes) -> bytes:
    if (
        path.startswith("proc/")
        and path.split("/")[1].isdecimal()
        and not path.endswith(("/stat", "/statm", "/status"))
    ):
        raise AccessDenied(f"{path}: Permission denied")
    return data


@contextmanager
def child(code: str, stdin: int | None = None) -> Iterator[int]:
    found = subprocess.Popen(
        [sys.executable, "-S", "-c", code], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert found.stdout is not None
    try:
        found.stdout.readline()
        yield found.pid
    finally:
        found.kill()
        found.stdout.close()
        found.wait()


Row = tuple[str, Change | None, dict[str, int], str]
"""Name, condition, exit codes other than 0, words of --check."""
TABLE: list[Row] = [
    ("cut off", cut, {"check": 5}, "resource limits cannot be read"),
    ("no cgroup", no_cgroup, {"check": 5}, "no file system of memory"),
    ("forbidden", forbidden, {"check": 5, "regions": 4, "regions as JSON": 4}, "no permission to count its mappings"),
    ("none", None, {"check": 5}, ""),
]


@pytest.mark.parametrize(
    ("command", "row"),
    [
        pytest.param(command, row, id=f"{command}, {row[0]}")
        for command in [*COMMANDS, *EVERYBODY]
        for row in TABLE
        if command in COMMANDS or row[1] in (no_cgroup, forbidden)
    ],
)
def test_what_cannot_be_read_has_its_code_and_its_sentence(
    command: str, row: Row, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, change, codes, words = row
    read = LiveSource.read

    def changed(source: LiveSource, path: str, size: int = READ_LIMIT) -> bytes:
        if change is None:
            return read(source, path, size)
        try:
            data = read(source, path, size)
        except MemtopError:
            change(path, b"")
            raise
        return change(path, data)

    monkeypatch.setattr(LiveSource, "read", changed)
    monkeypatch.setattr(EndSignals, "install", lambda _: None)  # the signals are those of the test
    if change is forbidden:
        ask = LiveSource.ask

        def refused(source: LiveSource, path: str, size: int = READ_LIMIT) -> Answer | None:
            forbidden(path, b"")
            return ask(source, path, size)

        monkeypatch.setattr(LiveSource, "ask", refused)
    argv = (COMMANDS | EVERYBODY)[command]
    with child("import time; print(flush=True); time.sleep(60)") as pid:
        assert run([word.format(pid=pid, folder=tmp_path) for word in argv]) == codes.get(command, 0)
    said = capsys.readouterr()
    if command == "check" and words:
        assert words in said.out
    if words and (command == "check" or change is no_cgroup):
        assert "no limit is near" not in said.out.lower()
    if codes.get(command):
        assert said.out + said.err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_process_that_is_not_there_is_an_error_in_every_command(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EndSignals, "install", lambda _: None)
    assert run([word.format(pid=ABSENT, folder=tmp_path) for word in COMMANDS[command]]) == 3
    assert "no " in (said := capsys.readouterr().err) and "process" in said


@pytest.mark.parametrize("how", ["os.abort()", "os._exit(1)", "os.kill(os.getpid(), 9)"])
def test_a_program_that_crashes_is_bad(
    how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begin, samples = LiveSource.begin, 0

    def crash_before_the_fourth_sample(source: LiveSource) -> Instant:
        nonlocal samples
        samples += 1
        if samples == 4:
            os.write(gate, b"\n")
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return begin(source)

    monkeypatch.setattr(LiveSource, "begin", crash_before_the_fourth_sample)
    waiting, gate = os.pipe()
    with child(f"import os; print(flush=True); input(); {how}", stdin=waiting) as pid:
        os.close(waiting)
        assert run(["--check", str(pid), "--for", "20", "-d", "0.1"]) == 1
    os.close(gate)
    assert "signal" in (out := capsys.readouterr().out) or "Exited with code 1" in out
