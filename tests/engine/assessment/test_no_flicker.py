"""Numbers that move about a threshold do not change what the screen says back and forth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from memtop.analysis.severity import Severity
from memtop.engine.engine import Engine
from memtop.explain.severity_signs import SIGNS
from memtop.process_key import ProcessKey
from tests.engine.assessment.test_incidents import meminfo, report
from tests.fakes import MIB_PAGES, FakeProcess
from tests.requests import request
from tests.sampling.test_cgroups import APP, MIB, v2

HOUR_S = 3600.0


def changes(values: Sequence[object]) -> int:
    return sum(one != other for one, other in pairwise(values))


def test_a_forecast_that_moves_about_an_hour_changes_no_sign_back_and_forth_and_all_views_agree() -> None:
    process, rate = FakeProcess(42), 280 * MIB / (186 * 60)
    source = v2(process)
    source.files |= {
        "proc/meminfo": meminfo(),
        f"{APP}/memory.max": b"%d\n" % (300 * MIB),
        f"{APP}/memory.high": b"max\n",
    }
    engine, used = Engine(source), 20.0 * MIB
    early_s: list[float] = []
    seen: list[Severity] = []
    for second in range(230):
        source.files[f"{APP}/memory.current"] = b"%d\n" % used
        source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % used
        process.rss_pages = int(used * MIB_PAGES / MIB)
        frame = engine.step(request(focus=ProcessKey(42, process.start_ticks)))
        assert frame is not None and frame.detail is not None
        used += rate * (1 + math.sin(math.tau * second / 25))
        grows = [one for one in report(frame).standing if one.name == "growth"] if frame.incidents else []
        if not grows:
            continue
        early_s.append(float(grows[0].facts["early_s"]))
        outlook = frame.detail.outlook
        assert outlook is not None
        (finding,) = (one for one in outlook.findings if one.name == "growth")
        row = next(one for one in frame.rows if one.pid == 42)
        assert grows[0].severity is finding.severity
        assert row.verdict[0] == SIGNS[finding.severity]
        seen.append(finding.severity)
    assert changes([one < HOUR_S for one in early_s]) >= 5, "or nothing is tried"
    assert changes(seen) == 1


def charge(percent: float) -> dict[str, bytes]:
    used = b"%d" % int(percent * MIB)
    return {f"{APP}/memory.current": used + b"\n", f"{APP}/memory.stat": b"anon " + used + b"\nfile 0\n"}


def pressure(some: float, full: float) -> dict[str, bytes]:
    line = b"%s avg10=%.2f avg60=0.00 avg300=0.00 total=0\n"
    return {"proc/pressure/memory": line % (b"some", some) + line % (b"full", full)}


def committed(kib: float) -> dict[str, bytes]:
    return {"proc/meminfo": meminfo() + b"CommitLimit: 1000000 kB\nCommitted_AS: %d kB\n" % kib}


@pytest.mark.parametrize(
    ("bound", "files", "fixed"),
    [
        (80.0, charge, {f"{APP}/memory.max": b"104857600\n"}),
        (90.0, charge, {f"{APP}/memory.max": b"104857600\n"}),
        (80.0, charge, {f"{APP}/memory.high": b"104857600\n"}),
        (2_400_000.0, lambda kib: {"proc/meminfo": meminfo(int(kib))}, {}),
        (1_200_000.0, lambda kib: {"proc/meminfo": meminfo(int(kib))}, {}),
        (10.0, lambda percent: pressure(percent, 0.0), {}),
        (5.0, lambda percent: pressure(5 * percent, percent), {}),
        (900_000.0, committed, {"proc/sys/vm/overcommit_memory": b"2\n"}),
    ],
    ids=["limit", "full", "memory.high", "low", "very low", "some wait", "all wait", "commit"],
)
def test_a_level_that_moves_by_three_per_cent_about_its_bound_changes_nothing_back_and_forth(
    bound: float, files: Callable[[float], dict[str, bytes]], fixed: dict[str, bytes]
) -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files |= {"proc/meminfo": meminfo(), f"{APP}/memory.high": b"max\n", **fixed}
    engine = Engine(source)
    headlines: list[object] = []
    findings: list[object] = []
    for second in range(60):
        source.files |= files(bound * (1 + 0.03 * math.sin(math.tau * second / 17)))
        frame = engine.step(request(focus=ProcessKey(42, process.start_ticks)))
        assert frame is not None and frame.detail is not None and frame.detail.outlook is not None
        standing = report(frame).standing if frame.incidents is not None else ()
        headlines.append([(one.name, one.severity) for one in standing[:1]])
        findings.append({(one.name, one.severity) for one in frame.detail.outlook.findings if one.severity})
    assert any(headlines), "or nothing is tried"
    assert changes(headlines) <= 2
    assert changes(findings) <= 2


def test_two_parts_that_rise_alike_do_not_take_turns() -> None:
    source = v2(FakeProcess(42))
    engine = Engine(source)
    lists: list[object] = []
    for second in range(50):
        wave = 0.02 * math.sin(math.tau * second / 17)
        shmem, slab = int(3000 * second * (1 + wave)), int(3000 * second * (1 - wave))
        source.files["proc/meminfo"] = meminfo(20_000_000 - shmem - slab, 1000 + shmem, 100_000 + slab)
        frame = engine.step(request())
        assert frame is not None
        if frame.incidents is not None and report(frame).standing:
            lists.append([one.facts.get("part_id") for one in report(frame).standing])
    assert changes(lists) == 1, "one after the other, as each is worth a line"
