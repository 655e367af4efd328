"""The writer that never makes anybody wait; what the driver does in a terminal is told in test_lifecycle."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from memtop.tui.terminal.driver import BACKLOG_LIMIT_BYTES, SafeWriter
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
