"""The clipboard inside tmux, which ignores the escape sequence that copies (OSC 52) unless set-clipboard is on."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Final

PATIENCE_S: Final = 2.0
"""How long tmux may take."""


def in_tmux() -> bool:
    """Whether this terminal is a pane of tmux."""
    return bool(os.environ.get("TMUX"))


def give_to_tmux(text: str) -> bool:
    """Put a text into tmux's newest buffer and the clipboard of its terminal (tmux 3.2). Returns whether it did."""
    tmux = shutil.which("tmux")
    if tmux is None:
        return False
    for options in (("-w", "-"), ("-",)):  # without -w before tmux 3.2
        try:
            done = subprocess.run(
                [tmux, "load-buffer", *options],
                input=text.encode(errors="replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0:
            return True
    return False
