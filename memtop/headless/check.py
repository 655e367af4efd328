"""``memtop --check PID``: watches for a while, prints a verdict, and exits with a code for scripts.

0 is fine; 1 is growing, near a limit, or ended badly. 5 means that the observations do not suffice to say either. 0 is
never returned if a limit could not be read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum
from typing import Final, TextIO

from memtop.analysis.findings import Weight, weighing
from memtop.analysis.limits.exit_cause import Oom
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Shape
from memtop.analysis.trend.hysteresis import DIRECTIONS, Direction
from memtop.engine.absent import why_absent
from memtop.engine.assessment.process_names import process_name
from memtop.engine.engine import Engine
from memtop.explain.exit_text import autopsy_lines
from memtop.explain.finding_text import nothing_wrong, sentences_of
from memtop.model.assessment import Assessment, ExitReport
from memtop.model.request import ChartWindow, Request, RowSelection
from memtop.model.row import Note
from memtop.sampling.problems import announcer, without_metrics
from memtop.sampling.request import Need, ReadingsRequest


class Answer(IntEnum):
    """The exit code; all codes are in :mod:`memtop.errors`."""

    FINE = 0
    BAD = 1
    """Growing, or near a limit; or ended by a signal, by the OOM killer, or with a nonzero exit code."""
    UNKNOWN = 5
    """Watched for too short a time, or the curve leaves both possible, or a limit could not be read."""


USUAL_S: Final = 100.0
"""Growth takes a minute to be seen, and a little longer to be confirmed."""
LONGEST_S: Final = 300.0
"""Longest time to watch while the answer is unknown and the user has given no duration."""
LEVEL_S: Final = 60.0
"""A step counts as over after the curve was level for this long."""
_REASONS: Final = {
    Answer.BAD: Weight.ALARMING | Weight.SUSPECT | Weight.EXPLAINS,
    Answer.UNKNOWN: Weight.OPEN | Weight.CHANGE,
    Answer.FINE: Weight.NONE,
}
"""The findings that are printed with each answer."""

_GOES_ON: Final = {"a signal": "SIGCONT", "a debugger": "its debugger must let it"}
"""What lets a process go on, by what has stopped it."""
_UNWATCHED: Final = nullcontext()


def run(
    engine: Engine,
    pid: int,
    seconds: float | None,
    delay_s: float,
    out: TextIO,
    *,
    go_urls: tuple[tuple[int | None, str], ...] = (),
    smaps: bool = True,
    sampling: AbstractContextManager[None] = _UNWATCHED,
    say: Callable[[str], None] = lambda problem: None,
) -> Answer:
    """Watch ``pid`` for this time, or until something is found; None for as long as it takes, up to LONGEST_S.

    ``go_urls`` and ``smaps`` are as in the request. ``sampling`` is entered while a sample is taken. ``say`` takes what
    was wrong with the readings.

    Raises ProcessGone if the process does not exist, AccessDenied if it may not be read, Unavailable if its files
    are broken.
    """
    readings = ReadingsRequest(
        needs_all=Need.STAT | Need.STATUS | Need.OOM,
        patient=True,
        delay_s=delay_s,
        go_urls=go_urls,
        runtimes=bool(go_urls),  # an address without metrics is said
        smaps=smaps,
    )
    rows, no_chart = RowSelection(only=frozenset({pid})), ChartWindow(points=0)
    began_s = time.monotonic()
    outlook: Assessment | None = None
    name = str(pid)
    announce = announcer(say)
    while True:
        with sampling:
            frame = engine.step(Request(readings, rows, no_chart))
        if frame is None:
            break
        announce(frame.problems)
        if go_urls:
            announce(without_metrics(frame.runtimes, {pid}))
        if readings.focus is None:
            row = next((row for row in frame.rows if row.pid == pid), None)
            if row is None:
                raise why_absent([pid], frame.hidden, frame.problems)
            if row.note is Note.KERNEL:
                print(f"Unknown: it is a {row.note.value}.", file=out)
                return Answer.UNKNOWN
            name = process_name(row)
            readings = readings._replace(focus=row.key, visible=frozenset({row.key}), focus_needs=Need.RELATIVES)
            continue
        outlook = frame.detail.outlook if frame.detail is not None else None
        answer, watched_s = answer_to(outlook), time.monotonic() - began_s
        if answer is Answer.BAD or (outlook is not None and outlook.autopsy is not None):
            break
        enough_s = seconds if seconds is not None else LONGEST_S if answer is Answer.UNKNOWN else USUAL_S
        if watched_s >= enough_s or (frame.detail is not None and frame.detail.gone):
            break
        time.sleep(min(delay_s, enough_s - watched_s))
    first, *rest = says(outlook)
    print(f"{name}: {first}", *rest, sep="\n", file=out)
    return answer_to(outlook)


def answer_to(outlook: Assessment | None) -> Answer:
    """Whether the assessment is fine, bad, or undecided."""
    if outlook is None:
        return Answer.UNKNOWN
    if outlook.autopsy is not None:
        return _at_its_end(outlook, outlook.autopsy)
    if weighing(outlook.findings, Weight.ALARMING) or len(weighing(outlook.findings, Weight.SUSPECT)) > 1:
        return Answer.BAD
    unknown = weighing(outlook.findings, Weight.UNDECIDED) or outlook.unread or outlook.held_doubt
    return Answer.UNKNOWN if unknown or _is_open(outlook) else Answer.FINE


def _at_its_end(outlook: Assessment, report: ExitReport) -> Answer:
    """Bad if the cause of the end is known and it was no clean exit. A clean exit is fine if enough was seen before."""
    if report.signal is not None or report.exit_code or report.oom in (Oom.CERTAIN, Oom.PROBABLE):
        return Answer.BAD
    unknown = report.exit_code is None or outlook.unread or outlook.held_doubt
    return Answer.UNKNOWN if unknown or _is_open(outlook) else Answer.FINE


def _is_open(outlook: Assessment) -> bool:
    """Whether the curve allows that the process grows."""
    state = outlook.state
    if state is None or state.kind is Shape.INSUFFICIENT or state.changing or state.looks:
        return True
    if outlook.creeps or outlook.charge_open or outlook.family_open or outlook.held_open:
        return True
    if DIRECTIONS[state.kind] is Direction.LEVEL or outlook.heap_level:
        return False
    pause = outlook.growth.pause if outlook.growth is not None else None
    is_over = pause is not None and pause.over and state.kind is Shape.WARMUP  # after stairs another may follow
    level_s = pause.level_s if pause is not None and is_over else outlook.level_s
    return level_s is None or level_s < LEVEL_S


def _longer_decides(outlook: Assessment) -> bool:
    """Whether a longer look may tell."""
    lasting = weighing(outlook.findings, Weight.LASTS)
    return _is_open(outlook) or any(one not in lasting for one in weighing(outlook.findings, Weight.UNDECIDED))


def says(outlook: Assessment | None) -> list[str]:
    """The answer in sentences."""
    if outlook is None:
        return ["Unknown: the process could not be read."]
    answer = answer_to(outlook)
    if outlook.autopsy is not None:
        lines = autopsy_lines(outlook.autopsy)
        return [*lines, "Unknown: it ended too early for a verdict."] if answer is Answer.UNKNOWN else lines
    reasons = weighing(outlook.findings, _REASONS[answer])
    lines = [sentences_of(finding).says for finding in reasons]
    if answer is Answer.BAD:
        return lines
    warnings = [one for one in outlook.findings if one.severity > Severity.NOTE and one not in reasons]
    beside = [sentences_of(finding).says for finding in warnings]
    if answer is Answer.FINE:
        changed = [sentences_of(finding).says for finding in weighing(outlook.findings, Weight.CHANGE)]
        return [*beside, *changed, nothing_wrong(outlook, alone=not beside and not changed)]
    if not lines or outlook.unread:
        lines.append(nothing_wrong(outlook, alone=not beside))
    lines = [*beside, *lines]
    if (stopped := next((one for one in outlook.findings if one.name == "stopped"), None)) is not None:
        how = _GOES_ON.get(str(stopped.facts.get("by")), "its cgroup has to be thawed, as by docker unpause")
        lines.append(f"Unknown: it has to run ({how}) before anything can be said about its growth.")
    elif _longer_decides(outlook):
        lines.append("Unknown: watch longer (--for) to see whether it is fine or growing.")
    return lines
