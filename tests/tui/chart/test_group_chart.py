"""The chart of a group: names of cgroups, programs and limits come out harmless."""

from __future__ import annotations

import pytest

from memtop.columns.group_columns import GROUP_BY_NAME
from memtop.engine.engine import Engine
from memtop.model.group import By, GroupKey
from memtop.model.request import GroupsRequest
from memtop.sanitize import clean
from memtop.tui.chart.axes import Scale
from memtop.tui.chart.group_chart import group_items, group_picture, group_title
from memtop.tui.table.column_layout import Place, cell_text
from tests.engine.groups.test_groups import by, the
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
    items = [text for parts, _ in group_items(detail, {}) for text, _ in parts]
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


def test_a_long_path_leaves_room_for_the_number_of_processes() -> None:
    path = "/machine/" + 12 * "0123" + "/shop/web"
    source = world(p42=path, p43=path)
    cgroup(source, path, limit=b"104857600\n")
    ask = by(By.CGROUP)._replace(groups=GroupsRequest(focus=GroupKey(By.CGROUP, ROOT + path)))
    detail = frame_after(Engine(source), ask, 4).group
    assert detail is not None
    assert group_title(detail, Scale.ONE) == "cgroup …/web ── 2 processes"
    assert [name for name, _ in group_picture(detail, Scale.ONE, Scale.ONE).limits] == ["…/web"]


def test_the_title_calls_the_lines_of_a_cgroup_by_their_names() -> None:
    source = world(p42="/a", p43="/a")
    cgroup(source, "/a", 90, b"%d\n" % (100 << 20), anon=10, file=80, inactive_file=80)
    ask = by(By.CGROUP)._replace(groups=GroupsRequest(focus=GroupKey(By.CGROUP, f"{ROOT}/a")))
    detail = frame_after(Engine(source), ask, 4).group
    assert detail is not None
    scale = group_picture(detail, Scale.AUTO, Scale.ONE).scale
    assert group_title(detail, scale) == "cgroup /a ── 2 processes ── CHARGE and WSET each on its own scale"
    assert group_title(detail, Scale.RES_ONLY).endswith("WSET alone, zoomed in")


@pytest.mark.parametrize(
    ("name", "cells", "shown"),
    [
        ("/machine/0123456789/shop/web", 20, "…/shop/web"),
        ("/machine/0123456789abcdef0123456789", 14, "…f0123456789"),
        ("/machine/web", 12, "/machine/web"),
        ("a-long-name-of-a-unit.service", 12, "a-long-name-of-a-unit.service"),
    ],
)
def test_of_a_path_that_does_not_fit_into_its_cell_the_end_is_shown(name: str, cells: int, shown: str) -> None:
    source = world(p42="/a")
    row = the(frame_after(Engine(source), by(By.CGROUP), 2), "/a")._replace(name=name)
    assert cell_text(row, Place(GROUP_BY_NAME["group"], 0, cells)) == shown
