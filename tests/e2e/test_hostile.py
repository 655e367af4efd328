"""Hostile names are drawn as what they are, everywhere, and not one raw byte of them reaches the terminal."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.e2e.hostile import NAMES, Hostiles
from tests.e2e.terminal import MEMTOP, Terminal, until


def test_no_raw_byte_of_a_name_reaches_the_terminal(tmp_path: Path) -> None:
    log = tmp_path / "bytes"
    with Hostiles() as hostiles:
        pids = ",".join(map(str, hostiles.pids))
        with Terminal(
            "-d", "0.3", "-s", "pid", "-c", "pid,name,command", "-p", pids, size=(200, 60), log=log
        ) as terminal:
            terminal.wait_for("? Help")
            terminal.send("z")  # the table alone, which has room for all
            shown = [name.shown for name in NAMES]
            until(
                lambda: all(text in (screen := terminal.screen()) and screen for text in shown),
                lambda: f"{[text for text in shown if not terminal.sees(text)]} in\n{terminal.screen()}",
            )
            terminal.send("z")
            for pid in hostiles.pids:  # each in the chart's title as well
                terminal.wait_for(re.compile(rf"╭─ {pid} "))
                terminal.send("Enter", "Down", "Enter")
            terminal.send("K")
            terminal.wait_for("Send a signal to")
            terminal.send("Escape")
            terminal.wait_until_gone("Send a signal to")
            assert hostiles.alive
            terminal.send("q")
            assert terminal.wait_end() == 0
    drawn = log.read_bytes()
    arrived = [name.raw for name in NAMES if name.forbidden and name.forbidden in drawn]
    assert b"[@click=quit]x" in drawn
    assert arrived == []
    assert b"\xff" not in drawn


def test_json_keeps_names_exact_and_batch_output_is_clean() -> None:
    with Hostiles() as hostiles:
        pids = ",".join(map(str, hostiles.pids))
        said = subprocess.run([MEMTOP, "--json", "-n", "1", "-p", pids], capture_output=True, check=True, timeout=20)
        found = {process["pid"]: process["name"] for process in json.loads(said.stdout)["processes"]}
        for pid, name in zip(hostiles.pids, NAMES, strict=True):
            assert found[pid] == name.raw[:15].decode("utf-8", "backslashreplace")
        table = subprocess.run([MEMTOP, "-b", "-n", "1", "-p", pids], capture_output=True, check=True, timeout=20)
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", table.stdout)
        assert not [name.raw for name in NAMES if name.forbidden and name.forbidden in table.stdout]
