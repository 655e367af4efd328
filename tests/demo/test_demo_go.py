"""The recorded Go services: what memtop shows of them when they are played, and that they may be shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtop.demo.recorded_runs import recorded_named, recorded_runs
from memtop.engine.engine import Engine
from memtop.errors import UsageError
from memtop.model.detail import Detail
from memtop.runtimes.go.facts import GO_VERDICTS
from memtop.runtimes.go.growth import GoVerdict
from memtop.settings import Settings
from memtop.sources.recording.replay import Replay
from memtop.tui.panels.runtime import body_lines, head_lines
from memtop.view_state import View
from tests.requests import changed, request

NAMES = [run.name for run in recorded_runs()]
MIB = 1 << 20


def played(name: str) -> Detail:
    """The last picture of a recording, as ``memtop demo go`` shows it."""
    run = recorded_named(name)
    source = Replay(run.path)
    try:
        engine = Engine(source, position=source.position)
        ask, last = request(only=frozenset({run.pid}), panel="runtime"), None
        while (frame := engine.step(ask)) is not None:
            if frame.rows:
                ask, last = changed(ask, focus=frame.rows[0].key), frame
        assert last is not None
        assert last.detail is not None
        return last.detail
    finally:
        source.close()


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("leak", GoVerdict.LEAK_OBJECTS),
        ("churn", GoVerdict.PRESSURE),
        ("limit", GoVerdict.PRESSURE),
        ("returned", GoVerdict.PRESSURE),
    ],
)
def test_the_recorded_service_gets_its_verdict(name: str, verdict: GoVerdict) -> None:
    detail = played(name)
    assert detail.runtime is not None
    facts = dict(detail.runtime.facts)
    assert facts["go_verdict"] == GO_VERDICTS[verdict]
    assert facts["go_version"].startswith("go1.")
    assert any(sentence.startswith("Go's figures add up (5 of 5") for sentence in detail.runtime.sentences)
    assert head_lines(detail, 78)
    assert body_lines(detail, 78, plain=True)


@pytest.mark.parametrize("name", NAMES)
def test_what_nobody_has_recorded_is_no_trouble(name: str) -> None:
    run = recorded_named(name)
    source = Replay(run.path)
    engine = Engine(source, position=source.position)
    ask = View.of(Settings(pids=(run.pid,), replay=run.path)).request()
    while (frame := engine.step(ask)) is not None:
        keys = frozenset(row.key for row in frame.rows)
        ask = changed(ask, focus=next(iter(keys), None), visible=keys)
        assert frame.problems == ()
    source.close()


def test_a_limit_that_is_too_low_is_recognised() -> None:
    runtime = played("limit").runtime
    assert runtime is not None
    assert runtime.notice is not None
    assert runtime.notice.bad
    assert "is less than the program needs" in runtime.notice.text


def test_memory_that_was_given_back_is_told_by_lazyfree() -> None:
    detail = played("returned")
    assert detail.runtime is not None
    assert {part.key: part.size_bytes for part in detail.runtime.parts}["freed"] > 200 * MIB
    said = "\n".join(line.text for line in body_lines(detail, 400))
    assert "It returns memory with MADV_FREE" in said


@pytest.mark.parametrize("name", NAMES)
def test_the_commentary_goes_with_the_recording(name: str) -> None:
    run = recorded_named(name)
    source = Replay(run.path)
    samples = source.position()[1]
    source.close()
    assert run.moments[0].sample == 0
    assert [moment.sample for moment in run.moments] == sorted({moment.sample for moment in run.moments})
    assert run.moments[-1].sample < samples - 5
    steps = [run.step_at(sample).number for sample in range(samples)]
    assert steps == sorted(steps)
    assert steps[-1] == len(run.moments)


def test_the_recordings_are_small_and_hold_no_address_with_a_query_and_no_foreign_path() -> None:
    files = [Path(run.path) for run in recorded_runs()]
    assert sum(file.stat().st_size for file in files) < 1 << 20
    for file in files:
        data = file.read_bytes()
        assert b"?" not in data.partition(b"http://")[2][:60]
        assert b"/home/" not in data
        assert b"PATH=" not in data


def test_another_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="leak, churn, limit, returned"):
        recorded_named("nonsense")
    assert recorded_named("").name == "leak"
