"""What a Go program gives to the findings while its panel is not on screen."""

from __future__ import annotations

import gc

import pytest

from memtop.errors import ParseError
from memtop.runtimes.go import tracker as go_tracker
from memtop.runtimes.go.growth import GoPoint
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.runtimes.go.reading import encode_metrics
from memtop.runtimes.go.tracker import GoTracker
from memtop.runtimes.protocol import Conditions, Identity, ProcessContext, ReadingMoment
from memtop.runtimes.view import Arena, FindingFacts, KernelFigures, Shown
from tests.lab.points import lines

KERNEL = KernelFigures(42, 100 << 20, 80 << 20)


def fed(run: str) -> tuple[GoTracker, float]:
    """The tracker of a recorded program at its end, and the time of its last reading."""
    tracker, at_s = GoTracker(), 0.0
    tracker.identified(Identity("go", build="go1.19.8\n"))
    for line in lines(run):
        at_s = line["t"]
        data = encode_metrics("x", parse_go_metrics(line["body"].encode()))
        begun = ReadingMoment(at_s, line["rss"], line["anon"], line["minflt"])
        tracker.take("metrics", data, begun, ProcessContext(None, None, line["lazy_free"]))
    return tracker, at_s


@pytest.mark.parametrize(("run", "steady"), [("churn", True), ("leak", False)])
def test_the_verdict_on_a_heap_is_known_without_its_panel(run: str, steady: bool) -> None:
    tracker, now_s = fed(run)
    found = tracker.finding_facts(KERNEL, now_s, fresh=True)
    assert found is not None
    assert (found.steady_live_bytes is not None) is steady
    assert (found.alarm == "heap_leak") is not steady


def test_what_figures_indicated_stays_with_its_age_until_newer_ones_come_and_another_address_forgets_it() -> None:
    tracker, now_s = fed("leak")
    nothing = FindingFacts(not_looked_at=("whether GOMEMLIMIT is set",), frees_lazily=False)
    assert tracker.finding_facts(KERNEL, now_s, fresh=False) == nothing, "they were old from the beginning"
    current = tracker.finding_facts(KERNEL, now_s, fresh=True)
    old = tracker.finding_facts(KERNEL, now_s + 60, fresh=False)
    assert current is not None and old is not None
    assert (current.past_s, round(old.past_s or 0), old.alarm) == (None, 60, "heap_leak")
    assert old.live_bytes == current.live_bytes
    assert (old.gc_per_s, old.held_bytes, old.ceilings) == (None, None, ())
    tracker.forget_figures()
    assert tracker.finding_facts(KERNEL, now_s + 60, fresh=False) == nothing
    assert tracker.finding_facts(KERNEL, now_s, fresh=True) == nothing


def test_of_a_process_that_is_not_known_to_be_go_nothing_is_said_about_gomemlimit() -> None:
    assert GoTracker().finding_facts(KERNEL, 0.0, fresh=False) is None


def test_listeners_are_looked_for_only_in_the_panel_and_only_without_an_address() -> None:
    tracker, _ = fed("leak")

    def names(now: Conditions) -> set[str]:
        return {wanted.name for wanted in tracker.wanted(now)}

    assert names(Conditions(shown=True, address=False, replaying=False)) == {"environ", "container", "listeners"}
    assert names(Conditions(shown=False, address=False, replaying=False)) == {"environ", "container"}
    assert names(Conditions(shown=True, address=True, replaying=False)) == {"environ", "container", "metrics"}


def test_metrics_that_cannot_be_those_of_this_process_are_refused() -> None:
    tracker = GoTracker()
    line = lines("leak")[-1]
    data = encode_metrics("x", parse_go_metrics(line["body"].encode()))
    with pytest.raises(ParseError, match="metrics of another process"):
        tracker.take("metrics", data, ReadingMoment(0.0, 1, 1, None), ProcessContext(None, 4096, None))


def test_without_metrics_the_kinds_of_mappings_that_are_named_are_those_of_go() -> None:
    tracker = GoTracker()
    tracker.identified(Identity("go", build="go1.22.1\n"))
    arenas = (Arena("go_heap", "Go heap", 64 << 20, 9 << 20), Arena("library", "library", 2 << 20, 1 << 20))
    said = " ".join(tracker.view(Shown(0.0, KERNEL, arenas=arenas, arenas_age_s=3.0)).sentences)
    assert "Go heap 9.00 MiB of 64.0 MiB" in said
    assert "library" not in said


@pytest.mark.parametrize(
    ("lazy_free_bytes", "words"), [(None, "how much is unknown"), (7 << 20, "7.00 MiB of it still in RES")]
)
def test_memory_that_is_returned_lazily_is_not_said_to_be_out_of_res(lazy_free_bytes: int | None, words: str) -> None:
    tracker, at_s = fed("returned")
    tracker.identified(Identity("go", build="go1.15.1\n"))
    tracker.take("environ", b"", ReadingMoment(at_s, 1, 1, None), ProcessContext(None, None, None))
    assert tracker.lazy_free_decides
    said = " ".join(tracker.view(Shown(at_s, KERNEL._replace(lazy_free_bytes=lazy_free_bytes))).sentences)
    assert words in said
    assert "not in RES" not in said


def test_figures_and_collections_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_tracker, "POINTS", 5)
    monkeypatch.setattr(go_tracker, "MOST_COLLECTIONS", 3)
    gc.collect()
    before = sum(type(one) is GoPoint for one in gc.get_objects())
    tracker, _ = fed("leak")
    assert len(tracker.collections_s) == 3
    gc.collect()
    assert sum(type(one) is GoPoint for one in gc.get_objects()) - before <= 5
