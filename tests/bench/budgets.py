"""The figures to keep and those to reach, and whether a run kept them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.bench.contestants import FAST, HTOP, MEMTOP
from tests.bench.meter import Cost
from tests.bench.percentiles import Ratio
from tests.bench.terminal import Size

MB = 1_000_000
Costs = Mapping[str, Cost]
"""By contestant."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One figure of memtop's; smaller is better."""

    figure: str
    value: float
    must: float | None
    reach: float | None
    doubt: str = ""
    """Why it cannot be told on this machine at this time; empty where it can."""

    @property
    def verdict(self) -> str:
        """In a word."""
        if self.doubt:
            return f"cannot be told: {self.doubt}"
        if self.must is not None and self.value > self.must:
            return "MISSED"
        if self.reach is None:
            return "kept"
        return "reached" if self.value <= self.reach else "kept" if self.must is not None else "not yet"


_CPU_SHARES = {
    (500, HTOP): (1.0, 0.75),
    (500, "btop"): (None, 1.4),
    (2000, HTOP): (0.6, 0.45),
    (2000, "btop"): (None, 0.9),
    (2000, "top"): (None, 0.9),
    (5000, HTOP): (0.5, 0.4),
    (5000, "btop"): (None, 0.8),
}
_RES_MB = {500: (50, 42), 2000: (60, 45)}
_SMALL = Size(120, 40)


def of_crowds(crowds: Mapping[int, Costs], size: Size) -> Iterator[Budget]:
    """All processes on screen, by the number of idle ones."""
    for count, costs in crowds.items():
        if MEMTOP not in costs:
            continue
        own = costs[MEMTOP]
        for (at, peer), (must, reach) in _CPU_SHARES.items():
            if at == count and peer in costs:
                share = own.cpu_ms_per_s / costs[peer].cpu_ms_per_s
                yield Budget(f"CPU at {count} processes / {peer}'s", share, must, reach)
        if count in _RES_MB:
            yield Budget(f"RES at {count} processes, MB", own.rss_bytes / MB, *_RES_MB[count])
        if size.columns <= _SMALL.columns and size.rows <= _SMALL.rows:
            yield Budget(f"output a tick at {count} processes, KB", own.written_bytes_per_s / 1000, 20, 10)
    if 500 in crowds and 2000 in crowds and {MEMTOP, HTOP} <= crowds[500].keys() & crowds[2000].keys():
        own_more, peer_more = (
            crowds[2000][name].cpu_ms_per_s - crowds[500][name].cpu_ms_per_s for name in (MEMTOP, HTOP)
        )
        yield Budget("CPU added from 500 to 2000 processes / htop's", own_more / peer_more, 0.4, 0.2)


def of_one(costs: Costs) -> Iterator[Budget]:
    """One process on screen."""
    if MEMTOP in costs:
        yield Budget("memtop PID, CPU ms/s", costs[MEMTOP].cpu_ms_per_s, 25, 12)
        if HTOP in costs:
            share = costs[MEMTOP].cpu_ms_per_s / costs[HTOP].cpu_ms_per_s
            yield Budget("memtop PID / htop -p PID, CPU", share, 0.5, None)
    if FAST in costs:
        yield Budget("memtop -d 0.1 PID, CPU ms/s", costs[FAST].cpu_ms_per_s, 30, 15)


def of_start(headless_s: Mapping[str, float], paint_s: Mapping[str, float]) -> Iterator[Budget]:
    """Medians of seconds, by what was started."""
    yield Budget("memtop --json -n 1 PID / python -c pass", headless_s[MEMTOP] / headless_s["python"], 5, 4)
    if {MEMTOP, "empty"} <= paint_s.keys():
        yield Budget("first numbers / an empty Textual app's paint", paint_s[MEMTOP] / paint_s["empty"], 1.3, None)
    if {MEMTOP, HTOP} <= paint_s.keys():
        yield Budget("first numbers / htop's", paint_s[MEMTOP] / paint_s[HTOP], None, 1)


def of_lateness(worst_s: float) -> Iterator[Budget]:
    """The worst of all samples."""
    yield Budget("worst lateness of a sample, ms", worst_s * 1000, 50, 5)


_LATENCY_PERCENT = 1
_WAIT_MS = 20
_WAITING_OF_1000 = 1
"""More would show in the 99.9th percentile of a process that maps now and then."""
_RES_MIB_AN_HOUR = 2


def of_latency(title: str, watched: Ratio, noise: Ratio) -> Budget:
    """A percentile of a watched process over the same alone; ``noise`` is alone over alone."""
    limit, error = 1 + _LATENCY_PERCENT / 100, 100 * noise.error
    doubt = ""
    if watched.low <= max(limit, 1 + noise.error):
        if error > _LATENCY_PERCENT:
            doubt = f"alone it differs by {error:.1f} %"
        elif watched.high > limit:
            doubt = f"from {100 * (watched.low - 1):+.1f} to {100 * (watched.high - 1):+.1f} %"
    return Budget(f"{title}, % more", 100 * (watched.value - 1), _LATENCY_PERCENT, None, doubt)


def of_longest_wait(title: str, longest_ms: float, alone_ms: float = 0.0) -> Budget:
    """How long a watched process was held up at worst by a reading that nobody asked for; ``alone_ms`` without any."""
    doubt = f"alone it waits {alone_ms:.1f} ms, too" if min(longest_ms, alone_ms) > _WAIT_MS else ""
    return Budget(f"{title}: longest wait, ms", longest_ms, _WAIT_MS, None, doubt)


def of_waiting(title: str, waiting_of_1000: float) -> Budget:
    """How much of its time a watched process is held up."""
    return Budget(f"{title}: of 1,000 moments, waiting in", waiting_of_1000, _WAITING_OF_1000, None)


def of_hour(title: str, minutes: int, first_bytes: int, last_bytes: int) -> Budget:
    """RES after so many minutes beside RES after one."""
    return Budget(
        f"{title}: RES after {minutes} min, MiB more", (last_bytes - first_bytes) / 2**20, _RES_MIB_AN_HOUR, 0
    )
