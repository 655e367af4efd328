"""Verdict and findings as the JSON contract has them, from an engine that judges those asked for."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

from memtop.engine.engine import Engine
from memtop.errors import AccessDenied
from memtop.explain.assessment_json import CHARGE_OPEN, FAMILY_OPEN
from memtop.headless.formats import json_writer
from memtop.model.assessment import Assessment
from memtop.sampling.request import Need
from memtop.sources.protocol import Exit
from tests.engine.assessment.test_assessor import charge
from tests.fakes import FakeProcess, FakeSource, frame_after, outlook
from tests.headless.judged import judged_object
from tests.requests import request
from tests.sampling.test_cgroups import APP, MIB, v2

ASKED = request(only=frozenset({42, 43}), needs_all=Need.STAT | Need.STATUS, outlooks=True)


def watched(seconds: int) -> tuple[FakeSource, Engine, list[dict[str, Any]]]:
    """One that grows in a cgroup of 100 MiB and one that does not, both asked for; and all records."""
    grows, rests = FakeProcess(42, rss_pages=5000), FakeProcess(43)
    source = v2(grows, rests)
    source.files |= {f"{APP}/memory.high": b"max\n", f"{APP}/cgroup.procs": b"42\n"}
    source.files["proc/43/cgroup"] = b"0::/\n"
    engine = Engine(source)
    out = io.StringIO()
    write = json_writer(out)
    for _ in range(seconds):
        grows.rss_pages += 64
        charge(source, 4096 * (grows.rss_pages - grows.shr_pages))
        frame = engine.step(ASKED)
        assert frame is not None
        write(frame)
    return source, engine, [json.loads(line) for line in out.getvalue().splitlines()]


def of(record: dict[str, Any], pid: int) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in record["processes"] if one["pid"] == pid)
    return found


def test_a_growing_process_has_its_verdict_its_limit_and_its_findings() -> None:
    *_, records = watched(100)
    assert of(records[0], 42)["verdict"] is None and of(records[0], 42)["findings"] is None
    early = of(records[20], 42)["verdict"]
    assert (early["kind"], early["words"], early["confirmed"]) == ("insufficient", "not known yet", False)
    verdict = of(records[-1], 42)["verdict"]
    assert (verdict["kind"], verdict["words"], verdict["confirmed"]) == ("leak", "growing", True)
    low, high = verdict["slope_interval_bytes_per_s"]
    assert low <= 64 * 4096 <= high and low <= verdict["slope_bytes_per_s"] <= high
    assert (verdict["limit"], verdict["limit_bytes"]) == ("app.scope", 100 * MIB)
    early_s, late_s = verdict["time_to_limit_s"]
    left_s = (100 * MIB - 4096 * (5000 + 6400 - FakeProcess(42).shr_pages)) / (64 * 4096)
    assert early_s <= left_s <= late_s + 5
    growth = next(one for one in of(records[-1], 42)["findings"] if one["id"] == "growth")
    assert growth["severity"] == "danger"
    assert growth["text"].startswith("Growing: ") and "app.scope" in growth["text"]


def test_each_is_judged_by_itself() -> None:
    *_, records = watched(100)
    beside = of(records[-1], 43)
    assert (beside["verdict"]["kind"], beside["verdict"]["time_to_limit_s"]) == ("flat", None)
    assert "growth" not in [one["id"] for one in beside["findings"]]


def test_what_has_ended_is_judged_no_more() -> None:
    source, engine, _ = watched(5)
    source.ended = [Exit(42, source.wall_s, 0)]
    del source.processes[42]
    out = io.StringIO()
    frame = engine.step(ASKED)
    assert frame is not None
    json_writer(out)(frame)
    end, record = (json.loads(line) for line in out.getvalue().splitlines())
    assert end["type"] == "exit"
    assert (of(record, 42)["verdict"], of(record, 42)["findings"]) == (None, None)


def test_who_was_not_asked_for_is_not_judged() -> None:
    source = v2(FakeProcess(42))
    engine = Engine(source)
    frame = frame_after(engine, request(outlooks=True), 3)
    assert frame.outlooks == {}


def test_nothing_known_is_null() -> None:
    assert judged_object(None) == {"verdict": None, "findings": None, "unknown": None, "held": None}
    assert judged_object(Assessment()) == {"verdict": None, "findings": [], "unknown": [], "held": None}


def test_what_is_unknown_of_a_level_process_stands_beside_its_verdict() -> None:
    source = v2(FakeProcess(42))
    source.files["proc/42/limits"] = (
        b"Max data size   unlimited  unlimited bytes\nMax address space unlimited unlimited bytes\n"
    )
    source.files |= {"proc/sys/vm/overcommit_memory": b"0\n", f"{APP}/memory.current": b"10000000\n"}
    engine, ask = Engine(source), request(only=frozenset({42}), needs_all=Need.STAT | Need.STATUS, outlooks=True)
    known = judged_object(frame_after(engine, ask, 70).outlooks[source.processes[42].key])
    source.files[f"{APP}/memory.max"] = AccessDenied("no permission")
    unread = judged_object(frame_after(engine, ask, 5).outlooks[source.processes[42].key])
    assert known["verdict"]["kind"] == unread["verdict"]["kind"] == "flat"
    assert "the limit of app.scope cannot be read (no permission)" in set(unread["unknown"]) - set(known["unknown"])


def test_a_charge_that_rises_and_is_not_judged_yet_is_unknown() -> None:
    process = FakeProcess(42)
    seen = frame_after(Engine(FakeSource(process)), request(focus=process.key, needs=Need.STAT), 70)
    for is_open in (False, True):
        assert (CHARGE_OPEN in judged_object(replace(outlook(seen), charge_open=is_open))["unknown"]) is is_open


def test_a_fork_family_that_is_not_judged_yet_is_unknown() -> None:
    process = FakeProcess(42)
    seen = frame_after(Engine(FakeSource(process)), request(focus=process.key, needs=Need.STAT), 70)
    for is_open in (False, True):
        assert (FAMILY_OPEN in judged_object(replace(outlook(seen), family_open=is_open))["unknown"]) is is_open
