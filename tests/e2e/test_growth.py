"""A real process in a real terminal: what is on the screen is what the kernel says."""

from __future__ import annotations

import re

import pytest

from memtop import units
from tests.e2e.terminal import Terminal, until
from tests.e2e.worker import MIB, Worker

COLUMNS = ("-c", "pid,virt,res,command")


def _res_bytes_on(terminal: Terminal, pid: int) -> float | None:
    """RES of a process as its row of the table shows it."""
    row = re.search(rf"^\W*{pid} +\S+ +([\d.]+)([KMG]?) ", terminal.screen(), re.MULTILINE)
    return float(row[1]) * 1024 ** " KMG".index(row[2] or " ") if row else None


def _agrees(terminal: Terminal, worker: Worker) -> bool:
    seen = _res_bytes_on(terminal, worker.pid)
    return seen == pytest.approx(worker.rss_bytes, rel=0.006)  # three significant digits


def test_res_grows_on_the_screen_by_what_the_kernel_says(worker: Worker) -> None:
    with Terminal("-d", "0.2", *COLUMNS, str(worker.pid)) as terminal:
        until(lambda: _agrees(terminal, worker), terminal.screen)
        before = _res_bytes_on(terminal, worker.pid)
        worker.take(64)
        until(lambda: _agrees(terminal, worker), terminal.screen)
        after = _res_bytes_on(terminal, worker.pid)
        assert before is not None and after is not None
        assert after - before == pytest.approx(64 * MIB, rel=0.03)
        terminal.wait_for(f"RES {units.size(worker.rss_bytes)}")
        terminal.wait_for(re.compile(r"VIRT [\d.]+ MiB is"))


def test_a_process_that_ends_keeps_its_chart_and_says_that_it_has_gone_and_when(worker: Worker) -> None:
    with Terminal("-d", "0.2", *COLUMNS, str(worker.pid)) as terminal:
        until(lambda: _agrees(terminal, worker), terminal.screen)
        worker.take(32)
        until(lambda: _agrees(terminal, worker), terminal.screen)
        last_bytes = worker.rss_bytes
        worker.end()
        terminal.wait_for(re.compile(r"gone.*\d\d:\d\d:\d\d"))
        screen = terminal.screen()
        assert re.search(r"VIRT [\d.]+[KMG] .*RES [\d.]+[KMG]", screen), screen
        shown_bytes = [float(mib) * MIB for mib in re.findall(r" ([\d.]+)M ", screen)]
        assert any(abs(shown - last_bytes) < 2 * MIB for shown in shown_bytes), "RES of a sample near its end"
        assert any(0x2800 < ord(character) < 0x2900 for character in screen), "the line is still drawn"
        terminal.send("q")
        assert terminal.wait_end() == 0


def test_a_process_that_does_not_exist_is_one_sentence_and_exit_code_3() -> None:
    with Terminal("4194305") as terminal:
        assert terminal.wait_end() == 3
        assert "no such process: 4194305" in terminal.screen()
