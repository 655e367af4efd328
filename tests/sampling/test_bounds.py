"""How many files are read of what a machine or a process has very many of, and how much of large ones."""

from __future__ import annotations

from collections import defaultdict

import pytest

from memtop.analysis.trend.machine_room import PEAK_S, PEAKS, Peaks
from memtop.engine.named_rows import NamedRows
from memtop.history.rates import levels
from memtop.sampling.cgroups import mapping_counts
from memtop.sampling.cgroups.mapping_counts import MappingCounts
from memtop.sampling.machine_reader import MachineReader
from memtop.sampling.sampler import Sampler
from memtop.sources.protocol import READ_LIMIT
from tests.fakes import FakeProcess, FakeSource
from tests.requests import plan
from tests.rows import proc_row


class Measured(FakeSource):
    """Knows the sizes that were asked for."""

    def __init__(self, *processes: FakeProcess) -> None:
        super().__init__(*processes)
        self.sizes: defaultdict[str, set[int]] = defaultdict(set)

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        self.sizes[path].add(size)
        return super().read(path, size)


def test_of_very_many_devices_and_nodes_the_first_are_read() -> None:
    source = FakeSource()
    source.files |= {f"sys/block/zram{number}/mm_stat": b"4096 100 4096 0 4096 0 0 0 0\n" for number in range(20)}
    meminfo = b"Node 0 MemTotal: 1000 kB\nNode 0 MemFree: 500 kB\n"
    source.files |= {f"sys/devices/system/node/node{number}/meminfo": meminfo for number in range(40)}
    found = MachineReader(source).read(0.0, {}, None, once=True)
    assert found.zram is not None and len(found.zram) == 8
    assert found.nodes is not None and len(found.nodes) == 16


def test_of_a_long_command_line_the_beginning_is_read() -> None:
    sampler = Sampler(FakeSource(FakeProcess(42, cmdline=b"x" * 10_000 + b"\0")))
    for _ in range(2):
        sample = sampler.sample(plan())
    assert sample is not None and sample.processes[42].command_raw == b"x" * 4096


def test_of_many_mounts_a_megabyte_is_read() -> None:
    source = Measured(FakeProcess(42))
    sampler = Sampler(source)
    sampler.prepare()
    sampler.sample(plan())
    assert source.sizes["proc/self/mountinfo"] == {1 << 20}


def test_of_many_names_that_contain_a_word_the_commonest_are_told() -> None:
    rows = [proc_row(number, name=f"app-{number % 9}", command_raw=b"") for number in range(1, 90)]
    named = NamedRows()
    named.note(rows, ("app",), ())
    (choice,) = named.choices
    assert (len(choice.containing), choice.processes) == (5, 89)


def test_the_rate_of_the_machine_is_that_of_a_bounded_past() -> None:
    peaks = Peaks()
    for number in range(3 * PEAKS):
        peaks.add(number * PEAK_S, number << 20)
    rate = peaks.rate()
    assert rate is not None and rate[1] == PEAKS * PEAK_S


def test_trends_without_a_change_are_shared_while_they_are_few() -> None:
    flats = [(5,) * length for length in range(1, 600)]
    shared = sum(levels(flat) is levels(flat) for flat in flats)
    assert shared < 300


def test_mappings_are_counted_up_to_a_size_of_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping_counts, "MAPS_LIMIT", 2500)
    source = FakeSource(FakeProcess(42))
    counts, sampler = MappingCounts(source), Sampler(source)
    sample = sampler.sample(plan())
    assert sample is not None
    key, found = FakeProcess(42).key, {}
    for mappings in (10, 200):
        source.files["proc/42/task/42/maps"] = b"1000-2000 rw-p 0 00:00 0\n" * mappings
        for _ in range(2):
            found = counts.read([key], sample.processes, 1e6 * mappings, allowed=True)
        assert (found[key].number, found[key].unread) == (
            (10, "") if mappings == 10 else (None, "it has too many mappings to count")
        )
