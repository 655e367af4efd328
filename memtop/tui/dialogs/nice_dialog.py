"""The renice dialog: asks for the nice value of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtop.process_control import nice_of
from memtop.tui.dialogs.dialog import Prompt, whole_number

if TYPE_CHECKING:
    from memtop.process_control import Target

_RANGE: Final = "From -20 (highest priority) to 19 (lowest); 0 is normal. Lower values need root."


class NiceDialog(Prompt[int]):
    """Asks for a nice value. The answer is -20 to 19, or None after Esc. It changes nothing itself."""

    def __init__(self, target: Target) -> None:
        now = nice_of(target)
        super().__init__(
            f"Nice value of {target.name} ({target.key.pid})",
            lambda text: whole_number(text, -20, 19),
            "" if now is None else str(now),
            says=_RANGE,
        )
