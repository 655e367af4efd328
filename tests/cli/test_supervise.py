"""``memtop -- COMMAND`` as a supervisor on a screen: its status, its output, and what happens if it does not end."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from memtop.cli.launch import RUNS_ON
from memtop.cli.output_keeper import OutputKeeper
from memtop.cli.output_log import TAIL_BYTES, OutputLog
from memtop.errors import UsageError
from tests.children import said
from tests.tui.terminal.pty_run import PtyRun, wait_for

UP = b"Help"


@contextmanager
def watching(
    folder: Path, *command: str, options: tuple[str, ...] = (), up: bool = True, **env: str
) -> Iterator[PtyRun]:
    """Memtop on a screen with a command of its own, whose output goes to ``folder``."""
    run = PtyRun("memtop", "-d", "0.2", *options, "--", *command, env={"TMPDIR": str(folder), **env})
    with run:
        if up:
            run.wait_output(UP)
        yield run


def told(run: PtyRun) -> str:
    """What stands on the terminal after the screen has gone."""
    after = run.output.rpartition(b"\x1b[?1049l")[2]
    return re.sub(rb"\x1b\[[?\d]*[a-z]", b"", after).decode(errors="replace").replace("\r\n", "\n")


def logs(folder: Path) -> list[Path]:
    return list(folder.glob("memtop-*.log"))


def ended(log: Path) -> bool:
    """Whether nobody but memtop has the log open any more."""
    holders = 0
    for fd in Path("/proc").glob("[0-9]*/fd/1"):
        with suppress(OSError):
            holders += os.path.samefile(fd, log)
    return log.stat().st_size > 0 and not holders


MINUTE = "i=0; while [ $i -lt 600 ]; do i=$((i + 1)); sleep 0.1; done"
"""A minute, in which traps are answered. What a test leaves behind that was killed itself ends after it."""
STUBBORN = ("sh", "-c", f'trap "" TERM; echo "pid $$"; {MINUTE}')


def stubborn_pid(folder: Path) -> int:
    wait_for(lambda: any("pid" in log.read_text() for log in logs(folder)), "the first line of the command")
    return int(re.findall(r"pid (\d+)\n", logs(folder)[0].read_text())[0])


def test_a_great_output_costs_nothing_and_the_status_is_the_commands(tmp_path: Path) -> None:
    code = "yes 0123456789 | head -c 100000000; echo; echo last words; exit 7"
    with watching(tmp_path, "sh", "-c", code, up=False) as run:
        run.wait_output(UP)
        wait_for(lambda: ended(logs(tmp_path)[0]), "the end of the command")
        run.press(b"q")
        assert run.end() == 7
        lines = told(run).splitlines()
    (log,) = logs(tmp_path)
    assert lines[0] == f"memtop: the complete output is in {log}"
    assert lines[-1] == "last words"
    assert len(lines) <= 41
    assert log.stat().st_size > 100_000_000


def test_a_small_output_is_shown_and_its_file_goes(tmp_path: Path) -> None:
    with watching(tmp_path, "sh", "-c", "echo hello from it; exec sleep 60") as run:
        wait_for(lambda: logs(tmp_path)[0].read_text().endswith("\n"), "the output")
        run.press(b"q")
        assert run.end() == 128 + signal.SIGTERM
        assert told(run) == "hello from it\n"
    assert logs(tmp_path) == []


def test_bytes_that_are_not_shown_as_they_are_stay_in_the_file(tmp_path: Path) -> None:
    with watching(tmp_path, "sh", "-c", r"printf 'a\033[31mb\n'; exec sleep 60") as run:
        wait_for(lambda: logs(tmp_path)[0].read_text().endswith("\n"), "the output")
        run.press(b"q")
        run.end()
        (log,) = logs(tmp_path)
        assert told(run).splitlines() == [f"memtop: the complete output is in {log}", "a^[[31mb"]


def test_a_removed_log_is_rescued(tmp_path: Path) -> None:
    with watching(tmp_path, "sh", "-c", "seq 100000; exec sleep 60") as run:
        wait_for(lambda: logs(tmp_path)[0].read_text().endswith("100000\n"), "the output")
        logs(tmp_path)[0].unlink()
        run.press(b"q")
        assert run.end() == 143
        (log,) = logs(tmp_path)
        assert f"the complete output is in {log}" in told(run)
    assert log.read_text().splitlines()[:3] == ["1", "2", "3"]


def test_a_command_that_ignores_sigterm_is_reported_and_keeps_its_log(tmp_path: Path) -> None:
    with watching(tmp_path, *STUBBORN) as run:
        pid = stubborn_pid(tmp_path)
        try:
            run.send(signal.SIGTERM)
            assert run.end() == RUNS_ON
            assert f"(pid {pid}) is still running, its output is in {logs(tmp_path)[0]}" in told(run)
            os.kill(pid, 0)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_where_the_log_of_a_command_that_runs_on_was_replaced_both_places_are_said(tmp_path: Path) -> None:
    with watching(tmp_path, *STUBBORN) as run:
        pid = stubborn_pid(tmp_path)
        (log,) = logs(tmp_path)
        try:
            log.unlink()
            log.write_text("of another")
            run.send(signal.SIGTERM)
            assert run.end() == RUNS_ON
            (copy,) = set(logs(tmp_path)) - {log}
            there = rf"its output until now is in {copy}, what follows is in /proc/(\d+)/fd/1; memtop"
            assert re.search(there, told(run)), told(run)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert copy.read_text() == f"pid {pid}\n"
    assert log.read_text() == "of another"


def test_a_second_q_ends_a_command_that_ignores_sigterm(tmp_path: Path) -> None:
    with watching(tmp_path, *STUBBORN) as run:
        stubborn_pid(tmp_path)
        run.press(b"q")
        run.wait_output(b"is still running")
        run.press(b"q")
        assert run.end() == 128 + signal.SIGKILL


def test_one_q_is_enough_for_a_command_that_takes_its_time(tmp_path: Path) -> None:
    with watching(tmp_path, "sh", "-c", f'trap "sleep 0.5; exit 9" TERM; echo "pid $$"; {MINUTE}') as run:
        stubborn_pid(tmp_path)
        run.press(b"q")
        assert run.end() == 9


def test_a_command_that_has_stopped_itself_is_ended_too(tmp_path: Path) -> None:
    with watching(tmp_path, "sh", "-c", 'trap "exit 9" TERM; echo "pid $$"; kill -STOP $$; exec sleep 60') as run:
        pid = stubborn_pid(tmp_path)
        wait_for(lambda: "State:\tT" in Path(f"/proc/{pid}/status").read_text(), "the stop of the command")
        run.send(signal.SIGTERM)
        assert run.end() == 9


TAKES_THE_TERMINAL = """\
import os, signal, time
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
if os.getpgrp() != os.getpid():
    os.setpgid(0, 0)
try:
    os.tcsetpgrp(os.open("/dev/tty", os.O_RDWR), os.getpgrp())
except OSError:
    pass
print("pid", os.getpid(), flush=True)
time.sleep(60)
"""


def test_a_command_cannot_take_the_keys_of_the_screen(tmp_path: Path) -> None:
    with watching(tmp_path, sys.executable, "-c", TAKES_THE_TERMINAL) as run:
        stubborn_pid(tmp_path)
        run.press(b"q")
        assert run.end() == 128 + signal.SIGTERM


def test_kill_after_ends_it_whoever_ended_memtop(tmp_path: Path) -> None:
    with watching(tmp_path, *STUBBORN, options=("--kill-after", "0.3")) as run:
        stubborn_pid(tmp_path)
        run.send(signal.SIGTERM)
        assert run.end() == 128 + signal.SIGKILL


def test_without_a_screen_the_same_is_said(tmp_path: Path) -> None:
    memtop = [sys.executable, "-m", "memtop", "--json", "-n", "3", "-d", "0.1", "--", *STUBBORN]
    # The command ignores SIGTERM from its start: it may have only begun when memtop ends.
    command = ["sh", "-c", 'trap "" TERM; exec "$@"', "sh", *memtop]
    with open(tmp_path / "out", "w") as out, open(tmp_path / "err", "w") as err:
        code = subprocess.run(command, stdout=out, stderr=err, timeout=30, check=False).returncode
    first = re.compile(r"^pid (\d+)\n", re.M)
    wait_for(lambda: first.search((tmp_path / "out").read_text()), "the first line of the command")
    pid = int(first.findall((tmp_path / "out").read_text())[0])
    os.kill(pid, signal.SIGKILL)
    assert code == RUNS_ON
    assert (
        said((tmp_path / "err").read_text())
        == f"memtop: sh (pid {pid}) is still running; memtop no longer watches it\n"
    )


def test_a_terminal_that_can_show_no_screen_leaves_no_file(tmp_path: Path) -> None:
    with watching(tmp_path, "touch", str(tmp_path / "begun"), up=False, TERM="dumb") as run:
        assert run.end() == 2
        assert b"cannot show a screen" in run.output
    assert list(tmp_path.iterdir()) == []


def test_nowhere_to_keep_the_output_is_said_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkstemp", _no_directory)
    log = OutputLog()
    log.write(b"some\n")
    assert log.path is None
    assert log.tail() == (("some",), True)
    log.close()


def test_output_in_memory_is_bounded_however_much_was_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkstemp", _no_directory)
    monkeypatch.setattr("memtop.cli.output_log.MEMORY_LIMIT_BYTES", 1 << 18)
    log = OutputLog(1 << 30)
    for _ in range(8):
        log.write(b"x" * (1 << 17))
    assert log.size_bytes == 1 << 20 and log.kept_bytes <= (1 << 18) + (1 << 16)
    log.close()


def test_the_last_lines_of_the_output_are_shown(tmp_path: Path) -> None:
    log = OutputLog(folder=tmp_path)
    log.write(b"".join(b"%d\n" % number for number in range(100)))
    assert log.tail() == (tuple(str(number) for number in range(60, 100)), False)
    log.close()


def test_output_is_kept_up_to_the_limit_that_the_help_names(tmp_path: Path) -> None:
    log = OutputLog(folder=tmp_path)
    os.ftruncate(log.fd, (1 << 30) + (4 << 20))  # a hole
    log.write(b"end")
    assert log.kept_bytes <= (1 << 30) + (1 << 16)
    log.close()


def _no_directory(**how: object) -> None:
    raise FileNotFoundError(2, "No usable temporary directory found")


EMPTYING = (
    "echo one; echo two > /dev/stdout; echo three; echo four > /dev/stderr; "
    f"{sys.executable} -c 'import os; os.truncate(1, 0)' || echo five; exit 3"
)
"""A program that empties its standard output in three ways, as far as the kernel lets it."""


def test_a_program_that_empties_its_own_output_loses_nothing(tmp_path: Path) -> None:
    with watching(tmp_path, "sh", "-c", EMPTYING) as run:
        run.wait_output(b"gone since")
        run.press(b"q")
        assert run.end() == 3
        lines = told(run).splitlines()
    assert [line for line in lines if line in ("one", "two", "three", "four", "five")] == lines[:4] + lines[-1:]
    assert lines[0] == "one" and lines[-1] == "five"
    assert logs(tmp_path) == []


@pytest.mark.parametrize("later", ["late\n", ""])
def test_output_that_comes_after_the_end_of_the_program_is_kept(later: str, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with watching(tmp_path, "sh", "-c", f"echo early; (trap '' HUP; cat {fifo}) &") as run:
        run.wait_output(b"gone since")
        run.press(b"q")
        assert run.end() == 0
        (log,) = logs(tmp_path)
        first, *others = told(run).splitlines()
    assert first == f"memtop: the complete output is in {log}; processes that sh has started can still write there"
    assert others == ["early"]
    fifo.write_text(later)
    if later:
        wait_for(lambda: ended(log), "the end of the keeper")
        assert log.read_text() == "early\nlate\n"
    else:  # all of it was shown
        wait_for(lambda: not log.exists(), "the end of the keeper")


def test_no_empty_file_is_left_where_memtop_was_killed(tmp_path: Path) -> None:
    with watching(tmp_path, "sleep", "60") as run:
        run.send(signal.SIGKILL)
        wait_for(lambda: logs(tmp_path) == [], "the end of the keeper")


def test_where_the_keeper_is_killed_memtop_takes_its_place(tmp_path: Path) -> None:
    log = OutputLog(folder=tmp_path)
    keeper = OutputKeeper(log)
    keeper.watch()
    os.write(keeper.fd, b"one\n")
    wait_for(lambda: log.size_bytes > 0, "the first line")
    assert sorted(os.listdir(f"/proc/{keeper.pid}/fd")) == ["0", "1", "2"], "it holds no file of memtop's user"
    os.kill(keeper.pid, signal.SIGKILL)
    os.write(keeper.fd, b"two\n")
    keeper.close()
    wait_for(lambda: keeper.settle(0), "the end of the output")
    assert log.tail() == (("one", "two"), True)
    log.close()


def test_where_the_disk_is_full_the_end_of_the_output_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, write = OutputLog(folder=tmp_path), os.write

    def written(fd: int, data: bytes) -> int:
        if os.fstat(fd).st_blocks * 512 > 1 << 20:
            raise OSError(errno.ENOSPC, "full")
        return write(fd, data)

    monkeypatch.setattr(os, "write", written)
    for number in range(80):
        log.write(b"x" * (1 << 16) + b"%d\n" % number)
    assert (log.size_bytes, log.lost_bytes) == (os.fstat(log.fd).st_size, 0)
    assert 1 << 18 < log.kept_bytes < 2 << 20
    assert log.tail().lines[-1].endswith("79")
    log.close()


def test_what_a_full_disk_does_not_take_is_counted(tmp_path: Path) -> None:
    log = OutputLog(folder=tmp_path)
    os.dup2(os.open("/dev/full", os.O_WRONLY), log.fd)
    log.write(b"x" * 1000)
    assert (log.size_bytes, log.lost_bytes, log.was_cut) == (1000, 1000, False)
    log.close()


def test_a_file_that_another_process_has_emptied_is_found_out(tmp_path: Path) -> None:
    log = OutputLog(1 << 20, folder=tmp_path)
    log.write(b"x" * (3 << 20))
    assert log.path is not None
    os.truncate(log.path, 0)
    log.write(b"two\n")
    assert log.was_cut
    assert log.tail() == (("two",), False)
    assert log.kept_bytes >= 0
    log.write(b"y" * (3 << 20))
    assert log.kept_bytes <= (1 << 20) + (1 << 16)
    log.close()


def test_a_line_without_end_is_shown_from_its_end(tmp_path: Path) -> None:
    log = OutputLog(folder=tmp_path)
    os.ftruncate(log.fd, 200 << 20)
    os.pwrite(log.fd, b"x" * 100_000 + b"end", (200 << 20) - 100_003)
    tail = log.tail()
    assert not tail.complete
    assert tail.lines == ("x" * (TAIL_BYTES - 3) + "end",)
    log.discard()
    log.close()


def test_the_oldest_output_is_given_back(tmp_path: Path) -> None:
    log = OutputLog(1 << 20, folder=tmp_path)
    for _ in range(8):
        log.write(b"x" * (1 << 20))
    used = os.fstat(log.fd).st_blocks * 512
    assert log.size_bytes == 8 << 20
    assert used <= (1 << 20) + (1 << 17)
    assert log.kept_bytes == 1 << 20
    log.close()


def test_a_limit_on_file_sizes_is_no_trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda what: (0, 0))
    with pytest.raises(UsageError, match="ulimit -f"):
        OutputLog()


INHERITED = """\
import json, resource, signal
ignored = [int(n) for n in signal.valid_signals() if signal.getsignal(n) == signal.SIG_IGN]
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
limits = [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT")]
ours = ~(3 << 31)  # 32 and 33 belong to the C library
print(json.dumps([int(status["SigIgn"], 16) & ours, int(status["SigBlk"], 16) & ours, limits]))
"""


def test_the_command_inherits_what_it_would_without_memtop(tmp_path: Path) -> None:
    alone = subprocess.run([sys.executable, "-c", INHERITED], capture_output=True, text=True, check=True)
    out = tmp_path / "out"
    with watching(tmp_path, "sh", "-c", f"exec {sys.executable} -c '{INHERITED}' > {out}") as run:
        wait_for(lambda: out.exists() and out.read_text().endswith("\n"), "the report of the command")
        run.press(b"q")
        run.end()
    assert json.loads(out.read_text()) == json.loads(alone.stdout)


IGNORES_CHILDREN = """\
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", "memtop", *sys.argv[1:]])
"""


def test_the_status_counts_also_where_memtop_was_started_with_sigchld_ignored(tmp_path: Path) -> None:
    code = "import signal; print(signal.getsignal(signal.SIGCHLD)); raise SystemExit(7)"
    command = [sys.executable, "-c", IGNORES_CHILDREN, "--json", "-d", "0.1", "--", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 7
    assert str(signal.SIG_IGN) in done.stdout.splitlines(), "the command inherits what memtop did"


ENDS: Final = (("", "exit 7", 7), ("-n3", "exec sleep 60", 143), ("", "kill -9 $$", 137))
"""How long memtop watches, a command, and the exit code. One that ends by itself is watched until it does."""


@pytest.mark.parametrize("refused", ["waitid", "waitpid", "waitid waitpid"])
@pytest.mark.parametrize(("until", "code", "says"), ENDS)
def test_where_a_sandbox_refuses_to_wait_the_status_is_known_all_the_same(
    until: str, code: str, says: int, refused: str
) -> None:
    command = [sys.executable, "-c", NO_WAITING.format(refused), *until.split(), "--", "sh", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, said(done.stderr)) == (says, "")


NO_WAITING = """\
import errno, os, sys
def refused(*how):
    raise PermissionError(errno.EPERM, "a sandbox")
for name in "{}".split():
    setattr(os, name, refused)
from memtop.cli import run
sys.exit(run(["--json", "-d", "0.1", *sys.argv[1:]]))
"""

NO_PIDFD = """\
import errno, os, sys
def refused(*how):
    raise OSError(errno.ENOSYS, "no pidfds")
os.pidfd_open = refused
from memtop.cli import run
sys.exit(run(["--json", "-d", "0.1", *sys.argv[1:]]))
"""


@pytest.mark.parametrize(("until", "code", "says"), ENDS)
def test_where_the_kernel_refuses_pidfds_commands_run_all_the_same(until: str, code: str, says: int) -> None:
    command = [sys.executable, "-c", NO_PIDFD, *until.split(), "--", "sh", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, said(done.stderr)) == (says, "")


NOT_PERMITTED = """\
import os, signal
from memtop.cli.launch import Launch
launch = Launch(["sleep", "60"], quiet=True)
launch.go()
send = os.kill
def refused(pid, number):
    raise PermissionError
os.kill = refused
print(launch.ask_to_end())
print(launch.ask_to_end())
print(launch.conclude(0))
send(launch.pid, signal.SIGKILL)
"""


def test_a_command_that_may_not_be_sent_signals_keeps_nobody_on_the_screen(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NOT_PERMITTED]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    first, *others = done.stdout.splitlines()
    assert "(not permitted); quit again to leave it running" in first
    assert others == ["None", str(RUNS_ON)]
    assert f"is still running, its output is in {tmp_path}/memtop-" in done.stderr


def test_what_nohup_ignores_stays_ignored(tmp_path: Path) -> None:
    code = "print(open('/proc/self/status').read())"
    done = subprocess.run(
        ["nohup", sys.executable, "-m", "memtop", "--json", "-d", "0.1", "--", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    ignored = int(re.findall(r"SigIgn:\t(\w+)", done.stdout)[0], 16)
    assert ignored & 1 << signal.SIGHUP - 1
