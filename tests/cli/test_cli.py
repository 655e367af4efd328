"""The command line: exit codes, one line for each mistake, and output that can be piped."""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from memtop import preflight
from memtop.cli import run
from memtop.cli.launch import RUNS_ON
from memtop.cli.parser import COMMANDS
from memtop.ending_signals import ENDING
from memtop.errors import AccessDenied, MemtopError, ProcessGone, Unavailable, UsageError
from memtop.headless.check import Answer
from tests.children import DEADLINE_S, python, said
from tests.tui.terminal.pty_run import PtyRun, caught_by

ROOT = Path(__file__).resolve().parents[2]
MEMTOP = (sys.executable, "-m", "memtop", "--keep-oom-score")
NOBODY = 2**22 + 1
"""No process: pids end at 2 to the 22nd."""


def memtop(*argv: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*MEMTOP, *argv],
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """Batch output takes over two signals of this very process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        ([str(NOBODY)], 3, "no such process"),
        (["--json", "-n", "1", str(NOBODY), str(NOBODY + 1)], 3, f"no such process: {NOBODY}"),
        (["-b", "-n", "1", "no-such-name-anywhere"], 3, "no process matches"),
        (["-p", "abc"], 2, "not a PID"),
        (["-p", "-1"], 2, "not a PID"),
        (["-p", "99999999999999999999"], 2, "not a PID"),
        (["-d", "0"], 2, "0.1 and 60"),
        (["-d", "61"], 2, "0.1 and 60"),
        (["-d", "soon"], 2, "0.5, 500ms"),
        (["-d", "5\u017f"], 2, "is not a time"),
        (["-n", "0"], 2, "1 or more"),
        (["-n", "-3"], 2, "1 or more"),
        (["-n", "many"], 2, "1 or more"),
        (["-f", "rss>lots"], 2, "a size such as"),
        (["-f", "!("], 2, "regular expression"),
        (["-s", "nothing"], 2, "no column nothing"),
        (["-c", "pid,nothing"], 2, "no column nothing"),
        (["--nonsense"], 2, "--nonsense"),
        (["--js"], 2, "--js"),
        (["--non\x1b[2Jsense"], 2, "^[[2J"),
        (["demo", "nothing"], 2, "nothing"),
        (["demo", "-b"], 2, "demo needs a terminal"),
        (["replay", "/nowhere/at/all"], 2, "/nowhere/at/all"),
        (["-b", "-n", "1", "-o", "/nowhere/at/all"], 2, "/nowhere/at/all"),
        (["-b", "-n", "1", "-u", "no-such-user"], 2, "no such user: no-such-user"),
        (["-b", "-n", "1", "-u", ""], 2, "--user needs a name"),
        (["record", "-n", "1", "-u", "no-such-user"], 2, "no such user"),
        (["export", "-n", "1", "-u", "no-such-user"], 2, "no such user"),
        (["-n", "1", "--json", "--csv"], 2, "--json and --csv cannot be combined"),
        (["-n", "1", "-b", "--csv"], 2, "--batch and --csv cannot be combined"),
        (["--check", "--json", "1"], 2, "--check and --json cannot be combined"),
        (["--check", "-o", "/nowhere/at/all", "1"], 2, "--check and --output cannot be combined"),
        (["--for", "9"], 2, "--for means nothing without --check"),
        (["--kill-after", "9"], 2, "--kill-after means nothing without -- COMMAND"),
        (["--log-limit", "1M"], 2, "--log-limit means nothing without -- COMMAND"),
        (["-b", "--log-limit", "1M", "--", "true"], 2, "--log-limit means nothing without a screen"),
        (["--check", "-t", "1"], 2, "--tree means nothing with --check"),
        (["--check", "-n", "9", "1"], 2, "--iterations means nothing with --check"),
        (["--check", "--record", "/nowhere/at/all", "1"], 2, "--record means nothing with --check"),
        (["demo", "-p", "1"], 2, "demo shows its own processes"),
        (["demo", "--json"], 2, "demo needs a terminal"),
        (["replay", "--record=x", "y"], 2, "--record means nothing here"),
        (["replay", "--no-smaps", "y"], 2, "--no-smaps means nothing here"),
        (["report", "no-such-name-anywhere"], 3, "no file of that name"),
        (["report", "no-such-file.memtop"], 2, "no-such-file.memtop cannot be played"),
        (["export", "--rules", "--dashboard"], 2, "--rules and --dashboard cannot be combined"),
        (["regions", ""], 2, "an empty name"),
        (["--check", "x", "1"], 2, "takes one PID or name"),
        (["explain", "no-such-topic"], 2, "no-such-topic"),
        (["--"], 2, "needs a command"),
        (["-b", "--", ""], 2, "needs a command"),
        (["1", "--", "true"], 2, "name no other processes"),
        (["--check"], 2, "takes one PID"),
        (["--check", "--for", "soon", "1"], 2, "--for"),
        (["record", "--keep", "1"], 2, "--keep must be 60 s or more"),
        (["record", "--max-size", "1k"], 2, "--max-size must be 4M or more"),
    ],
)
def test_a_mistake_is_said_in_one_line_on_stderr(
    argv: Sequence[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("memtop: ")
    assert says in err
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()


def test_an_output_file_that_exists_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.json"
    argv = ["--json", "-n", "1", "-o", str(file), str(os.getpid())]
    assert run(argv) == 0
    assert json.loads(file.read_text())["processes"][0]["pid"] == os.getpid()
    assert run(argv) == 2
    assert "File exists" in capsys.readouterr().err


def test_one_sample_as_json_tells_a_person_how_to_get_growth(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = str(os.getpid())
    assert run(["--json", "-n", "1", me]) == 0
    assert capsys.readouterr().err == "", "a program that reads it is not disturbed"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(["--json", "-n", "1", me]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["headline"] is None
    assert err.count("\n") == 1
    assert "-n 30" in err
    assert run(["--csv", "-n", "1", me]) == run(["--json", "-n", "2", "-d", "0.1", me]) == 0
    assert capsys.readouterr().err == ""


def test_help_is_short_and_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    assert "mem%" in text
    assert len(text.splitlines()) < 80
    assert "examples:" in text
    assert "memtop --json -n 3 -d 0.5 4242" in text
    assert "memtop --check PID exits with" in text


def test_every_exit_code_has_one_meaning_and_is_told_wherever_they_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """4 was "not known" of --check and "not permitted" of regions."""
    failures = {error.exit_code for error in (MemtopError, UsageError, ProcessGone, AccessDenied)}
    answers = {int(answer) for answer in Answer}
    assert failures == {2, 3, 4} and answers == {0, 1, 5}
    run(["--help"])
    shown = re.search(r"exit codes: (.*?)128", capsys.readouterr().out, re.S)
    assert shown is not None
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for listed in (re.findall(r"\b(\d) \w", shown[1]), re.findall(r"^\| (\d) \|", readme, re.M)):
        assert sorted(map(int, listed)) == sorted(failures | answers | {RUNS_ON})


@pytest.mark.parametrize(("error", "code"), [(ProcessGone, 3), (AccessDenied, 4), (Unavailable, 2), (UsageError, 2)])
def test_what_ends_memtop_gives_the_exit_code(
    error: type[MemtopError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise error("so it is")

    monkeypatch.setattr(preflight, "check_platform", refuse)
    assert run(["--json"]) == code
    assert capsys.readouterr().err == "memtop: so it is\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: memtop {command}")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_no_line_of_any_help_is_longer_than_an_ordinary_terminal(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run([*filter(None, [command]), "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-V"]) == 0
    assert capsys.readouterr().out.startswith("memtop 0.")


def test_json_of_one_process_twice() -> None:
    with python("x = bytearray(30 << 20); import time; print(flush=True); time.sleep(60)") as child:
        began_s = time.monotonic()
        done = memtop("--json", "-n", "2", "-d", "0.1", str(child.pid))
        took_s = time.monotonic() - began_s
        oracle = psutil.Process(child.pid)
        first, second = map(json.loads, done.stdout.splitlines())
        assert (done.returncode, said(done.stderr)) == (0, "")
        assert first["elapsed_s"] is None
        assert 0.1 <= second["elapsed_s"] < took_s
        apart_s = (datetime.fromisoformat(second["at"]) - datetime.fromisoformat(first["at"])).total_seconds()
        assert second["elapsed_s"] == pytest.approx(apart_s, abs=0.02)
        (process,) = second["processes"]
        assert (process["pid"], process["ppid"], process["minflt_per_s"]) == (child.pid, os.getpid(), 0.0)
        assert process["virt_bytes"] == oracle.memory_info().vms
        assert abs(process["rss_bytes"] - oracle.memory_info().rss) <= 1 << 20
        assert process["user"] == oracle.username()
        assert process["command"].split()[0] == sys.executable
        assert process["peak_rss_bytes"] >= process["rss_bytes"]


def test_of_two_processes_one_of_which_is_gone_the_other_is_reported_on() -> None:
    with python("import time; print(flush=True); time.sleep(60)") as child:
        done = memtop("--json", "-n", "2", "-d", "0.1", str(NOBODY), str(child.pid))
        absent, *samples = map(json.loads, done.stdout.splitlines())
        assert (done.returncode, said(done.stderr)) == (3, f"memtop: no such process: {NOBODY}\n")
        assert (absent["type"], absent["pid"], absent["reason"]) == ("absent", NOBODY, "no such process")
        assert [[one["pid"] for one in sample["processes"]] for sample in samples] == [[child.pid]] * 2


@pytest.mark.parametrize("argv", [["-b"], ["--csv"], ["record", "-o", "RECORDING"]], ids=" ".join)
def test_in_every_form_the_one_that_is_gone_is_said_and_counts_at_the_end(argv: list[str], tmp_path: Path) -> None:
    argv = [str(tmp_path / "a.memtop") if word == "RECORDING" else word for word in argv]
    argv = [sys.executable, "-m", "memtop", *argv, "-n", "1", "-p", f"{os.getpid()},{NOBODY}"]
    done = subprocess.run(argv, capture_output=True, timeout=DEADLINE_S, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 3
    assert said(done.stderr).startswith(f"memtop: no such process: {NOBODY}\n")
    assert str(os.getpid()).encode() in done.stdout or (tmp_path / "a.memtop").stat().st_size


LATE_START = """
import sys, time
from memtop.cli import batch, run

engine_on = batch.engine_on

def late_engine_on(source):
    begin = source.begin
    source.begin = lambda: (time.sleep(0.2), setattr(source, "begin", begin), begin())[-1]
    return engine_on(source)

batch.engine_on = late_engine_on
sys.exit(run(sys.argv[1:]))
"""
"""memtop, whose first sample is taken long after its plan, as on a busy machine."""


def test_a_late_first_sample_does_not_shorten_the_first_delay() -> None:
    command = (sys.executable, "-c", LATE_START, "--json", "-n", "2", "-d", "0.4", str(os.getpid()))
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE_S, check=True)
    assert json.loads(done.stdout.splitlines()[1])["elapsed_s"] >= 0.4


def test_batch_prints_a_table_of_all_processes() -> None:
    done = memtop("-b", "-n", "1")
    lines = done.stdout.decode().splitlines()
    assert (done.returncode, said(done.stderr)) == (0, "")
    assert "available" in lines[0] and lines[1].startswith("memtop ")
    assert lines[4].split()[:3] == ["PID", "USER", "S"]
    assert any(line.split()[0] == str(os.getpid()) for line in lines[5:] if line)


def test_csv_has_a_header_and_a_line_for_each_process() -> None:
    done = memtop("--csv", "-n", "1", str(os.getpid()))
    (row,) = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert int(row["pid"]) == os.getpid()
    assert int(row["rss_bytes"]) > 1 << 20


def test_no_terminal_means_batch_also_without_being_told_and_with_any_term() -> None:
    done = memtop("-n", "1", str(os.getpid()), TERM="dumb", LANG="C", PYTHONUTF8="0", PYTHONIOENCODING="")
    assert (done.returncode, said(done.stderr)) == (0, "")
    assert str(os.getpid()).encode() in done.stdout


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    with subprocess.Popen([*MEMTOP, "--json", "-d", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        try:
            assert child.wait(DEADLINE_S) == 0
        finally:
            child.kill()
        assert said(child.stderr.read()) == ""


NUMBERS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGRTMIN, 128 + signal.SIGRTMIN)]
)
def test_batch_ends_at_once_with_the_signal_s_code(number: signal.Signals, code: int) -> None:
    with subprocess.Popen([*MEMTOP, "--json", "-d", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.readline()
        assert set(ENDING) <= caught_by(child.pid), "the others come by the same way"
        child.send_signal(number)
        try:
            assert child.wait(DEADLINE_S) == code
        finally:
            child.kill()
        assert said(child.stderr.read()) == ""


def test_a_batch_whose_terminal_vanishes_ends_as_after_a_hangup() -> None:
    with PtyRun("memtop", "-b", "-d", "0.1", str(os.getpid()), ignored=[signal.SIGHUP]) as run:
        run.wait_output(b"PID")
        run.close_terminal()
        os.close(run.slave)
        assert run.end(DEADLINE_S) == 129


def test_variables_for_other_textual_programs_do_not_drive_memtop(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with PtyRun("memtop", str(os.getpid()), env={"TEXTUAL_LOG": str(log), "TEXTUAL_DEBUG": "1"}) as run:
        run.wait_output(b"Help")
        run.press(b"q")
        assert run.end(DEADLINE_S) == 0
    assert not log.exists()


SIGNAL_IN_PREPARE = """
import os, sys, weakref
from memtop import __main__
from memtop.engine import engine

number = int(sys.argv.pop(1))

class Dropped:
    pass

def prepare(self):
    dropped = Dropped()
    callback = weakref.ref(dropped, lambda _: os.kill(os.getpid(), number))
    del dropped  # Python drops whatever is raised in the callback, as in those of imports

engine.Engine.prepare = prepare
__main__.main()
"""


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_is_not_lost_where_python_drops_exceptions(number: signal.Signals) -> None:
    command = [sys.executable, "-c", SIGNAL_IN_PREPARE, str(int(number)), "--json", "-d", "60", str(os.getpid())]
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE_S, check=False)
    assert (done.returncode, said(done.stderr)) == (128 + number, "")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_that_is_ignored_from_the_start_stays_ignored(number: signal.Signals) -> None:
    """As nohup(1) wants it, and a shell for its background jobs."""
    code = (
        "import os, signal, sys; number = int(sys.argv.pop(1)); signal.signal(number, signal.SIG_IGN)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'memtop', *sys.argv[1:]])"
    )
    command = [sys.executable, "-c", code, str(int(number)), "--keep-oom-score", "--json", "-d", "0.1", "-n", "2"]
    with subprocess.Popen([*command, str(os.getpid())], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            child.stdout.readline()
            child.send_signal(number)
            assert child.stdout.readline()
            assert child.wait(DEADLINE_S) == 0
        finally:
            child.kill()


def test_a_full_disk_is_said_in_one_line() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*MEMTOP, "--json", "-n", "1"], stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE_S, check=False
        )
    assert (done.returncode, said(done.stderr)) == (2, "memtop: cannot write: No space left on device\n")


def test_batch_ends_when_the_last_of_the_pids_asked_for_has_ended() -> None:
    with python() as child:
        watcher = subprocess.Popen(
            [*MEMTOP, "--json", "-d", "0.1", str(child.pid)],
            stdout=subprocess.PIPE,
            bufsize=0,  # communicate() reads what follows the first line, which a buffer would have taken
        )
        assert watcher.stdout is not None
        try:
            assert json.loads(watcher.stdout.readline())["processes"][0]["gone_at"] is None
            child.kill()
            child.wait()
            out, _ = watcher.communicate(timeout=DEADLINE_S)
        finally:
            watcher.kill()
            watcher.wait()
        assert watcher.returncode == 0
        (last,) = json.loads(out.splitlines()[-1])["processes"]
        assert last["note"] == "gone"
        assert last["gone_at"] is not None


def test_a_filter_that_hides_the_pid_asked_for_does_not_end_batch() -> None:
    done = memtop("--json", "-n", "2", "-d", "0.1", "-f", "rss>900g", str(os.getpid()))
    assert [json.loads(line)["processes"] for line in done.stdout.splitlines()] == [[], []]


def test_a_name_finds_a_script_and_neither_an_argument_nor_memtop_itself(tmp_path: Path) -> None:
    needle = f"needle-of-{os.getpid()}"  # tests of another work tree may run on the same machine
    script = tmp_path / f"{needle}.py"
    script.write_text("import time; print(flush=True); time.sleep(60)")
    with python("import time; print(flush=True); time.sleep(60)", needle):
        with subprocess.Popen([sys.executable, "-S", script], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            try:
                done = memtop("--json", "-n", "1", needle)
            finally:
                child.kill()
        assert [process["pid"] for process in json.loads(done.stdout)["processes"]] == [child.pid]


def test_an_output_file_is_written_on_a_terminal_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    path = tmp_path / "table"
    assert run(["-n", "1", "-o", str(path), str(os.getpid())]) == 0
    assert str(os.getpid()) in path.read_text()


@pytest.mark.parametrize("form", ["-b", "--json"])
def test_a_name_that_nothing_has_is_named_beside_what_was_found(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([form, "-n", "1", "no-such-name", str(os.getpid())]) == 0
    assert "no-such-name: no process has a name that contains it" in capsys.readouterr().err


def test_users_are_names_and_numbers_of_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    for user in ("root", "0", "4000000000"):
        assert run(["-b", "-n", "1", "-u", user]) == 0, capsys.readouterr().err


def test_of_the_users_in_a_recording_nothing_is_known_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "new.memtop")
    assert run(["record", "-n", "1", "-o", path, str(os.getpid())]) == 0
    assert run(["replay", path, "-b", "-u", "of-another-machine"]) == 0, capsys.readouterr().err


def test_a_name_stands_for_a_process_where_one_is_needed_and_for_none_where_it_has_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needle = f"only-one-of-{os.getpid()}.py"  # tests of another work tree may run on the same machine
    script = tmp_path / needle
    script.write_text("import time; print(flush=True); time.sleep(60)")
    command = [sys.executable, "-S", str(script)]
    with ExitStack() as stack:
        first = _started(command, stack)
        assert run(["regions", "--json", needle]) == 0
        assert json.loads(capsys.readouterr().out)["pid"] == first
        run(["--check", needle, "--for", "0.2", "-d", "0.1"])
        assert capsys.readouterr().out.startswith(f"{needle} ({first}):")
        second = _started(command, stack)
        for argv in (["regions", needle], ["--check", needle]):
            assert run(argv) == 2
            says = capsys.readouterr().err
            assert says.count("\n") == 1
            assert all(f"{pid} ({needle}" in says for pid in (first, second))
    assert run(["regions", needle]) == 3


def _started(command: list[str], stack: ExitStack) -> int:
    """The PID of a program that has printed its first line; it ends with the stack."""
    child = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
    stack.callback(child.kill)
    assert child.stdout is not None
    child.stdout.readline()
    return child.pid


def modules_of_a_run(*argv: str) -> set[str]:
    """All that a fresh Python imports for this command line."""
    code = (
        "import sys; before = {*sys.modules}; from memtop.cli import run; run(sys.argv[1:])\n"
        "print(*sorted(sys.modules.keys() - before))"
    )
    command = [sys.executable, "-S", "-c", code, *argv]  # what site imports depends on how memtop is installed
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=DEADLINE_S, check=True)
    return {*done.stdout.decode().splitlines()[-1].split()}


def test_one_sample_imports_nothing_of_the_screen_and_nothing_heavy() -> None:
    heavy = {
        "textual",
        "rich",
        "plotext",
        "sqlite3",
        "psutil",
        "asyncio",
        "ssl",
        "http.client",
        "subprocess",
        "inspect",
    }
    assert not heavy & modules_of_a_run("--json", "-n", "1", str(os.getpid()))


def test_the_garbage_collector_is_back_once_memtop_stays() -> None:
    gc.disable()
    try:
        assert run(["--csv", "-n", "2", "-d", "0.1", str(os.getpid())]) == 0
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.enable()


def test_one_sample_imports_few_modules() -> None:
    """One sample may take five times as long as an empty Python: each module of memtop costs about 0.3 ms of that."""
    modules = modules_of_a_run("--json", "-n", "1", str(os.getpid()))
    own = sorted(name for name in modules if name.startswith("memtop"))
    assert len(own) <= 89, own
    assert len(modules) - len(own) <= 50, sorted(modules)


def test_one_sample_compiles_no_annotation() -> None:
    """NamedTuple compiles each annotation that is a string: 1 ms for the first."""
    code = (
        "import sys, typing; compiled = []; init = typing.ForwardRef.__init__\n"
        "def counted(self, text, *args, **kwargs): compiled.append(text); init(self, text, *args, **kwargs)\n"
        "typing.ForwardRef.__init__ = counted\n"
        "from memtop.cli import run; run(sys.argv[1:]); print(*compiled)"
    )
    argv = ["--json", "-n", "1", str(os.getpid())]
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, timeout=DEADLINE_S, check=True)
    assert done.stdout.decode().splitlines()[1:] == [""]


def test_a_terminal_that_can_show_nothing_is_said_and_not_tried() -> None:
    leader, follower = pty.openpty()
    try:
        done = subprocess.run(
            [*MEMTOP],
            stdin=follower,
            stdout=follower,
            stderr=subprocess.PIPE,
            timeout=DEADLINE_S,
            check=False,
            env={**os.environ, "TERM": "dumb"},
        )
        assert done.returncode == 2
        assert done.stderr.count(b"\n") == 1
        assert b"--json" in done.stderr
    finally:
        os.close(follower)
        os.close(leader)


def test_memtop_offers_itself_to_the_oom_killer_first_unless_told_not_to() -> None:
    for options, expected in (
        ((), "1000"),
        (("--keep-oom-score",), Path("/proc/self/oom_score_adj").read_text().strip()),
    ):
        with subprocess.Popen(
            [sys.executable, "-m", "memtop", "--json", "-d", "60", *options], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            try:
                assert Path(f"/proc/{child.pid}/oom_score_adj").read_text().strip() == expected
            finally:
                child.kill()


def test_explain_prints_a_topic_and_the_contents(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain"]) == 0
    assert "virt" in capsys.readouterr().out.lower()
    assert run(["explain", "rss"]) == 0
    assert len(capsys.readouterr().out) > 200


def test_check_answers_by_its_code_though_nobody_reads_its_sentence() -> None:
    """In ``memtop --check PID | true`` the code is all that is left."""
    reader, writer = os.pipe()
    os.close(reader)
    argv = [sys.executable, "-m", "memtop", "--check", str(os.getpid()), "--for", "0.2", "-d", "0.1"]
    try:
        assert subprocess.run(argv, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False).returncode == 5
    finally:
        os.close(writer)


@pytest.mark.parametrize(
    "line", ["--keep-oom-score record -o r", "-d 0.5 demo", "--json replay x", "--keep-oom-score record --keep 60"]
)
def test_a_command_behind_options_is_refused_and_not_taken_for_a_name(
    capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert run(line.split()) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "a command comes before all options: memtop " in said


def test_json_and_standard_error_say_why_an_address_has_no_metrics() -> None:
    me = str(os.getpid())
    done = memtop("--json", "-n", "3", "-d", "0.2", "--go-url", f"{me}=http://127.0.0.1:1/debug/vars", me)
    why = b"http://127.0.0.1:1/debug/vars: connection refused: nothing listens there"
    assert said(done.stderr).splitlines() == [f"memtop: no metrics of process {me}: {why.decode()}"]
    assert why in done.stdout.splitlines()[-1]
