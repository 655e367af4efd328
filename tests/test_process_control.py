"""Signals reach the process that was shown, or no process."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from memtop.errors import ActionRefused
from memtop.model.row import Note, ProcessRow
from memtop.process_control import hold, renice, send, why_it_runs
from memtop.process_key import ProcessKey
from memtop.procfs.stat import parse_stat
from tests.children import DEADLINE_S, eventually, python
from tests.rows import proc_row


def row_of(pid: int, **changes: Any) -> ProcessRow:
    start_ticks = parse_stat(Path(f"/proc/{pid}/stat").read_bytes()).start_ticks
    return proc_row(pid, key=ProcessKey(pid, start_ticks), **changes)


def test_a_signal_reaches_the_child_that_is_held() -> None:
    with python() as child:
        target = hold(row_of(child.pid, command_raw=b"python3\0sleeper.py\0"))
        try:
            assert send(target, signal.SIGTERM) == f"SIGTERM sent to {child.pid} sleeper.py"
            assert child.wait(DEADLINE_S) == -signal.SIGTERM
        finally:
            target.close()


def test_a_child_can_be_stopped_and_let_go_on() -> None:
    with python() as child:
        target = hold(row_of(child.pid))
        try:
            send(target, signal.SIGSTOP)
            assert eventually(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
            send(target, signal.SIGCONT)
            assert eventually(lambda: psutil.Process(child.pid).status() != psutil.STATUS_STOPPED)
        finally:
            target.close()


def test_a_child_is_made_nicer() -> None:
    with python() as child:
        target = hold(row_of(child.pid))
        try:
            assert "nice 7" in renice(target, 7)
            assert psutil.Process(child.pid).nice() == 7
        finally:
            target.close()


def test_one_that_ends_while_the_dialog_is_open_is_sent_nothing() -> None:
    with python() as child:
        target = hold(row_of(child.pid))
        try:
            child.kill()
            child.wait()
            with pytest.raises(ActionRefused, match="has ended; nothing was sent"):
                send(target, signal.SIGTERM)
            with pytest.raises(ActionRefused, match="has ended"):
                renice(target, 5)
        finally:
            target.close()


def test_a_zombie_that_nobody_has_waited_for_is_sent_nothing() -> None:
    with python() as child:
        target = hold(row_of(child.pid))
        try:
            child.kill()
            assert eventually(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
            with pytest.raises(ActionRefused, match="has ended"):
                send(target, signal.SIGTERM)
        finally:
            target.close()


def test_a_pid_that_means_another_process_by_now_is_refused_and_lives_on() -> None:
    with python() as child:
        row = row_of(child.pid)
        heir = row._replace(key=row.key._replace(start_ticks=row.key.start_ticks - 1))
        with pytest.raises(ActionRefused, match="another process now"):
            hold(heir)
        assert child.poll() is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"gone_s": 5.0}, "has ended"), ({"note": Note.KERNEL}, "kernel thread"), ({"note": Note.ZOMBIE}, "zombie")],
)
def test_what_cannot_be_signalled_is_refused_with_the_reason(changes: dict[str, Any], says: str) -> None:
    with python() as child, pytest.raises(ActionRefused, match=says):
        hold(row_of(child.pid, **changes))


@pytest.mark.parametrize("pid", [1, os.getpid(), os.getppid()], ids=["init", "memtop", "its parent"])
def test_init_memtop_itself_and_what_it_runs_in_are_refused(pid: int) -> None:
    with pytest.raises(ActionRefused, match="runs this session"):
        hold(proc_row(pid))


def test_a_pid_that_was_never_there_is_refused() -> None:
    with pytest.raises(ActionRefused):
        hold(proc_row(2**22 + 1))


def test_holding_and_refusing_leak_no_descriptor() -> None:
    with python() as child:
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(5):
            target = hold(row_of(child.pid))
            target.close()
            target.close()
            with pytest.raises(ActionRefused):
                hold(proc_row(child.pid, key=ProcessKey(child.pid, 1)))
        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_signal_that_is_not_permitted_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with python() as child:
        target = hold(row_of(child.pid))
        monkeypatch.setattr(signal, "pidfd_send_signal", refuse)
        with pytest.raises(ActionRefused, match=f"not permitted to send SIGTERM to {child.pid}"):
            send(target, signal.SIGTERM)
        target.close()


def test_with_the_proc_of_another_pid_namespace_nothing_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    with python() as child:
        row = row_of(child.pid)
        monkeypatch.setattr(Path, "readlink", lambda self: Path("1"))
        with pytest.raises(ActionRefused, match="another PID namespace"):
            hold(row)


def test_why_a_process_still_runs_after_a_signal() -> None:
    code = "import signal; signal.signal(15, signal.SIG_IGN); signal.pthread_sigmask(0, [2])"
    with python(f"{code}; import time; print(flush=True); time.sleep(60)") as child:
        target = hold(row_of(child.pid))
        try:
            assert why_it_runs(target, signal.SIGTERM) == "it ignores SIGTERM; K sends SIGKILL"
            assert why_it_runs(target, signal.SIGINT) == "it blocks SIGINT; K sends SIGKILL"
            assert "finishing its work" in why_it_runs(target, signal.SIGQUIT)
            send(target, signal.SIGSTOP)
            assert eventually(lambda: "SIGCONT" in why_it_runs(target, signal.SIGTERM))
            send(target, signal.SIGKILL)
            child.wait(DEADLINE_S)
            assert not why_it_runs(target, signal.SIGKILL)
        finally:
            target.close()
