"""Record of one process's runtime: its detection, its last figures, and the time of the next reading."""

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from memtop.errors import AccessDenied, Blocked, MemtopError, NotRecorded, ParseError, ProcessGone
from memtop.runtimes.protocol import Identity, ReadingMoment, Runtime, Tracker, Wanted
from memtop.runtimes.registry import IDENTITY

if TYPE_CHECKING:
    from memtop.runtimes.view import RuntimeView

LEAST_INTERVAL_S: Final = 1.0
REST_S: Final = 30.0
FAILURES_BEFORE_REST: Final = 3
_JITTER_S: Final = 0.1


class Pace:
    """When figures may be read again: at most once a second, and every half minute after three failures in a row."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._failures = 0

    def due(self, now_s: float) -> bool:
        """Whether they may be read now. A tick that comes a little early counts as on time."""
        return now_s >= self._next_s - _JITTER_S

    def asked(self, now_s: float) -> None:
        """The state after a reading has begun."""
        self._next_s = max(self._next_s, now_s - _JITTER_S) + LEAST_INTERVAL_S

    def answered(self) -> None:
        """The state after an answer with figures."""
        self._failures = 0

    def failed(self, now_s: float) -> None:
        """The state after an answer without figures."""
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_REST:
            self._next_s = now_s + REST_S


class Pending(NamedTuple):
    """A reading under way."""

    begun: ReadingMoment
    wanted: Wanted


class RuntimeRecord:
    """The record of one program in one process. After an exec the process gets a new one."""

    def __init__(self, execs: int, runtime: Runtime) -> None:
        self.execs = execs
        self.runtime = runtime
        self.tracker: Tracker = runtime.track()
        self.identity: Identity | None = None
        self.command_raw: bytes | None = None
        self.pending: dict[str, Pending] = {}
        self.begun_s: dict[str, float] = {}
        """When each reading that is not made every second last began."""
        self.pace = Pace()
        self.address = ""
        self.trouble = ""
        """Why there are no figures, or no newer ones."""
        self.unreadable = ""
        """Why executable or mappings could not be read."""
        self.figures_s: float | None = None
        """When the latest figures were read."""
        self.version = 0
        """Counts the answers, so that each view is made only once."""
        self.viewed: tuple[object, RuntimeView] | None = None

    def become(self, runtime: Runtime) -> None:
        """Set the runtime."""
        if runtime is self.runtime:
            return
        self.runtime, self.tracker = runtime, runtime.track()
        self.figures_s, self.trouble = None, ""
        if self.identity is not None:
            self.tracker.identified(self.identity)
        if self.command_raw is not None:
            self.tracker.started_with(argv_of(self.command_raw))

    def take_command(self, command_raw: bytes | None) -> None:
        """Take the command line when it is first known."""
        if self.command_raw is None and command_raw:
            self.command_raw = command_raw
            self.tracker.started_with(argv_of(command_raw))

    def failed(self, wanted: Wanted, error: MemtopError, now_s: float) -> None:
        """Note an answer that failed or cannot be parsed."""
        if isinstance(error, NotRecorded | ProcessGone):
            return
        why = error.why if isinstance(error, ParseError) else str(error)
        if isinstance(error, Blocked):
            why = "a read hangs"
        if isinstance(error, AccessDenied):
            why = "no permission to read it"
        if why.startswith("proc/"):
            why = why.partition(": ")[2]  # the name of a reading, which is no file of /proc
        if wanted.figures:
            self.trouble = why
            self.pace.failed(now_s)
        elif wanted.name == IDENTITY:
            self.unreadable = why
        self.version += 1


def argv_of(command_raw: bytes) -> list[str]:
    """The arguments of a command line as the kernel gives it."""
    return [os.fsdecode(argument) for argument in command_raw.split(b"\0")]
