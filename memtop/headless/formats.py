"""Formats frames as NDJSON and CSV for standard output. It never imports Textual."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from io import StringIO
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TextIO

from memtop.headless import iso, rounded
from memtop.model.frame import Frame
from memtop.model.row import Note, ProcessRow, SystemRow
from memtop.process_key import ProcessKey
from memtop.redaction import scrub
from memtop.sanitize import clean

if TYPE_CHECKING:
    from memtop.model.assessment import Assessment, ExitReport
    from memtop.settings import Absent

SCHEMA: Final = 1
_FORMULA: Final = "=+@\t\r\n\uff1d\uff0b\uff0d\uff20-"
"""Characters that a spreadsheet takes for the beginning of a formula; some also in full width."""
_AFTER_SEPARATOR: Final = rf"([;\t]\s*)(?=[{_FORMULA}])"
"""Where a cell begins for a spreadsheet that separates cells by semicolons or tabs, as in many countries."""

Writer = Callable[[Frame], None]

_PROCESS_FIELDS: Final = (
    "pid",
    "ppid",
    "uid",
    "user",
    "state",
    "threads",
    "virt_bytes",
    "rss_bytes",
    "anon_bytes",
    "file_bytes",
    "shmem_bytes",
    "shr_bytes",
    "swap_bytes",
    "peak_rss_bytes",
    "page_tables_bytes",
    "hugetlb_bytes",
    "mem_percent",
    "growth_bytes_per_min",
    "minflt",
    "majflt",
    "minflt_per_s",
    "majflt_per_s",
    "cpu_percent",
    "oom_score",
    "oom_score_adj",
)
_NAMES: Final = ("cgroup", "unit", "container", "pod")
"""Null where there is none, and where it is unknown."""
_SHARES: Final = ("pss_bytes", "uss_bytes", "pss_unknown")
"""Fields added if a column, the order or the filter needs PSS or USS, which cost the processes something."""
_SYSTEM_FIELDS: Final = SystemRow._fields


def json_writer(out: TextIO, *, redact: bool = True, absent: Iterable[Absent] = ()) -> Writer:
    """Write one JSON object per line, flushed: the contract that README describes.

    ``absent`` have an object each before the first sample. ``redact`` replaces possible secrets in command lines. The
    texts of a process and of its assessment are kept while these are the same: most of thousands do not change from
    sample to sample.
    """
    known: dict[ProcessKey, tuple[ProcessRow, str]] = {}
    judged: dict[ProcessKey, Judged] = {}

    def text_of(row: ProcessRow, frame: Frame) -> str:
        has_more = frame.shares is not None or row.key in frame.runtimes
        before, outlook = known.get(row.key), frame.outlooks.get(row.key)
        if before is not None and not has_more and (before[0] is row or _facts(before[0]) == _facts(row)):
            text = before[1]
        else:
            text = _dumped(
                process_object(row, redact=redact) | _shares(row, frame) | {"runtime": frame.runtimes.get(row.key)}
            )
        if not has_more:
            known[row.key] = row, text
        verdict = judged.get(row.key)
        if verdict is None or verdict.outlook is not outlook:
            verdict = judged[row.key] = judged_as_json(outlook, verdict)
        return f"{text[:-1]},{verdict.text}}}"

    missing = list(absent)

    def write(frame: Frame) -> None:
        for one in missing:
            out.write(_dumped(absent_object(one, frame.at_s)) + "\n")
        missing.clear()
        head = {
            "schema": SCHEMA,
            "type": "sample",
            "at": iso(frame.at_s),
            "elapsed_s": rounded(frame.elapsed_s),
            "late_s": rounded(frame.late_s),
            "problems": list(frame.problems),
            "hidden": frame.hidden,
            **_incidents(frame),
            "system": {name: rounded(getattr(frame.system, name)) for name in _SYSTEM_FIELDS},
        }
        processes = ",".join([text_of(row, frame) for row in frame.rows])
        for key in judged.keys() - {row.key for row in frame.rows}:
            del judged[key]
            known.pop(key, None)
        tail = "" if frame.groups is None and frame.group is None else _groups(frame)
        for end in frame.exits:
            out.write(_dumped(exit_object(end, redact=redact)) + "\n")
        out.write(f'{_dumped(head)[:-1]},"processes":[{processes}]{tail}}}\n')
        out.flush()

    return write


_FACTS: Final = attrgetter(*_PROCESS_FIELDS, "key", "name_raw", "command_raw", "names", "started_s", "gone_s", "note")


def _facts(row: ProcessRow) -> tuple[object, ...]:
    """What the object of a process is made of."""
    found: tuple[object, ...] = _FACTS(row)
    return found


def _groups(frame: Frame) -> str:
    """The members for the groups that are listed, or for the one whose members are."""
    from memtop.headless.groups import group_object  # noqa: PLC0415 (0.8 ms; with the first list of groups)

    if frame.groups is not None:
        return f',"groups":{_dumped([group_object(row) for row in frame.groups])}'
    return "" if frame.group is None else f',"group":{_dumped(group_object(frame.group.row))}'


_dumped: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def _incidents(frame: Frame) -> dict[str, Any]:
    """The headline of the machine, its incidents and what was not looked at; null where it takes more samples."""
    report = frame.incidents
    if report is None:
        return {"headline": None, "incidents": None, "not_looked_at": None, "killed_before": None}
    from memtop.explain.incident_text import headline, incident_object, not_looked_at  # noqa: PLC0415 (as below)

    return {
        "headline": headline(report, frame.system).says,
        "incidents": [incident_object(one, iso(report.since_wall_s(one))) for one in report.standing],
        "not_looked_at": not_looked_at(report.unseen),
        "killed_before": [{"cgroup": name, "oom_kills": count} for name, count in report.killed_before],
    }


class Judged:
    """The members ``verdict``, ``findings``, ``unknown`` and ``held`` of a process, as text, and ``findings`` alone."""

    __slots__ = ("findings", "outlook", "text")

    def __init__(
        self,
        outlook: Assessment | None,
        text: str = '"verdict":null,"findings":null,"unknown":null,"held":null',
        findings: str = "",
    ) -> None:
        self.outlook, self.text, self.findings = outlook, text, findings


def judged_as_json(outlook: Assessment | None, before: Judged | None) -> Judged:
    """Those of an assessment. Most have a new verdict, and the findings of the assessment before it."""
    if outlook is None or outlook.autopsy is not None:
        return Judged(outlook)
    from memtop.explain.assessment_json import findings_object, held_object, unknown_object, verdict_object  # noqa: PLC0415 (58 ms; one sample has no verdict)

    last = before.outlook if before is not None and before.findings else None
    if last is not None and last.findings is outlook.findings and last.tools == outlook.tools:
        assert before is not None
        findings = before.findings
    else:
        findings = _dumped(findings_object(outlook))
    verdict, unknown = _dumped(verdict_object(outlook)), _dumped(unknown_object(outlook))
    text = f'"verdict":{verdict},"findings":{findings},"unknown":{unknown},"held":{_dumped(held_object(outlook))}'
    return Judged(outlook, text, findings)


def absent_object(absent: Absent, at_s: float) -> dict[str, Any]:
    """A process that was asked for and cannot be watched, as the JSON contract defines it."""
    return {"schema": SCHEMA, "type": "absent", "at": iso(at_s), "pid": absent.pid, "reason": absent.reason}


def exit_object(autopsy: ExitReport, *, redact: bool = True) -> dict[str, Any]:
    """The end of a process, as the JSON contract defines it."""
    return {
        "schema": SCHEMA,
        "type": "exit",
        "at": iso(autopsy.at_s),
        "pid": autopsy.key.pid,
        "start_ticks": autopsy.key.start_ticks,
        "name": autopsy.name,
        "command": _scrubbed(autopsy.command) if redact else autopsy.command,
        "signal": autopsy.signal,
        "exit_code": autopsy.exit_code,
        "oom": autopsy.oom.value,
        "evidence": [clue.value for clue in autopsy.clues],
        "limit": autopsy.limit_name,
        "limit_bytes": autopsy.limit_bytes,
        "rss_bytes": autopsy.rss_bytes,
        "virt_bytes": autopsy.virt_bytes,
        "peak_rss_bytes": autopsy.peak_rss_bytes,
        "slope_bytes_per_min": rounded(autopsy.slope_bytes_per_min),
        "lived_s": rounded(autopsy.lived_s),
        "full_limit": autopsy.full_limit.name if autopsy.full_limit is not None else None,
        "full_limit_percent": rounded(autopsy.full_limit.used_percent) if autopsy.full_limit is not None else None,
        "large": autopsy.large,
        "cgroup_limit": autopsy.cgroup_limit_name,
        "cgroup_limit_bytes": autopsy.cgroup_limit_bytes,
        "cgroup_before_bytes": autopsy.cgroup_before_bytes,
        "cgroup_after_bytes": autopsy.cgroup_after_bytes,
    }


def process_object(row: ProcessRow, *, redact: bool = True) -> dict[str, Any]:
    """A process, as the JSON contract defines it: sizes in bytes, null for unknown, names exact."""
    found: dict[str, Any] = {"pid": row.pid, "start_ticks": row.key.start_ticks}
    found |= _exact("name", row.name_raw)
    raw = scrub(row.command_raw) if redact and row.command_raw is not None else row.command_raw
    found |= _exact("command", None if raw is None else raw.rstrip(b"\0").replace(b"\0", b" "))
    found |= {name: rounded(getattr(row, name)) for name in _PROCESS_FIELDS}
    found["user"] = row.user or None
    found |= {name: getattr(row, name) or None for name in _NAMES}
    found["started_at"] = None if row.started_s is None else iso(row.started_s)
    found["gone_at"] = None if row.gone_s is None else iso(row.gone_s)
    found["note"] = row.note.name.lower() if row.note is not Note.NONE else None
    return found


def _shares(row: ProcessRow, frame: Frame) -> dict[str, object]:
    """PSS and USS, and why they are unknown; empty if they were not requested."""
    if frame.shares is None:
        return {}
    return dict(zip(_SHARES, (row.pss_bytes, row.uss_bytes, frame.shares.unknown.get(row.key)), strict=True))


def csv_writer(out: TextIO, *, redact: bool = True) -> Writer:
    """Write fixed columns, one line per process and sample. Cells that a spreadsheet would run get an apostrophe.

    ``redact`` replaces possible secrets in command lines. The columns are those of the first frame.
    """
    import csv  # noqa: PLC0415 (0.6 ms, not needed for JSON)

    writer = csv.writer(out, lineterminator="\n")
    has_heading = False
    shares: tuple[str, ...] = ()
    known: dict[ProcessKey, tuple[ProcessRow, str]] = {}
    """The text of each row of the last frame, after its time."""

    def text_of(row: ProcessRow, frame: Frame) -> str:
        cells = [rounded(getattr(row, name)) for name in _PROCESS_FIELDS]
        command = _command(row) if redact else row.command
        names = [getattr(row, name) for name in _NAMES]
        own_shares = _shares(row, frame)
        sums = [own_shares.get(name) for name in shares]
        line = StringIO()
        csv.writer(line, lineterminator="\n").writerow(map(_cell, (*cells, row.name, command, *names, *sums)))
        return line.getvalue()

    def write(frame: Frame) -> None:
        nonlocal has_heading, shares
        if frame.groups is not None:
            from memtop.headless.groups import GROUP_FIELDS, group_object  # noqa: PLC0415 (0.8 ms; with the first list of groups)

            if not has_heading:
                writer.writerow(("at", *GROUP_FIELDS))
                has_heading = True
            for group in frame.groups:
                writer.writerow(map(_cell, (iso(frame.at_s), *group_object(group).values())))
            out.flush()
            return
        if not has_heading:
            shares = _SHARES if frame.shares is not None else ()
            writer.writerow(("at", *_PROCESS_FIELDS, "name", "command", *_NAMES, *shares))
            has_heading = True
        at, before = iso(frame.at_s), known.copy()
        known.clear()
        for row in frame.rows:
            last = before.get(row.key)
            if last is not None and not shares and (last[0] is row or _facts(last[0]) == _facts(row)):
                text = last[1]
            else:
                text = text_of(row, frame)
            known[row.key] = row, text
            out.write(f"{at},{text}")
        out.flush()

    return write


def _command(row: ProcessRow) -> str:
    """The command line as a view shows it, without secrets."""
    if row.command_raw is None:
        return _scrubbed(row.command)
    arguments = scrub(row.command_raw)
    return row.command if arguments == row.command_raw else clean(arguments.rstrip(b"\0").replace(b"\0", b" "))


def _scrubbed(text: str) -> str:
    return scrub(text.encode()).decode()


def _cell(value: object) -> object:
    """A cell that no spreadsheet runs: an apostrophe before a formula, visible signs for what breaks a line."""
    if not isinstance(value, str):
        return value
    text = re.sub(_AFTER_SEPARATOR, r"\1'", clean(value))
    return "'" + text if text.lstrip().startswith(tuple(_FORMULA)) else text


def _exact(key: str, raw: bytes | None) -> dict[str, str | None]:
    """Bytes as text, without loss: ``key_b64`` is added if they are not UTF-8."""
    if raw is None:
        return {key: None}
    try:
        return {key: raw.decode("utf-8")}
    except UnicodeDecodeError:
        import base64  # noqa: PLC0415 (0.5 ms, which few names need)

        return {key: raw.decode("utf-8", "backslashreplace"), f"{key}_b64": base64.b64encode(raw).decode("ascii")}
