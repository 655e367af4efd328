"""What is said of a group, and that nothing is said to be level or without a limit before that is known."""

from __future__ import annotations

from typing import Any

import pytest

from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Confirmation
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied
from memtop.explain.group_sentences import group_sentences
from memtop.model.detail import GroupDetail
from memtop.model.group import By, GroupKey
from memtop.model.request import GroupsRequest, Request, RowSelection
from memtop.sampling.request import Need, ReadingsRequest
from tests.engine.groups.worlds import MIB, ROOT, cgroup, world
from tests.fakes import FakeSource, frame_after

UNIT = "/a.service"


def detail(source: FakeSource) -> GroupDetail:
    readings = ReadingsRequest(needs_all=Need.MEMBERSHIP | Need.GROUPS | Need.STATUS)
    groups = GroupsRequest(focus=GroupKey(By.CGROUP, ROOT + UNIT))
    frame = frame_after(Engine(source), Request(readings, RowSelection(by=By.CGROUP), groups=groups), 3)
    assert frame.group is not None
    return frame.group


def says(of: GroupDetail) -> str:
    return " ".join(one.says for one in group_sentences(of))


@pytest.mark.parametrize("limit", [AccessDenied("memory.max"), b""])
def test_a_limit_that_cannot_be_read_is_said_to_be_unknown(limit: bytes | AccessDenied) -> None:
    source = world(p42=UNIT)
    cgroup(source, UNIT, 100)
    assert "is not known" not in says(detail(source))
    source.files[f"{ROOT}{UNIT}/memory.max"] = limit
    assert "The limit of a.service is not known." in says(detail(source))


def test_a_charge_that_cannot_be_read_is_not_said_to_be_none() -> None:
    source = world(p42=UNIT)
    cgroup(source, UNIT, 100, b"%d\n" % (200 * MIB))
    source.files[f"{ROOT}{UNIT}/memory.current"] = AccessDenied("memory.current")
    said = says(detail(source))
    assert "what its cgroup is charged cannot be read" in said
    assert "no limit" not in said


@pytest.mark.parametrize("kind", Shape)
def test_only_a_level_shape_is_said_to_be_level(kind: Shape) -> None:
    source = world(p42=UNIT)
    cgroup(source, UNIT, 100)
    found = detail(source)._replace(growth=Growth(kind, 60, 100.0), state=Confirmation(kind=kind))
    level = "Memory is level." in says(found)
    assert level is (kind is Shape.FLAT)
    turning = found._replace(state=Confirmation(kind=kind, leaning=Shape.LEAK, agreeing=2, leant_s=1.0))
    assert "Memory is level." not in says(turning)


@pytest.mark.parametrize(
    ("swap_kib", "counted", "open_end"), [(0, False, False), (512, False, True), (512, True, False)]
)
def test_a_trend_that_leaves_swap_out_says_so(swap_kib: int, *, counted: bool, open_end: bool) -> None:
    """Version 1 without memory.memsw: what is swapped out looks like memory that was given back."""
    source = world(p42=UNIT)
    cgroup(source, UNIT, 100)
    source.files["proc/meminfo"] = b"MemTotal: 1024000 kB\nMemAvailable: 512000 kB\nSwapTotal: %d kB\n" % swap_kib
    if counted:
        source.files[f"{ROOT}{UNIT}/memory.swap.current"] = b"0\n"
    level = Growth(Shape.FLAT, 60, 100.0), Confirmation(kind=Shape.FLAT)
    said = says(detail(source)._replace(growth=level[0], state=level[1]))
    assert "Memory is level." in said and ("not counted" in said) is open_end


def test_why_what_is_on_swap_is_unknown_is_said() -> None:
    source = world(p42=UNIT, p43=UNIT)
    cgroup(source, UNIT, 100)
    source.files["proc/meminfo"] = b"MemTotal: 1024000 kB\nMemAvailable: 512000 kB\nSwapTotal: 512 kB\n"
    for pid, kib in ((42, 300), (43, 100)):
        source.files[f"proc/{pid}/status"] = b"Name:\tapp\nVmRSS:\t1000 kB\nVmSwap:\t%d kB\n" % kib
    level = Growth(Shape.FLAT, 60, 100.0), Confirmation(kind=Shape.FLAT)
    said = says(detail(source)._replace(growth=level[0], state=level[1]))
    assert "unknown, and not counted (this kernel does not count it by cgroup; VmSwap of its processes: 400 KiB" in said
    source.files[f"{ROOT}{UNIT}/memory.swap.current"] = AccessDenied("memory.swap.current: permission denied")
    assert "Whether it grows is unknown, because what it has on swap is (permission denied; VmSwap" in says(
        detail(source)
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"anon": 60, "file": 40}, "60.0 MiB anonymous, 40.0 MiB page cache."),
        ({"anon": 60, "file": 20}, "60.0 MiB anonymous, 20.0 MiB page cache, 20.0 MiB in no known part."),
    ],
)
def test_the_parts_of_a_charge_add_up_to_it(parts: dict[str, Any], said: str) -> None:
    source = world(p42=UNIT)
    cgroup(source, UNIT, 100, **parts)
    assert f"Charged 100 MiB: {said}" in says(detail(source))


def test_use_that_could_not_be_divided_is_in_use_and_not_unreclaimable() -> None:
    source = world(p42=UNIT)
    cgroup(source, UNIT, 180, b"%d\n" % (200 * MIB))
    assert "90.0 % is in use and cannot be reclaimed" in says(detail(source))
    source.files[f"{ROOT}{UNIT}/memory.stat"] = AccessDenied("memory.stat")
    assert "90.0 % is in use. How much of that can be reclaimed is unknown" in says(detail(source))


@pytest.mark.parametrize(("swap_limit", "acts"), [(b"max\n", "swaps or kills"), (b"0\n", "before the kernel kills")])
def test_a_group_that_may_not_swap_is_not_said_to(swap_limit: bytes, acts: str) -> None:
    source = world(p42=UNIT)
    cgroup(source, UNIT, 180, b"%d\n" % (200 * MIB))
    source.files["proc/meminfo"] = (
        b"MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\nSwapTotal: 2000000 kB\nSwapFree: 2000000 kB\n"
    )
    source.files[f"{ROOT}{UNIT}/memory.swap.max"] = swap_limit
    source.files[f"{ROOT}{UNIT}/memory.swap.current"] = b"0\n"
    engine = Engine(source)
    readings = ReadingsRequest(needs_all=Need.MEMBERSHIP | Need.GROUPS | Need.STATUS)
    groups = GroupsRequest(focus=GroupKey(By.CGROUP, ROOT + UNIT))
    frame = frame_after(engine, Request(readings, RowSelection(by=By.CGROUP), groups=groups), 14)
    assert frame.group is not None and acts in says(frame.group)


@pytest.mark.parametrize("above", [False, True])
def test_a_memory_high_that_is_near_is_said_of_its_group_too(above: bool) -> None:
    source = world(p42="/top/a.service")
    cgroup(source, "/top/a.service", 100)
    cgroup(source, "/top", 100)
    source.files[f"{ROOT}/top{'' if above else '/a.service'}/memory.high"] = b"%d\n" % (105 * MIB)
    readings = ReadingsRequest(needs_all=Need.MEMBERSHIP | Need.GROUPS | Need.STATUS)
    groups = GroupsRequest(focus=GroupKey(By.CGROUP, f"{ROOT}/top/a.service"))
    frame = frame_after(Engine(source), Request(readings, RowSelection(by=By.CGROUP), groups=groups), 4)
    assert frame.group is not None
    assert "(105 MiB): 95.2 % is in use and cannot be reclaimed. Beyond it the kernel slows its tasks down." in says(
        frame.group
    )
