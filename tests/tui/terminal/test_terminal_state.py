"""What others write to the terminal while the screen is drawn is kept up to a bound."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

CODE = """
import os
from contextlib import suppress
from memtop.tui.terminal.terminal_state import Terminal
terminal = Terminal()
terminal.divert()
with suppress(OSError):
    for _ in range(200):
        os.write(1, b"x" * 1000)
print(len(terminal.undivert()))
"""


def test_so_much_is_kept_of_what_others_write_to_the_terminal() -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", CODE], stdin=follower, stdout=follower, stderr=follower) as child:
        os.close(follower)
        said = os.read(leader, 4096)
        child.wait()
    os.close(leader)
    assert said.strip() == b"65536"
