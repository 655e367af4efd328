"""Signs of severity, so that no meaning depends on color alone."""

from __future__ import annotations

from typing import Final

DANGER_MARK: Final = "▲"
WARNING_MARK: Final = "!"
NOTE_MARK: Final = "·"
