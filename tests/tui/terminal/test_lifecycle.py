"""Whatever happens, the terminal is given back, nothing is left behind, and the exit code tells what it was."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from memtop.ending_signals import ENDING
from memtop.sanitize import clean
from memtop.tui.terminal.key_parser import PASTE_QUIET_S
from memtop.tui.terminal.terminal_state import speaks_utf8
from tests.tui.terminal.pty_run import PtyRun, caught_by, wait_for
from tests.tui.terminal.restored import ALTERNATE_SCREEN, assert_restored, modes_on

UP = b"now "
"""What the small application draws again and again."""
STILL = b"stays the same"
"""A part of the screen that is drawn only with all of it."""


def small_app(state: Path, *options: str, **how: object) -> PtyRun:
    """The small application, which keeps its files in ``state``."""
    return PtyRun(
        "tests.tui.small_app",
        "--state",
        str(state),
        *options,
        env={"XDG_STATE_HOME": str(state)},
        **how,  # type: ignore[arg-type]
    )


@pytest.fixture
def app(tmp_path: Path) -> Iterator[PtyRun]:
    """The small application, up and running."""
    with small_app(tmp_path) as run:
        run.wait_output(UP)
        yield run


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGRTMIN, 128 + signal.SIGRTMIN)]
)
def test_a_signal_restores_the_terminal_and_ends_with_its_code(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with small_app(tmp_path, "--child") as run:
        run.wait_output(UP)
        assert run.attributes() != run.before
        others = set(ENDING) - {signal.SIGUSR1, signal.SIGUSR2}  # which do nothing
        assert others <= caught_by(run.process.pid), "they come by the same way"
        run.send(number)
        assert run.end() == code
        assert_restored(run)
    assert (tmp_path / "closed").exists()
    assert not Path("/proc", (tmp_path / "child").read_text()).exists()


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl+c"])
def test_the_quit_keys_end_with_0(app: PtyRun, key: bytes) -> None:
    app.press(key)
    assert app.end() == 0
    assert_restored(app)


def test_user_signals_do_nothing(app: PtyRun) -> None:
    app.send(signal.SIGUSR1)
    app.send(signal.SIGUSR2)
    drawn = len(app.output)
    wait_for(lambda: len(app.output) > drawn + 200, "more drawing")
    app.press(b"q")
    assert app.end() == 0


def test_two_signals_in_a_row_end_with_the_code_of_the_first(app: PtyRun) -> None:
    app.send(signal.SIGTERM)
    wait_for(lambda: b"\x1b[?1049l" in app.output, "leaving")
    app.send(signal.SIGINT)
    assert app.end() == 143
    assert_restored(app)


@pytest.mark.parametrize("stdin", [None, subprocess.DEVNULL], ids=["keys", "no-stdin"])
@pytest.mark.parametrize("controlling", [True, False], ids=["controlling", "foreign"])
def test_a_terminal_that_vanishes_ends_it_with_129(tmp_path: Path, stdin: int | None, controlling: bool) -> None:
    with small_app(tmp_path, stdin=stdin, controlling=controlling, ignored=[signal.SIGHUP]) as run:
        run.wait_output(UP)
        run.close_terminal()
        assert run.end() == 129
    assert (tmp_path / "closed").exists()


def test_a_terminal_that_vanishes_is_noticed_while_nothing_is_drawn(tmp_path: Path) -> None:
    with small_app(tmp_path, "--quiet", controlling=False) as run:
        run.wait_output(b"ready")
        run.close_terminal()
        assert run.end() == 129


def test_a_terminal_that_vanishes_is_noticed_where_keys_come_from_another_one(tmp_path: Path) -> None:
    master, other = pty.openpty()
    try:
        with small_app(tmp_path, stdin=other, controlling=False) as run:
            run.wait_output(UP)
            run.close_terminal()
            assert run.end() == 129
    finally:
        os.close(master)
        os.close(other)


def test_without_standard_input_keys_come_from_the_terminal_and_nothing_spins(tmp_path: Path) -> None:
    with small_app(tmp_path, stdin=subprocess.DEVNULL) as run:
        run.wait_output(UP)
        began_s, used_s = time.monotonic(), run.cpu_s()
        wait_for(lambda: time.monotonic() > began_s + 0.5, "half a second")
        assert run.cpu_s() - used_s < 0.3
        run.press(b"q")
        assert run.end() == 0
        assert_restored(run)


def test_stray_sigconts_start_no_threads(app: PtyRun) -> None:
    before = app.threads()
    for _ in range(20):
        app.send(signal.SIGCONT)
        time.sleep(0.005)  # signals that come at once merge into one
    drawn = len(app.output)
    wait_for(lambda: len(app.output) > drawn + 200, "more drawing")
    assert app.threads() == before
    app.press(b"q")
    assert app.end() == 0
    assert_restored(app)


def test_ctrl_z_gives_the_terminal_back_until_it_continues(app: PtyRun) -> None:
    before = app.threads()
    app.press(b"\x1a")
    wait_for(lambda: app.state() == "T", "stopping")
    wait_for(lambda: modes_on(app.output) == [], "all modes off")
    assert app.attributes() == app.before
    drawn = len(app.output)
    app.send(signal.SIGCONT)
    wait_for(lambda: UP in app.output[drawn:] and app.attributes() != app.before, "drawing again")
    assert ALTERNATE_SCREEN in app.output[drawn:]
    wait_for(lambda: STILL in app.output[drawn:], "drawing what has not changed, too")
    assert app.threads() == before
    app.press(b"q")
    assert app.end() == 0
    assert_restored(app)


def test_late_answers_of_the_terminal_do_not_reach_the_shell(app: PtyRun) -> None:
    answers = b"\x1b[?2026;2$y\x1b[?2048;1$y\x1b[?1u\x1b[3;1R"
    app.press(answers)
    app.press(b"q")
    wait_for(lambda: b"\x1b[?1049l" in app.output, "leaving")
    app.press(answers)  # on their way while it leaves
    assert app.end() == 0
    assert_restored(app)
    os.set_blocking(app.slave, False)
    with pytest.raises(BlockingIOError):
        os.read(app.slave, 100)


def test_answers_that_come_before_the_screen_do_not_reach_the_shell(tmp_path: Path) -> None:
    with small_app(tmp_path, "--paint", "hang") as run:
        run.wait_output(b"early picture")
        run.press(b"\x1b[?1u\x1b[3;1R")
        run.send(signal.SIGTERM)
        assert run.end() == 143
        os.set_blocking(run.slave, False)
        with pytest.raises(BlockingIOError):
            os.read(run.slave, 100)


def test_a_signal_ends_it_while_the_main_thread_hangs_in_a_call_that_no_signal_interrupts(tmp_path: Path) -> None:
    with small_app(tmp_path, "--paint", "deaf") as run:
        run.wait_output(b"deaf")
        run.send(signal.SIGTERM)
        assert run.end() == 143
        assert_restored(run)


def test_sigterm_while_suspended_ends_it_without_touching_the_shells_terminal(app: PtyRun) -> None:
    app.send(signal.SIGTSTP)
    wait_for(lambda: app.state() == "T", "stopping")
    wait_for(lambda: modes_on(app.output) == [], "all modes off")
    app.send(signal.SIGTERM)
    app.send(signal.SIGCONT)
    assert app.end() == 143
    assert_restored(app)


@pytest.mark.parametrize("where", ["ui", "thread", "worker"])
def test_an_internal_error_ends_with_a_short_report_without_local_variables(tmp_path: Path, where: str) -> None:
    with small_app(tmp_path, "--error", where) as run:
        run.wait_output(UP)
        assert run.end() == 1
        assert_restored(run)
        said = run.output.rpartition(b"\x1b[?1004l")[2]
    message = clean("ValueError: bo\x1bom 19")
    assert f"memtop: internal error: {message}; the report is ".encode() in said
    assert said.count(b"\n") == 1
    (file,) = (tmp_path / "memtop").iterdir()
    report = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "small_app.py" in report
    assert message in report
    assert "planted-secret" not in report
    assert b"planted-secret" not in run.output


def test_an_application_that_hangs_is_ended_all_the_same(tmp_path: Path) -> None:
    with small_app(tmp_path, "--error", "hang") as run:
        run.wait_output(UP)
        drawn = -1
        while drawn != len(run.output):  # until it draws no more
            drawn = len(run.output)
            time.sleep(0.15)  # longer than the screen draws apart; the loop ends when nothing came
        run.send(signal.SIGTERM)
        assert run.end() == 143
        assert_restored(run)
    assert (tmp_path / "closed").exists()


def test_a_terminal_that_does_not_read_stops_neither_the_sampler_nor_the_end(tmp_path: Path) -> None:
    with small_app(tmp_path, "--chatty") as run:
        run.wait_output(UP)
        run.stop_reading()
        ticks = tmp_path / "ticks"
        before = ticks.stat().st_size
        wait_for(lambda: ticks.stat().st_size >= before + 6, "six ticks")
        run.send(signal.SIGTERM)
        assert run.end() == 143
        run.read_again()
        wait_for(lambda: modes_on(run.output) == [], "all modes off")
        assert run.attributes() == run.before


def test_keys_work_while_the_terminal_does_not_read(tmp_path: Path) -> None:
    with small_app(tmp_path, "--chatty") as run:
        run.wait_output(UP)
        run.stop_reading()
        wait_for(lambda: (tmp_path / "ticks").stat().st_size >= 8, "eight ticks")
        run.press(b"q")
        assert run.end() == 0


def test_a_failure_after_the_early_painting_restores_the_terminal(tmp_path: Path) -> None:
    with small_app(tmp_path, "--paint", "fail") as run:
        assert run.end() == 1
        assert b"early picture" in run.output
        assert_restored(run)
        assert b"memtop: internal error: " in run.output


def test_a_refusal_after_the_early_painting_is_no_internal_error(tmp_path: Path) -> None:
    with small_app(tmp_path, "--paint", "usage") as run:
        assert run.end() == 2
        assert_restored(run)
        assert run.output.endswith(b"no such thing\r\n")


def test_a_signal_after_the_early_painting_restores_the_terminal(tmp_path: Path) -> None:
    with small_app(tmp_path, "--paint", "hang") as run:
        run.wait_output(b"early picture")
        assert run.attributes() != run.before
        run.send(signal.SIGTERM)
        assert run.end() == 143
        assert_restored(run)
    assert (tmp_path / "closed").exists()


@pytest.mark.parametrize("when", ["made", "slowly made", "loaded"])
def test_an_end_that_begins_while_the_screen_is_made_is_as_orderly(tmp_path: Path, when: str) -> None:
    with small_app(tmp_path, "--paint", "yes", "--end", when) as run:
        assert run.end() == 77
        assert_restored(run)
        assert b"concluded 143" in run.output.rpartition(b"\x1b[?1049l")[2], "on the screen of the shell"
    assert (tmp_path / "closed").exists()


def test_the_early_painting_stays_until_it_is_painted_over(tmp_path: Path) -> None:
    with small_app(tmp_path, "--paint", "well") as run:
        run.wait_output(UP)
        assert run.output.count(ALTERNATE_SCREEN) == 1
        assert run.attributes() != run.before
        run.press(b"q")
        assert run.end() == 0
        assert_restored(run)


def test_what_others_write_to_the_terminal_is_shown_after_the_end(tmp_path: Path) -> None:
    with small_app(tmp_path, "--talk") as run:
        run.wait_output(UP)
        wait_for((tmp_path / "talked").exists, "what others write")
        drawn = len(run.output)
        wait_for(lambda: len(run.output) > drawn + 500, "more drawing")
        assert b"said by" not in run.output
        run.press(b"q")
        assert run.end() == 0
        said = run.output.rpartition(b"\x1b[?1004l")[2]
    assert clean("said by a library \x1b[31m").encode() + b"\r\n" in said
    assert b"said by a child\r\n" in said
    assert b"line 99" in said and b"line 50" not in said, "the last 40 lines"


@pytest.mark.parametrize(
    ("environ", "utf8"),
    [
        ({}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "", "LC_CTYPE": "C.utf8", "LANG": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
    ],
)
def test_the_locale_says_whether_there_is_more_than_ascii(environ: dict[str, str], utf8: bool) -> None:
    assert speaks_utf8(environ) is utf8


def test_after_a_kill_the_terminal_can_be_reset_and_the_next_run_says_how(tmp_path: Path) -> None:
    with small_app(tmp_path) as run:
        run.wait_output(UP)
        run.process.kill()
        run.end()
        assert run.attributes() != run.before
        assert modes_on(run.output)
        subprocess.run(
            [sys.executable, "-m", "memtop", "--reset-terminal"], stdout=run.slave, stderr=run.slave, check=True
        )
        wait_for(lambda: not modes_on(run.output), "the modes are off")
        assert run.attributes() == run.before


def test_a_terminal_that_was_raw_before_is_said_to_be(tmp_path: Path) -> None:
    with small_app(tmp_path, raw=True) as run:
        run.wait_output(UP)
        run.press(b"q")
        assert run.end() == 0
        assert b"memtop --reset-terminal repairs it" in run.output


def test_without_a_terminal_it_refuses_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.tui.small_app", "--state", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "the dashboard needs a terminal; use --json, --csv or -b without one\n"
    assert done.stdout == ""


def test_a_paste_that_never_ends_does_not_keep_q_from_ending_it(app: PtyRun) -> None:
    app.press(b"\x1b[200~half of it")
    for _ in range(10):  # where the machine is slow, a q still belongs to the paste
        with contextlib.suppress(AssertionError):
            app.end(1.2 * PASTE_QUIET_S)
            break
        app.press(b"q")
    assert app.end() == 0
    assert_restored(app)


def test_of_two_sizes_in_quick_succession_the_last_one_counts(app: PtyRun, tmp_path: Path) -> None:
    """The second signal is to come while the first one is handled, which hits now and then."""
    for width in range(100, 160):
        app.resize(40, 10)
        later_s = time.perf_counter() + 30e-6
        while time.perf_counter() < later_s:
            pass
        app.resize(width, 30)
        wait_for(partial(_says, tmp_path / "size", f"{width} x 30"), "the last size")


def test_a_size_that_changes_while_the_screen_is_composed_counts(tmp_path: Path) -> None:
    with small_app(tmp_path, "--resize", "50") as run:
        run.wait_output(UP)
        drawn = run.drawn_bytes
        wait_for(lambda: run.drawn_bytes > drawn + 200, "more drawing, behind all sizes")
        assert _says(tmp_path / "size", "50 x 50")


def _says(path: Path, text: str) -> bool:
    return path.read_text() == text
