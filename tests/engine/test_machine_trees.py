"""The Machine panel, the command and the headline on files of machines that this one is not."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, MemtopError
from memtop.explain.incident_text import headline
from memtop.explain.machine_sentences import sentences
from memtop.headless import machine as command
from memtop.model.frame import Frame
from memtop.model.machine import MachineView
from memtop.sampling.request import Need
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.tui.panels.machine import machine_lines
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import request

MIB, GIB = 1 << 20, 1 << 30
PANEL = request(focus_needs=Need.MACHINE, needs=Need.STAT | Need.STATUS, needs_all=Need.STATUS)
WHOLE = {
    "MemTotal": 16384, "MemFree": 3000, "MemAvailable": 9000, "Buffers": 200, "Cached": 6000, "SwapCached": 0,
    "Active": 5000, "Inactive": 5700, "Unevictable": 0, "SwapTotal": 0, "SwapFree": 0, "Dirty": 20, "Writeback": 2,
    "AnonPages": 5500, "Mapped": 900, "Shmem": 1000, "KReclaimable": 700, "SReclaimable": 700, "SUnreclaim": 300,
    "KernelStack": 40, "PageTables": 100, "VmallocUsed": 140, "Percpu": 30,
}  # fmt: skip
"""MiB. All that is not named is 414 MiB, on the lists of the CPUs."""
ZONEINFO = b"Node 0, zone   Normal\n  pagesets\n    cpu: 0\n              count: %d\n" % (414 * MIB_PAGES)


def meminfo(without: tuple[str, ...] = (), lines: bytes = b"", **changes: int) -> bytes:
    sizes = {name: size for name, size in (WHOLE | changes).items() if name not in without}
    return b"".join(b"%s: %d kB\n" % (name.encode(), size * 1024) for name, size in sizes.items()) + lines


HUGE = b"HugePages_Total: 512\nHugePages_Free: 100\nHugePages_Rsvd: 12\nHugePages_Surp: 0\nHugepagesize: 2048 kB\n"
NODE = b"Node %d MemTotal: %d kB\nNode %d MemFree: %d kB\nNode %d AnonPages: 100 kB\n"
TREES: dict[str, dict[str, bytes | MemtopError]] = {
    "ordinary": {"proc/meminfo": meminfo()},
    "NUMA": {
        "proc/meminfo": meminfo(),
        "sys/devices/system/node/node0/meminfo": NODE % (0, 8 << 20, 0, 2 << 20, 0),
        "sys/devices/system/node/node1/meminfo": NODE % (1, 8 << 20, 1, 1 << 20, 1),
    },
    "zram": {
        "proc/meminfo": meminfo(MemFree=2000, SwapTotal=4096, SwapFree=1096),
        "proc/vmstat": b"nr_zspages %d\nworkingset_refault_anon 5\n" % (1000 * MIB_PAGES),
        "proc/swaps": b"Filename Type Size Used Priority\n/dev/zram0 partition 4194304 3072000 100\n",
        "sys/block/zram0/mm_stat": b"%d %d %d 0 0 0 0 0 0\n" % (3000 * MIB, 950 * MIB, 1000 * MIB),
    },
    "zswap": {
        "proc/meminfo": meminfo(MemFree=2500, SwapTotal=4096, SwapFree=2096, Zswap=500, Zswapped=1500),
        "proc/vmstat": b"nr_zspages %d\n" % (500 * MIB_PAGES),
        "proc/swaps": b"Filename Type Size Used Priority\n/dev/sda2 partition 4194304 2048000 -2\n",
    },
    "huge pages": {"proc/meminfo": meminfo(lines=HUGE + b"Hugetlb: 2097152 kB\n", MemFree=952)},
    "ZFS": {
        "proc/meminfo": meminfo(MemFree=1000),
        "proc/spl/kstat/zfs/arcstats": b"9 1 0x01 123 33456 1 2\nname type data\nhits 4 7\nsize 4 %d\nc_max 4 9\n"
        % (2000 * MIB),
    },
    "MemAvailable missing": {"proc/meminfo": meminfo(("MemAvailable", "KReclaimable", "Percpu"), MemFree=3030)},
    "PSI off": {"proc/meminfo": meminfo(), "proc/pressure/memory": MemtopError("Operation not supported")},
    "slabinfo not permitted": {"proc/meminfo": meminfo(), "proc/slabinfo": AccessDenied("proc/slabinfo")},
    "lxcfs": {
        "proc/meminfo": meminfo(
            MemTotal=1024, MemFree=100, MemAvailable=700, Buffers=0, Cached=600, AnonPages=300, Shmem=0
        ),
        "machine/mounts": b"contained\nlxcfs",
    },
    "container with the meminfo of the host": {"proc/meminfo": meminfo(), "machine/mounts": b"contained"},
}
UNNAMED = {"lxcfs"}
"""Trees whose counters are of two machines: they add up, and no more can be said."""


def machine(name: str) -> FakeSource:
    source = FakeSource(FakeProcess(42, rss_pages=500 * MIB_PAGES), FakeProcess(43))
    del source.files["proc/pressure/memory"]
    source.files |= {
        "proc/zoneinfo": ZONEINFO,
        "proc/pressure/memory": b"some avg10=0.50 avg60=0.00 avg300=0.00 total=5\n",
    }
    source.files |= TREES[name]
    return source


def shown(source: FakeSource, steps: int = 4) -> tuple[Frame, MachineView]:
    engine, frame = Engine(source), None
    for _ in range(steps):
        frame = engine.step(PANEL)
    assert frame is not None and frame.machine is not None
    return frame, frame.machine


def sizes(view: MachineView) -> dict[str, int]:
    return {row.part.value: row.size_bytes for row in view.rows}


@pytest.mark.parametrize("name", TREES)
def test_the_parts_sum_to_memtotal_and_name_all_but_one_percent(name: str) -> None:
    frame, view = shown(machine(name))
    assert sum(sizes(view).values()) == view.total_bytes
    if name not in UNNAMED:
        assert sizes(view)["unaccounted"] <= 0.01 * view.total_bytes
        assert view.excess_bytes <= 0.01 * view.total_bytes
    for width in (80, 120):
        assert machine_lines(frame, width)
    assert headline(frame.incidents, frame.system).says


@pytest.mark.parametrize("name", TREES)
def test_the_command_prints_the_same_as_text_and_as_json(name: str) -> None:
    text, data, err = io.StringIO(), io.StringIO(), io.StringIO()
    assert command.run(machine(name), out=text, err=err) == 0
    assert command.run(machine(name), json=True, out=data, err=err) == 0
    found = json.loads(data.getvalue())
    assert sum(one["bytes"] for one in found["parts"]) == found["total_bytes"]
    assert "anonymous (processes)" in text.getvalue()


@pytest.mark.parametrize(
    ("name", "part", "mib"),
    [
        ("zram", "zram", 1000),
        ("zswap", "zswap", 500),
        ("zswap", "zram", 0),
        ("huge pages", "hugetlb_used", 824),
        ("huge pages", "hugetlb_reserved", 24),
        ("huge pages", "hugetlb_free", 176),
        ("huge pages", "hugetlb_other_sizes", 1024),
        ("ZFS", "zfs_arc", 2000),
    ],
)
def test_what_only_some_machines_have_is_a_part_of_its_own(name: str, part: str, mib: int) -> None:
    assert sizes(shown(machine(name))[1])[part] == mib * MIB


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NUMA", "NUMA node 0: 2.00 GiB free of 8.00 GiB; node 1: 1.00 GiB free of 8.00 GiB."),
        ("zram", "zram holds 2.93 GiB in 0.98 GiB of RAM."),
        ("zram", "Swap: /dev/zram0 2.93 GiB of 4.00 GiB"),
        ("zswap", "Of the swap in use, 1.46 GiB is compressed in 500 MiB of RAM (zswap) and not on disk."),
        ("ordinary", "Pressure over 10 s / 60 s / 5 min: some 0.5 / 0.0 / 0.0 %"),
        ("PSI off", "Pressure unknown: this kernel has no PSI, or it is off (psi=0)."),
        ("slabinfo not permitted", "proc/slabinfo could not be read: not permitted."),
        ("lxcfs", "lxcfs shows the limit of this container as MemTotal"),
        ("container with the meminfo of the host", "these are the numbers of the whole machine"),
    ],
)
def test_what_is_special_is_said(name: str, words: str) -> None:
    said = " ".join(sentences(shown(machine(name))[1]))
    assert words in said, said


@pytest.mark.parametrize(
    "changes", [{}, {"AnonPages": 9000, "Mapped": 2000, "Dirty": 700}], ids=["now", "an older one"]
)
def test_of_the_meminfo_of_lxcfs_only_the_parts_of_the_container_are_shown(changes: dict[str, int]) -> None:
    """lxcfs copies page tables, kernel stacks and pools of the machine, and gives slab as 0."""
    source = machine("lxcfs")
    own = {"MemTotal": 1024, "MemFree": 100, "MemAvailable": 700, "Cached": 550, "Shmem": 50, "AnonPages": 300}
    own |= {"Buffers": 0, "SReclaimable": 0, "SUnreclaim": 0, "Mapped": 80, "Dirty": 5, "Writeback": 0}
    source.files["proc/meminfo"] = meminfo((), b"", **(own | changes), PageTables=2000, KernelStack=300)
    frame, view = shown(source)
    assert view.excess_bytes == 0
    found = {name: size // MIB for name, size in sizes(view).items() if size}
    anon = {"unaccounted": 374} if changes else {"anonymous": 300, "unaccounted": 74}
    files = {"cache_clean": 500} if changes else {"cache_clean": 465, "file_mapped": 30, "cache_dirty": 5}
    assert found == {"free": 100, "shmem": 50, **anon, **files}
    assert "kernel memory of this container" in "\n".join(line.text for line in machine_lines(frame, 120))


def test_what_was_not_recorded_is_not_said_to_be_unreadable(tmp_path: Path) -> None:
    source = machine("slabinfo not permitted")
    recorder = Recorder(source, str(tmp_path / "r"))
    engine = Engine(recorder)
    for _ in range(3):
        engine.step(request())
    recorder.close()
    replay = Replay(str(tmp_path / "r"))
    played = Engine(replay, position=replay.position)
    frame = [played.step(PANEL) for _ in range(3)][-1]
    replay.close()
    assert frame is not None and frame.machine is not None
    said = " ".join(sentences(frame.machine))
    assert "could not be read" not in said
    assert "Not in this recording, because this panel was not open: proc/slabinfo, proc/swaps, " in said


def test_without_memavailable_the_headline_says_so() -> None:
    frame, _ = shown(machine("MemAvailable missing"))
    assert headline(frame.incidents, frame.system).says.startswith("available memory unknown")


def test_counters_that_run_backwards_give_no_rate_and_no_incident() -> None:
    source = machine("zram")
    engine = Engine(source)
    for tick in range(12):
        counts = (900 - 50 * tick, 80_000 - 1000 * tick, 3 - tick // 4)
        source.files["proc/vmstat"] = b"pgfault 9\nworkingset_refault_anon %d\npgscan_kswapd %d\noom_kill %d\n" % counts
        frame = engine.step(PANEL)
    assert frame is not None and frame.machine is not None
    rates = [rate for rate in frame.machine.rates if rate is not None]
    assert all(rate == 0 for rate in rates), "a counter that went back counts as no event"
    assert frame.system.oom_kills is None or frame.system.oom_kills <= 0
    assert frame.incidents is not None and not frame.incidents.standing
