"""The marks of severity: nothing is told by colour alone."""

from __future__ import annotations

from typing import Final

DANGER_MARK: Final = "▲"
WARNING_MARK: Final = "!"
NOTE_MARK: Final = "·"
