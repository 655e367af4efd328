"""The timeline: what its cells show, and that the mouse seeks with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import MouseDown, MouseMove

from memtop.cli.kept_past import looking_back_on
from memtop.cli.playback import player_on
from memtop.engine.engine import Engine
from memtop.model.timeline import PARTS, EventKind, Timeline, TimelineEvent
from memtop.settings import Settings
from memtop.sources.protocol import NotedEvent
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.tui.app.app import MemtopApp
from memtop.tui.bars.timeline_bar import TimelineBar, cell_of, curve, layout, time_of
from memtop.view_state import View
from tests.fakes import FakeProcess, FakeSource
from tests.tui.app.test_app import LONG_S, Board
from tests.tui.side.test_side_panel import answered

FIRST_S = 1.7e9
TICKS = 40


def timeline(*events: TimelineEvent, at_s: float = 50.0, span_s: float = 100.0) -> Timeline:
    rss = tuple(None if part < PARTS // 4 else float(part) for part in range(PARTS))
    return Timeline(FIRST_S, FIRST_S + span_s, FIRST_S + at_s, rss, events)


def event(at_s: float, kind: EventKind = EventKind.EXIT) -> TimelineEvent:
    return TimelineEvent(FIRST_S + at_s, kind, "app (10)")


@pytest.mark.parametrize(("ascii_only", "unknown", "highest"), [(False, "·", "█"), (True, " ", "@")])
def test_the_curve_rises_and_what_is_unknown_is_no_zero(ascii_only: bool, unknown: str, highest: str) -> None:
    cells = curve(timeline(), 60, ascii_only=ascii_only)
    text = "".join(cell.text for cell in cells)
    assert text[:15] == 15 * unknown and text[-1] == highest
    assert text.isascii() is ascii_only
    assert [at for at, cell in enumerate(cells) if cell.is_here] == [30]


@pytest.mark.parametrize("ascii_only", [False, True])
def test_each_kind_of_event_has_a_sign_of_its_own_and_the_worst_of_a_cell_is_shown(ascii_only: bool) -> None:
    plain = {cell.text for cell in curve(timeline(), 60, ascii_only=ascii_only)}
    signs = set()
    for kind in EventKind:
        cells = curve(timeline(event(70.1), event(70.0, kind)), 60, ascii_only=ascii_only)
        signs.add(cells[42].text)
        if kind not in (EventKind.MARK, EventKind.LOST):
            assert cells[42] == curve(timeline(event(70.0, kind)), 60, ascii_only=ascii_only)[42]
    assert len(signs) == len(EventKind) - 2 and not signs & plain, "an end is worse than a mark and a loss"


@pytest.mark.parametrize("width", [200, 80, 30, 5])
def test_every_cell_leads_to_an_instant_in_it(width: int) -> None:
    shown = timeline(event(33.3))
    lead, trail, cells = layout(shown, width)
    assert len(lead) + cells + len(trail) == width
    for cell in range(cells):
        assert cell_of(shown, time_of(shown, cell, cells), cells) == cell
    assert time_of(shown, cell_of(shown, FIRST_S + 33.3, cells), cells) == FIRST_S + 33.3, "its event"


def recording(path: Path) -> Path:
    source = FakeSource(FakeProcess(10), FakeProcess(11))
    recorder = Recorder(source, str(path))
    engine = Engine(recorder, note=recorder.note)
    settings = Settings()
    for _ in range(TICKS):
        source.processes[10].rss_pages += 256
        engine.step(View.of(settings).request())
    recorder.close()
    return path


@pytest.mark.parametrize(("size", "ascii_only"), [((120, 40), False), ((80, 24), False), ((80, 24), True)])
async def test_click_and_drag_seek_and_take_one_line(tmp_path: Path, size: tuple[int, int], ascii_only: bool) -> None:
    replay = Replay(str(recording(tmp_path / "r")))
    settings = Settings(delay_s=LONG_S, replay=str(tmp_path / "r"), ascii=ascii_only, pids=(10,))
    app = MemtopApp(looking_back_on(replay, player_on(replay, "")), settings, View.of(settings))
    async with app.run_test(size=size) as pilot:
        it = Board(app, pilot, FakeSource())
        await it.until(lambda: app.frame is not None and app.frame.timeline is not None, "there is a frame")
        bar = app.query_one(TimelineBar)
        await it.until(lambda: bar.size.height == 1, "the line is there")
        await it.pilot.pause()
        assert app.query_one("#side").size.height >= 3, "the explanation stays"
        line = bar.render_line(0)
        assert line.text.isascii() is ascii_only and line.cell_length == size[0]
        middle = size[0] // 2
        x, y = bar.region.x + middle, bar.region.y
        bar.post_message(MouseDown(bar, middle, 0, 0, 0, 1, False, False, False, screen_x=x, screen_y=y))
        await it.until(lambda: 15 < position(app) < 25, "the instant that was pressed on is shown")
        for x in range(middle, size[0] - 12, 2):
            bar.post_message(MouseMove(bar, x, 0, 2, 0, button=1, shift=False, meta=False, ctrl=False))
        await it.until(lambda: position(app) > 33, "the latest instant that was drawn over is shown")
        assert app.sampler_thread.pause_stepping
    replay.close()


async def test_a_mark_is_named_before_ends_of_the_same_instant(tmp_path: Path) -> None:
    source = FakeSource(FakeProcess(10))
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder, note=recorder.note)
    for tick in range(6):
        engine.step(View.of(Settings()).request())
        if tick == 3:
            for kind in (EventKind.EXIT, EventKind.MARK, EventKind.EXIT):
                recorder.note(NotedEvent(kind, 10, f"the {kind.value}"))
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    settings = Settings(delay_s=LONG_S, replay=str(tmp_path / "r"), pids=(10,))
    app = MemtopApp(looking_back_on(replay, player_on(replay, "")), settings, View.of(settings))
    async with app.run_test(size=(100, 30)) as pilot:
        it = Board(app, pilot, FakeSource())
        await it.until(lambda: app.frame is not None and app.frame.timeline is not None, "there is a frame")
        await pilot.press("}")
        await it.until(lambda: position(app) == 4, "the instant of the events is shown")
        assert "mark: the mark, and 2 more" in it.said
    replay.close()


async def test_the_three_answers_stay_in_view_on_the_smallest_screen_that_has_them(tmp_path: Path) -> None:
    replay = Replay(str(recording(tmp_path / "r")))
    settings = Settings(delay_s=LONG_S, replay=str(tmp_path / "r"), pids=(10, 11))
    app = MemtopApp(looking_back_on(replay, player_on(replay, "")), settings, View.of(settings))
    async with app.run_test(size=(60, 18)) as pilot:
        it = Board(app, pilot, FakeSource())
        await it.until(lambda: app.query_one(TimelineBar).size.height == 1, "the line is there")
        await it.until(lambda: answered(app), "the answers are there beside it")
        assert app.chart.size.height >= 8
    replay.close()


def position(app: MemtopApp) -> int:
    assert app.frame is not None and app.frame.replay_position is not None
    return app.frame.replay_position[0]
