"""The marks of severity: no meaning depends on colour alone."""

from __future__ import annotations

from typing import Final

DANGER_MARK: Final = "▲"
WARNING_MARK: Final = "!"
NOTE_MARK: Final = "·"
