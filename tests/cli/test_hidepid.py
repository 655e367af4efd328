"""A real /proc that hides processes from an ordinary user, mounted in namespaces of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import DEADLINE_S

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
HIDING = """
import contextlib, io, os, subprocess, sys
import memtop.cli, memtop.cli.record, memtop.headless.check, memtop.headless.regions
options, *argvs = sys.argv[1:]
RECORD = ["record", "-n", "2", "-d", "0.1", "-o", "-"]
CSV = ["--csv", "-n", "1"]
# A /proc of this pid namespace alone: no option reaches that of the machine.
subprocess.run(["mount", "-t", "proc", "-o", options, "proc", "/proc"], check=True)
sleepers = [subprocess.Popen(["sleep", "1000"]) for _ in range(3)]
with contextlib.redirect_stdout(io.StringIO()):  # imports all that is needed, before its files are out of reach
    for argv in (["--json", "-n", "2", "-d", "0.1"], ["-b", "-n", "2", "-d", "0.1"], CSV, ["machine"], RECORD):
        memtop.cli.run(argv)
if not os.fork():
    if "hidepid" in options:
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
    for argv in argvs:
        print("===", flush=True)
        code = memtop.cli.run(argv.split())
        print("exit", code, flush=True)
    os._exit(0)
os.wait()
"""
"""Process 1 of the namespace, which all of root's processes are hidden in; ``argvs`` run as nobody."""


def under(options: str, *argvs: str) -> list[str]:
    """What memtop prints for each command line, its exit code included."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root may mount a /proc and become somebody else")
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            "-c",
            HIDING,
            options,
            *argvs,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",  # a stream of samples is no text
        timeout=2 * DEADLINE_S,
        check=False,
    )
    if "mount:" in done.stdout:
        pytest.skip(f"no /proc may be mounted here: {done.stdout}")
    assert done.returncode == 0, done.stdout
    return done.stdout.split("===\n")[1:]


@pytest.mark.parametrize(("option", "hidden", "says"), [("1", 4, "4"), ("2", None, "of other users, not counted")])
def test_what_proc_hides_is_said_by_every_output(option: str, hidden: int | None, says: str) -> None:
    as_json, batch, csv, machine, pid, check, regions, recorded, name, unit, absent = under(
        f"hidepid={option}",
        *("--json -n 1", "-b -n 1", "--csv -n 2 -d 0.1", "machine"),
        *("--json -n 1 1", "--check 1 --for 1", "regions 1"),
        *("record -n 1 -o - 1", "--json -n 1 sleep", "--unit a.service -b -n 1", "-b -n 1 99999"),
    )
    sample = json.loads(as_json.splitlines()[0])
    assert sample["hidden"] == hidden
    assert len(sample["processes"]) == 1, "its own"
    assert "(4 hidden)" in batch if hidden else "others hidden, not countable" in batch
    assert f"hidden processes (hidepid): {says};" in machine
    assert csv.count(f"hidden processes (hidepid): {says}; they have no rows") == 1
    for refused in (pid, check, regions, recorded):
        assert refused.endswith("exit 4\n"), refused
        assert "Traceback" not in refused
    for none in (name, unit):
        assert none.endswith("exit 3\n"), none
        assert "hidepid" in none
    assert "not permitted to read process 1" in pid
    assert absent == "memtop: no such process: 99999\nexit 3\n", "kill(2) knows those that /proc hides"


def test_where_proc_has_processes_only_they_are_shown() -> None:
    (as_json,) = under("subset=pid", "--json -n 1")
    sample = json.loads(as_json.splitlines()[0])
    assert len(sample["processes"]) >= 4
    assert sample["hidden"] == 0
    assert sample["system"]["mem_total_bytes"] is None
    assert as_json.endswith("exit 0\n")
