"""The workload process: ``python -m memtop.demo SCENARIO``, started by ``Workload``.

It plays the acts of one scenario in rounds, reports each on standard output, and ends when standard input does. A byte
on standard input starts the next step.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from memtop.demo.forked_child import die_with_parent, set_name
from memtop.demo.memory_operations import MemoryOperations
from memtop.demo.pacing import Pacing
from memtop.demo.progress import Step, step_to_line
from memtop.demo.scenarios import Act, scenario_named
from memtop.errors import MemtopError
from memtop.procfs.stat import parse_stat
from memtop.procfs.statm import parse_statm
from memtop.units import counted, signed_size, size

_STDIN: Final = 0
_STDOUT: Final = 1


class _Reading(NamedTuple):
    """Memory and page faults of one process."""

    virt_bytes: int
    rss_bytes: int
    minflt: int


def _read(pid: int) -> _Reading:
    folder = Path("/proc", str(pid))
    statm = parse_statm((folder / "statm").read_bytes())
    return _Reading(statm.virt_bytes, statm.rss_bytes, parse_stat((folder / "stat").read_bytes()).minflt)


def _change(before: _Reading, now: _Reading) -> str:
    faults = now.minflt - before.minflt
    return (
        f"VIRT {_moved(before.virt_bytes, now.virt_bytes)}, RES {_moved(before.rss_bytes, now.rss_bytes)}, "
        f"{counted(faults, 'minor fault')}"
    )


def _moved(before_bytes: int, now_bytes: int) -> str:
    change = signed_size(now_bytes - before_bytes) if now_bytes != before_bytes else "unchanged"
    return f"{size(now_bytes)} ({change})"


def _perform(act: Act, stage: MemoryOperations) -> str:
    """Perform an act and describe what it changed, in this process and in its child."""
    child_pid = stage.child_pid
    before, child_before = _read(os.getpid()), _read(child_pid) if child_pid else None
    act.do(stage, act.work_s)
    measured = _change(before, _read(os.getpid()))
    if child_before and stage.child_pid == child_pid and child_pid:
        measured = f"parent: {measured}; child: {_change(child_before, _read(child_pid))}"
    return measured


def _say(step: Step) -> None:
    line = step_to_line(step)
    while line:
        line = line[os.write(_STDOUT, line) :]


def _play(acts: Sequence[Act], stage: MemoryOperations, pace: Pacing) -> None:
    """Play one round."""
    for number, act in enumerate(acts, 1):
        pace.begin()
        texts = (number, len(acts), act.title, act.commentary, act.watch)
        _say(Step(*texts, child_pid=stage.child_pid))
        measured = _perform(act, stage)
        _say(Step(*texts, measured, stage.child_pid))
        pace.rest(act.rest_s)


def _be_the_first_victim() -> None:
    """Make the kernel kill the demo before any useful process when memory runs out; proc_pid_oom_score_adj(5)."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def main(argv: Sequence[str] | None = None) -> int:
    """Play until standard input ends. Returns 1 if the kernel refuses memory, which is reported as a last step."""
    parser = argparse.ArgumentParser(prog="python -m memtop.demo")
    parser.add_argument("scenario")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than real time")
    parser.add_argument("--hold", action="store_true", help="rest after each step until a byte arrives")
    options = parser.parse_args(argv)
    die_with_parent()
    _be_the_first_victim()
    set_name(f"demo-{options.scenario}".encode())
    pace = Pacing(options.speed, hold=options.hold, listen=_STDIN)
    stage = MemoryOperations(pace)
    try:
        acts = scenario_named(options.scenario).acts
        while True:
            _play(acts, stage, pace)
    except BrokenPipeError:
        return 0
    except (OSError, MemoryError, MemtopError) as error:
        _say(Step(1, 1, "The demo has ended", f"{error or 'Out of memory'}.", "Start it again, or start another one."))
        return 1
    finally:
        stage.end_child(0)


if __name__ == "__main__":
    sys.exit(main())
