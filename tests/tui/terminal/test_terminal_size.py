"""What the terminal says of itself."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

import pytest

from memtop.tui.terminal.terminal_state import MOST_COLUMNS, MOST_LINES, Terminal


@pytest.mark.parametrize(
    ("said", "drawn"),
    [
        ((80, 24), (80, 24)),
        ((0, 0), (80, 24)),
        ((1, 1), (1, 1)),
        ((65_535, 24), (MOST_COLUMNS, 24)),
        ((65_535, 65_535), (MOST_COLUMNS, MOST_LINES)),
    ],
)
def test_the_size_that_is_drawn_is_bounded_whatever_is_set(said: tuple[int, int], drawn: tuple[int, int]) -> None:
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", said[1], said[0], 0, 0))
    terminal = Terminal.__new__(Terminal)  # without taking standard output
    terminal.out_fd = slave
    assert terminal.size() == drawn
    os.close(master)
    os.close(slave)
