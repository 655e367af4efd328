"""Sentences about the end of a process: the autopsy, from ``exits.toml``, and one line for lists and reports."""

from __future__ import annotations

import math
import signal
import time
from functools import cache
from typing import Any, Final

from memtop.analysis.limits.exit_cause import Oom
from memtop.analysis.severity import Severity
from memtop.explain.limit_names import short
from memtop.explain.package_files import tables_of
from memtop.model.assessment import ExitReport
from memtop.units import count, duration, long_size

_GREW_SHARE: Final = 0.02
"""A program that gained this part of its peak in its last minute grew until its end."""


def how(report: ExitReport) -> str:
    """How it ended, as a clause: ``OOM-killed``, ``killed by SIGKILL``, ``code 1``, ``ended, cause unknown``."""
    if report.is_oom:
        return "OOM-killed" if report.oom is Oom.CERTAIN else "probably OOM-killed"
    if report.signal is not None:
        unknown = ", possibly by the OOM killer" if report.oom is Oom.UNKNOWN else ""
        return f"killed by {signal_name(report.signal)}{unknown}"
    return f"code {report.exit_code}" if report.exit_code is not None else "ended, cause unknown"


def exit_severity(report: ExitReport) -> Severity:
    """How bad it is that a process ended so: danger if it was OOM-killed, a warning if it ended abnormally."""
    return Severity.DANGER if report.is_oom else Severity.WARNING if report.is_crash else Severity.NOTE


def signal_name(number: int) -> str:
    """``SIGKILL``, or the number of a signal without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def exit_lines(report: ExitReport) -> tuple[str, str]:
    """When it ended, which process and how; then its peak, its limit and how long it lived."""
    clock = time.strftime("%H:%M:%S", time.localtime(report.at_s))
    facts = []
    if report.peak_rss_bytes is not None:
        facts.append(f"peak {long_size(report.peak_rss_bytes)}")
    if report.limit_name is not None:
        facts.append(f"at the limit of {short(report.limit_name)} ({long_size(report.limit_bytes)})")
    elif report.full_limit is not None:
        facts.append(f"{short(report.full_limit.name)} {report.full_limit.used_percent:.0f} % full")
    elif report.cgroup_limit_name is not None:
        facts.append(f"limit of {short(report.cgroup_limit_name)} {long_size(report.cgroup_limit_bytes)}")
    if report.lived_s is not None:
        facts.append(f"lived {duration(report.lived_s)}")
    return f"{clock}  {report.shown_name} ({report.key.pid}) {how(report)}", "; ".join(facts) or "no further details"


@cache
def _texts() -> dict[str, Any]:
    return tables_of("exits.toml")


def autopsy_lines(autopsy: ExitReport, *, brief: bool = False) -> list[str]:
    """The end of a process, one sentence per line: time, cause, role of the OOM killer, limit, last numbers.

    ``brief``: the first line, which has time, cause and successor, in fewer words, for narrow screens.
    """
    texts = _texts()
    clock = time.strftime("%H:%M:%S", time.localtime(autopsy.at_s))
    wordings = texts["brief" if brief else "how"]
    if autopsy.signal is not None:
        how = wordings["signaled"].format(signal=_number_and_name(autopsy.signal))
    elif autopsy.exit_code is not None:
        how = wordings["exited"].format(code=autopsy.exit_code)
    else:
        how = wordings["unknown"]
    if autopsy.successor is not None:
        how += f" {wordings['successor'].format(pid=autopsy.successor.pid)}"
    lines = [f"{clock}  {how}"]
    why = [texts["clue"][clue.value] for clue in autopsy.clues if texts["clue"][clue.value]]
    not_oom = texts["oom"][autopsy.oom.value] + (f" Evidence: {'; '.join(why)}." if why else "")
    lines.append(" ".join([*_full_limit(autopsy), not_oom]))
    if autopsy.limit_name is not None:
        lines.append(f"Limit: {short(autopsy.limit_name)}, {long_size(autopsy.limit_bytes)}.")
    if autopsy.rss_bytes is not None:
        numbers = f"Last sample: RES {long_size(autopsy.rss_bytes)}, VIRT {long_size(autopsy.virt_bytes)}"
        if autopsy.peak_rss_bytes is not None:
            numbers += f"; peak {long_size(autopsy.peak_rss_bytes)}"
        slope = autopsy.slope_bytes_per_min
        if slope is not None and abs(slope) >= 1024:
            numbers += f"; RES {'grew' if slope >= 0 else 'fell'} by {long_size(abs(slope))} per minute at the end"
        lines.append(numbers + ".")
    if autopsy.cgroup_before_bytes is not None and autopsy.cgroup_after_bytes is not None:
        before, after = long_size(autopsy.cgroup_before_bytes), long_size(autopsy.cgroup_after_bytes)
        lines.append(f"The cgroup used {before} before the end and {after} after it.")
    return lines


def _full_limit(autopsy: ExitReport) -> list[str]:
    full = autopsy.full_limit
    if full is None:
        return []
    used, limit = (long_size(one) if full.in_bytes else count(one) for one in (full.used, full.limit))
    words: str = _texts()["full"]["possible" if autopsy.is_end_unknown else "likely"]
    percent = math.floor(full.used_percent)
    return [words.format(name=short(full.name), percent=percent, used=used, limit=limit, effect=full.effect)]


def autopsy_next(autopsy: ExitReport) -> str:
    """What to do after an end; empty after one that was no failure."""
    texts: dict[str, str] = _texts()["next"]
    if autopsy.limit_of_machine:
        return texts["oom_machine"]
    if autopsy.is_oom:
        grew = (autopsy.slope_bytes_per_min or 0.0) >= _GREW_SHARE * (autopsy.peak_rss_bytes or autopsy.rss_bytes or 1)
        return texts["oom_grew" if grew else "oom"]
    if autopsy.ended_by_memtop:
        return ""
    if autopsy.signal == signal.SIGKILL:
        return texts["sigkill"]
    if autopsy.full_limit is not None:
        return texts["full"]
    return texts["crash"] if autopsy.is_crash else ""


def _number_and_name(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)
