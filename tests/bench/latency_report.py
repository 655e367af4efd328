"""What the windows of --latency come to: ratios to the windows without a monitor, and waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench import budgets
from tests.bench.budgets import Budget
from tests.bench.latency import ALONE, NOISE, Measured
from tests.bench.mapper import Window
from tests.bench.percentiles import Ratio, percentile_ns, ratio_of_medians, ratio_of_tails

P999: Final = 0.999
STALLS_MS: Final = (1, 5, 20)


@dataclass(frozen=True, slots=True)
class Finding:
    """Of one arm."""

    arm: str
    median_us: float
    p999_us: float
    median: Ratio
    """To the same alone."""
    p999: Ratio
    calls: int
    preempted: int
    """Calls that are in no figure."""
    waits_ms: tuple[float, ...]
    """Sleeps in the kernel during a call."""
    seconds: float

    @property
    def longest_ms(self) -> float:
        """The worst wait; 0 where there was none."""
        return max(self.waits_ms, default=0.0)

    @property
    def waiting_of_1000(self) -> float:
        """Of 1,000 calls made at moments by chance, how many would find the target held up.

        A target that maps without a rest makes one call in a stall and a thousand beside it, so its percentiles hardly
        show a stall; one that maps now and then meets it as often as there are moments of it.
        """
        return sum(self.waits_ms) / self.seconds


def report(windows: Mapping[str, Sequence[Window]]) -> dict[str, Finding]:
    """By arm."""
    return {arm: _finding(arm, several, windows[ALONE]) for arm, several in windows.items()}


def together(sizes: Iterable[Measured]) -> dict[str, list[Window]]:
    """The windows of all sizes as if of one: pairs stay pairs."""
    found: dict[str, list[Window]] = {}
    for one in sizes:
        for arm, several in one.windows.items():
            found.setdefault(arm, []).extend(several)
    return found


def _finding(arm: str, windows: Sequence[Window], alone: Sequence[Window]) -> Finding:
    calls = [window.calls for window in windows]
    pairs = list(zip((window.calls for window in alone), calls, strict=True))
    return Finding(
        arm,
        percentile_ns(calls, 0.5) / 1000,
        percentile_ns(calls, P999) / 1000,
        ratio_of_medians(pairs),
        ratio_of_tails(pairs, P999),
        sum(map(len, calls)),
        sum(window.preempted for window in windows),
        tuple(ns / 1e6 for window in windows for ns in window.waits_ns),
        sum(window.seconds for window in windows),
    )


def lines(found: Mapping[str, Finding]) -> Iterator[str]:
    """A table; the interval beside a ratio is where nine of ten repetitions would find it."""
    over = "".join(f"{f'>{limit}':>5}" for limit in STALLS_MS)
    yield f"  {'':<22}{'median':>8}{'':25}{'99.9 %':>8}{'':25}{'waits, ms: longest':>20}{over}"
    for arm, one in found.items():
        over = "".join(f"{sum(wait > limit for wait in one.waits_ms):>5}" for limit in STALLS_MS)
        shares = [f"  {share.value:5.3f} [{share.low:5.3f} {share.high:5.3f}]  " for share in (one.median, one.p999)]
        if arm == ALONE:
            shares = [" " * 25] * 2
        yield (
            f"  {arm:<22}{one.median_us:>8.2f}{shares[0]:<25}{one.p999_us:>8.2f}{shares[1]:<25}"
            f"{one.longest_ms:>20.1f}{over}"
        )
    calls, preempted = sum(one.calls for one in found.values()), sum(one.preempted for one in found.values())
    yield f"  {calls:,} calls; {preempted:,} more lost the processor and are left out"


def judged(size: str, found: Mapping[str, Finding]) -> Iterator[Budget]:
    """What each arm in which memtop runs has to keep."""
    noise = found[NOISE]
    alone_ms = max(found[ALONE].longest_ms, noise.longest_ms)
    for arm, one in found.items():
        if arm not in (ALONE, NOISE):
            title = f"{arm}, {size}"
            yield budgets.of_latency(f"{title}: median", one.median, noise.median)
            yield budgets.of_latency(f"{title}: 99.9 %", one.p999, noise.p999)
            yield budgets.of_longest_wait(title, one.longest_ms, alone_ms)
            yield budgets.of_waiting(title, one.waiting_of_1000)


def start_judged(size: str, starting: Window) -> Budget:
    """What memtop's first look has to keep."""
    return budgets.of_longest_wait(f"memtop PID starts, {size}", max(starting.waits_ns, default=0) / 1e6)
