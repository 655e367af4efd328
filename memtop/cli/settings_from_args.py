"""Checks the parsed arguments before anything starts, and turns them into Settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from memtop import preflight, units
from memtop.columns import Column, columns_of
from memtop.errors import AccessDenied, MemtopError, ProcessGone, UsageError
from memtop.filter import parse_query
from memtop.procfs.status import parse_status
from memtop.settings import USUAL_DELAY_S, Absent, Settings
from memtop.sources.live import may_be_user
from memtop.sources.live.bounded_read import read_file
from memtop.sources.protocol import READ_LIMIT

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from memtop.model.group import By, GroupKey

DELAY_S: Final = (0.1, 60.0)
_OF_LISTS: Final = (
    *("--filter", "--user", "--cgroup", "--unit", "--children", "--follow"),
    *("--tree", "--by", "--sort", "--columns", "--iterations", "--record"),
)
"""Options that choose, show and record a list of processes."""
LONGEST_S: Final = 10_000 * 86_400.0
"""Longest duration. Waits of the operating system have a limit too."""


def settings_of(given: Namespace) -> Settings:
    """The settings of a command line. Raises UsageError and ProcessGone."""
    # An empty word is a shell variable without a value: to watch all processes is not what was meant.
    if not all(given.targets):
        raise UsageError("an empty name: give a PID or the name of a program")
    if not all(group.strip(",") for group in given.pid):
        raise UsageError("-p needs a PID")
    pids = [pid_of(text) for group in given.pid for text in group.split(",") if text]
    names: list[str] = []
    for target in given.targets:
        if target.isascii() and target.isdigit():
            pids.append(pid_of(target))
        else:
            names.append(target)
    if given.record == "":  # a script's variable that is not set: it would run without the recording
        raise UsageError("--record needs the name of a new file")
    query, by = given.filter or "", by_of(given.by)
    parse_query(query, groups=by is not None)
    go_urls = _go_urls(given.go_url, len(pids) + len(names))
    groups = {} if given.replay else {pid: thread_group(pid) for pid in pids}
    found = tuple(dict.fromkeys(groups.get(pid, pid) for pid in pids))
    absent = () if given.replay else _absent_of(found, others=bool(names))
    return Settings(
        pids=tuple(pid for pid in found if all(pid != one.pid for one in absent)),
        absent=absent,
        names=tuple(names),
        children=given.children,
        follow=_follow(given, bool(pids or names)),
        filter=query,
        user=user_of(given.user, recorded=bool(given.replay)),
        tree=given.tree,
        by=by,
        inside=_inside(given.cgroup, given.unit, by),
        sort=None if given.sort is None else _column(given.sort, "--sort", groups=by is not None),
        delay_s=USUAL_DELAY_S if given.delay is None else delay_of(given.delay),
        iterations=None if given.iterations is None else count_of(given.iterations, "--iterations"),
        columns=_columns(given.columns, groups=by is not None),
        readonly=given.readonly or bool(given.replay),
        color=not given.no_color and not os.environ.get("NO_COLOR"),
        ascii=given.ascii,
        mouse=not given.no_mouse,
        record=given.record or "",
        replay=given.replay,
        at=getattr(given, "at", None) or "",
        output=given.output or "",
        smaps=not given.no_smaps,
        redact=not given.no_redact,
        go_urls=tuple((None if pid is None else groups.get(pid, pid), url) for pid, url in go_urls),
        notice="; ".join(filter(None, (notice_of(groups), *(f"{one.reason}: {one.pid}" for one in absent)))),
    )


def _absent_of(pids: Sequence[int], *, others: bool) -> tuple[Absent, ...]:
    """Those that cannot be watched. ``others``: names were given too.

    Raises ProcessGone and AccessDenied if nothing is left to be watched.
    """
    missing = [pid for pid in pids if not os.path.exists(f"/proc/{pid}")]
    found: list[Absent] = []
    for pid in missing:
        try:
            refuse_hidden(pid)
            error: MemtopError = ProcessGone(f"no such process: {pid}")
        except AccessDenied as denied:
            error = denied
        if len(missing) == len(pids) and not others:
            raise error
        reason = "no such process" if isinstance(error, ProcessGone) else "not permitted to read process"
        found.append(Absent(pid, reason, error.exit_code))
    return tuple(found)


def refuse_hidden(pid: int) -> None:
    """Raise AccessDenied for a process that exists and that /proc does not show (hidepid).

    kill(2) answers EPERM for a process of another user, whether /proc shows it or not.
    """
    if os.path.exists(f"/proc/{pid}"):
        return
    try:
        os.kill(pid, 0)
    except PermissionError:
        raise AccessDenied(f"not permitted to read process {pid}{preflight.hidden_hint()}") from None
    except (OSError, OverflowError):
        return


def thread_group(pid: int) -> int:
    """The process of thread ``pid``; ``pid`` itself if it is a process, or if /proc does not say.

    memtop watches processes, but /proc/ID also exists for a thread ID.
    """
    try:
        return parse_status(read_file("/", f"proc/{pid}/status", READ_LIMIT)).thread_group or pid
    except (OSError, MemtopError):
        return pid


def notice_of(groups: dict[int, int]) -> str:
    """One line about thread IDs: the keys are threads, the values their processes. Empty if there are none."""
    threads = [(tid, pid) for tid, pid in groups.items() if tid != pid]
    return "; ".join(f"{tid} is a thread of process {pid}, which is shown in its place" for tid, pid in threads)


def pid_of(text: str) -> int:
    """Parse a process ID. Raises UsageError."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) < 2**31):
        raise UsageError(f"not a PID: {text[:60]}")
    return int(text)


def count_of(text: str, option: str) -> int:
    """Parse a whole number, 1 or more. Raises UsageError."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        raise UsageError(f"{option} must be a whole number, 1 or more")
    return int(text)


def duration_s(text: str, option: str) -> float:
    """Parse a duration into seconds. Raises UsageError."""
    try:
        found_s = units.parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
    if found_s > LONGEST_S:
        raise UsageError(f"{option} must be at most {units.duration(LONGEST_S)}")
    return found_s


def size_bytes(text: str, option: str) -> int:
    """Parse a size into bytes, at least 1. Raises UsageError."""
    try:
        found = units.parse_size(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option}: {error}") from error
    if not 1 <= found < 2**62:
        raise UsageError(f"{option} must be between 1 byte and 4 EiB")
    return int(found)


def delay_of(text: str) -> float:
    """Parse the time between samples, in seconds. Raises UsageError."""
    least_s, most_s = DELAY_S
    delay_s = duration_s(text, "--delay")
    if not least_s <= delay_s <= most_s:
        raise UsageError(f"--delay must be between {least_s:g} and {most_s:g} seconds")
    return delay_s


def by_of(text: str | None) -> By | None:
    """Parse the kind of groups; None for processes. Raises UsageError."""
    if text is None:
        return None
    from memtop.model.group import By  # noqa: PLC0415 (0.7 ms; a list of processes does without)

    kinds = {by.value: by for by in By}
    if text not in kinds:
        raise UsageError(f"--by: no kind {text}; there are {', '.join(kinds)}")
    return kinds[text]


def one_of(given: Namespace, *options: str) -> None:
    """Refuse options that exclude each other. Raises UsageError."""
    found = [option for option in options if getattr(given, option.lstrip("-"))]
    if len(found) > 1:
        raise UsageError(f"{' and '.join(found[:2])} cannot be combined")


def refuse_misplaced(given: Namespace, *, starts: bool, has_screen: bool) -> None:
    """Refuse options of memtop itself that would have no effect. Raises UsageError.

    ``starts``: a command is started; ``has_screen``: it is watched on a screen.
    """
    if given.check_for is not None and not given.check:
        raise UsageError("--for means nothing without --check")
    for option, text in (("--kill-after", given.kill_after), ("--log-limit", given.log_limit)):
        if text is not None and not starts:
            raise UsageError(f"{option} means nothing without -- COMMAND")
    if given.log_limit is not None and not has_screen:
        raise UsageError("--log-limit means nothing without a screen: the command writes to standard output itself")
    for option in _OF_LISTS if given.check else ():
        if getattr(given, option.lstrip("-")) not in (None, False):
            raise UsageError(f"{option} means nothing with --check, which takes one PID or name")


def user_of(text: str | None, *, recorded: bool = False) -> str:
    """Parse a user: a login name or a number; empty for all. Raises UsageError where no process can have that user.

    Of the users of another machine, ``recorded`` there, nothing is known here.
    """
    if text is None:
        return ""
    if not text:  # a script's variable that is not set
        raise UsageError("--user needs a name")
    if not recorded and not may_be_user(text):
        raise UsageError(f"no such user: {text}")
    return text


def _follow(given: Namespace, targets: bool) -> bool:
    if given.follow and not given.replay and (not targets or given.json or given.csv or given.batch):
        raise UsageError(
            "--follow needs a PID or a name, and a screen; without a screen, a name matches every successor anyway"
        )
    return bool(given.follow)


def _inside(cgroup: str | None, unit: str | None, by: By | None) -> GroupKey | None:
    if cgroup is None and unit is None:
        return None
    if None not in (cgroup, unit) or by is not None:
        raise UsageError("--cgroup, --unit and --by cannot be combined; with --by use -f cgroup=PATH or -f unit=NAME")
    if not (cgroup or unit):
        raise UsageError("--cgroup needs the path of a cgroup" if cgroup is not None else "--unit needs a name")
    from memtop.model.group import By, GroupKey  # noqa: PLC0415 (as above)

    return GroupKey(By.CGROUP, cgroup) if cgroup else GroupKey(By.UNIT, unit or "")


def _column(name: str, option: str, *, groups: bool) -> Column:
    there = columns_of(groups=groups)
    column = there.by_name.get(name.lower())
    if column is None:
        raise UsageError(f"{option}: no column {name}; there are {', '.join(c.key for c in there.columns)}")
    return column


def _columns(text: str | None, *, groups: bool) -> tuple[Column, ...]:
    defaults = columns_of(groups=groups).defaults
    if not text:
        return defaults
    names = [name for name in text.split(",") if name]
    added = tuple(_column(name.lstrip("+"), "--columns", groups=groups) for name in names)
    if all(name.startswith("+") for name in names):
        return tuple(dict.fromkeys((*defaults[:-1], *added, defaults[-1])))
    return tuple(dict.fromkeys(added))


def _go_urls(texts: Sequence[str], targets: int) -> tuple[tuple[int | None, str], ...]:
    """Addresses by PID. ``targets`` is how many processes were given."""
    if not texts:
        return ()
    from memtop.sources.endpoint import parse_endpoint  # noqa: PLC0415 (1.3 ms, and few runs give an address)

    found: list[tuple[int | None, str]] = []
    for text in texts:
        before, mark, after = text.partition("=")
        pid, url = (pid_of(before), after) if mark and before.isascii() and before.isdigit() else (None, text)
        if pid is None and targets != 1:
            raise UsageError("--go-url: say whose metrics these are, as in --go-url 4242=http://127.0.0.1:6060")
        try:
            found.append((pid, parse_endpoint(url).url))
        except UsageError as error:
            raise UsageError(f"--go-url: {error}") from error
    return tuple(found)
