"""Settings: the choices of the command line as one frozen value, made before anything is started."""

from typing import TYPE_CHECKING, Final, NamedTuple

from memtop.columns import DEFAULT_COLUMNS, Column

if TYPE_CHECKING:
    from memtop.model.group import By, GroupKey
else:
    By = GroupKey = object  # see memtop.model.row

USUAL_DELAY_S: Final = 1.0
"""Time between samples unless one is given."""


class Absent(NamedTuple):
    """A PID of the command line that cannot be watched, beside processes that can."""

    pid: int
    reason: str
    """``no such process``, or that it is not permitted."""
    exit_code: int
    """That of the error that it is."""


class Settings(NamedTuple):
    """The choices for this run. The command line creates it, and views read it."""

    pids: tuple[int, ...] = ()
    absent: tuple[Absent, ...] = ()
    """What is missing of the PIDs that were asked for."""
    names: tuple[str, ...] = ()
    children: bool = False
    follow: bool = False
    """Watch the successor of a process on the command line when that has ended."""
    filter: str = ""
    user: str = ""
    tree: bool = False
    by: By | None = None
    """List groups of processes; None lists processes."""
    inside: GroupKey | None = None
    """List the processes of this cgroup or unit, as the user called it."""
    sort: Column | None = None
    """None means by RES."""
    delay_s: float = USUAL_DELAY_S
    iterations: int | None = None
    columns: tuple[Column, ...] = DEFAULT_COLUMNS
    readonly: bool = False
    color: bool = True
    ascii: bool = False
    mouse: bool = True
    record: str = ""
    """Path of the recording to write; empty for none."""
    replay: str = ""
    """Path of the recording to play instead of the live machine; empty for none."""
    at: str = ""
    """Time of day at which the recording is played first; empty for its start."""
    smaps: bool = True
    """False forbids smaps and smaps_rollup."""
    go_urls: tuple[tuple[int | None, str], ...] = ()
    """URLs of Go programs' metrics, by PID. The key None stands for the one process on the command line."""
    output: str = ""
    """Path of the file for batch output; empty for standard output."""
    redact: bool = True
    """False leaves possible secrets in the command lines of JSON and CSV."""
    notice: str = ""
    """One line about how the command line was understood, for example that a thread ID stands for its process; or
    empty."""

    @property
    def exit_code(self) -> int:
        """The exit code of a run that went as it should: that of an absent process, 0 if none is."""
        return max((one.exit_code for one in self.absent), default=0)
