"""Runs the commands other than the dashboard and batch output: explain, regions, demo, --check, starting a program."""

# ruff: noqa: PLC0415 (explain is 25 ms, regions 49, check 77, demo 32, a screen 300: each pays only for its own)

from __future__ import annotations

import gc
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from io import StringIO
from typing import TYPE_CHECKING, Final

from memtop import preflight
from memtop.cli import batch, screen
from memtop.cli.composition import engine_on, open_source
from memtop.cli.output import discard, put, say
from memtop.cli.settings_from_args import (
    count_of,
    duration_s,
    notice_of,
    pid_of,
    refuse_hidden,
    size_bytes,
    thread_group,
)
from memtop.cli.watchdog import Watchdog
from memtop.errors import MemtopError, UsageError
from memtop.sanitize import clean
from memtop.settings import Settings
from memtop.sources.live import LiveSource
from memtop.units import counted

if TYPE_CHECKING:
    from memtop.cli.launch import Launch

_REGIONS_S = 20.0
"""A third of how long a reading of mappings may take before that is said: 60 s."""


def explain(given: Namespace) -> int:
    """``memtop explain [TOPIC]``. Raises UsageError for an unknown topic."""
    from memtop.explain import command

    terminal = sys.stdout.isatty()
    width = min(100, os.get_terminal_size().columns) if terminal else 80
    return put(command.run, given.topic, width, sys.stdout, terminal and not os.environ.get("NO_COLOR"))


def regions(given: Namespace) -> int:
    """``memtop regions PID | NAME``. Raises MemtopError."""
    from memtop.headless import regions

    preflight.check_platform()
    sort = given.sort or "size"
    if sort not in regions.SORTS:
        raise UsageError(f"--sort: no measure {sort}; there are {', '.join(regions.SORTS)}")
    limit = None if given.lines is None else count_of(given.lines, "--lines")
    pid = _one_process(given.pid)
    refuse_hidden(pid)
    group = thread_group(pid)
    say(notice_of({pid: group}))
    with closing(LiveSource()) as source, Watchdog(_REGIONS_S):
        return put(
            regions.run, source, group, sort=sort, limit=limit, kinds=given.kinds, json=given.json, smaps=given.smaps
        )


def _one_process(subject: str) -> int:
    """The PID of the process that a PID or a name stands for. Raises MemtopError."""
    if subject.isascii() and subject.isdigit():
        return pid_of(subject)
    if not subject:
        raise UsageError("an empty name: give a PID or the name of a program")
    from memtop.cli.one_process import process_named

    return process_named(subject)


def machine(given: Namespace) -> int:
    """``memtop machine``. Raises MemtopError."""
    from memtop.headless import machine

    preflight.check_platform()
    with closing(LiveSource()) as source:
        return put(machine.run, source, json=given.json)


def report(given: Namespace) -> int:
    """``memtop report FILE | PID | NAME``. Raises MemtopError."""
    from memtop.cli.one_process import process_named
    from memtop.cli.report import run

    preflight.check_platform()
    return run(given, process_named)


def salvage(given: Namespace) -> int:
    """``memtop replay --salvage OUT FILE``. Raises MemtopError."""
    from memtop.sources.recording.salvage import salvage

    done = salvage(given.replay, given.salvage)
    put(print, f"{clean(given.salvage)}: {counted(done.kept, 'sample')} kept, {done.lost:,} lost")
    return 0


def export(given: Namespace) -> int:
    """``memtop export``. Raises MemtopError."""
    from memtop.cli.export import run

    preflight.check_platform()
    return run(given)


def record(given: Namespace) -> int:
    """``memtop record -o FILE``. Raises MemtopError."""
    from memtop.cli.record import run

    preflight.check_platform()
    return run(given)


RUN: Final[Mapping[str, Callable[[Namespace], int]]] = {
    "explain": explain,
    "regions": regions,
    "machine": machine,
    "export": export,
    "record": record,
    "report": report,
}
"""What runs a command that stands for itself."""


def check(given: Namespace, settings: Settings) -> int:
    """``memtop --check PID | NAME``. Raises MemtopError."""
    from memtop.headless import check

    if len(settings.pids) + len(settings.names) != 1:
        raise UsageError("--check takes one PID or name: memtop --check 4242")
    for_s = None if given.check_for is None else duration_s(given.check_for, "--for")
    (pid,) = settings.pids or map(_one_process, settings.names)
    gc.enable()
    said = StringIO()
    with closing(open_source(settings)) as source:
        answer = check.run(
            engine_on(source),
            pid,
            for_s,
            settings.delay_s,
            said,
            go_urls=settings.go_urls,
            smaps=settings.smaps,
            sampling=Watchdog(settings.delay_s),
            say=say,
        )
    try:
        put(sys.stdout.write, said.getvalue())
    except BrokenPipeError:  # the sentence goes unread, the code is the answer all the same
        discard()
    return answer


def demo(given: Namespace, settings: Settings, form: str) -> int:
    """``memtop demo [SCENARIO] [RUN]``. Raises MemtopError."""
    from memtop.demo.recorded_runs import GO
    from memtop.demo.scenarios import DEFAULT_SCENARIO, scenarios

    names = [*(scenario.name for scenario in scenarios()), GO]
    name = DEFAULT_SCENARIO if given.scenario is None else given.scenario
    if name not in names:
        raise UsageError(f"no demo {name}; there are {', '.join(names)}")
    if form:
        raise UsageError("demo needs a terminal")
    return screen.run(settings, name, given.run or "")


def launched(command: Sequence[str], given: Namespace, settings: Settings, form: str) -> int:
    """``memtop -- COMMAND``: start a program, watch it, and return its status. ``form`` is empty for a screen.

    Raises UsageError.
    """
    from memtop.cli.launch import Launch
    from memtop.cli.output_log import DEFAULT_LIMIT_BYTES

    if not command or not command[0]:
        raise UsageError("-- needs a command after it")
    if settings.pids or settings.names:
        raise UsageError("-- COMMAND watches only the command; name no other processes")
    kill_after, limit = given.kill_after, given.log_limit
    launch = Launch(
        command,
        quiet=not form,
        kill_after_s=None if kill_after is None else duration_s(kill_after, "--kill-after"),
        log_limit_bytes=DEFAULT_LIMIT_BYTES if limit is None else size_bytes(limit, "--log-limit"),
    )
    settings = settings._replace(pids=(launch.pid,))
    try:
        return launch.conclude(_watched(launch, settings, form))
    except (SystemExit, KeyboardInterrupt):  # a second signal, while the program is being ended
        return launch.conclude(1, failed=True)
    except BaseException:
        launch.conclude(1, failed=True)
        raise


def _watched(launch: Launch, settings: Settings, form: str) -> int:
    """Watch a program that waits to begin. Returns a code, except for errors before the program began."""
    try:
        return batch.run(settings, form, launch) if form else screen.run(settings, launch=launch)
    except SystemExit as end:  # a signal
        return end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader of our output has closed the pipe
        discard()
        return 0
    except MemtopError as error:
        if not launch.started:
            raise
        say(clean(str(error)))
        return error.exit_code
