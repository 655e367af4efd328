"""``memtop -- COMMAND`` and ``memtop --check PID``, as scripts see them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import DEADLINE_S, python, said

ROOT = Path(__file__).resolve().parents[2]
MEMTOP = (sys.executable, "-m", "memtop")


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MEMTOP, *args], cwd=ROOT, capture_output=True, text=True, timeout=3 * DEADLINE_S, check=False
    )


@pytest.mark.usefixtures("only_oom_kills")
@pytest.mark.parametrize(("code", "says"), [("exit 3", 3), ("true", 0), ("kill -9 $$", 137)])
def test_a_started_program_is_watched_and_memtop_ends_with_its_status(code: str, says: int) -> None:
    done = run("--json", "-d", "0.1", "--", "sh", "-c", code)
    assert done.returncode == says, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    end = next(record for record in records if record["type"] == "exit")
    assert end["oom"] == "no"
    assert end["exit_code"] == (says if says < 128 else None)


AT_ONCE = """
import sys
from memtop.cli import batch, run

first_look = batch.first_look

def look(engine, request, launch):
    frame = first_look(engine, request, launch)
    while launch.running:
        pass
    return frame

batch.first_look = look
sys.exit(run(sys.argv[1:]))
"""
"""memtop, whose first sample of a started program comes after its end."""


def test_a_program_that_ends_before_its_first_sample_ends_memtop_too() -> None:
    words = (sys.executable, "-c", AT_ONCE, "--json", "-d", "0.1", "--", "sh", "-c", "exit 3")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=3 * DEADLINE_S, check=False)
    assert done.returncode == 3, done.stderr
    assert '"type":"exit"' in done.stdout


def test_without_a_screen_its_output_is_passed_on() -> None:
    done = run("-b", "-d", "0.1", "--", "sh", "-c", "echo hello from it")
    assert "hello from it\n" in done.stdout


def test_a_program_that_cannot_be_started_is_said_in_one_line() -> None:
    done = run("-b", "--", "/no/such/program")
    assert done.returncode == 2
    assert "No such file or directory" in done.stderr and len(said(done.stderr).splitlines()) == 1


def test_the_program_does_not_take_the_monitors_place_before_the_oom_killer() -> None:
    before = Path("/proc/self/oom_score_adj").read_text().strip()
    done = run("--json", "-d", "0.1", "--", "cat", "/proc/self/oom_score_adj")
    assert before in done.stdout.splitlines()


def test_check_of_a_quiet_process_for_a_moment_claims_nothing() -> None:
    with python() as child:
        done = run("--check", "--for", "1", "-d", "0.2", str(child.pid))
    assert done.returncode == 5, done.stderr
    assert f" ({child.pid}): Just started" in done.stdout
    assert "watch longer (--for)" in done.stdout


def test_check_of_a_process_near_its_ulimit_says_so() -> None:
    code = "import mmap; m = mmap.mmap(-1, 450 << 20); import time; print(flush=True); time.sleep(60)"
    with python(f"import resource; resource.setrlimit(resource.RLIMIT_AS, (500 << 20,) * 2); {code}") as child:
        done = run("--check", "--for", "9", "-d", "0.1", str(child.pid))
    assert done.returncode == 1, done.stderr
    assert "ulimit -v" in done.stdout


def test_check_of_nobody_is_no_such_process() -> None:
    assert run("--check", "2147483646").returncode == 3
