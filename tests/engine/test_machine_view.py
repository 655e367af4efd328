"""Where the RAM went: parts that add up, changes since a moment, holders, and what could not be read."""

from __future__ import annotations

import io
import json
import os
from contextlib import closing

import pytest

from memtop.analysis.ledger.ledger import Part, make_ledger
from memtop.analysis.ledger.machine import MachinePart
from memtop.engine.engine import Engine
from memtop.engine.machine_view import LedgerPast
from memtop.errors import AccessDenied
from memtop.explain.machine_sentences import held_by
from memtop.headless import machine as command
from memtop.model.frame import Frame
from memtop.model.machine import MachinePartRow, MachineView
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.sampling.commands import ToggleMark
from memtop.sampling.request import Need
from memtop.sources.live import LiveSource
from memtop.tui.panels.machine import machine_lines
from tests.children import eventually
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.procfs.test_machine_files import SLABINFO
from tests.requests import changed, request

MIB = 1 << 20
PANEL = request(focus_needs=Need.MACHINE, needs=Need.STAT | Need.STATUS, needs_all=Need.STATUS)


def meminfo(**changes: int) -> bytes:
    """In MiB."""
    sizes = {"MemTotal": 4000, "MemFree": 1000, "MemAvailable": 2000, "AnonPages": 900, "Cached": 1500, "Buffers": 100}
    sizes |= {"Shmem": 300, "Mapped": 400, "SReclaimable": 200, "SUnreclaim": 100, "PageTables": 20, "KernelStack": 10}
    sizes |= changes
    return b"".join(b"%s: %d kB\n" % (key.encode(), size * 1024) for key, size in sizes.items())


def world() -> tuple[FakeSource, Engine]:
    app = FakeProcess(42, rss_pages=500 * MIB_PAGES)
    small = FakeProcess(43, comm=b"python3", cmdline=b"python3\0/srv/small.py\0", rss_pages=50 * MIB_PAGES)
    source = FakeSource(app, small)
    source.files |= {
        "proc/meminfo": meminfo(),
        "proc/zoneinfo": b"Node 0, zone   Normal\n  pagesets\n    cpu: 0\n              count: 2560\n",
        "proc/slabinfo": SLABINFO,
        "machine/mounts": b"tmpfs %d %d /dev/shm" % (200 * MIB, 2000 * MIB),
        "proc/sysvipc/shm": b"shmid size nattch uid cpid rss swap\n7 %d 0 0 1 %d 0\n" % (64 * MIB, 64 * MIB),
        "proc/swaps": b"Filename Type Size Used Priority\n",
    }
    return source, Engine(source)


def shown(engine: Engine, times: int = 3, **changes: object) -> MachineView:
    frame: Frame | None = None
    for _ in range(times):
        frame = engine.step(changed(PANEL, **changes))
    assert frame is not None and frame.machine is not None
    return frame.machine


def part(view: MachineView, name: MachinePart) -> MachinePartRow:
    return next(row for row in view.rows if row.part is name)


def test_the_parts_add_up_to_memtotal_and_the_largest_comes_first() -> None:
    view = shown(world()[1])
    sizes = [row.size_bytes for row in view.rows]
    assert sum(sizes) == view.total_bytes == 4000 * MIB
    assert sizes == sorted(sizes, reverse=True)
    assert part(view, MachinePart.FREE_PER_CPU).size_bytes == 10 * MIB


def test_who_holds_a_part_is_named_largest_first_with_memory_that_no_process_has() -> None:
    view = shown(world()[1])
    assert [(one.name, one.pid) for one in part(view, MachinePart.ANONYMOUS).holders] == [("app", 42), ("small.py", 43)]
    assert [one.name for one in part(view, MachinePart.SHMEM).holders] == [
        "/dev/shm",
        "System V segment 7, none attached",
    ]
    assert [one.name for one in part(view, MachinePart.SLAB_RECLAIMABLE).holders] == ["dentry", "ext4_inode_cache"]
    assert [one.name for one in part(view, MachinePart.SLAB_UNRECLAIMABLE).holders] == ["kmalloc-512"]


def test_of_many_holders_the_largest_five_of_each_sort_are_named() -> None:
    source, engine = world()
    for number in range(8):
        source.add(FakeProcess(100 + number, rss_pages=(60 + number) * MIB_PAGES, shmem_kib=5 * 1024))
    slab = SLABINFO.splitlines()
    caches = [b"cache-%d %d %d 1024 8 2 : tunables 0 0 0 : slabdata 9 9 0" % (one, 1000, 1000) for one in range(8)]
    mounts = [b"tmpfs %d %d /mnt/%d" % ((20 + number) * MIB, 2000 * MIB, number) for number in range(8)]
    source.files |= {"proc/slabinfo": b"\n".join([*slab[:2], *caches, b""]), "machine/mounts": b"\n".join(mounts)}
    view = shown(engine)
    assert [one.pid for one in part(view, MachinePart.ANONYMOUS).holders] == [42, 107, 106, 105, 104]
    assert len(part(view, MachinePart.SLAB_UNRECLAIMABLE).holders) == 5
    assert [one.kind for one in part(view, MachinePart.SHMEM).holders] == ["sysv", *["tmpfs"] * 4]


def test_the_kernel_stacks_are_held_by_the_processes_with_most_threads() -> None:
    source, engine = world()
    source.files["proc/meminfo"] = meminfo(KernelStack=120)
    source.processes[43].threads = 6001
    row = part(shown(engine), MachinePart.KERNEL_STACKS)
    assert [(one.name, one.pid, one.threads) for one in row.holders] == [("small.py", 43, 6001)], "42 has one thread"
    assert held_by(row, 2) == "small.py 43 (6,001 threads)"


def test_the_pages_of_a_pool_of_huge_pages_are_held_by_the_processes_that_have_them() -> None:
    source, engine = world()
    source.files["proc/meminfo"] = (
        meminfo(MemFree=800, Hugetlb=200)
        + b"HugePages_Total: 100\nHugePages_Free: 50\nHugePages_Rsvd: 0\nHugepagesize: 2048 kB\n"
    )
    source.processes[43].hugetlb_kib = 100 * 1024
    row = part(shown(engine), MachinePart.HUGETLB_USED)
    assert held_by(row, 2) == "small.py 43 100M"


def test_a_process_that_maps_little_of_the_shared_memory_is_not_its_holder() -> None:
    source, engine = world()
    del source.files["machine/mounts"], source.files["proc/sysvipc/shm"]
    for kib, held in ((6 * 1024, False), (200 * 1024, True)):
        source.processes[43].shmem_kib, source.processes[43].shr_pages = kib, kib // 4
        source.processes[43].rss_pages = 300 * MIB_PAGES
        row = part(shown(engine), MachinePart.SHMEM)
        assert [one.pid for one in row.holders] == ([43] if held else [])
        assert ("no process that can be read maps" in held_by(row, 2)) is not held
        assert (held_by(row, 2) == "small.py 43 ≤200M") is held, "it may have it mapped twice, and others too"


def test_a_change_is_known_from_before_the_panel_was_opened() -> None:
    """Slab that grew while another panel was on screen."""
    source, engine = world()
    for size in range(200, 260):
        source.files["proc/meminfo"] = meminfo(SReclaimable=size)
        engine.step(changed(PANEL, focus_needs=Need.NONE))
    view = shown(engine)
    slab = part(view, MachinePart.SLAB_RECLAIMABLE)
    assert slab.change_bytes == pytest.approx(59 * MIB, abs=2 * MIB)
    assert slab.trend[-1] == 6 and view.change_s == pytest.approx(62, abs=2)


def test_the_mark_of_the_process_in_focus_is_one_of_the_machine_too() -> None:
    source, engine = world()
    key = source.processes[42].key
    shown(engine, 5, focus=key)
    engine.step(changed(PANEL, focus=key), [ToggleMark(key)])
    source.files["proc/meminfo"] = meminfo(AnonPages=1000, MemFree=900)
    view = shown(engine, 4, focus=key)
    assert part(view, MachinePart.ANONYMOUS).since_mark_bytes == 100 * MIB
    assert part(view, MachinePart.FREE).since_mark_bytes == -100 * MIB
    assert part(shown(world()[1]), MachinePart.FREE).since_mark_bytes is None


def test_what_may_not_be_read_is_said_and_its_holders_are_left_out() -> None:
    source, engine = world()
    source.files["proc/slabinfo"] = AccessDenied("proc/slabinfo")
    view = shown(engine)
    assert view.unread == {"proc/slabinfo": "not permitted"}
    assert part(view, MachinePart.SLAB_RECLAIMABLE).holders == ()


def test_none_of_its_files_is_read_while_the_panel_is_not_on_screen() -> None:
    source, engine = world()
    for _ in range(5):
        assert engine.step(changed(PANEL, focus_needs=Need.NONE)).machine is None  # type: ignore[union-attr]
    assert not {"proc/slabinfo", "machine/mounts", "proc/zoneinfo"} & set(source.asked_ever)


def test_looking_back_shows_the_parts_of_then_without_holders() -> None:
    source, engine = world()
    shown(engine, 10)
    then_s = source.wall_s
    source.files["proc/meminfo"] = meminfo(AnonPages=1200, MemFree=700)
    shown(engine, 10)
    frame = engine.view(changed(PANEL, cursor_s=then_s))
    assert frame is not None and frame.machine is not None and frame.machine.past
    assert part(frame.machine, MachinePart.ANONYMOUS).size_bytes == 900 * MIB
    assert part(frame.machine, MachinePart.ANONYMOUS).holders == ()


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_panel_fits_its_width(width: int, ascii_only: bool) -> None:
    frame = None
    engine = world()[1]
    for _ in range(3):
        frame = engine.step(PANEL)
    assert frame is not None
    lines = [line.text for line in machine_lines(frame, width, ascii_only=ascii_only)]
    assert all(len(line) <= max(width, 20) for line in lines)
    assert any("anonymous" in line for line in lines)
    if ascii_only:
        assert all(line.isascii() for line in lines)


@pytest.mark.parametrize("path", ["proc/meminfo", "proc/vmstat", "proc/pressure/memory"])
def test_files_that_are_missing_leave_the_rest(path: str) -> None:
    source, engine = world()
    del source.files[path]
    frame = None
    for _ in range(3):
        frame = engine.step(PANEL)
    assert frame is not None and (frame.machine is None) is (path == "proc/meminfo")
    assert machine_lines(frame, 80)


def test_the_panel_and_the_command_have_the_same_parts_at_the_same_instant() -> None:
    """Free pages move between the free lists and those of the CPUs all the time: both are read at the same instant."""
    source, engine = world()
    for free_mib in (990, 980, 970):
        pages = (1000 - free_mib) * MIB_PAGES
        source.files |= {
            "proc/meminfo": meminfo(MemFree=free_mib),
            "proc/zoneinfo": b"Node 0, zone   Normal\n  pagesets\n    cpu: 0\n              count: %d\n" % pages,
        }
        view = shown(engine, 1)
        out = io.StringIO()
        assert command.run(source, json=True, out=out, err=io.StringIO()) == 0
        printed = {one["part"]: one["bytes"] for one in json.loads(out.getvalue())["parts"]}
        assert printed == {row.part.value: row.size_bytes for row in view.rows}
        assert part(view, MachinePart.FREE_PER_CPU).size_bytes == pages * OWN_PAGE_BYTES


def test_the_panel_has_a_line_for_each_large_part_under_two_of_heading() -> None:
    """It has eight lines on a screen of 80x24 with one process."""
    engine = world()[1]
    frame = engine.step(PANEL)
    assert frame is not None
    lines = [line.text for line in machine_lines(frame, 78)]
    assert lines[1].startswith("  RAM 3.91G =")
    names = ("free", "page cache, clean", "anonymous (processes)", "tmpfs and shared memory", "slab, reclaimable")
    assert sorted(line[2:27].rstrip() for line in lines[2:7]) == sorted(names)
    assert {line[0] for line in lines[2:7]} == set("█▓▒░▚"), "each has its sign in the bar"
    assert all(sign in lines[0] for sign in "█▓▒░▚")
    for _ in range(3):
        frame = engine.step(changed(PANEL, only=frozenset({42})))
    assert frame is not None and "HELD BY (only 1 process watched)" in machine_lines(frame, 120)[1].text


def test_the_command_adds_up_on_this_machine() -> None:
    """Memory that other programs take and free meanwhile may be in no counter for a moment."""

    def mostly_named() -> bool:
        out, err = io.StringIO(), io.StringIO()
        with closing(LiveSource()) as source:
            assert command.run(source, json=True, out=out, err=err) == 0
        found = json.loads(out.getvalue())
        assert sum(one["bytes"] for one in found["parts"]) == found["total_bytes"]
        assert any(holder["pid"] for one in found["parts"] for holder in one["holders"])
        assert ("proc/slabinfo" in found["unread"]) is (os.geteuid() != 0)
        unaccounted = next(one["bytes"] for one in found["parts"] if one["part"] == "unaccounted")
        return bool(unaccounted < 0.05 * found["total_bytes"])

    assert eventually(mostly_named)


def test_the_past_of_the_parts_is_bounded() -> None:
    past = LedgerPast()
    for number in range(2000):
        past.add(2.0 * number, make_ledger(MIB, [Part(MachinePart.FREE.value, number)]))
    assert past.first_s is not None and past.first_s > 2000.0
    assert past.size_at(MachinePart.FREE, 3998.0) == 1999
