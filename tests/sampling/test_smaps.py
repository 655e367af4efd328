"""Expensive readings: of which processes and when, what is kept of them, and that nothing waits for one that hangs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, Blocked, ProcessGone, Unavailable
from memtop.filter import parse_query
from memtop.model.detail import Detail
from memtop.model.frame import Frame
from memtop.process_key import ProcessKey
from memtop.procfs.pagemap_report import PagemapReport, format_report
from memtop.sampling.commands import Command, ReadMappings, ToggleMark
from memtop.sampling.request import Need
from memtop.sampling.smaps.admission import TURN_CPU_DUTY
from memtop.sampling.smaps.collector import FILES, INLINE_BYTES
from memtop.sampling.smaps.smaps_view import InPieces, Missing, Reading, RegionsView
from memtop.sources.live import LiveSource
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.children import python
from tests.fakes import KERNEL_FLAGS, MIB_PAGES, FakeProcess, FakeSource, frame_after
from tests.requests import changed, request

MIB = 1 << 20
HEAP = 0x6000_0000


def mapping(start: int, size_kib: int, rss_kib: int, perms: str = "rw-p", name: str = "") -> bytes:
    """One mapping as smaps has it, all of it private."""
    return (
        f"{start:x}-{start + size_kib * 1024:x} {perms} 00000000 00:00 0 {name}\nSize: {size_kib} kB\n"
        f"Rss: {rss_kib} kB\nPss: {rss_kib} kB\nShared_Clean: 0 kB\nShared_Dirty: 0 kB\nPrivate_Clean: 0 kB\n"
        f"Private_Dirty: {rss_kib} kB\nAnonymous: {rss_kib} kB\nSwap: 0 kB\nVmFlags: rd wr mr mw me ac\n"
    ).encode()


def rollup(rss_kib: int, pss_kib: int, private_kib: int, shared_kib: int = 0) -> bytes:
    """One smaps_rollup, all of it anonymous."""
    return (
        f"10000-7fff0000 ---p 00000000 00:00 0 [rollup]\nRss: {rss_kib} kB\nPss: {pss_kib} kB\n"
        f"Pss_Anon: {pss_kib} kB\nShared_Clean: 0 kB\nShared_Dirty: {shared_kib} kB\nPrivate_Clean: 0 kB\n"
        f"Private_Dirty: {private_kib} kB\nAnonymous: {rss_kib} kB\nSwap: 0 kB\n"
    ).encode()


READ, MARK = ReadMappings(FakeProcess(42).key), ToggleMark(FakeProcess(42).key)


class Watched:
    """One process under an engine, with a panel open."""

    def __init__(self, *others: FakeProcess, panel: str = "regions", **ask: object) -> None:
        self.process = FakeProcess(42)
        self.source = FakeSource(self.process, *others)
        self.heap(1024)
        self.engine = Engine(self.source)
        self.last: Reading | None = None
        self.ask = request(focus=self.process.key, panel=panel, window_s=30.0, **ask)

    def heap(self, rss_kib: int) -> None:
        """Let the heap have this much of its 64 MiB in RAM; what it touched has made a fault."""
        self.process.minflt += 1
        self.source.files["proc/42/smaps"] = mapping(HEAP, 65536, rss_kib, name="[heap]") + mapping(
            0x7F00_0000_0000, 1024, 0, "---p"
        )

    def step(self, *commands: Command, times: int = 1, **changes: Any) -> Detail:
        """The detail after so many ticks, before the first of which commands are given."""
        self.ask = changed(self.ask, **changes)
        for number in range(times):
            frame = self.engine.step(self.ask, () if number else commands)
        assert frame is not None and frame.detail is not None
        return frame.detail

    def view(self, *commands: Command, times: int = 1, **changes: Any) -> RegionsView:
        """The same, of the mappings."""
        view = self.step(*commands, times=times, **changes).regions
        assert view is not None
        self.last = view.reading
        return view


def readings(watched: Watched, ticks: int, *commands: Command) -> int:
    """How many of so many ticks brought a new reading; commands are given before the first."""
    found = 0
    for number in range(ticks):
        before = watched.last
        found += watched.view(*(() if number else commands)).reading is not before
    return found


def test_nothing_is_read_while_no_panel_wants_it() -> None:
    watched = Watched(panel="status", needs=~Need.NONE & ~Need.ROLLUP)
    for _ in range(5):
        assert watched.step().regions is None
    assert not [path for path in watched.source.asked_ever if "smaps" in path]


def test_a_panel_opens_with_numbers_in_it() -> None:
    view = Watched().view()
    assert view.reading is not None
    assert [one.kind for one in view.reading.kinds] == [RegionKind.HEAP, RegionKind.GUARD]
    assert (view.missing, view.age_s, view.reading.split.resident_bytes) == (Missing.NOTHING, 0.0, MIB)


def test_a_panel_that_is_opened_between_two_samples_does_too() -> None:
    watched = Watched(panel="")
    watched.step()
    frame = watched.engine.view(changed(watched.ask, panel="regions"))
    assert frame is not None and frame.detail is not None and frame.detail.regions is not None
    assert frame.detail.regions.reading is not None


@pytest.mark.parametrize(("took_s", "most"), [(0.001, 15), (0.1, 3), (0.3, 1)])
def test_readings_take_at_most_a_hundredth_of_the_time(took_s: float, most: int) -> None:
    watched = Watched(panel="sharing")
    watched.source.took_s = took_s
    assert 1 <= readings(watched, 30) <= most


def test_never_faster_than_every_three_seconds_and_seldom_while_nothing_moves() -> None:
    watched = Watched(delay_s=0.1)
    watched.source.step_s = 0.1
    moving = 0
    for _ in range(100):
        watched.heap(1024)
        moving += readings(watched, 1)
    assert 3 <= moving <= 4
    assert readings(watched, 100) <= 2


def test_what_moves_again_after_a_calm_is_read_at_the_next_tick() -> None:
    watched = Watched()
    assert not watched.view(times=2).calm
    assert watched.view(times=4).calm
    watched.heap(2048)
    view = watched.view(times=2)
    assert not view.calm
    assert view.reading is not None and view.reading.total.rss_bytes == 2 * MIB


def test_what_would_hold_up_a_large_process_is_read_only_when_asked_for_and_says_its_cost() -> None:
    watched = Watched()
    watched.process.rss_pages = 4096 * MIB_PAGES
    watched.source.took_s = 0.050
    view = watched.view(times=3)
    assert (view.reading, view.missing) == (None, Missing.TOO_DEAR)
    assert view.stall_s == pytest.approx(0.1)
    view = watched.view(READ)
    assert view.reading is not None and view.reading.took_s == 0.050
    assert readings(watched, 20) == 0
    view = watched.view()
    assert view.missing is Missing.TOO_DEAR and view.stall_s == pytest.approx(0.050, abs=1e-4)
    assert readings(watched, 1, READ) == 1


def test_what_one_process_did_cost_is_expected_of_the_next() -> None:
    watched = Watched()
    watched.process.rss_pages = 512 * MIB_PAGES
    other = watched.source.add(FakeProcess(43, rss_pages=512 * MIB_PAGES))
    watched.source.took_s = 0.030
    assert watched.view().reading is not None
    view = watched.view(focus=other.key)
    assert (view.reading, view.missing) == (None, Missing.TOO_DEAR)
    assert view.stall_s == pytest.approx((0.030 + 0.0125) / 2, rel=0.02), "half of the surprise is believed"


@pytest.mark.parametrize("press", [1, 2, 3])
def test_a_press_of_r_reads_at_once_and_one_after_a_dear_reading_within_ten_times_its_cost(press: int) -> None:
    watched = Watched()
    watched.source.took_s = 0.15
    watched.view(times=2)
    for _ in range(press):
        assert readings(watched, 3, READ) == 1


def test_a_process_with_many_mappings_is_counted_before_it_is_read_and_not_read_unasked() -> None:
    watched = Watched()
    watched.source.files["proc/42/maps"] = b"1000-2000 rw-p 0 00:00 0\n" * 60_000
    view = watched.view(times=3)
    assert (view.reading, view.missing, view.mappings) == (None, Missing.TOO_DEAR, 60_000)
    assert view.stall_s == pytest.approx(0.24, abs=0.01)
    assert "proc/42/smaps" not in watched.source.asked_ever
    assert watched.view(READ).reading is not None


def test_a_reading_that_becomes_far_longer_than_counted_is_cut_and_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtop.sampling.smaps.collector.UNASKED_LIMIT", 2048)
    watched = Watched()
    watched.source.files["proc/42/maps"] = b"1000-2000 rw-p 0 00:00 0\n" * 2
    before = watched.view(times=2).reading
    watched.source.files["proc/42/maps"] = b"1000-2000 rw-p 0 00:00 0\n" * 60_000
    watched.source.files["proc/42/smaps"] = b"".join(mapping(HEAP + at * 8192, 4, 4) for at in range(20))
    watched.process.minflt += 1
    view = watched.view(times=8)
    assert before is not None and view.reading is before
    assert (view.missing, view.mappings) == (Missing.TOO_DEAR, 60_000)
    view = watched.view(READ)
    assert view.reading is not None and len(view.reading.regions) == 20


def test_no_smaps_forbids_it_all() -> None:
    watched = Watched(smaps=False, needs=~Need.NONE, visible=frozenset({FakeProcess(42).key}))
    assert watched.view(READ, MARK, times=3).missing is Missing.FORBIDDEN
    assert watched.step(panel="sharing").sharing is not None
    assert not [path for path in watched.source.asked_ever if "smaps" in path]


def test_a_reading_that_hangs_is_said_and_blocks_nothing() -> None:
    watched = Watched()
    watched.source.hanging.add(42)
    view = watched.view(times=5)
    assert (view.reading, view.missing, view.waiting_s) == (None, Missing.UNREAD, 4.0)
    watched.source.hanging.clear()
    watched.source.asked.clear()
    watched.source.files["proc/42/smaps"] = Blocked("proc/42/smaps: an earlier read still hangs")
    assert watched.view(times=3).missing is Missing.HANGING
    watched.heap(2048)
    assert watched.view(times=3).reading is not None


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        (AccessDenied("smaps"), Missing.DENIED),
        (Unavailable("smaps"), Missing.ABSENT),
        (ProcessGone("smaps"), Missing.GONE),
        (b"", Missing.EMPTY),
        (b"what is this\n", Missing.UNREADABLE),
    ],
)
def test_why_there_is_no_reading_is_said(error: Exception | bytes, missing: Missing) -> None:
    watched = Watched()
    watched.source.files["proc/42/smaps"] = error  # type: ignore[assignment]
    view = watched.view(times=2)
    assert (view.reading, view.missing) == (None, missing)


def test_what_has_no_memory_is_not_read() -> None:
    for changes, missing in (({"flags": KERNEL_FLAGS}, Missing.KERNEL), ({"state": "Z"}, Missing.ZOMBIE)):
        watched = Watched(kernel_threads=True)
        for name, value in changes.items():
            setattr(watched.process, name, value)
        assert watched.view().missing is missing
        assert not [path for path in watched.source.asked_ever if "smaps" in path]


def test_the_mappings_of_a_process_whose_main_thread_has_gone_are_those_of_another_thread() -> None:
    watched = Watched()
    watched.process.state, watched.process.threads = "Z", 2
    watched.source.threads[42] = [42, 44]
    watched.source.files["proc/42/task/44/statm"] = b"900 800 100 1 0 9 0\n"
    watched.source.files["proc/42/task/44/smaps"] = mapping(HEAP, 64, 8, name="[heap]")
    assert watched.view(times=2).reading is not None


def test_the_last_reading_stays_when_the_process_has_gone() -> None:
    watched = Watched()
    watched.view()
    del watched.source.processes[42]
    view = watched.view(times=3)
    assert view.reading is not None and view.missing is Missing.GONE


def test_a_picture_that_stands_still_reads_nothing() -> None:
    watched = Watched()
    watched.view(times=2)
    before = list(watched.source.asked_ever)
    assert watched.view(frozen=True, times=10).reading is not None
    assert watched.source.asked_ever == before
    looking_back = watched.view(frozen=True, cursor_s=watched.source.wall_s - 1)
    assert (looking_back.reading, looking_back.missing) == (None, Missing.PAUSED)


# -- the mark


def test_growth_since_the_mark_is_told_by_kind() -> None:
    watched = Watched()
    watched.view(times=2)
    mark = watched.step(MARK).mark
    assert mark is not None and mark.growth is not None and mark.growth.changes == ()
    watched.heap(3 * 1024)
    watched.process.rss_pages += 2 * MIB_PAGES
    detail = watched.step(times=3)
    assert detail.mark is not None and detail.mark.growth is not None
    assert (detail.mark.rss_delta_bytes, detail.mark.growth.delta.rss_bytes) == (2 * MIB, 2 * MIB)
    assert [(one.kind, one.delta.rss_bytes) for one in detail.mark.growth.leading()] == [(RegionKind.HEAP, 2 * MIB)]
    assert [mark.kind for mark in detail.marks] == ["mark"]
    assert watched.step(MARK).mark is None
    assert detail.regions is not None and detail.regions.reading is not None
    assert detail.regions.reading.since_start.delta.rss_bytes == 2 * MIB


def test_a_mark_without_a_panel_reads_for_its_sentence_every_ten_seconds() -> None:
    watched = Watched(panel="")
    watched.step()
    watched.step(MARK)
    watched.step(times=5)
    assert sum(path == "proc/42/smaps" for path in watched.source.asked_ever) == 1
    for _ in range(20):
        watched.heap(5 * 1024)
        mark = watched.step().mark
    assert sum(path == "proc/42/smaps" for path in watched.source.asked_ever) == 3
    assert mark is not None and mark.growth is not None and mark.growth.delta.rss_bytes == 4 * MIB


def test_an_exec_drops_the_mark_and_what_was_read_and_says_so() -> None:
    watched = Watched()
    watched.step(times=2)
    watched.step(MARK)
    watched.process.start_code = 0x9999_0000
    watched.heap(7 * 1024)
    detail = watched.step(times=3)
    assert (detail.mark, detail.mark_dropped) == (None, True)
    assert detail.regions is not None and detail.regions.reading is not None
    assert detail.regions.reading.since_start.changes == ()
    again = watched.step(MARK)
    assert again.mark is not None and not again.mark_dropped


def test_a_mark_is_set_on_a_process_that_is_not_in_focus_and_its_mappings_are_read() -> None:
    other = FakeProcess(43)
    watched = Watched(other, panel="")
    watched.source.files["proc/43/smaps"] = mapping(HEAP, 64, 4)
    watched.step(ToggleMark(other.key), times=3)
    assert [path for path in watched.source.asked_ever if path.endswith("smaps")] == ["proc/43/smaps"]
    mark = watched.step(focus=other.key).mark
    assert mark is not None and mark.growth is not None and mark.age_s == 3.0
    assert watched.step(ToggleMark(ProcessKey(44, 1)), focus=watched.process.key).mark is None


def test_a_command_outlives_a_sample_that_fails() -> None:
    watched = Watched(panel="")
    watched.step()
    begin = watched.source.begin
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watched.source, "begin", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            watched.step(MARK)
    assert watched.source.begin == begin
    assert watched.step().mark is not None


# -- large texts


def test_a_large_text_is_understood_in_the_background() -> None:
    watched = Watched()
    many = b"".join(mapping(HEAP + number * 8192, 4, 4) for number in range(2000))
    assert len(many) > INLINE_BYTES
    watched.source.files["proc/42/smaps"] = many
    assert watched.view().reading is None, "a short one is there at once"
    deadline_s = time.monotonic() + 20
    while (view := watched.view()).reading is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
    assert view.reading is not None and len(view.reading.regions) == 2000


def test_tens_of_thousands_of_mappings_are_kept_only_of_the_process_in_focus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtop.sampling.smaps.collector.KEPT_MAPPINGS", 10)
    other = FakeProcess(43)
    watched = Watched(other)
    few, many = mapping(HEAP, 64, 4), b"".join(mapping(HEAP + at * 8192, 4, 4) for at in range(20))
    for data, began_anew in ((few, False), (many, True)):
        watched.source.files["proc/42/smaps"] = watched.source.files["proc/43/smaps"] = data
        before = watched.view(READ, focus=watched.process.key)
        watched.view(focus=other.key, times=3)
        after = watched.view(focus=watched.process.key, times=3)
        assert before.reading is not None and after.reading is not None
        assert (after.reading.start_s > before.reading.at_s) is began_anew


def test_mappings_are_kept_of_the_processes_in_focus_last() -> None:
    processes = [FakeProcess(pid) for pid in range(100, 101 + FILES)]
    watched = Watched(*processes)
    for process in processes:
        watched.source.files[f"proc/{process.pid}/smaps"] = mapping(HEAP, 64, 4)
    first_s = [watched.view(focus=process.key, times=2).reading for process in processes]
    for number, is_kept in ((FILES, True), (FILES - 1, True), (2, True), (0, False)):
        again = watched.view(focus=processes[number].key, times=2).reading
        before = first_s[number]
        assert again is not None and before is not None
        assert (again.start_s == before.start_s) is is_kept, number


def test_a_text_that_is_longer_than_any_is_cut_and_its_reading_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    one = mapping(HEAP, 4, 4)
    monkeypatch.setattr("memtop.sampling.smaps.collector.SMAPS_LIMIT", 10 * len(one))
    watched = Watched()
    watched.source.files["proc/42/smaps"] = b"".join(mapping(HEAP + at * 8192, 4, 4) for at in range(20))
    reading = watched.view(READ).reading
    assert reading is not None and reading.cut and len(reading.regions) <= 10


def test_mappings_are_counted_up_to_a_size_of_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    line = b"1000-2000 rw-p 0 00:00 0\n"
    monkeypatch.setattr("memtop.sampling.smaps.collector.MAPS_LIMIT", 50_000 * len(line))
    watched = Watched()
    watched.source.files["proc/42/maps"] = line * 60_000
    assert watched.view(times=3).mappings == 50_000


# -- rollups


def test_pss_and_uss_are_read_in_turn_of_the_rows_on_screen_and_only_while_they_are_shown() -> None:
    processes = [FakeProcess(pid, rss_pages=(200 - pid) * MIB_PAGES) for pid in range(100, 130)]
    source = FakeSource(*processes)
    for process in processes:
        source.files[f"proc/{process.pid}/smaps_rollup"] = rollup(4000, 2000, 1000, 3000)
    engine = Engine(source)
    seen = frozenset(process.key for process in processes[:20])
    ask = request(visible=seen, needs=Need.STAT)
    for _ in range(3):
        engine.step(ask)
    assert not [path for path in source.asked_ever if "smaps" in path]
    frame = engine.step(changed(ask, needs=Need.ROLLUP))
    assert frame is not None
    frame = frame_after(engine, changed(ask, needs=Need.ROLLUP), 3)
    known = {row.key: (row.pss_bytes, row.uss_bytes) for row in frame.rows if row.pss_bytes is not None}
    assert known.keys() == seen and set(known.values()) == {(2000 << 10, 1000 << 10)}


def crowd(count: int, rss_mib: int) -> tuple[FakeSource, list[FakeProcess]]:
    """Many processes with a rollup each."""
    processes = [FakeProcess(pid, rss_pages=rss_mib * MIB_PAGES) for pid in range(100, 100 + count)]
    source = FakeSource(*processes)
    for process in processes:
        source.files[f"proc/{process.pid}/smaps_rollup"] = rollup(4000, 2000, 1000, 3000)
    return source, processes


def test_where_the_order_depends_on_pss_all_are_read_in_turn_within_a_hundredth_of_the_time() -> None:
    source, processes = crowd(60, rss_mib=100)
    engine, known = Engine(source), [0]
    while known[-1] < len(processes) and len(known) < 100:
        frame = engine.step(request(sort="pss_bytes", needs_all=Need.ROLLUP))
        assert frame is not None and frame.shares is not None and frame.shares.decides
        known.append(frame.shares.wanted - len(frame.shares.unknown))
    assert known[-1] == 60
    expected_s = 60 * 100 * MIB / (1 << 30) * 0.025
    assert len(known) >= expected_s / 0.01


def test_a_filter_that_does_not_depend_on_pss_chooses_whose_is_read() -> None:
    source, processes = crowd(10, rss_mib=1)
    engine = Engine(source)
    few = parse_query("pid<103")
    for query, wanted in ((few, 3), (parse_query("pid<103 pss>1"), 10)):
        ask = request(sort="pss_bytes", needs_all=Need.ROLLUP, where=query.where, where_needs=query.needs)
        for _ in range(4):
            frame = engine.step(ask)
        assert frame is not None and frame.shares is not None
        assert (frame.shares.wanted, len(frame.shares.unknown), len(frame.rows)) == (wanted, 0, 3)
    assert len(processes) == 10


def test_a_run_of_one_sample_reads_all_that_was_asked_for_whatever_it_costs_and_says_what_it_could_not() -> None:
    source, processes = crowd(40, rss_mib=3000)
    source.files["proc/101/smaps_rollup"] = AccessDenied("smaps_rollup")
    frame = Engine(source).step(request(needs=Need.ROLLUP, once=True))
    assert frame is not None and frame.shares is not None
    assert frame.shares.unknown == {processes[1].key: "denied"}
    assert sum(row.pss_bytes is not None for row in frame.rows) == 39
    frame = Engine(source).step(request(needs=Need.ROLLUP, once=True, smaps=False))
    assert frame is not None and frame.shares is not None
    assert set(frame.shares.unknown.values()) == {"forbidden"}


def test_the_past_has_no_pss() -> None:
    source, _ = crowd(1, rss_mib=1)
    engine = Engine(source)
    for _ in range(4):
        engine.step(request(needs=Need.ROLLUP))
    now = engine.view(request(needs=Need.ROLLUP))
    then = engine.view(request(needs=Need.ROLLUP, frozen=True, cursor_s=source.wall_s - 1))
    assert now is not None and then is not None
    assert (now.rows[0].pss_bytes, then.rows[0].pss_bytes) == (2000 << 10, None)


# -- families


def test_a_family_is_read_in_turn_and_added_up() -> None:
    child = FakeProcess(43, ppid=42, comm=b"worker", rss_pages=10 * MIB_PAGES)
    stranger = FakeProcess(44, ppid=42, start_code=0x7777_0000)
    watched = Watched(child, stranger, panel="sharing", only=frozenset({42}))
    watched.source.files["proc/43/smaps_rollup"] = rollup(9 * 1024, 5 * 1024, 1024, 8 * 1024)
    view = watched.step(times=3).sharing
    assert view is not None
    assert [one.pid for one in view.relatives] == [42, 43]
    assert (view.unknown, view.known.pss_sum_bytes, view.known.rss_sum_bytes) == (0, 6 * MIB, 10 * MIB)
    assert view.freed is not None and view.freed.at_least_bytes == MIB


def test_only_who_takes_the_faults_copies_and_nobody_does_by_the_end_of_a_relative() -> None:
    """The writer of a shared page takes a fault and has a copy; the other is left with the page."""
    child = FakeProcess(43, ppid=42, rss_pages=10 * MIB_PAGES)
    watched = Watched(child, panel="sharing")

    def forked(private_mib: int) -> None:
        shared = (10 - private_mib) << 10
        for pid in (42, 43):
            sums = rollup(10 << 10, shared // 2 + (private_mib << 10), private_mib << 10, shared)
            watched.source.files[f"proc/{pid}/smaps_rollup"] = sums
            watched.source.files[f"proc/{pid}/smaps"] = sums.replace(b"[rollup]", b"")

    def copying() -> list[float | None]:
        view = watched.step(times=3).sharing
        assert view is not None
        return [one.copying and one.copying.copied_bytes_per_s for one in view.relatives]

    for private_mib in (1, 4):
        forked(private_mib)
        rates = copying()
        watched.process.minflt += 3 * MIB_PAGES
    forked(7)
    rates = copying()
    assert rates == [pytest.approx(MIB), 0.0]
    watched.process.minflt += 4 * MIB_PAGES
    del watched.source.processes[43]
    forked(10)
    assert copying() == [None]


def test_a_family_that_may_not_be_read_has_bounds() -> None:
    child = FakeProcess(43, ppid=42)
    watched = Watched(child, panel="sharing")
    for pid in (42, 43):
        for name in ("smaps", "smaps_rollup"):
            watched.source.files[f"proc/{pid}/{name}"] = AccessDenied(name)
    view = watched.step(times=3).sharing
    assert view is not None and view.bounds is not None
    assert (view.unknown, view.bounds.lower_bytes, view.bounds.upper_bytes) == (2, 15 * MIB, 35 * MIB)
    assert [one.missing for one in view.relatives] == [Missing.DENIED] * 2


# -- the real thing


def test_a_replay_shows_the_panels_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with python("import sys; data = bytearray(5 << 20); print(flush=True); sys.stdin.read()") as child:
        recorder = Recorder(LiveSource(), str(path))
        engine = Engine(recorder)
        first = engine.step(request(only=frozenset({child.pid})))
        assert first is not None
        ask = request(only=frozenset({child.pid}), focus=first.rows[0].key, panel="sharing", delay_s=0.05)
        asks = [changed(ask, panel=panel) for panel in ("regions", "sharing", "sharing")]
        live = [told(engine.step(one)) for one in asks]
        recorder.close()
    replay = Replay(str(path))
    played = Engine(replay)
    played.step(request(only=frozenset({child.pid})))
    assert [told(played.step(one)) for one in asks] == live
    assert live[-1][0] is not None
    replay.close()


def told(frame: Frame | None) -> tuple[object, ...]:
    """All that a view is given of dear readings."""
    assert frame is not None and frame.detail is not None and frame.detail.regions is not None
    view = frame.detail.regions
    reading = view.reading
    told_of = None if reading is None else (reading.kinds, reading.split, reading.took_s, list(reading.regions))
    return told_of, view.age_s, view.missing, frame.detail.sharing and frame.detail.sharing.relatives


def pagemap(heap_rss_kib: int) -> bytes:
    """What a reading of pagemap found: a heap of 64 MiB of which so much is in RAM, all of it the process's own."""
    maps = f"{HEAP:x}-{HEAP + (64 << 20):x} rw-p 00000000 00:00 0   [heap]\n".encode()
    return format_report(PagemapReport(4096, 530, 80, True, [{0x81: heap_rss_kib // 4}], maps))


def large() -> Watched:
    """A process of 3 GiB, which smaps would hold up for 75 ms, with a pagemap."""
    watched = Watched()
    watched.process.rss_pages = 3072 * MIB_PAGES
    watched.source.files["proc/42/pagemap"] = pagemap(1024)
    return watched


def asked(watched: Watched, name: str) -> int:
    """How often a file of the process was asked for."""
    return watched.source.asked_ever.count(f"proc/42/{name}")


def test_a_large_process_is_read_in_pieces_and_a_panel_opens_with_numbers_in_it() -> None:
    watched = large()
    view = watched.view()
    assert view.reading is not None and view.missing is Missing.NOTHING
    assert view.reading.in_pieces == InPieces(0.53, 80e-6, 0)
    assert (view.reading.total.rss_bytes, view.reading.total.pss_bytes) == (MIB, None)
    assert view.reading.freed is not None
    assert view.reading.rollup.uss_bytes == view.reading.freed.at_most_bytes == MIB
    assert not asked(watched, "smaps")


@pytest.mark.parametrize(("rss_mib", "file"), [(128, "smaps"), (320, "pagemap")])
def test_smaps_is_read_of_a_process_that_it_holds_up_for_less_than_five_milliseconds(rss_mib: int, file: str) -> None:
    watched = large()
    watched.process.rss_pages = rss_mib * MIB_PAGES
    assert watched.view().reading is not None
    assert [name for name in ("smaps", "pagemap") if asked(watched, name)] == [file]


def test_what_is_read_in_pieces_takes_three_thousandths_of_a_core_and_the_second_reading_comes_soon() -> None:
    watched = large()
    watched.source.took_s = 0.2
    assert watched.view().reading is not None
    watched.process.minflt += 1
    watched.source.files["proc/42/pagemap"] = pagemap(9 * 1024)
    assert readings(watched, 6) == 1
    assert watched.last is not None and watched.last.since_start.kinds[0].delta.rss_bytes == 8 * MIB
    watched.process.minflt += 1
    assert readings(watched, 120) == 0
    assert readings(watched, 18) == 1


def under_way() -> Watched:
    """A large process of which a second reading has been begun and takes long."""
    watched = large()
    watched.view()
    watched.process.minflt += 1
    watched.source.hanging.add(42)
    watched.view(times=3)
    assert asked(watched, "pagemap") == 2
    return watched


def test_a_reading_of_seconds_is_given_up_when_another_process_comes_into_focus_and_begun_again_later() -> None:
    watched = under_way()
    watched.source.add(FakeProcess(43, rss_pages=MIB_PAGES))
    first = watched.last
    assert not watched.source.abandoned
    watched.engine.step(changed(watched.ask, focus=FakeProcess(43).key))
    assert watched.source.abandoned == ["proc/42/pagemap"]
    watched.source.hanging.clear()
    assert watched.view(times=2).reading is not first


def test_a_reading_that_broke_off_is_tried_again() -> None:
    watched = large()
    whole = watched.source.files["proc/42/pagemap"]
    watched.source.files["proc/42/pagemap"] = b""
    assert watched.view().missing is Missing.EMPTY
    watched.source.files["proc/42/pagemap"] = whole
    assert watched.view(times=4).reading is not None
    assert not asked(watched, "smaps")


def test_a_mark_that_is_set_during_a_reading_has_the_next_one_as_its_baseline() -> None:
    watched = under_way()
    first = watched.last
    watched.process.minflt += 1
    watched.source.hanging.clear()
    detail = watched.step(MARK)
    assert detail.regions is not None and detail.regions.reading is not first
    assert detail.mark is not None and detail.mark.growth is None
    assert watched.step(times=2).mark.growth is not None  # type: ignore[union-attr]


def test_a_leak_in_3_gib_has_its_growing_kind_on_screen_within_ten_seconds_where_each_reading_takes_three() -> None:
    watched = large()
    watched.source.took_s = 0.35
    watched.source.delays_s["proc/42/pagemap"] = 3.0
    for tick in range(1, 9):
        watched.process.minflt += 1
        watched.process.rss_pages += 5 * MIB_PAGES
        watched.source.files["proc/42/pagemap"] = pagemap(1024 + 5 * 1024 * tick)
        reading = watched.view().reading
    assert reading is not None and reading.since_start.kinds[0].kind is RegionKind.HEAP
    assert (reading.since_start.kinds[0].delta.rss_bytes or 0) >= 10 * MIB


@pytest.mark.parametrize("cost_s", [0.04, 0.08, 0.2])
def test_uss_of_large_rows_comes_from_pagemap_within_half_a_hundredth_of_a_core_for_all_of_them(cost_s: float) -> None:
    many = [FakeProcess(pid, rss_pages=2048 * MIB_PAGES) for pid in range(100, 120)]
    source = FakeSource(*many)
    source.took_s = cost_s
    source.files |= {f"proc/{one.pid}/pagemap": pagemap(1024) for one in many}
    engine = Engine(source)
    keys = frozenset(one.key for one in many)
    ask = request(visible=keys, needs=Need.ROLLUP)
    for _ in range(100):
        for one in many:
            one.minflt += 1
        shown = engine.step(ask)
    assert shown is not None
    begun = [path for path in source.asked_ever if path.endswith("/pagemap")]
    assert 100 * TURN_CPU_DUTY / cost_s <= len(begun) <= 2 + 100 * TURN_CPU_DUTY / cost_s
    assert not [path for path in source.asked_ever if path.endswith("smaps_rollup")]
    assert {row.uss_bytes for row in shown.rows} == {MIB, None} and {row.pss_bytes for row in shown.rows} == {None}


@pytest.mark.parametrize("soon", [True, False])
def test_the_first_readings_of_a_family_follow_each_other_while_the_user_waits_for_them(soon: bool) -> None:
    """The kill dialog says what ending the family would free; one large relative was read every few seconds."""
    workers = [FakeProcess(pid, ppid=42, rss_pages=2048 * MIB_PAGES) for pid in range(100, 108)]
    watched = Watched(*workers, panel="sharing")
    watched.source.took_s = 0.2
    watched.source.files |= {f"proc/{one.pid}/pagemap": pagemap(1024) for one in workers}
    if soon:
        needs = watched.ask.readings.focus_needs | Need.FAMILY_SOON
        watched.ask = watched.ask._replace(readings=watched.ask.readings._replace(focus_needs=needs))
    at_once = 0
    for _ in range(10):
        shared = watched.step().sharing
        at_once = max(at_once, sum(path.endswith("/pagemap") for path in watched.source.asked))
    assert shared is not None and len(shared.relatives) == 9
    assert (shared.waiting == 0) is soon
    assert at_once <= 2


def test_r_reads_smaps_of_a_large_process_too_and_what_pagemap_does_not_have_is_no_change() -> None:
    watched = large()
    assert watched.view().reading is not None
    view = watched.view(READ, times=3)
    assert asked(watched, "smaps") == 1
    assert view.reading is not None and view.reading.in_pieces is None and view.reading.total.pss_bytes == MIB
    assert not [one for one in view.reading.since_start.changes if one.name == b"[heap]"]


def test_a_mark_takes_its_baseline_at_once_also_of_a_large_process_that_was_just_read() -> None:
    watched = large()
    watched.source.took_s = 0.2
    watched.view()
    watched.view(times=2)
    watched.process.minflt += 1
    watched.source.files["proc/42/pagemap"] = pagemap(5 * 1024)
    watched.process.rss_pages += 4 * MIB_PAGES
    detail = watched.step(MARK, times=2)
    assert detail.mark is not None and detail.mark.rss_delta_bytes == 0
    assert detail.mark.growth is not None and detail.mark.late_s == 0.0
    assert detail.regions is not None and detail.regions.reading is not None
    assert detail.regions.reading.total.rss_bytes == 5 * MIB


def test_a_reading_is_old_after_twice_its_interval_without_a_newer_one() -> None:
    watched = large()
    assert not watched.view().is_old
    watched.source.hanging.add(42)
    assert [watched.view(times=4).is_old for _ in range(7)] == [False] * 4 + [True] * 3


def test_a_process_whose_pagemap_may_not_be_read_says_so() -> None:
    watched = large()
    watched.source.files["proc/42/pagemap"] = AccessDenied("pagemap")
    assert watched.view(times=2).missing is Missing.DENIED


def recorded(watched: Watched, path: Path, *commands: Command) -> list[object]:
    """Three ticks written down; what the view was given at each."""
    recorder = Recorder(watched.source, str(path))
    watched.engine = Engine(recorder)
    shown = [told(watched.engine.step(watched.ask, () if number else commands)) for number in range(3)]
    recorder.close()
    return list(shown)


def played(watched: Watched, path: Path) -> list[tuple[object, ...]]:
    """The same three ticks of the recording, in which nobody presses a key."""
    replay = Replay(str(path))
    engine = Engine(replay)
    shown = [told(engine.step(watched.ask)) for _ in range(3)]
    replay.close()
    return shown


def test_a_recording_made_while_pagemap_was_read_replays_to_the_same_mappings(tmp_path: Path) -> None:
    watched = large()
    live = recorded(watched, tmp_path / "r")
    assert asked(watched, "pagemap") and not asked(watched, "smaps")
    shown = played(watched, tmp_path / "r")
    assert shown == live and shown[-1][0] is not None


def test_a_recording_from_before_pagemap_was_read_plays_its_smaps(tmp_path: Path) -> None:
    watched = Watched()
    watched.process.rss_pages = 400 * MIB_PAGES  # smaps for 10 ms: unasked then, in pieces now
    live = recorded(watched, tmp_path / "r", READ)
    assert asked(watched, "smaps") and not asked(watched, "pagemap")
    shown = played(watched, tmp_path / "r")
    assert shown[0] == live[0] and shown[-1][0] is not None


def test_of_many_processes_a_few_have_their_rollups_begun_at_once() -> None:
    source = FakeSource(*(FakeProcess(pid, start_ticks=pid) for pid in range(100, 300)))
    keys = frozenset(process.key for process in source.processes.values())
    Engine(source).step(request(needs_all=Need.ROLLUP, visible=keys))
    assert 5 < sum(path.endswith("smaps_rollup") for path in source.asked_ever) < 100
