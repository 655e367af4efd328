"""While the picture is paused the whole of it stands still: the detail as well, whatever panel is opened."""

from __future__ import annotations

import pytest

from memtop.engine.engine import Engine
from memtop.model.detail import Detail
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.sampling.commands import ToggleMark
from memtop.sampling.request import Need
from memtop.sampling.smaps.smaps_view import Missing
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, frame_after
from tests.requests import changed, request
from tests.sampling.test_smaps import HEAP, mapping, rollup

MIB = 1 << 20
NEEDS = Need.STAT | Need.STATUS


class World:
    """A parent in focus and its child, sampled a few times, then paused."""

    def __init__(self, panel: str = "") -> None:
        self.process, self.other = FakeProcess(42), FakeProcess(43, ppid=42)
        self.source = FakeSource(self.process, self.other)
        for pid in (42, 43):
            self.source.files[f"proc/{pid}/smaps"] = mapping(HEAP, 65536, 1024, name="[heap]")
            self.source.files[f"proc/{pid}/smaps_rollup"] = rollup(20480, 20480, 20480)
        self.engine = Engine(self.source)
        self.live = request(focus=self.process.key, needs=NEEDS, needs_all=NEEDS, panel=panel, points=30)
        self.paused = changed(self.live, frozen=True)
        frame_after(self.engine, self.live, 4)

    def step(self, ask: Request, times: int = 1) -> Frame:
        return frame_after(self.engine, ask, times)

    def view(self, ask: Request, *commands: ToggleMark) -> Frame:
        frame = self.engine.view(ask, commands)
        assert frame is not None
        return frame

    def everything_moves(self) -> None:
        for process in (self.process, self.other):
            process.rss_pages += 40 * MIB_PAGES
            process.minflt += 1000
            process.cpu_ticks += 50
            process.threads += 1
            self.source.files[f"proc/{process.pid}/smaps"] = mapping(HEAP, 65536, 41 * 1024, name="[heap]")
            self.source.files[f"proc/{process.pid}/smaps_rollup"] = rollup(61440, 61440, 61440)


def detail(frame: Frame) -> Detail:
    assert frame.detail is not None
    return frame.detail


@pytest.mark.parametrize("panel", ["", "regions", "sharing", "limits", "runtime", "status"])
def test_the_whole_detail_stands_still_and_goes_on_afterwards(panel: str) -> None:
    world = World(panel)
    world.step(world.live)
    world.view(world.live, ToggleMark(world.process.key))
    before = detail(world.view(world.paused))
    world.everything_moves()
    after = detail(world.step(world.paused, 4))
    assert after.status is not None and after.status.peak_rss_bytes == after.row.rss_bytes == 20 * MIB
    assert after == before
    live = detail(world.step(world.live, 4))
    assert live.status is not None and live.status.peak_rss_bytes == live.row.rss_bytes == 60 * MIB
    assert live.mark is not None and live.mark.rss_delta_bytes == 40 * MIB


def test_a_process_that_is_selected_while_paused_is_shown_as_it_was_then() -> None:
    world = World()
    world.view(world.paused)
    world.everything_moves()
    world.step(world.paused, 2)
    other = detail(world.view(changed(world.paused, focus=world.other.key)))
    assert other.status is not None and other.status.peak_rss_bytes == other.row.rss_bytes == 20 * MIB
    assert (other.paused, other.outlook) == (True, None), "what was not assessed by then is not assessed now"


def test_a_panel_that_is_opened_while_paused_says_that_nothing_is_read() -> None:
    world = World()
    world.view(world.paused)
    regions = detail(world.step(changed(world.paused, panel="regions"), 3)).regions
    assert regions is not None
    assert (regions.reading, regions.missing) == (None, Missing.PAUSED)
    assert not [path for path in world.source.asked_ever if path.endswith("smaps")]


def test_a_mark_that_is_set_while_paused_marks_what_is_shown() -> None:
    world = World()
    world.view(world.paused)
    world.everything_moves()
    world.step(world.paused, 2)
    mark = detail(world.view(world.paused, ToggleMark(world.process.key))).mark
    assert mark is not None and (mark.age_s, mark.rss_delta_bytes) == (0.0, 0)
    mark = detail(world.step(world.live)).mark
    assert mark is not None and mark.rss_delta_bytes == 40 * MIB


@pytest.mark.parametrize("end", ["exec", "exit"])
def test_what_becomes_of_the_process_is_shown_after_the_pause(end: str) -> None:
    world = World("regions")
    before = detail(world.view(world.paused))
    if end == "exec":
        world.process.start_code = 0x9999_0000
    else:
        del world.source.processes[42]
    assert detail(world.step(world.paused, 3)) == before
    after = detail(world.step(world.live, 2))
    assert after.gone if end == "exit" else [mark.kind for mark in after.marks] == ["exec"]


def test_looking_back_goes_on_while_the_world_moves() -> None:
    world = World()
    for _ in range(5):
        world.process.rss_pages += MIB_PAGES
        world.step(world.live)
    looking = changed(world.live, cursor_s=world.source.wall_s - 3)
    assert detail(world.view(looking)).row.rss_bytes == 22 * MIB
    world.everything_moves()
    assert detail(world.step(looking, 2)).row.rss_bytes == 22 * MIB
    later = changed(looking, cursor_s=looking.window.cursor_s + 2 if looking.window.cursor_s else None)
    assert detail(world.view(later)).row.rss_bytes == 24 * MIB
    assert world.process.rss_pages * OWN_PAGE_BYTES == 65 * MIB
