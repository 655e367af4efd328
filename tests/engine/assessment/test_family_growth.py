"""A fork family that stops sharing grows though RES of none of its members moves."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from memtop.analysis.findings import Finding
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, MemtopError
from memtop.explain.finding_text import nothing_wrong, sentences_of
from memtop.explain.incident_text import headline
from memtop.headless import check
from memtop.headless.check import Answer, answer_to
from memtop.model.assessment import Assessment
from memtop.model.frame import Frame
from memtop.procfs.pagemap import Tally
from memtop.procfs.pagemap_report import PagemapReport, format_report
from memtop.sampling.request import Need
from memtop.sampling.smaps import family_sums
from memtop.sampling.smaps.smaps_view import Missing
from memtop.sources.protocol import Exit, Instant
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, outlook
from tests.requests import changed, request
from tests.sampling.test_cgroups import APP, MIB, POD, STAT, v2
from tests.sampling.test_smaps import rollup

KIB = 1024
HEAP_KIB = 20 * KIB
WORKERS = (43, 44, 45)


class Prefork(FakeSource):
    """A parent and its workers with 20 MiB each, of which each worker copies so many KiB a second."""

    def __init__(self, copied_kib: Callable[[int], int], ends: int = 200) -> None:
        parent = FakeProcess(42, rss_pages=25 * MIB_PAGES)
        super().__init__(parent, *(FakeProcess(pid, ppid=42, rss_pages=25 * MIB_PAGES) for pid in WORKERS))
        self.copied_kib, self.left, self.second = copied_kib, ends, 0
        self.hidden: dict[int, MemtopError] = {}

    def begin(self) -> Instant | None:  # type: ignore[override]
        if not self.left:
            return None
        self.left, self.second = self.left - 1, self.second + 1
        own = min(HEAP_KIB, self.copied_kib(self.second))
        for pid in (42, *WORKERS):
            mine = 0 if pid == 42 else own
            shared = HEAP_KIB - mine
            sharers = 1 + (len(WORKERS) if own < HEAP_KIB else 0)
            self.files[f"proc/{pid}/smaps_rollup"] = self.hidden.get(
                pid, rollup(HEAP_KIB, mine + shared // sharers, mine, shared)
            )
            if pid in self.processes:
                self.processes[pid].minflt += 64 if own < HEAP_KIB else 0
        return super().begin()


def watched(source: FakeSource, ticks: int) -> Frame:
    engine = Engine(source)
    ask = request(focus=source.processes[42].key, needs=Need.STAT | Need.STATUS)
    for _ in range(ticks):
        frame = engine.step(ask)
    assert frame is not None
    return frame


def test_workers_that_copy_what_they_shared_are_growth() -> None:
    found = outlook(watched(Prefork(lambda second: 100 * second), 150))
    (finding,) = [one for one in found.findings if one.name == "family_growth"]
    assert (finding.facts["family_count"], finding.facts["measure"]) == (4, "PSS")
    assert float(finding.facts["rate_bytes_per_min"]) == pytest.approx(3 * 0.75 * 100 * KIB * 60, rel=0.15)
    assert "4 processes, sum of PSS" in sentences_of(finding).says
    assert found.state is not None and not found.state.alarm, "RES of none of them moves"
    assert answer_to(found) is Answer.BAD


def test_where_readings_take_long_the_faults_between_them_tell() -> None:
    """A point every eight seconds is too few for a verdict in minutes."""
    source = Prefork(lambda second: 100 * second)
    source.delays_s = {f"proc/{pid}/smaps_rollup": 8.0 for pid in (42, *WORKERS)}
    found = outlook(watched(source, 120))
    (finding,) = [one for one in found.findings if one.name == "family_growth"]
    assert float(finding.facts["rate_bytes_per_min"]) == pytest.approx(3 * 0.75 * 100 * KIB * 60, rel=0.15)


@pytest.mark.parametrize("workers", [1, 3])
def test_where_pagemap_is_read_the_family_gains_no_more_than_was_copied(workers: int) -> None:
    """A page that only two shared becomes the own page of both when one copies it, which takes one page more."""
    pids = WORKERS[:workers]
    source = FakeSource(
        *(FakeProcess(pid, ppid=1 if pid == 42 else 42, rss_pages=1024 * MIB_PAGES) for pid in (42, *pids))
    )
    engine = Engine(source)
    ask = request(focus=source.processes[42].key, needs=Need.STAT | Need.STATUS)
    for second in range(150):
        own = (second * MIB) // 4096
        tally: Tally = {0x81: own, 0x80: 1024 * MIB_PAGES - own}
        maps = b"10000000-50000000 rw-p 00000000 00:00 0   [heap]\n"
        report = format_report(PagemapReport(4096, 530, 80, True, [tally], maps))
        source.files |= {f"proc/{pid}/pagemap": report for pid in (42, *pids)}
        for pid in pids:
            source.processes[pid].minflt += 256
        frame = engine.step(ask)
    assert frame is not None
    (finding,) = [one for one in outlook(frame).findings if one.name == "family_growth"]
    assert finding.facts["measure"] == "estimated PSS"
    assert float(finding.facts["rate_bytes_per_min"]) == pytest.approx(workers * MIB * 60, rel=0.1)
    low, high = (float(finding.facts[f"rate_{end}_bytes_per_min"]) for end in ("low", "high"))
    assert low < 0.9 * workers * MIB * 60 < 1.1 * workers * MIB * 60 < high
    assert re.search(r"by [0-9.]+ MiB per minute \([0-9.]+ MiB to [0-9.]+ MiB\)", sentences_of(finding).says)


def test_faults_that_copy_nothing_are_no_growth() -> None:
    source = Prefork(lambda second: 0)
    source.delays_s = {f"proc/{pid}/smaps_rollup": 8.0 for pid in (42, *WORKERS)}
    found = outlook(watched(source, 180))
    assert "family_growth" not in [one.name for one in found.findings]
    assert answer_to(found) is Answer.FINE


def test_a_family_that_goes_on_sharing_is_level_and_read_seldom() -> None:
    source = Prefork(lambda second: 0)
    for process in source.processes.values():
        process.minflt = 0
    found = outlook(watched(source, 150))
    assert "family_growth" not in [one.name for one in found.findings]
    assert not any("fork relatives" in one for one in found.not_looked_at)
    assert not [path for path in source.asked_ever if path.endswith("/smaps")]


def test_copying_that_is_over_is_not_growth_for_ever() -> None:
    found = outlook(watched(Prefork(lambda second: 1000 * second), 200))
    assert "family_growth" not in [one.name for one in found.findings]


@cache
def risen_and_stopped() -> list[Assessment]:
    """At each of 220 ticks."""
    source = Prefork(lambda second: 300 * second, 300)
    engine, ask = Engine(source), request(focus=source.processes[42].key, needs=Need.STAT | Need.STATUS)
    return [outlook(engine.step(ask)) for _ in range(220)]


@pytest.mark.parametrize(("ticks", "answer"), [(95, Answer.UNKNOWN), (220, Answer.FINE)])
def test_a_family_that_has_just_stopped_rising_is_not_called_fine_and_then_what_it_took_is_said(
    ticks: int, answer: Answer
) -> None:
    found = risen_and_stopped()[ticks - 1]
    assert answer_to(found) is answer
    assert ("Its fork family as a whole rose by" in nothing_wrong(found)) is (answer is Answer.FINE)


@pytest.mark.parametrize(
    ("second", "answer", "words"), [(0, Answer.FINE, "Nothing wrong"), (100, Answer.BAD, "sum of PSS")]
)
def test_check_judges_the_family_too(second: int, answer: Answer, words: str) -> None:
    out = io.StringIO()
    engine = Engine(Prefork(lambda now: second * now, 150))
    assert check.run(engine, 42, 1e6, 0.0, out) is answer
    assert words in out.getvalue()


def test_before_the_family_is_judged_nothing_is_fine() -> None:
    out = io.StringIO()
    assert check.run(Engine(Prefork(lambda second: 0, 50)), 42, 1e6, 0.0, out) is Answer.UNKNOWN


def test_a_relative_that_may_not_be_read_leaves_the_family_unknown_and_that_is_said() -> None:
    source = Prefork(lambda second: 100 * second)
    source.hidden[44] = AccessDenied("no")
    found = outlook(watched(source, 150))
    assert "family_growth" not in [one.name for one in found.findings]
    assert f"what it and its 3 fork relatives take together ({Missing.DENIED.value})" in nothing_wrong(found)


def test_without_smaps_it_is_said_that_the_family_was_not_looked_at() -> None:
    source = Prefork(lambda second: 100 * second)
    engine = Engine(source)
    ask = changed(request(focus=source.processes[42].key, needs=Need.STAT | Need.STATUS), smaps=False)
    for _ in range(100):
        frame = engine.step(ask)
    assert frame is not None
    assert "--no-smaps" in nothing_wrong(outlook(frame))
    assert not [path for path in source.asked_ever if "smaps" in path]


def test_where_a_cgroups_limit_shows_it_the_family_is_not_read() -> None:
    processes = [FakeProcess(pid, ppid=1 if pid == 42 else 42) for pid in (42, *WORKERS)]
    source = v2(*processes)
    watched(source, 60)
    assert not [path for path in source.asked_ever if "smaps" in path]


def test_the_charge_of_its_own_cgroup_is_judged_without_a_limit_too() -> None:
    source = v2(*(FakeProcess(pid, ppid=1 if pid == 42 else 42) for pid in (42, 43)))
    source.files |= {f"{APP}/memory.max": b"max\n", f"{APP}/memory.high": b"max\n", f"{POD}/memory.max": b"max\n"}
    engine = Engine(source)
    ask = request(focus=source.processes[42].key, needs=Need.STAT | Need.STATUS)
    for second in range(150):
        anon = 50_000_000 + second * MIB // 5
        source.files[f"{APP}/memory.current"] = b"%d\n" % (anon + 9_400_000)
        source.files[f"{APP}/memory.stat"] = STAT.replace(b"anon 50000000", b"anon %d" % anon)
        frame = engine.step(ask)
    assert frame is not None
    (finding,) = [one for one in outlook(frame).findings if one.name == "charge_growth"]
    assert finding.facts["limit_name"] == "app.scope"
    assert {"limit_bytes", "early_s"}.isdisjoint(finding.facts)
    assert "meets its limit" not in sentences_of(finding).says
    assert not [path for path in source.asked_ever if "smaps" in path], "the charge shows it"


def listing_children(source: Prefork) -> Prefork:
    source.files["proc/42/task/42/children"] = b"43 44 45 "
    source.files |= {f"proc/{pid}/task/{pid}/children": b"" for pid in WORKERS}
    return source


@pytest.mark.parametrize("pid", [42, 43])
@pytest.mark.parametrize("in_focus", [True, False])
def test_where_only_one_of_a_family_is_asked_for_the_others_are_read_too(pid: int, *, in_focus: bool) -> None:
    source = listing_children(Prefork(lambda second: 100 * second, 150))
    source.processes[77] = FakeProcess(77, rss_pages=25 * MIB_PAGES, start_code=0x4444_0000)
    engine, key = Engine(source), source.processes[pid].key
    ask = request(only=frozenset({pid}), needs_all=Need.STAT | Need.STATUS, outlooks=not in_focus)
    if in_focus:
        ask = changed(ask, focus=key)
    while (frame := engine.step(ask)) is not None:
        last = frame
        assert [row.pid for row in last.rows] == [pid]
    assert "the fork family of app (" in headline(last.incidents, last.system).says
    found = outlook(last) if in_focus else last.outlooks[key]
    (finding,) = [one for one in found.findings if one.name == "family_growth"]
    assert (finding.facts["family_count"], finding.facts["measure"]) == (4, "PSS")
    assert answer_to(found) is Answer.BAD
    assert not [path for path in source.asked_ever if path.startswith("proc/77/smaps")]


@pytest.mark.parametrize("played", [None, frozenset({42})])
def test_a_replay_judges_the_family_as_it_was_judged_live(played: frozenset[int] | None, tmp_path: Path) -> None:
    def growth(engine: Engine, only: frozenset[int] | None) -> list[Finding]:
        while (frame := engine.step(request(only=only, needs_all=Need.STAT | Need.STATUS, outlooks=True))) is not None:
            last = frame
        return [one for one in last.outlooks[key].findings if one.name == "family_growth"]

    source = listing_children(Prefork(lambda second: 100 * second, 150))
    key = source.processes[42].key
    recorder = Recorder(source, str(tmp_path / "r"))
    live = growth(Engine(recorder), frozenset({42}))
    recorder.close()
    with closing(Replay(str(tmp_path / "r"))) as replay:
        assert len(live) == 1 and growth(Engine(replay, position=replay.position), played) == live


@pytest.mark.parametrize("only", [None, frozenset({42})])
def test_without_permission_to_tell_its_relatives_they_are_named_as_not_looked_at(only: frozenset[int] | None) -> None:
    source = listing_children(Prefork(lambda second: 100 * second))
    for process in source.processes.values():
        process.start_code = 1
    engine = Engine(source)
    ask = request(focus=source.processes[42].key, only=only, needs=Need.STAT | Need.STATUS)
    for _ in range(20):
        frame = engine.step(ask)
    assert frame is not None
    assert "(no permission to find out which they are)" in nothing_wrong(outlook(frame))


def test_a_relative_that_becomes_another_program_is_no_ended_one() -> None:
    source = listing_children(Prefork(lambda second: 0))
    engine, key = Engine(source), source.processes[42].key
    ask = request(focus=key, only=frozenset({42}), needs=Need.STAT | Need.STATUS)
    for second in range(20):
        source.processes[43].start_code = 0x5555_0000 if second < 5 else 0x6666_0000
        frame = engine.step(ask)
        assert frame is not None and not frame.exits and not frame.ended


def test_the_end_of_a_relative_that_was_not_asked_for_is_not_printed() -> None:
    source = listing_children(Prefork(lambda second: 0))
    engine = Engine(source)
    ask = request(only=frozenset({42}), needs_all=Need.STAT | Need.STATUS, outlooks=True)
    ends = []
    for second in range(20):
        if second in (10, 15):
            pid = 43 if second == 10 else 42
            del source.processes[pid]
            source.ended = [Exit(pid, source.wall_s, 0)]
        frame = engine.step(ask)
        assert frame is not None
        ends += [end.key.pid for end in frame.exits]
    assert ends == [42]


def test_where_only_it_is_recorded_its_children_are_named_as_not_looked_at() -> None:
    source = listing_children(Prefork(lambda second: 100 * second))
    engine = Engine(source)
    ask = request(focus=source.processes[42].key, only=frozenset({42}), needs=Need.STAT | Need.STATUS, alone=True)
    for _ in range(100):
        frame = engine.step(ask)
    assert frame is not None
    assert "what its children copy of the memory that they share with it (-C watches them)" in nothing_wrong(
        outlook(frame)
    )
    source.files["proc/42/task/42/children"] = b""
    for _ in range(6):
        frame = engine.step(ask)
    assert frame is not None
    assert "children" not in nothing_wrong(outlook(frame))
    source.processes[42].threads = 2
    for _ in range(6):
        frame = engine.step(ask)
    assert frame is not None
    assert "what children of it may copy of the memory" in nothing_wrong(outlook(frame)), "the other thread forks too"


def test_a_family_that_is_too_large_is_not_summed_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family_sums, "MOST", 3)
    source = Prefork(lambda second: 100 * second)
    found = outlook(watched(source, 40))
    assert "family_growth" not in [one.name for one in found.findings]
    assert any("fork relatives" in one and Missing.TOO_MANY.value in one for one in found.not_looked_at)
    assert not [path for path in source.asked_ever if path.endswith("/smaps_rollup")]


def test_who_is_watched_are_those_that_were_asked_for_without_their_relatives() -> None:
    engine = Engine(Prefork(lambda second: 0))
    asked = request(only=frozenset({42, 999}), needs_all=Need.STAT)
    frames = [engine.step(changed(asked, focus=FakeProcess(42).key)) for _ in range(4)]
    last = frames[-1]
    assert last is not None and last.incidents is not None and last.incidents.unseen.only == 1


@pytest.mark.parametrize(("gained_kib", "answer"), [(2048, Answer.BAD), (0, Answer.FINE)])
def test_huge_pages_that_grow_are_growth_though_res_does_not_have_them(gained_kib: int, answer: Answer) -> None:
    process = FakeProcess(42, hugetlb_kib=40 * 1024)
    engine = Engine(v2(process))
    for _ in range(150):
        process.hugetlb_kib += gained_kib
        frame = engine.step(request(focus=process.key, needs=Need.STAT | Need.STATUS))
    assert frame is not None
    found = outlook(frame)
    grows = [sentences_of(one).says for one in found.findings if one.name == "huge_growth"]
    assert answer_to(found) is answer
    assert bool(grows) is (answer is Answer.BAD)
    assert all("huge pages have grown by 120 MiB per minute" in one for one in grows)
