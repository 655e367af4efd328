"""The keys of the dashboard over three real processes, as a person presses them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.terminal import Terminal, until
from tests.e2e.worker import Worker

NEEDLE = f"needle{os.getpid()}"
THREE = rf"!{NEEDLE}-[sml]$"
"""Matches them, and neither memtop's own command line nor that of the terminal."""
KIN = f"kin{os.getpid()}"


@pytest.fixture(scope="module")
def workers() -> Iterator[list[Worker]]:
    """A small, a middling and a large process."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(Worker(f"{KIN} {NEEDLE}-{name}", mib)) for name, mib in (("s", 2), ("m", 20), ("l", 60))
        ]


@pytest.fixture
def board(workers: list[Worker]) -> Iterator[Terminal]:
    """memtop with the three processes as all that matches its filter, the largest first."""
    small, middling, large = workers
    with Terminal("-d", "0.3", "-f", THREE, size=(140, 36)) as terminal:
        wait_for_order(terminal, large, middling, small)
        yield terminal


def order(terminal: Terminal) -> list[int]:
    """The pids of the table, from above."""
    return [
        int(pid) for pid in re.findall(r"^\W*(\d+) \w+ +(?:[RSDTZ] +)?[\d.]+[KMG]? ", terminal.screen(), re.MULTILINE)
    ]


def wait_for_order(terminal: Terminal, *workers: Worker) -> None:
    """Wait until the table shows these processes, in this order, and no others."""
    expected = [worker.pid for worker in workers]
    until(lambda: order(terminal) == expected, lambda: f"order {expected}, not\n{terminal.screen()}")


def select(terminal: Terminal, worker: Worker) -> None:
    """Go to a process by its number."""
    terminal.send("p")
    terminal.wait_for("Go to PID")
    terminal.type(str(worker.pid))
    terminal.send("Enter")
    terminal.wait_for(re.compile(rf"╭─ {worker.pid} "))


def test_sorting_by_key_menu_and_neighbor_column_and_turning_it_round(board: Terminal, workers: list[Worker]) -> None:
    small, middling, large = workers
    board.send("I")
    wait_for_order(board, small, middling, large)
    board.send("N")
    by_pid = sorted(workers, key=lambda worker: worker.pid)
    wait_for_order(board, *by_pid)
    board.wait_for("PID▲")
    board.send("M")
    wait_for_order(board, large, middling, small)
    board.send(">")
    board.wait_for("ANON▼")
    board.send("<")
    board.wait_for("RES▼")
    board.send("s")
    board.wait_for("Sort by")
    board.send("Home", "Enter")
    board.wait_until_gone("Sort by")
    board.wait_for("PID▲")


def test_filtering_while_typing_with_a_complaint_and_a_way_back(board: Terminal, workers: list[Worker]) -> None:
    small, middling, large = workers
    board.send("Escape")
    until(lambda: len(order(board)) > 3, board.screen)
    board.type(f"/command={KIN} rss>")
    board.wait_for("needs a size such as 500m")
    board.type("40m")
    wait_for_order(board, large)
    board.send("Enter")
    board.wait_until_gone("Filter:")
    board.send("/")
    board.wait_for("Filter:")
    board.type(f"command={KIN} rss<40m")
    wait_for_order(board, middling, small)
    board.send("Escape")
    until(lambda: len(order(board)) > 3, board.screen)


def test_the_tree_shows_children_below_their_parent(board: Terminal, workers: list[Worker]) -> None:
    small = workers[0]
    leaf = re.compile(rf" {small.pid} .*[├└]─")
    board.send("Escape")
    until(lambda: len(order(board)) > 3, board.screen)
    board.send("t")
    board.wait_for(re.compile(r"[├└]─ "))
    select(board, small)
    board.wait_for(leaf)
    board.send("t")
    until(lambda: not board.sees(leaf), board.screen)


def test_pausing_stops_the_picture_and_end_lets_it_go_on(board: Terminal) -> None:
    board.send("Space")
    board.wait_for(re.compile("paused", re.IGNORECASE))
    board.send("Space")
    until(lambda: not board.sees(re.compile("paused", re.IGNORECASE)), board.screen)


def test_looking_back_and_returning_to_now(board: Terminal) -> None:
    board.send("Left")  # at the first sample there is nothing before it
    board.wait_for(re.compile(r"looking back|no earlier sample", re.IGNORECASE))

    def seconds_back() -> bool:
        board.send("End", "[")
        return board.sees(re.compile(r"looking back [2-9] s"))

    until(seconds_back, board.screen)
    board.send("Right")
    board.wait_for(re.compile(r"looking back", re.IGNORECASE))
    board.send("End")
    until(lambda: not board.sees(re.compile(r"looking back", re.IGNORECASE)), board.screen)


def test_help_and_explanations_open_and_close_with_escape_which_never_quits(board: Terminal) -> None:
    board.send("?")
    board.wait_for("Everywhere")
    board.send("Escape")
    board.wait_until_gone("Everywhere")
    board.send("e")
    board.wait_for("Backspace back")
    board.send("n")
    board.send("Escape")
    board.wait_until_gone("Backspace back")
    board.send("Escape")
    board.send("Escape")
    until(lambda: len(order(board)) > 3, board.screen)


def test_choosing_columns(board: Terminal) -> None:
    board.send("c")
    board.wait_for("Space show or hide")
    board.send("Space", "Enter")
    board.wait_until_gone("Space show or hide")
    until(lambda: not board.sees(re.compile(r"^ +PID +USER", re.MULTILINE)), board.screen)


def test_changing_the_delay(board: Terminal) -> None:
    board.send("d")
    board.wait_for("Seconds between samples")
    board.type("99")
    board.send("Enter")
    board.wait_for("between 0.1 and 60 seconds")
    board.send("BSpace", "BSpace")
    board.wait_until_gone("  99 ")
    board.type("0.5")
    board.send("Enter")
    board.wait_for("0.5 s")


def test_going_to_a_pid_watching_it_and_going_back(board: Terminal, workers: list[Worker]) -> None:
    small = workers[0]
    select(board, small)
    board.send("Enter")
    board.wait_for(re.compile(rf"►\s*{small.pid} "))
    board.send("Escape", "Escape")
    until(lambda: "►" not in board.screen(), board.screen)


def test_a_signal_is_sent_only_after_a_question(worker: Worker) -> None:
    with Terminal("-d", "0.3", str(worker.pid)) as terminal:
        terminal.wait_for("? Help")
        terminal.send("K")
        terminal.wait_for("Send a signal to")
        terminal.send("Escape")
        terminal.wait_until_gone("Send a signal to")
        assert worker.running
        terminal.send("K")
        terminal.wait_for("Send a signal to")
        terminal.send("Enter")
        terminal.wait_for("SIGTERM sent to")
        until(lambda: not worker.running, terminal.screen)
        terminal.wait_for("Evidence: memtop sent")
