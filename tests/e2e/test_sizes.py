"""Terminals of every size, and of quickly changing size."""

from __future__ import annotations

import random
import re

import pytest

from tests.e2e.terminal import Terminal
from tests.e2e.worker import Worker


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_whole_dashboard_fits(worker: Worker, size: tuple[int, int]) -> None:
    with Terminal("-d", "0.3", str(worker.pid), size=size) as terminal:
        terminal.wait_for(re.compile(r"VIRT [\d.]+[KMG] .*RES [\d.]+[KMG].*\? Help", re.DOTALL))
        lines = terminal.screen().splitlines()
        assert len(lines) == size[1]
        assert max(map(len, lines)) <= size[0]
        assert "available" in lines[0] or lines[0][1] in "▲!·"
        assert "memtop" in lines[1]
        assert "? Help" in lines[-1]


def test_a_tiny_terminal_keeps_what_matters_most(worker: Worker) -> None:
    with Terminal("-d", "0.3", str(worker.pid), size=(30, 6)) as terminal:
        terminal.wait_for(re.compile(r"RES [\d.]+"))
        terminal.resize(10, 3)
        terminal.wait_for(re.compile(r"[\d.]+"))
        terminal.resize(1, 1)
        terminal.resize(80, 24)
        terminal.wait_for("? Help")
        terminal.send("q")
        assert terminal.wait_end() == 0


def test_a_storm_of_sizes(worker: Worker) -> None:
    chance = random.Random(4)
    with Terminal("-d", "0.1", str(worker.pid)) as terminal:
        terminal.wait_for("? Help")
        for _ in range(60):
            terminal.resize(chance.randint(1, 220), chance.randint(1, 70))
        terminal.resize(120, 40)
        terminal.wait_for(re.compile(r"\A [^\n]+\n memtop .*╭─.*\? Help.*[\d.]+ ?% (cpu )?[\d.]+M", re.DOTALL))
        assert max(map(len, terminal.screen().splitlines())) <= 120
        terminal.send("q")
        assert terminal.wait_end() == 0
