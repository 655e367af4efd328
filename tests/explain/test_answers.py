"""Three lines that answer first: growth, VIRT, the limit; whole at 60 columns, and none says more than is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memtop.analysis.findings import Finding
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Confirmation
from memtop.explain.answers import answers
from memtop.model.assessment import Assessment, Limit, LimitRow
from memtop.model.row import Note
from tests.explain.rows import FULL, MACHINE
from tests.rows import MIB
from tests.tui.details import LIVE, make_detail

SHOP = LimitRow(Limit.CGROUP, "container shop", 300 * MIB, 84 * MIB, 210 * MIB, 216 * MIB, binds=True)
CELLS = 56
"""Room for a line at 60 columns, beside its mark."""


def said(outlook: Assessment | None, **row: object) -> list[str]:
    detail = make_detail(window=LIVE if outlook else LIVE._replace(cursor_s=-30.0))._replace(
        row=FULL._replace(**row),  # type: ignore[arg-type]
        outlook=outlook,
    )
    return [answer.says for answer in answers(detail, MACHINE)]


def outlook(
    kind: Shape, *findings: Finding, limit_s: tuple[float, float] | None = None, heap_level: bool = False
) -> Assessment:
    growth = Growth(kind, 60, 180.0, slope_bytes_per_s=MIB, rise_bytes=20.0 * MIB, limit_s=limit_s)
    state = Confirmation(kind=kind)
    return Assessment(findings, growth, state, heap_level=heap_level, limits=(SHOP,), first_met=SHOP)


GROWTH = Finding(
    "growth", Severity.DANGER, "x", {"rate_bytes_per_min": 60.0 * MIB, "seen_s": 180.0, "evidence": "growing"}
)


@pytest.mark.parametrize("row", [{}, {"virt_bytes": 900 * MIB, "rss_bytes": MIB}, {"virt_bytes": FULL.rss_bytes}])
def test_where_limits_were_not_read_virt_is_not_said_to_be_no_problem(row: dict[str, int]) -> None:
    known = outlook(Shape.FLAT)
    assert "a problem? No: " in said(known, **row)[1] or "a problem? No; " in said(known, **row)[1]
    unknown = said(replace(known, unread=("its resource limits cannot be read",)), **row)[1]
    assert "Probably not" in unknown and len(unknown) <= CELLS + 4


def test_what_goes_to_swap_already_fills_ram_and_swap() -> None:
    ram = LimitRow(Limit.MACHINE, "this machine's memory", 1000 * MIB, 900 * MIB, 99 * MIB, 99 * MIB, goes_to_swap=True)
    found = outlook(Shape.LEAK, GROWTH, limit_s=(120.0, 180.0))
    assert said(replace(found, first_met=ram))[0].endswith("RAM and swap full in 2 to 3 min")


@pytest.mark.parametrize("limit_s", [None, (50.0, 100.0), (3000.0, 4000.0)])
def test_confirmed_growth_has_a_wording_that_is_whole_at_60_columns(limit_s: tuple[float, float] | None) -> None:
    detail = make_detail()._replace(row=FULL, outlook=outlook(Shape.LEAK, GROWTH, limit_s=limit_s))
    growth, *_ = answers(detail, MACHINE)
    assert len(growth.shorter[-1]) <= CELLS
    assert (" in " in growth.shorter[-1]) is (limit_s is not None), "the time to the limit is never what is left out"


def test_confirmed_growth_is_one_line_with_rate_time_and_limit() -> None:
    lines = said(outlook(Shape.LEAK, GROWTH, limit_s=(120.0, 180.0)))
    assert lines == [
        "Growing +60.0 MiB/min for 3 min · container shop full in 2 to 3 min",
        "VIRT 1.24 GiB a problem? No; watch RES: 212 MiB",
        "Limit? container shop 28.0 % full, 216 MiB left",
    ]


@pytest.mark.parametrize(
    ("evidence", "word"), [("growing", "Growing"), ("possible leak", "Leak?"), ("likely leak", "Likely leak:")]
)
def test_growth_is_called_a_leak_only_by_the_evidence(evidence: str, word: str) -> None:
    finding = GROWTH._replace(facts={**GROWTH.facts, "evidence": evidence})
    assert said(outlook(Shape.LEAK, finding))[0].startswith(f"{word} +60.0 MiB/min")


def test_growth_that_has_stopped_says_so_first_and_one_that_rests_as_usual_keeps_its_forecast() -> None:
    stopped = GROWTH._replace(facts={**GROWTH.facts, "level_s": 20.0})
    says = "Level for the last 20 s · +60.0 MiB/min for 3 min before that"
    assert said(outlook(Shape.LEAK, stopped))[0] == says
    rests = GROWTH._replace(facts={**GROWTH.facts, "rests_s": 20.0})
    says = "Growing +60.0 MiB/min for 3 min, level now · container shop full in 2 to 3 min"
    assert said(outlook(Shape.LEAK, rests, limit_s=(120.0, 180.0)))[0] == says


def test_growth_of_an_earlier_moment_is_being_computed_until_its_past_was_played() -> None:
    detail = make_detail()._replace(row=FULL, outlook=outlook(Shape.INSUFFICIENT))
    assert answers(detail, MACHINE, 13)[0].says == "Growing? Being computed for this moment: 13 %"
    known = make_detail()._replace(row=FULL, outlook=outlook(Shape.FLAT))
    assert answers(known, MACHINE, 13)[0].says == "Growing? No: level for 3 min"


def test_a_rise_without_a_verdict_is_said_as_the_table_and_the_headline_say_it() -> None:
    minute = said(outlook(Shape.INSUFFICIENT), growth_bytes_per_min=155.0 * MIB)
    assert minute[0] == "Growing? +155 MiB within a minute, too early to say"
    facts: dict[str, float | str] = {"rise_bytes": 159.0 * MIB, "rise_s": 40.0, "full_s": 35.0, "limit_name": "shop"}
    full = said(outlook(Shape.INSUFFICIENT, Finding("rising", Severity.NOTE, "x", facts)))
    assert full[0] == "Growing? +159 MiB in 40 s · shop full in about 35 s"
    falls = said(outlook(Shape.INSUFFICIENT, Finding("rising", Severity.NOTE, "x", facts | {"falls": "yes"})))
    assert falls[0] == "Growing? +159 MiB in 40 s · available falls: shop full in about 35 s"


def test_growth_that_the_runtime_explains_is_not_asked_to_be_a_leak() -> None:
    assert said(outlook(Shape.LEAK, GROWTH, heap_level=True))[0] == "Growing +60.0 MiB/min for 3 min"


@pytest.mark.parametrize(
    ("finding", "facts", "says"),
    [
        ("rising", {"rise_bytes": 12.0 * MIB, "rise_s": 12.0}, "Growing? +12.0 MiB in 12 s, too early to say"),
        (
            "confirming",
            {"rise_bytes": 74.0 * MIB, "span_s": 73.0},
            "Growing? +74.0 MiB in 73 s; verdict in a few seconds",
        ),
    ],
)
def test_a_rise_without_a_verdict_is_said_with_its_numbers(finding: str, facts: dict[str, float], says: str) -> None:
    found = Finding(finding, Severity.NOTE, "x", {**facts})
    assert said(outlook(Shape.INSUFFICIENT, found))[0] == says


@pytest.mark.parametrize("kind", Shape)
def test_every_shape_has_a_first_line_that_fits(kind: Shape) -> None:
    first, virt, limit = said(outlook(kind))
    assert first.startswith("Growing? ")
    assert max(map(len, (first, virt, limit))) <= CELLS


def test_the_past_has_the_growth_of_its_own_minute_and_an_unknown_limit() -> None:
    lines = said(None)
    assert lines[0].startswith("Growing then? ")
    assert lines[1].startswith("VIRT 1.24 GiB a problem?")
    assert lines[2:] == ["Limit then? Not known"]


def test_sizes_in_the_answer_about_virt_add_up_to_the_eye() -> None:
    held = said(outlook(Shape.FLAT), virt_bytes=20 << 30, rss_bytes=51 * MIB, swap_bytes=0)
    assert "VIRT 20.0 GiB a problem? No: nearly all of it uses no RAM" in held
    less = said(outlook(Shape.FLAT), virt_bytes=200 * MIB, rss_bytes=51 * MIB, swap_bytes=0)
    assert "VIRT 200 MiB a problem? No: 149 MiB uses no RAM" in less
    near = said(outlook(Shape.FLAT), virt_bytes=60 * MIB, rss_bytes=58 * MIB, swap_bytes=0)
    assert "VIRT 60.0 MiB a problem? No; watch RES: 58.0 MiB" in near
    swapped = said(outlook(Shape.FLAT), virt_bytes=200 * MIB, rss_bytes=20 * MIB, swap_bytes=170 * MIB)
    assert "VIRT 200 MiB a problem? No: nearly all in use" in swapped


def test_a_process_whose_memory_is_gone_for_a_moment_is_waited_for_without_a_sentence() -> None:
    assert said(outlook(Shape.FLAT), virt_bytes=None, rss_bytes=None) == []
    assert said(outlook(Shape.FLAT), virt_bytes=None, rss_bytes=None, note=Note.DENIED) != []


def test_what_has_no_memory_has_one_line_and_a_limit_that_was_not_read_is_not_named() -> None:
    assert len(said(outlook(Shape.FLAT), note=Note.ZOMBIE)) == 1
    unread = Assessment(unread=("its cgroup cannot be read",))
    assert said(unread)[2] == "Limit? Unknown: its cgroup cannot be read"


@pytest.mark.parametrize(
    ("gained", "says"),
    [
        (51.4 * MIB, "RES +51.4 MiB in the minute before"),
        (0.0, "RES did not change in the minute before"),
        (None, "Not known"),
    ],
)
def test_before_there_was_a_verdict_growth_is_what_the_table_shows(gained: float | None, says: str) -> None:
    assert said(None, growth_bytes_per_min=gained)[0] == f"Growing then? {says}"
