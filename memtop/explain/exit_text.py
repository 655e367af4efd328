"""The end of a process in one or two lines, for the list of those that ended and for reports."""

from __future__ import annotations

import signal
import time

from memtop.analysis.limits.exit_cause import Oom
from memtop.explain.limit_names import short
from memtop.model.assessment import ExitReport
from memtop.units import duration, long_size


def how(report: ExitReport) -> str:
    """How it ended, as a clause: ``OOM-killed``, ``killed by SIGKILL``, ``code 1``, ``ended, cause unknown``."""
    if report.is_oom:
        return "OOM-killed" if report.oom is Oom.CERTAIN else "probably OOM-killed"
    if report.signal is not None:
        unknown = ", possibly by the OOM killer" if report.oom is Oom.UNKNOWN else ""
        return f"killed by {signal_name(report.signal)}{unknown}"
    return f"code {report.exit_code}" if report.exit_code is not None else "ended, cause unknown"


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
