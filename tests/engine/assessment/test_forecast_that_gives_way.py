"""A program that fills most of a limit and stops: no view says that the limit is full in seconds for long after."""

from __future__ import annotations

import pytest

from memtop.analysis.findings.rule import WARNING
from memtop.analysis.incidents import StandingIncidents
from memtop.analysis.incidents.incident import Incident, Scope, Subject
from memtop.explain.answers import answers
from memtop.explain.incident_text import headline, incident_sentences
from memtop.model.frame import Frame
from tests.engine.assessment.test_incidents import names, report, world
from tests.fakes import MIB_PAGES, FakeProcess
from tests.requests import request
from tests.sampling.test_cgroups import APP, MIB

STOPS_AT_MIB = 96
"""Of a limit of 100 MiB."""


def stopped(mib_a_s: float, for_s: int) -> list[list[str]]:
    """What is said at each second after growth has stopped: headline, incidents, and the answer beside the chart."""
    process, idle = FakeProcess(42, comm=b"leaky", cmdline=b"/usr/bin/leaky\0"), FakeProcess(50)
    source, engine = world(process, idle)
    source.files[f"{APP}/memory.max"] = b"%d\n" % (100 * MIB)
    seconds = int((STOPS_AT_MIB - 20) / mib_a_s)
    said, frame = [], None
    for second in range(seconds + for_s):
        size = int((20 + mib_a_s * min(second, seconds)) * MIB)
        process.rss_pages = process.shr_pages + size * MIB_PAGES // MIB
        source.files[f"{APP}/memory.current"] = b"%d\n" % size
        source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % size
        frame = engine.step(request(focus=process.key))
        assert frame is not None
        said.append(sentences(frame))
        if second == seconds:
            assert any("full in" in line for line in said[-1]), said[-1]
    assert frame is not None
    assert "near_limit" in names(frame)  # it is as full as before
    return said[seconds + 1 :]


def sentences(frame: Frame) -> list[str]:
    if frame.incidents is None:
        return []
    assert frame.detail is not None
    return [
        headline(frame.incidents, frame.system).says,
        *(incident_sentences(one).says for one in report(frame).standing),
        answers(frame.detail, frame.system)[0].says,
    ]


@pytest.mark.parametrize("mib_a_s", [0.7, 1, 8])
def test_the_time_until_a_limit_is_full_is_not_said_once_growth_has_stopped_for_some_samples(mib_a_s: float) -> None:
    for second, lines in enumerate(stopped(mib_a_s, 20), start=1):
        assert second < 8 or not [line for line in lines if "full in" in line], second


def test_an_incident_that_is_kept_for_a_moment_does_not_repeat_its_forecast() -> None:
    fills = Incident(
        "filling", WARNING, Subject(Scope.CGROUP, "app", path="/app"), {"rise_bytes": 1.0, "full_s": 20.0}, 1.0, 0.0,
        kills_in_s=20.0,
    )  # fmt: skip
    standing = StandingIncidents()
    for second in range(3):
        standing = standing.after(float(second), [fills])
    (kept,) = standing.after(3.0, []).standing
    assert "full_s" in kept.facts  # one sample without it is no news
    (later,) = standing.after(5.0, []).standing
    assert "full_s" not in later.facts
    assert later.kills_in_s > 1e9
