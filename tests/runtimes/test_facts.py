"""The numbers of Go programs and JVMs as text."""

from __future__ import annotations

import math

import pytest

from memtop.explain.topic_loader import topic
from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.facts import GO_VERDICTS, go_facts
from memtop.runtimes.go.growth import GoVerdict
from memtop.runtimes.jvm.facts import JVM_VERDICTS, jvm_facts
from memtop.runtimes.jvm.flags import JvmFlags
from memtop.runtimes.jvm.growth import JvmVerdict
from tests.runtimes.samples import BUILD, GO_FACTS, GO_HEAP, JVM_FACTS, JVM_HEAP


def test_nothing_known_is_no_fact() -> None:
    assert go_facts() == {}
    assert jvm_facts() == {}


def test_no_fact_is_a_dash_or_the_word_none() -> None:
    for facts in (GO_FACTS, JVM_FACTS):
        assert not {"–", "None", "", "inf", "nan"} & set(facts.values())
        assert all(text.isprintable() for text in facts.values())


def test_names_say_whose_facts_they_are() -> None:
    assert all(name.startswith("go_") for name in GO_FACTS)
    assert all(name.startswith("jvm_") for name in JVM_FACTS)


def test_what_was_freed_and_not_taken_is_told_with_the_true_footprint() -> None:
    page = topic("go_returned").fill(GO_FACTS)
    assert "MADV_FREE" in page
    assert f"{GO_FACTS['go_lazy']} of RES is already freed" in page
    assert GO_FACTS["go_rss_without_lazy"] in page


def test_settings_as_people_know_them() -> None:
    assert go_facts(settings=GoSettings())["go_gogc"] == "not set, which means 100"
    assert go_facts(settings=GoSettings(gogc="off", gomemlimit="70MiB"))["go_gomemlimit"] == "70MiB"
    assert "go_freed_by" not in go_facts(settings=GoSettings())
    assert go_facts(build=BUILD, settings=GoSettings())["go_freed_by"] == "MADV_DONTNEED"


def test_what_the_program_itself_says_comes_before_its_environment() -> None:
    heap = GO_HEAP._replace(gogc_percent=math.inf, gomemlimit_bytes=100.0 * 1024**2)
    facts = go_facts(settings=GoSettings(gogc="50"), heap=heap)
    assert facts["go_gogc"] == "off"
    assert facts["go_gomemlimit"] == "100 MiB"


def test_a_goal_that_is_infinite_is_not_told() -> None:
    assert "go_next_gc" not in go_facts(heap=GO_HEAP._replace(next_gc_bytes=math.inf))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (JvmFlags(max_heap_bytes=256 << 20), "-Xmx of 256 MiB"),
        (JvmFlags(max_ram_percentage=75.0), "75.0 % of the RAM"),
        (JvmFlags(), None),
    ],
)
def test_the_limit_of_the_heap_as_it_was_given(flags: JvmFlags, said: str | None) -> None:
    assert jvm_facts(JVM_HEAP._replace(flags=flags)).get("jvm_xmx") == said


def test_every_verdict_has_its_words() -> None:
    assert GO_VERDICTS.keys() == set(GoVerdict)
    assert JVM_VERDICTS.keys() == set(JvmVerdict)


def test_pauses_have_the_unit_that_suits_them() -> None:
    def pause(time_ns: int) -> str:
        return go_facts(heap=GO_HEAP._replace(pause_max_ns=time_ns))["go_pause_max"]

    assert [pause(n) for n in (950, 25_000, 1_500_000, 2_000_000_000)] == ["0.95 µs", "25 µs", "1.5 ms", "2 s"]
