"""The thread that writes to the terminal delays no other; what the driver does in one is in test_lifecycle."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from textual.events import Key
from textual.message import Message

from memtop.tui.terminal import driver
from memtop.tui.terminal.driver import BACKLOG_LIMIT_BYTES, SafeDriver, SafeWriter
from tests.tui.terminal.pty_run import wait_for

PIECE = "x" * 32_768


class Pipe:
    """Both ends of a pipe, the writer on one of them, and what it has reported."""

    def __init__(self) -> None:
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.write_fd, False)
        os.set_blocking(self.read_fd, False)
        self.lost: list[bool] = []
        self.caught_up: list[bool] = []
        self.writer = SafeWriter(self.write_fd, lambda: self.lost.append(True), lambda: self.caught_up.append(True))
        self.writer.start()
        self.got = b""

    def read(self) -> bytes:
        """Everything that has arrived so far."""
        try:
            while data := os.read(self.read_fd, 1 << 20):
                self.got += data
        except BlockingIOError:
            pass
        return self.got


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.writer.close()
    os.close(pipe.write_fd)


def test_everything_arrives_in_order(pipe: Pipe) -> None:
    for number in range(200):
        pipe.writer.write(f"{number} ")
    assert pipe.writer.close()
    assert pipe.read().decode() == "".join(f"{number} " for number in range(200))


def test_a_terminal_that_does_not_read_gets_no_more_than_the_backlog_and_a_fresh_start(pipe: Pipe) -> None:
    for _ in range(30):
        pipe.writer.write(PIECE)  # does not wait
    assert not pipe.caught_up
    wait_for(lambda: pipe.read() is None or pipe.caught_up, "catching up")
    assert len(pipe.read()) <= BACKLOG_LIMIT_BYTES
    pipe.writer.write("drawn anew")
    assert pipe.writer.close()
    assert pipe.read().endswith(b"xdrawn anew")
    assert pipe.caught_up == [True]


def test_closing_does_not_wait_for_a_terminal_that_does_not_read(pipe: Pipe) -> None:
    for _ in range(4):
        pipe.writer.write(PIECE)
    assert not pipe.writer.close()
    assert not pipe.writer.is_alive()


def test_a_terminal_that_has_gone_is_reported_once(pipe: Pipe) -> None:
    os.close(pipe.read_fd)
    pipe.writer.write("x")
    wait_for(lambda: pipe.lost, "the report")
    pipe.writer.write("x")
    assert not pipe.writer.close()
    assert pipe.lost == [True]


def test_text_that_is_not_unicode_is_written_as_escapes(pipe: Pipe) -> None:
    pipe.writer.write("\udcff–")
    assert pipe.writer.close()
    assert pipe.read().decode() == "\\udcff–"


class Keys(SafeDriver):
    """A driver of a terminal that a test types into, which collects the keys."""

    def __init__(self, in_fd: int) -> None:
        life = SimpleNamespace(terminal=SimpleNamespace(in_fd=in_fd))
        super().__init__(cast("Any", SimpleNamespace(life=life)))
        self.keys: list[str] = []

    def process_message(self, message: Message) -> None:
        if isinstance(message, Key):
            self.keys.append(message.key)


@pytest.mark.parametrize("unfinished_s", [0.0, driver.UNFINISHED_S])
async def test_the_input_thread_hears_keys_and_its_end_also_where_it_has_slept(
    unfinished_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "UNFINISHED_S", unfinished_s)
    in_fd, terminal_fd = os.pipe()
    typed = Keys(in_fd)
    thread = threading.Thread(target=typed.run_input_thread)
    thread.start()
    os.write(terminal_fd, b"a\x1b" if unfinished_s else b"a")
    wait_for(lambda: typed.keys == (["a", "escape"] if unfinished_s else ["a"]), "the keys")
    typed.exit_event.set()
    thread.join(5)
    assert not thread.is_alive()
    typed.exit_event.clear()
    thread = threading.Thread(target=typed.run_input_thread)  # after a suspension
    thread.start()
    os.write(terminal_fd, b"b")
    wait_for(lambda: typed.keys[-1] == "b", "the key")
    typed.exit_event.set()
    thread.join(5)
    assert not thread.is_alive()
    os.close(in_fd)
    os.close(terminal_fd)
