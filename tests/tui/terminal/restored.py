"""Whether a terminal is as it was before a program drew on it."""

from __future__ import annotations

import re

from tests.tui.terminal.pty_run import PtyRun

ALTERNATE_SCREEN = b"\x1b[?1049h"


def modes_on(output: bytes) -> list[bytes]:
    """Private modes that were set (or, for wrap and cursor, reset) last and never put back."""
    last: dict[bytes, bytes] = dict(re.findall(rb"\x1b\[\?(\d+)([hl])", output))
    usual = {b"7": b"h", b"25": b"h"}
    left_on = [number for number, letter in last.items() if letter != usual.get(number, b"l")]
    kitty = output.count(b"\x1b[>") - output.count(b"\x1b[<u")
    return left_on + [b"kitty"] * (kitty > 0)


def assert_restored(run: PtyRun) -> None:
    """The terminal is as it was, and modes had been set indeed."""
    assert ALTERNATE_SCREEN in run.output
    assert modes_on(run.output) == []
    assert run.attributes() == run.before
