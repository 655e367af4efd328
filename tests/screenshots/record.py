"""Making the recordings. Needs root, for a pid namespace and for the users that the processes run as."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from unittest import mock

from memtop.demo.progress import Step, step_to_line
from memtop.demo.workload import Workload
from memtop.engine.engine import Engine
from memtop.errors import MemtopError
from memtop.model.frame import Frame
from memtop.sampling.request import Need
from memtop.sampling.smaps.collector import SMAPS_LIMIT
from memtop.settings import Settings
from memtop.sources.live import LiveSource
from memtop.sources.protocol import Source
from memtop.sources.recording.recorder import Recorder
from memtop.view_state import View
from tests.requests import changed
from tests.screenshots.workloads import ROOM_BYTES

RECORDINGS: Final = Path(__file__).parents[1] / "data" / "recordings"
ROOT: Final = Path(__file__).parents[2]
SERVER_S: Final = 75
INCIDENT_S: Final = 200
"""The leak fills its cgroup after about 170 s."""
DEMO_S: Final = 34
DELAY_S: Final = 0.5
SMAPS_TICKS: Final = range(125, 132)
"""When smaps is read, of the two processes that pictures are made of: around the instant of the pictures."""
INCIDENT_TICKS: Final = range(290, 300)
"""The same for the incident, shortly before its end."""
FOCUS_TICKS: Final = 4
"""Each process is in focus for so long, in turn, so that limits and mappings of each are in the recording."""
PYTHON: Final = "/usr/bin/python3"
"""The system's own, so that a recording made elsewhere differs in little."""
NAMESPACE: Final = ("unshare", "--pid", "--cgroup", "--fork", "--mount-proc", "--kill-child")
_CGROUPS: Final = "/sys/fs/cgroup/memory"


def record_all() -> None:
    """Make each recording in a pid namespace of its own."""
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    for name in ("server", "incident", "demo"):
        for old in RECORDINGS.glob(f"{name}.*"):
            old.unlink()
        print(f"recording {name} ...", flush=True)
        subprocess.run(
            [*NAMESPACE, sys.executable, "-m", "tests.screenshots", "--record-inside", name], cwd=ROOT, check=True
        )


def record(name: str) -> None:
    """Inside the namespaces: start the workload, write the recording. Paths of cgroups begin at the own one."""
    subprocess.run(["umount", _CGROUPS], check=True)
    subprocess.run(["mount", "-t", "cgroup", "-o", "memory", "cgroup", _CGROUPS], check=True)
    if name == "server":
        _record_workloads(name, SERVER_S)
    elif name == "incident":
        _record_workloads(name, INCIDENT_S)
    else:
        _record_demo()


def _record_workloads(name: str, seconds: float) -> None:
    with subprocess.Popen(
        [PYTHON, "-S", "-m", "tests.screenshots.workloads", name, "x" * ROOM_BYTES],
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as workload:
        assert workload.stdin is not None and workload.stdout is not None
        pids = [int(pid) for pid in workload.stdout.readline().split()]
        _write(name, pids, seconds, lambda frame: None)
        workload.stdin.close()


def _record_demo() -> None:
    Path("/proc/sys/kernel/ns_last_pid").write_text("6130")
    with (
        mock.patch.dict(os.environ, PATH=str(Path(PYTHON).parent)),
        mock.patch.object(sys, "executable", Path(PYTHON).name),  # a command line that is the same everywhere
        Workload.start("reserve") as workload,
        open(RECORDINGS / "demo.steps", "wb") as steps,
    ):
        said: list[Step] = []

        def hear(frame: Frame) -> None:
            step = workload.commentary()
            if step is not None and said[-1:] != [step]:
                said.append(step)
                steps.write(b"%.3f " % frame.at_s + step_to_line(step))

        _write("demo", [workload.pid], DEMO_S, hear)


def _read_smaps(source: Source, pid: int) -> None:
    """What panels want to know, which is otherwise read of the process in focus only, and seldom."""
    for name in ("smaps", "smaps_rollup"):
        with suppress(MemtopError):
            if source.ask(f"proc/{pid}/{name}", SMAPS_LIMIT) is None:
                source.settle(0.2)
                source.ask(f"proc/{pid}/{name}", SMAPS_LIMIT)


def _write(name: str, pids: list[int], seconds: float, after: Callable[[Frame], None]) -> None:
    """Sample these processes with every reading that a view may want."""
    view = View.of(Settings(pids=tuple(pids), delay_s=DELAY_S))
    source = Recorder(LiveSource(), str(RECORDINGS / f"{name}.memtop"))
    engine = Engine(source)
    try:
        planned_s = time.monotonic()
        end_s = planned_s + seconds
        while planned_s < end_s:
            ask = changed(view.request(), needs=~Need.NONE, needs_all=~Need.NONE)
            frame = engine.step(ask)
            assert frame is not None
            after(frame)
            alive = sorted(row.key for row in frame.rows if row.gone_s is None)
            in_turn = alive[:2] if frame.tick >= SMAPS_TICKS.start - FOCUS_TICKS else alive
            focus = in_turn[frame.tick // FOCUS_TICKS % len(in_turn)]
            view = view._replace(readings=view.readings._replace(visible=frozenset(alive), focus=focus))
            if frame.tick in (INCIDENT_TICKS if name == "incident" else SMAPS_TICKS):
                for pid in sorted(key.pid for key in alive)[:2]:
                    _read_smaps(source, pid)
            planned_s += DELAY_S
            time.sleep(max(0.0, planned_s - time.monotonic()))
    finally:
        source.close()
