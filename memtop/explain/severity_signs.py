"""Signs of severity, the same in table, chart, panels, headline and report: no meaning depends on color alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from memtop.analysis.severity import Severity

DANGER_MARK: Final = "▲"
WARNING_MARK: Final = "!"
NOTE_MARK: Final = "·"
SIGNS: Final[Mapping[Severity, str]] = {
    Severity.DANGER: DANGER_MARK,
    Severity.WARNING: WARNING_MARK,
    Severity.NOTE: NOTE_MARK,
}
