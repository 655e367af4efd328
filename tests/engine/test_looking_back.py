"""Looking back shows an instant as it was, from memory and from the file, while sampling goes on."""

from __future__ import annotations

import gc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from memtop.cli.composition import engine_on
from memtop.cli.kept_past import looking_back_on
from memtop.engine.engine import Engine
from memtop.engine.looking_back import LookingBack
from memtop.errors import AccessDenied, RecordingError
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.report.facts import report_of
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.sources.recording import recorder as recorder_module
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.sources.recording.ring import Ring
from memtop.sources.recording.timed_connection import TimedConnection
from memtop.units import long_size
from memtop.view_state import View
from tests.children import eventually
from tests.fakes import FakeProcess, FakeSource

KEY = ProcessKey(10, 500)
REQUEST = View.of(Settings()).request(Need.STATUS | Need.MACHINE)
REQUEST = REQUEST._replace(readings=REQUEST.readings._replace(focus=KEY))
BY_GROWTH = REQUEST._replace(rows=REQUEST.rows._replace(sort="growth_bytes_per_min", descending=True))


class Leaving(FakeSource):
    """A machine with processes that end after they were listed, before they are read."""

    leaving: tuple[int, ...] = ()

    def pids(self) -> list[int]:
        return sorted((*super().pids(), *self.leaving))


class Machine:
    """Processes come, go, exec and are denied; the first one grows. Each frame is kept."""

    def __init__(self, path: str = "") -> None:
        self.source = Leaving(FakeProcess(10), FakeProcess(11), FakeProcess(12))
        self.recorder = Recorder(self.source, path, looks_back=True)
        engine = looking_back_on(self.recorder, Engine(self.recorder, note=self.recorder.note))
        assert isinstance(engine, LookingBack)
        self.engine = engine
        self.frames: list[Frame] = []

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            number, source = len(self.frames), self.source
            source.leaving = ()
            source.processes[10].rss_pages += 256
            if number % 4 == 2:
                source.add(FakeProcess(100 + number))
            if number % 4 == 0 and number > 4:
                source.processes.pop(100 + number - 2, None)
                source.leaving = (100 + number - 2,)
            if number == 6:
                source.processes[11].start_code += 4096
                source.processes[11].comm = b"other"
            if number == 9:
                source.files["proc/12/status"] = AccessDenied("proc/12/status: Permission denied")
            frame = self.engine.step(REQUEST)
            assert frame is not None
            self.frames.append(frame)

    def settle(self) -> None:
        """Let the writer take what was sampled but for the instant under way."""
        assert eventually(lambda: any(kept.instant.wall_s >= self.frames[-2].at_s for kept in self.recorder.recent()))

    def back_at(self, number: int) -> Frame:
        frame = self.engine.view(looking_at(self.frames[number].at_s))
        while self.engine.has_work:
            frame = self.engine.work(looking_at(self.frames[number].at_s)) or frame
        assert frame is not None
        return frame


def looking_at(wall_s: float) -> Request:
    return REQUEST._replace(window=REQUEST.window._replace(cursor_s=wall_s))


def facts(frame: Frame) -> dict[str, Any]:
    """What is on the screen of an instant, but for the chart."""
    assert frame.detail is not None and frame.incidents is not None
    detail = frame.detail
    chart = (detail.row, detail.status, detail.gone, detail.slope_bytes_per_min, detail.outlook)
    return {
        "at_s": frame.at_s,
        "rows": frame.rows,
        "total": frame.total,
        "system": frame.system,
        "machine": frame.machine,
        "detail": chart,
        "incidents": frame.incidents.standing,
        "ended": frame.ended,
    }


@pytest.fixture
def machine() -> Machine:
    """Twenty instants that were sampled, of which all but the last are kept."""
    machine = Machine()
    machine.run(20)
    machine.settle()
    return machine


def test_the_newest_sample_is_kept_as_soon_as_it_is_taken(machine: Machine) -> None:
    assert machine.recorder.recent()[-1].instant.wall_s == machine.frames[-1].at_s


@pytest.mark.parametrize("number", [18, 1, 6, 9, 17])
def test_an_instant_is_shown_as_it_was(machine: Machine, number: int) -> None:
    then, back = machine.frames[number], machine.back_at(number)
    assert facts(back) == facts(then)
    assert back.newest_s == machine.frames[-1].at_s and back.now_s == back.newest_s
    assert back.detail is not None and back.detail.window.cursor_s is not None
    assert back.detail.window.shown_s == pytest.approx(then.at_s)
    assert back.detail.window.shown_age_s == pytest.approx(back.now_s - then.at_s)


@pytest.fixture(scope="module")
def large() -> Machine:
    """A machine with 1,200 processes more, of which one instant in some seconds is kept."""
    machine = Machine()
    source = machine.source
    for pid in range(1000, 2200):
        source.add(FakeProcess(pid, cmdline=b"/bin/app\0%d\0" % pid))
    for number in range(26):
        if number == 12:
            for pid in range(1000, 1040):
                became = source.processes[pid]
                became.start_code, became.comm, became.cmdline = became.start_code + 4096, b"new", b"/bin/new\0"
            for pid in range(1100, 1140):
                source.add(FakeProcess(pid, start_ticks=9000, comm=b"next", cmdline=b"/bin/next\0", rss_pages=7))
        machine.run(1)
    return machine


def known_rows(frame: Frame) -> list[tuple[object, ...]]:
    return [(row.key, row.name, row.rss_bytes, row.virt_bytes, row.user, row.command, row.ppid) for row in frame.rows]


def test_of_more_than_a_thousand_processes_an_instant_in_some_seconds_is_kept_and_shown_as_it_was(
    large: Machine,
) -> None:
    sparse_s = large.recorder.sparse_s
    assert sparse_s is not None and 2.0 < sparse_s < 3.0
    assert eventually(lambda: large.recorder.recent()[-1].instant.wall_s >= large.frames[-1].at_s - 3)
    kept_s = [kept.instant.wall_s for kept in large.recorder.recent()]
    assert kept_s[0] == large.frames[0].at_s == large.engine.first_s
    assert max(late - early for early, late in pairwise(kept_s)) <= 3.0
    numbers = [number for number, frame in enumerate(large.frames) if frame.at_s in kept_s]
    assert len(numbers) < len(large.frames)
    after_all_changed = [number for number in numbers if number > 12]
    for number in (*after_all_changed[:2], numbers[-1]):
        back = large.back_at(number)
        assert back.total == large.frames[number].total and back.total > 1000
        assert known_rows(back) == known_rows(large.frames[number])
    before, after = next((one, other) for one, other in pairwise(numbers) if other > one + 1)
    assert large.back_at(after - 1).at_s == large.frames[before].at_s


def test_a_recording_of_more_than_a_thousand_processes_begins_with_what_is_kept_and_goes_on_with_every_sample(
    large: Machine, tmp_path: Path
) -> None:
    path = str(tmp_path / "r")
    large.engine.view(REQUEST)
    large.recorder.start(path)
    state, started = large.recorder.state, len(large.frames)
    assert state is not None and (state.from_s, state.sparse_s) == (large.frames[0].at_s, large.recorder.sparse_s)
    large.run(3)
    large.recorder.close()
    replay = Replay(path)
    engine = engine_on(replay)
    played = []
    while (frame := engine.step(REQUEST)) is not None:
        played.append(frame)
    replay.close()
    by_time = {frame.at_s: frame for frame in large.frames}
    assert [frame.at_s for frame in played][-3:] == [frame.at_s for frame in large.frames[started:]]
    assert played[0].at_s == large.frames[0].at_s and len(played) < len(large.frames)
    for frame in played:
        assert known_rows(frame) == known_rows(by_time[frame.at_s])
        assert frame.problems == by_time[frame.at_s].problems


def test_sampling_goes_on_and_now_is_there_again(machine: Machine) -> None:
    back = machine.back_at(5)
    for _ in range(3):
        frame = machine.engine.step(looking_at(machine.frames[5].at_s))
        assert frame is not None and facts(frame) == facts(back)
    machine.run(1)
    assert machine.frames[-1].at_s == machine.frames[-2].at_s + 4
    assert machine.frames[-1].newest_s is None and machine.frames[-1].timeline is None


def test_nothing_of_the_past_is_kept_once_now_is_shown_again(machine: Machine) -> None:
    def alive() -> list[Frame]:
        gc.collect()
        return [one for one in gc.get_objects() if isinstance(one, Frame)]

    before = alive()
    machine.back_at(5)
    machine.engine.view(REQUEST)
    machine.run(2)
    known = {id(frame) for frame in (*before, *machine.frames)}
    assert [one.at_s for one in alive() if id(one) not in known and one.at_s < machine.frames[-1].at_s] == []


def test_the_timeline_has_the_whole_span_the_events_and_the_instant(machine: Machine) -> None:
    timeline = machine.back_at(5).timeline
    assert timeline is not None
    assert (timeline.first_s, timeline.last_s) == (machine.frames[0].at_s, machine.frames[-1].at_s)
    assert timeline.at_s == machine.frames[5].at_s
    known = [size for size in timeline.rss_bytes if size is not None]
    assert known == sorted(known) and known[0] < known[-1]


def test_only_the_latest_wish_is_played(machine: Machine) -> None:
    for number in (3, 12, 7, 16):
        machine.engine.view(looking_at(machine.frames[number].at_s))
    frames = []
    while machine.engine.has_work:
        frames.append(machine.engine.work(looking_at(machine.frames[16].at_s)))
    assert {frame.at_s for frame in frames if frame is not None} == {machine.frames[16].at_s}


def test_what_is_no_longer_in_memory_comes_from_the_file_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtop.sources.recording.encoder.KEY_TICKS_MOST", 4)
    monkeypatch.setattr(recorder_module, "Ring", lambda: Ring(limit_bytes=3000, most_bytes=3000))
    machine = Machine(str(tmp_path / "r"))
    machine.run(20)
    machine.settle()
    assert machine.recorder.recent()[0].instant.wall_s > machine.frames[8].at_s
    assert facts(machine.back_at(4)) == facts(machine.frames[4])
    assert facts(machine.back_at(18)) == facts(machine.frames[18])
    machine.back_at(4)
    assert machine.recorder.stop() is None, "the file is not held open"
    machine.recorder.close()


def test_events_in_memory_are_known_whatever_becomes_of_the_file_that_begins_with_them(
    machine: Machine, tmp_path: Path
) -> None:
    before = machine.engine.events()
    assert before
    path = tmp_path / "new.memtop"
    machine.recorder.start(str(path))
    path.unlink()
    assert machine.engine.events() == before
    machine.recorder.close()


def test_a_disk_that_hangs_costs_the_past_and_no_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtop.sources.recording.encoder.KEY_TICKS_MOST", 4)
    monkeypatch.setattr(recorder_module, "Ring", lambda: Ring(limit_bytes=3000, most_bytes=3000))
    machine = Machine(str(tmp_path / "r"))
    machine.run(20)
    machine.settle()

    def hang(*query: object) -> None:
        raise RecordingError("the disk does not answer")

    wanted = looking_at(machine.frames[5].at_s)
    machine.engine.view(wanted)
    assert machine.engine.has_work, "the file is being played"
    monkeypatch.setattr(TimedConnection, "execute", hang)
    frame = machine.engine.work(wanted)
    assert frame is not None and frame.detail is not None
    assert frame.problems == ("what is kept of the past cannot be played: the disk does not answer",)
    assert frame.detail.row.rss_bytes == machine.frames[5].rows[0].rss_bytes
    again = machine.engine.view(wanted)
    assert again is not None and again.problems == frame.problems
    machine.run(2)
    machine.recorder.close()


def test_what_is_nowhere_is_shown_as_far_as_the_engine_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtop.sources.recording.encoder.KEY_TICKS_MOST", 4)
    monkeypatch.setattr(recorder_module, "Ring", lambda: Ring(limit_bytes=3000, most_bytes=3000))
    machine = Machine()
    machine.run(20)
    machine.settle()
    back = machine.back_at(4)
    assert back.newest_s is None
    assert back.detail is not None and back.detail.row.rss_bytes == machine.frames[4].rows[0].rss_bytes


def test_the_page_of_an_earlier_instant_has_the_numbers_of_that_instant(machine: Machine) -> None:
    then, back = (report_of(frame) for frame in (machine.frames[9], machine.back_at(9)))
    assert (back.as_of, back.summary, back.findings, back.tables, back.provenance) == (
        then.as_of,
        then.summary,
        then.findings,
        then.tables,
        then.provenance,
    )
    row = machine.frames[9].rows[0]
    assert any(f"RES {long_size(row.rss_bytes)}, VIRT {long_size(row.virt_bytes)}" in line for line in back.summary)
    assert back.as_of != report_of(machine.frames[-1]).as_of


def test_what_the_samples_tell_is_known_at_once_and_orders_the_rows_while_verdicts_are_computed() -> None:
    machine = Machine()
    for number in range(100):
        for pid, pages in ((10, 256), (11, 3), (12, 40)):
            machine.source.processes[pid].rss_pages += pages if number % 5 == 0 else 0
        frame = machine.engine.step(BY_GROWTH)
        assert frame is not None
        machine.frames.append(frame)
    machine.settle()
    then = machine.frames[90]
    request = BY_GROWTH._replace(window=BY_GROWTH.window._replace(cursor_s=then.at_s))
    frame, whole = machine.engine.view(request), None
    while frame is None and machine.engine.has_work:
        frame = machine.engine.work(request, until_s=0.0)
    assert frame is not None and frame.past_percent is not None, "the verdicts wait"
    assert [row.pid for row in frame.rows] == [row.pid for row in then.rows] == [10, 12, 11]
    assert [row.growth_bytes_per_min for row in frame.rows] == [row.growth_bytes_per_min for row in then.rows]
    assert [row.trend for row in frame.rows] == [row.trend for row in then.rows]
    while machine.engine.has_work:
        whole = machine.engine.work(request) or whole
    assert whole is not None and whole.past_percent is None
    assert [row.growth_bytes_per_min for row in whole.rows] == [row.growth_bytes_per_min for row in then.rows]


def test_what_was_not_read_is_not_blamed_on_a_recording_where_there_is_none() -> None:
    machine = Machine()
    machine.source.files["proc/10/task/10/maps"] = b"55d0-55d1 r--p 0 08:01 1 /bin/a\n" * 3
    machine.run(20)
    machine.settle()
    frame = machine.engine.view(looking_at(machine.frames[17].at_s))
    while frame is None:
        frame = machine.engine.work(looking_at(machine.frames[17].at_s), until_s=0.0)
    assert frame.past_percent is not None and frame.detail is not None and frame.detail.outlook is not None
    lacks = (*frame.detail.outlook.unread, *frame.detail.outlook.not_looked_at)
    assert any("mappings were not counted" in one for one in lacks)
    assert not any("recording" in one for one in lacks)
