"""Every finding has its sentences, whole and without what is unknown."""

from __future__ import annotations

import pytest

from memtop.analysis.findings import RULES, Finding, FindingInputs, find
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Confirmation
from memtop.explain.finding_text import known_sentences, nothing_wrong, sentences_of, span
from memtop.explain.limit_names import short
from memtop.explain.package_files import tables_of
from memtop.explain.topic_loader import topic
from memtop.model.assessment import Assessment
from tests.analysis.findings.test_findings import CASES, MIB

TEXTS = tables_of("findings.toml")
NOT_RULES = {"nothing"}


def test_texts_and_rules_have_the_same_names_and_topics_exist() -> None:
    assert set(TEXTS) - NOT_RULES == set(RULES)
    assert all(topic(rule.topic).name == rule.topic for rule in RULES.values())


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)])
def test_each_finding_has_a_sentence_without_holes(case: tuple[str, dict[str, object], object, Severity]) -> None:
    finding = next(one for one in find(FindingInputs(**case[1])) if one.name == case[0])  # type: ignore[arg-type]
    words = sentences_of(finding)
    assert words.says and words.says[0] != " " and words.says.endswith(".")
    assert "{" not in words.says + words.doubt + words.next
    if finding.severity > Severity.NOTE:
        assert words.next, "what is bad needs a next step"


def test_no_sentence_says_leak_as_a_fact() -> None:
    facts: dict[str, float | str] = {"evidence": "growing", "seen_s": 90.0}
    facts |= dict.fromkeys(("rate_bytes_per_min", "rate_low_bytes_per_min", "rate_high_bytes_per_min"), 1e6)
    growing = Finding("growth", Severity.WARNING, "x", facts)
    assert sentences_of(growing).says.startswith("Growing: ")
    assert "leak" not in sentences_of(growing).says


@pytest.mark.parametrize(
    ("early_s", "late_s", "says"),
    [
        (2130.0, 2900.0, "35 to 50 min"),
        (18.0, 25.0, "15 to 25 s"),
        (0.0, 30.0, "less than 30 s"),
        (9000.0, 20_000.0, "2.5 to 6 h"),
        (100.0, float("inf"), "100 s to over 10 days"),
        (3.0, 200.0, "less than 3.5 min"),
        (500.0, 16_200.0, "8 min to 4.5 h"),
        (2130.0, 25_000.0, "35 min to 7 h"),
        (0.0, 1500.0, "less than 25 min"),
        (0.0, float("inf"), "seconds to over 10 days"),
        (2e6, float("inf"), "over 10 days"),
        (7300.0, 518_000.0, "2 to 144 h"),
        (20.0, 130.0, "20 to 150 s"),
        (119.0, 268.0, "90 s to 4.5 min"),
        (121.0, 268.0, "2 to 4.5 min"),
        (100.0, 190.0, "100 to 190 s"),
    ],
)
def test_a_range_of_time_is_rounded_outwards(early_s: float, late_s: float, says: str) -> None:
    assert span(early_s, late_s) == says


@pytest.mark.parametrize("kind", list(Shape))
@pytest.mark.parametrize("alone", [True, False])
def test_where_a_limit_could_not_be_read_none_is_said_to_be_far(kind: Shape, alone: bool) -> None:
    growth = Growth(kind, 90, 90.0, 1.0, 0.9, 1.1, z=3.0)
    for changing in (False, True):
        state = Confirmation(kind=kind, looks=1 if changing else 0)
        line = nothing_wrong(Assessment(growth=growth, state=state, unread=("a", "b")), alone=alone)
        assert "Unknown whether a limit is near: a; b." in line
        assert "no limit" not in line.lower()
        assert "Nothing wrong" not in line


def test_with_nothing_wrong_there_is_one_line() -> None:
    assert "A verdict on growth takes" in nothing_wrong(Assessment())


def test_what_varies_is_not_called_level() -> None:
    assert "memory has varied without a trend for 70 s" in nothing_wrong(
        Assessment(growth=Growth(Shape.NOISY, 70, 70.0))
    )


@pytest.mark.parametrize("kind", [Shape.FLAT, Shape.WARMUP, Shape.STEP])
def test_beside_other_statements_nothing_is_said_to_be_right(kind: Shape) -> None:
    outlook = Assessment(growth=Growth(kind, 70, 70.0))
    assert nothing_wrong(outlook).startswith("Nothing wrong")
    beside = nothing_wrong(outlook, alone=False)
    assert "wrong" not in beside and "o limit is near." in beside


@pytest.mark.parametrize("kind", [Shape.FLAT, Shape.WARMUP, Shape.INSUFFICIENT])
def test_while_its_fork_family_is_not_judged_nothing_is_said_to_be_right(kind: Shape) -> None:
    line = nothing_wrong(Assessment(growth=Growth(kind, 70, 70.0), family_open=True))
    assert "wrong" not in line and "Unknown yet whether its fork family as a whole grows." in line


def test_a_long_path_of_a_cgroup_is_told_by_its_end() -> None:
    path = "/process_api/b25345e64c7e634a5e965964a97364ae/worker"
    assert short(path) == "…/worker"
    assert short(f"memory.high of {path}") == "memory.high of …/worker"
    assert short("/system/api") == "/system/api"
    assert short("docker 0123456789ab and a name that is long") == "docker 0123456789ab and a name that is long"
    assert short("a-unit-with-a-very-long-name.service/worker") == "a-unit-with-a-very-long-name.se…"
    assert len(short("/a/" + "x" * 90)) <= 32 and short("/a/" + "x" * 90).startswith("…x")
    container = f"docker-{'0123456789abcdef' * 4}.scope"
    assert short(f"/system.slice/{container}") == "…docker-01234567…789abcdef.scope"
    for most in range(2, 80):
        assert len(short(f"memory.high of /system.slice/{container}", most)) <= most
    facts: dict[str, float | str] = {"limit_name": path, "used_bytes": 1.0, "limit_bytes": 2.0, "used_percent": 50.0}
    assert sentences_of(Finding("near_limit", Severity.WARNING, "x", facts)).says.startswith("…/worker: ")


@pytest.mark.parametrize(
    ("beside", "pace"),
    [
        ({}, "At this rate shop"),
        ({"beside_count": 1}, "With 1 other that grows, shop"),
        ({"beside_count": 3}, "With 3 others that grow, shop"),
        ({"falls": "yes"}, "Available memory falls faster than it rises; at that rate shop"),
    ],
)
def test_the_time_until_a_limit_is_full_says_whose_rate_it_follows(beside: dict[str, float | str], pace: str) -> None:
    facts: dict[str, float | str] = {"rise_bytes": 26 << 20, "rise_s": 13.0, "full_s": 240.0, "limit_name": "shop"}
    says = Finding("rising", Severity.NOTE, "verdicts", facts | beside)
    assert sentences_of(says).says.endswith(f" {pace} is full in about 4 min.")


@pytest.mark.parametrize(("number", "says"), [("1", "1 OOM kill there"), ("2", "2 OOM kills there")])
def test_a_noun_after_a_count_is_in_the_singular_or_plural(number: str, says: str) -> None:
    assert known_sentences(["{kills_count OOM kill} there", "{restarts_count restart}"], {"kills_count": number}) == [
        says
    ]


@pytest.mark.parametrize(("number", "words"), [(1, "1 zombie among"), (2, "2 zombies among"), (1000, "1,000 zombies")])
def test_zombies_are_counted_in_words_that_fit_their_number(number: int, words: str) -> None:
    (finding,) = find(FindingInputs(zombies=number))
    assert sentences_of(finding).says.startswith(words)


def test_the_name_of_the_only_candidate_is_that_of_the_first_victim() -> None:
    full = FindingInputs(limit_name="api", limit=100 * MIB, unreclaimable=95 * MIB, victim="worker (7)", victim_of=1)
    (finding,) = find(full)
    assert "OOM-kills worker (7), the only candidate" in sentences_of(finding).says
