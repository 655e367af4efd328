"""What is said of a process's memory names the part and the time, and holds for as long as it is said."""

from __future__ import annotations

import pytest

from memtop.analysis.findings import FindingInputs, find
from memtop.analysis.trend.classify import Shape
from memtop.engine.engine import Engine
from memtop.explain.finding_text import nothing_wrong, sentences_of
from memtop.headless.check import Answer, answer_to
from memtop.model.request import Request
from memtop.sampling.request import Need
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, outlook
from tests.requests import request
from tests.sampling.test_cgroups import APP, v2

MIB = 1 << 20


def on(process: FakeProcess) -> Request:
    return request(focus=process.key, needs=Need.STAT | Need.STATUS)


def test_a_level_curve_beside_rising_pages_of_files_says_both() -> None:
    process = FakeProcess(42)
    engine = Engine(v2(process))
    for _ in range(100):
        process.rss_pages += MIB_PAGES
        process.shr_pages += MIB_PAGES
        frame = engine.step(on(process))
    said = nothing_wrong(outlook(frame))
    assert "level for 98 s (file pages not counted)" in said
    assert "File pages have risen by 98.0 MiB meanwhile" in said


def test_shared_memory_that_moves_is_no_page_of_a_file() -> None:
    process = FakeProcess(42)
    engine = Engine(v2(process))
    for _ in range(100):
        process.rss_pages, process.shr_pages = 40 * MIB_PAGES, 25 * MIB_PAGES
        process.shmem_kib = 20 * 1024
        frame = engine.step(on(process))
    assert outlook(frame).file_change_bytes == 0


def test_a_child_is_a_zombie_worth_a_word_only_where_two_looks_apart_have_found_it() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    engine = Engine(source)
    for second in range(40):
        if second % 5 == 0:  # another one at each look, collected within a second
            source.processes = {42: process, 1000 + second: FakeProcess(1000 + second, state="Z", ppid=42)}
        elif second % 5 == 1:
            source.processes = {42: process}
        frame = engine.step(on(process))
        assert "zombies" not in [one.name for one in outlook(frame).findings] if second else True
    source.processes[2000] = FakeProcess(2000, state="Z", ppid=42)
    for _ in range(20):
        frame = engine.step(on(process))
    (finding,) = [one for one in outlook(frame).findings if one.name == "zombies"]
    assert finding.facts["zombies_count"] == 1


@pytest.mark.parametrize(("uncounted", "words"), [(False, "harmless while that lasts"), (True, "is unknown")])
def test_swap_is_called_harmless_only_where_its_reads_are_counted(uncounted: bool, words: str) -> None:
    found = find(FindingInputs(swap=200 * MIB, swap_in_per_s=0.0, zswap_uncounted=uncounted))
    (finding,) = [one for one in found if one.name == "swapping"]
    assert words in sentences_of(finding).says
    assert ("harmless" in sentences_of(finding).says) is not uncounted


@pytest.mark.parametrize(
    ("enabled", "counter", "words"),
    [
        (b"N\n", b"", "harmless"),
        (b"Y\n", b"", "is unknown"),
        (b"Y\n", b"zswpin 5\n", "harmless"),
        (None, b"", "harmless"),
    ],
)
def test_what_zswap_answers_counts_as_a_read_of_swap(enabled: bytes | None, counter: bytes, words: str) -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files["proc/meminfo"] = (
        b"MemTotal: 1024000 kB\nMemAvailable: 512000 kB\nSwapTotal: 900000 kB\nSwapFree: 1 kB\n"
    )
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 3\npswpin 7\n" + counter
    source.files["proc/42/status"] = process.status().replace(b"VmSwap:\t0 kB", b"VmSwap:\t300000 kB")
    if enabled is not None:
        source.files["sys/module/zswap/parameters/enabled"] = enabled
    engine = Engine(source)
    for _ in range(5):
        frame = engine.step(on(process))
    (finding,) = [one for one in outlook(frame).findings if one.name == "swapping"]
    assert words in sentences_of(finding).says
    if counter:
        for second in range(1, 9):
            source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 3\npswpin 7\nzswpin %d\n" % (500 * second)
            frame = engine.step(on(process))
        assert "swapping" not in [one.name for one in outlook(frame).findings], "it is read back all the time"


def test_a_cgroup_whose_charge_grows_is_no_level_process() -> None:
    """Workers that copy what they shared: RES of none of them moves, and the charge goes to the limit."""
    process = FakeProcess(42)
    source = v2(process)
    source.files[f"{APP}/memory.high"] = b"max\n"
    engine = Engine(source)
    for second in range(160):
        source.files[f"{APP}/memory.current"] = b"%d\n" % (60 * MIB + second * MIB // 5)
        frame = engine.step(on(process))
    found = outlook(frame)
    (finding,) = [one for one in found.findings if one.name == "charge_growth"]
    assert finding.facts["limit_name"] == "app.scope"
    assert float(finding.facts["rate_bytes_per_min"]) == pytest.approx(12 * MIB, rel=0.1)
    assert found.state is not None and not found.state.alarm
    assert answer_to(found) is Answer.BAD


def test_before_there_is_a_verdict_on_a_charge_that_rises_its_processes_are_not_called_fine() -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files[f"{APP}/memory.high"] = b"max\n"
    engine, answers, said = Engine(source), [], set()
    for second in range(160):
        source.files[f"{APP}/memory.current"] = b"%d\n" % (60 * MIB + second * MIB // 5)
        found = outlook(engine.step(on(process)))
        answers.append(answer_to(found))
        if found.charge_open and found.growth is not None and found.growth.kind is Shape.FLAT:
            said.add(nothing_wrong(found))
    assert Answer.FINE not in answers
    assert (answers[0], answers[-1]) == (Answer.UNKNOWN, Answer.BAD)
    assert said
    assert all("Unknown yet whether its cgroup as a whole grows." in one and "Nothing wrong" not in one for one in said)


def test_page_cache_in_the_cgroup_is_no_growth_of_its_charge() -> None:
    process = FakeProcess(42)
    source = v2(process)
    engine = Engine(source)
    for second in range(120):
        cache = second * MIB // 4
        source.files[f"{APP}/memory.current"] = b"%d\n" % (30 * MIB + cache)
        source.files[f"{APP}/memory.stat"] = b"anon 30000000\nfile %d\nactive_file %d\ninactive_file 0\n" % (
            cache,
            cache,
        )
        frame = engine.step(on(process))
    assert "charge_growth" not in [one.name for one in outlook(frame).findings]
