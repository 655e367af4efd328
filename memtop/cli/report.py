"""``memtop report``: writes one page about a process, from a recording or from some seconds of watching."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing
from typing import Final

from memtop.cli.composition import STANDARD, engine_on
from memtop.cli.output import put, say
from memtop.cli.settings_from_args import duration_s, notice_of, pid_of, refuse_hidden, thread_group
from memtop.errors import ProcessGone, UsageError
from memtop.report.collect import Collected, from_machine
from memtop.report.facts import report_of
from memtop.report.page import as_html, as_markdown, environment_of_templates
from memtop.report.recorded import from_recording
from memtop.report.write import refuse_new, replay_command, write_new
from memtop.runtimes.registry import REGISTRY
from memtop.sources.live import LiveSource
from memtop.sources.recording.replay import Replay
from memtop.time_of_day import parse_instant

WATCHED_S: Final = 20.0
_DELAY_S: Final = 1.0


def run(given: Namespace, process_named: Callable[[str], int]) -> int:
    """Write the page; ``process_named`` finds the PID of the only process of a name. Raises MemtopError."""
    output = "" if given.output == STANDARD else given.output
    if output:
        refuse_new(output)
    environment_of_templates()  # without Jinja2 there is no report, which is said before anything is watched
    subject = given.subject
    if not os.path.exists(subject) and (subject.isdecimal() or _may_be_name(subject)):
        pid = pid_of(subject) if subject.isdecimal() else _pid_of_name(subject, process_named)
        collected, again = _watched(given, pid), ""
    else:
        collected = _recorded(given, subject)
        again = replay_command(subject, collected.frame)
    host, kernel = ("", "") if again else (os.uname().nodename, os.uname().release)
    page = report_of(
        collected.frame,
        exits=collected.exits,
        groups=collected.groups,
        events=collected.events,
        host=host,
        kernel=kernel,
        source=again,
    )
    text = as_markdown(page) if given.markdown else as_html(page)
    if not output:
        put(sys.stdout.write, text)
        return 0
    write_new(output, text)
    return 0


def _may_be_name(subject: str) -> bool:
    """Whether a word can be the name of a program, and does not look like a path or a stream."""
    return bool(subject) and "/" not in subject and subject != STANDARD and not subject.endswith(".memtop")


def _pid_of_name(name: str, process_named: Callable[[str], int]) -> int:
    """Raises MemtopError, which says that there is no file of that name either."""
    try:
        return process_named(name)
    except ProcessGone as error:
        raise ProcessGone(f"{error}, and there is no file of that name") from None


def _watched(given: Namespace, pid: int) -> Collected:
    if given.from_time or given.to or given.pid:
        raise UsageError("--from, --to and --pid are for a recording")
    refuse_hidden(pid)
    group = thread_group(pid)
    say(notice_of({pid: group}))
    for_s = WATCHED_S if given.for_time is None else duration_s(given.for_time, "--for")
    with closing(LiveSource(runtimes=REGISTRY.read)) as source:
        return from_machine(engine_on(source), group, for_s, _DELAY_S)


def _recorded(given: Namespace, path: str) -> Collected:
    if given.for_time is not None:
        raise UsageError("--for is for a process that is watched")
    with closing(Replay(path)) as source:
        from_s, to_s = _times(given, source)
        pid = None if given.pid is None else pid_of(given.pid)
        return from_recording(source, engine_on, pid, from_s=from_s, to_s=to_s)


def _times(given: Namespace, source: Replay) -> tuple[float | None, float | None]:
    """The wall times of --from and --to; None where they were not given. Raises UsageError."""
    from_s, to_s = (
        None if text is None else parse_instant(text, *source.span, source.wall_at)
        for text in (given.from_time, given.to)
    )
    if from_s is not None and to_s is not None and from_s >= to_s:
        raise UsageError(f"--from {given.from_time} --to {given.to}: it ends before it begins")
    return None if from_s is None else int(from_s), to_s
