"""From a running Go program to its verdict: built here, watched through /proc and its own address, nothing recorded.

Left out where there is no Go.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtop.runtimes.go.breakdown import Whose, whose
from memtop.runtimes.go.buildinfo import extract_build_info, parse_build_info
from memtop.runtimes.go.environ import only_go_variables, parse_go_environ
from memtop.runtimes.go.growth import GoPoint, GoVerdict, judge_go
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.sources.endpoint import Endpoint
from memtop.sources.http_get import fetch
from memtop.sources.live.bounded_read import read_file
from tests.lab.record import RUNS, build, kernel_view

pytestmark = [
    pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go here"),
    pytest.mark.skipif(not os.environ.get("MEMTOP_LIVE"), reason="takes half a minute: set MEMTOP_LIVE=1"),
]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[int, Endpoint]]:
    """A leaking Go server: its pid and address."""
    build(RUNS["leak"], tmp_path)
    environ = {"PATH": os.environ["PATH"], "GOGC": "80", "SECRET": "hunter2"}
    with subprocess.Popen([tmp_path / "leak"], stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            yield process.pid, Endpoint("127.0.0.1", int(process.stdout.readline().split()[1]), "/debug/vars")
        finally:
            process.kill()


def test_a_leaking_server_is_recognised_within_half_a_minute(service: tuple[int, Endpoint]) -> None:
    pid, endpoint = service
    executable = os.open(f"/proc/{pid}/exe", os.O_RDONLY)
    try:
        found = parse_build_info(extract_build_info(lambda offset, size: os.pread(executable, size, offset)))
    finally:
        os.close(executable)
    assert found is not None
    assert found.release is not None
    environ = only_go_variables(read_file("/", f"proc/{pid}/environ", 65_536))
    assert environ == b"GOGC=80"
    points: list[GoPoint] = []
    started_s = time.monotonic()
    while time.monotonic() - started_s < 35:
        heap, kernel = parse_go_metrics(fetch(endpoint)), kernel_view(pid)
        assert whose(heap, kernel["rss"], kernel["virt"]) is Whose.SAME
        points.append(GoPoint(time.monotonic(), heap, kernel["anon"], kernel["lazy_free"], kernel["minflt"]))
        verdict = judge_go(points, parse_go_environ(environ)).verdict
        if verdict is not GoVerdict.WAITING:
            break
        time.sleep(1)
    assert verdict is GoVerdict.LEAK_OBJECTS
