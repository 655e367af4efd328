"""Standard streams that are closed or full: a clear end, no traceback, nothing where it does not belong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.children import said

ME = str(os.getpid())


def run(*words: str, streams: str) -> subprocess.CompletedProcess[str]:
    """memtop with these arguments, its streams redirected as a shell writes it."""
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -m memtop "$@" {streams}', sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    "words",
    [("--json", "-n", "1", ME), ("-b",), (), ("explain", "virt"), ("regions", ME), ("-V",), ("--check", ME)],
    ids=lambda words: " ".join(word for word in words if word != ME),
)
def test_a_closed_output_is_said_in_one_line(words: tuple[str, ...]) -> None:
    done = run(*words, streams=">&-")
    assert done.returncode == 2
    assert done.stderr.startswith("memtop: standard output is closed")
    assert done.stderr.count("\n") == 1


def test_all_streams_closed_is_an_end_as_well() -> None:
    assert run("--json", "-n", "1", ME, streams="<&- >&- 2>&-").returncode == 2


@pytest.mark.parametrize("streams", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_streams_that_are_not_needed_change_nothing(streams: str) -> None:
    done = run("--json", "-n", "1", ME, streams=streams)
    assert done.returncode == 0
    assert json.loads(done.stdout)["processes"][0]["pid"] == int(ME)


def test_what_cannot_be_said_on_a_closed_standard_error_is_not_said_on_the_output() -> None:
    done = run("--json", "-n", "1", "2147483000", streams="2>&-")
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize(
    "words",
    [("-V",), ("-h",), ("demo", "-h"), ("regions", "-h"), ("explain", "virt"), ("explain",), ("regions", ME)],
    ids=lambda words: " ".join(word for word in words if word != ME),
)
def test_a_full_disk_is_said_in_one_line(words: tuple[str, ...]) -> None:
    done = run(*words, streams="> /dev/full")
    assert done.returncode == 2
    assert said(done.stderr).splitlines()[-1] == "memtop: cannot write: No space left on device"
    assert "Traceback" not in done.stderr and (said(done.stderr).count("\n") == 1 or words[0] == "regions")


@pytest.mark.parametrize(("words", "code"), [(("-V",), 2), (("--no-such",), 2), (("-b", "2147483000"), 3)])
def test_what_cannot_be_said_because_the_disk_is_full_is_in_the_exit_code(words: tuple[str, ...], code: int) -> None:
    assert run(*words, streams="> /dev/full 2> /dev/full").returncode == code
