"""The chart of a group: names of cgroups, programs and limits come out harmless."""

from __future__ import annotations

from memtop.engine.engine import Engine
from memtop.model.group import By, GroupKey
from memtop.model.request import GroupsRequest
from memtop.sanitize import clean
from memtop.tui.chart.axes import Scale
from memtop.tui.chart.group_chart import group_items, group_picture, group_title
from tests.engine.groups.test_groups import by
from tests.engine.groups.worlds import ROOT, cgroup, world
from tests.fakes import FakeProcess, frame_after

HOSTILE = "/a\x1b[31m\u202e"


def test_what_is_written_on_it_is_harmless() -> None:
    source = world(p42=HOSTILE)
    source.processes[42] = FakeProcess(42, comm=b"x\x1b[2J", cmdline=b"x\x1b[2J\0")
    cgroup(source, HOSTILE, limit=b"104857600\n")
    engine = Engine(source)
    key = GroupKey(By.CGROUP, ROOT + HOSTILE)
    ask = by(By.CGROUP)._replace(groups=GroupsRequest(focus=key))
    detail = frame_after(engine, ask, 4).group
    assert detail is not None and detail.row.limit_bytes and detail.largest
    picture = group_picture(detail, Scale.ONE, Scale.ONE)
    items = [text for parts in group_items(detail, {}).values() for text, _ in parts]
    texts = [group_title(detail, Scale.ONE), *items, *(name for name, _ in picture.limits)]
    assert any("^[[2J" in text for text in texts) and any("^[[31m" in text for text in texts)
    assert [text for text in texts if clean(text) != text] == []


def test_of_its_members_the_two_largest_are_drawn() -> None:
    source = world(p42="/a", p43="/a", p44="/a")
    source.processes[44].rss_pages += 10
    ask = by(By.CGROUP)._replace(groups=GroupsRequest(focus=GroupKey(By.CGROUP, f"{ROOT}/a")))
    detail = frame_after(Engine(source), ask, 4).group
    assert detail is not None and len(detail.largest) == 2
    assert detail.largest[0].pid == 44
