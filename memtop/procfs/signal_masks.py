"""The signal lines of /proc/PID/status, proc_pid_status(5): which signals a process ignores, blocks and handles."""

from __future__ import annotations

import signal
from typing import Final, NamedTuple

from memtop.errors import ParseError
from memtop.procfs.lines import int_or_none, key_values

_REACH_ANY_INIT: Final = frozenset({signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT})


class SignalMasks(NamedTuple):
    """Bit N - 1 stands for signal N."""

    ignored: int
    """SigIgn."""
    blocked: int | None
    """SigBlk, of the main thread; None for a process with more threads, of which another may take the signal."""
    caught: int
    """SigCgt."""
    is_init: bool
    """Whether it is PID 1 of a PID namespace below that of /proc, such as that of a container. The kernel drops the
    signals for which it has no handler, see pid_namespaces(7)."""

    def ignores(self, number: signal.Signals) -> bool:
        """Whether the signal has no effect."""
        dropped = self.is_init and number not in _REACH_ANY_INIT and not _has(self.caught, number)
        return dropped or _has(self.ignored, number)

    def blocks(self, number: signal.Signals) -> bool:
        """Whether the signal waits until the process unblocks it; False where that is not known."""
        return self.blocked is not None and _has(self.blocked, number)


def parse_signal_masks(data: bytes) -> SignalMasks:
    """Parse a status file. Raises ParseError where the lines are missing."""
    lines = key_values(data)
    try:
        ignored, blocked, caught = (int(lines[key], 16) for key in (b"SigIgn", b"SigBlk", b"SigCgt"))
    except (KeyError, ValueError) as error:
        raise ParseError("status", "no signal masks") from error
    of_namespaces = lines.get(b"NSpid", b"").split()
    return SignalMasks(
        ignored,
        blocked if int_or_none(lines.get(b"Threads")) == 1 else None,
        caught,
        len(of_namespaces) > 1 and of_namespaces[-1] == b"1",
    )


def _has(mask: int, number: signal.Signals) -> bool:
    return bool(mask >> (number - 1) & 1)
