"""The renice dialog: asks for the nice value of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtop.errors import UsageError
from memtop.tui.dialogs.dialog import Prompt

if TYPE_CHECKING:
    from memtop.process_control import Target

_RANGE: Final = "From -20 (served first) to 19 (last); 0 is usual. To lower it takes root."


class NiceDialog(Prompt[int]):
    """Asks for a nice value; the answer is -20 to 19, None after Esc. It changes nothing itself."""

    def __init__(self, target: Target) -> None:
        super().__init__(f"Nice value for {target.key.pid} {target.name}", _parse_nice, says=_RANGE)


def _parse_nice(text: str) -> int:
    if not text.lstrip("-").isdecimal() or not -20 <= int(text) <= 19:
        raise UsageError("a whole number from -20 to 19")
    return int(text)
