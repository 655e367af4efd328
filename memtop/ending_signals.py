"""The signals that end a program, see signal(7): a handler may answer them, and by default they end the program.

SIGPIPE and SIGXFSZ are not among them. Python ignores them, and the write that caused one reports its error. Signals
that report a fault of the program itself, such as SIGSEGV, are not among them either, because Python would never run a
handler for them.
"""

from __future__ import annotations

import signal
from typing import Final

ENDING: Final[tuple[int, ...]] = (
    *(signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF),
    *(signal.SIGXCPU, signal.SIGIO, signal.SIGPWR, getattr(signal, "SIGSTKFLT", signal.SIGIO)),
    *range(signal.SIGRTMIN, signal.SIGRTMAX + 1),
)
