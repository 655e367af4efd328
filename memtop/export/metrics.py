"""The Prometheus metrics of a frame, as metric families. Names and units follow the conventions of Prometheus.

Groups are never labeled by PID alone, and their number is bounded: the largest have labels of their own, all others
share one; see :mod:`memtop.export.labels`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from memtop.analysis.limits.exit_cause import Oom
from memtop.export.labels import Labels
from memtop.model.assessment import ExitReport
from memtop.model.frame import Frame
from memtop.model.group import GroupKey, GroupRow
from memtop.sanitize import clean

OTHERS: Final = "(others)"
_LABELS: Final = ("by", "group")
_LIKELY_RANK: Final = 4
"""Rank of a verdict from which growth is confirmed."""
_SHARE: Final = "Share of the last ten seconds in which"
_CAUSES: Final = ("oom", "signal", "error", "ok", "unknown")


MOST_JUDGED: Final = 32
"""Groups that are judged at every sample; each takes 0.4 ms."""


def growing(frame: Frame) -> tuple[GroupKey, ...]:
    """The groups that are to be judged first: those that grow, the fastest first.

    All others are judged in turn. At one sample in five seconds a leak would be confirmed only after many minutes.
    """
    rows = [row for row in frame.groups or () if row.gone_s is None and (row.growth_bytes_per_min or 0.0) > 0]
    rows.sort(key=lambda row: -(row.growth_bytes_per_min or 0.0))
    return tuple(row.key for row in rows[:MOST_JUDGED])


class _Value(NamedTuple):
    name: str
    help: str
    read: Callable[[GroupRow], float | None]


_GAUGES: Final = (
    _Value("processes", "Processes of the group.", lambda row: row.members),
    _Value("virtual_bytes", "VIRT: address space of the processes.", lambda row: row.virt_bytes),
    _Value("resident_bytes", "Sum of RES, an upper bound: shared pages count each time.", lambda row: row.rss_bytes),
    _Value("proportional_bytes", "Sum of PSS, if that of every process is known.", lambda row: row.pss_bytes),
    _Value("anonymous_bytes", "Anonymous memory; without a cgroup a sum like that of RES.", lambda row: row.anon_bytes),
    _Value(
        "file_bytes",
        "Page cache; without a cgroup a sum of mapped files, like that of RES.",
        lambda row: row.file_bytes,
    ),
    _Value(
        "shared_bytes", "tmpfs and shared memory; without a cgroup a sum like that of RES.", lambda row: row.shmem_bytes
    ),
    _Value("swap_bytes", "Memory on swap.", lambda row: row.swap_bytes),
    _Value("charged_bytes", "What the cgroup is charged.", lambda row: row.charge_bytes),
    _Value("working_set_bytes", "The charge minus inactive page cache.", lambda row: row.working_set_bytes),
    _Value("limit_bytes", "The limit that binds.", lambda row: row.limit_bytes),
    _Value(
        "limit_read",
        "1 if the limits of the cgroup and of those above it were read, 0 if not, absent without a cgroup.",
        lambda row: None if row.limit_unread is None else float(not row.limit_unread),
    ),
    _Value("room_bytes", "Limit minus what cannot be reclaimed.", lambda row: row.room_max_bytes),
    _Value(
        "growth_bytes_per_second",
        "Change of unreclaimable memory over the last minute.",
        lambda row: None if row.growth_bytes_per_min is None else row.growth_bytes_per_min / 60,
    ),
    _Value(
        "growth_confirmed",
        "1 while growth is confirmed, 0 otherwise, absent before the first verdict.",
        lambda row: None if row.verdict_rank is None else float(row.verdict_rank >= _LIKELY_RANK),
    ),
    _Value(
        "time_to_limit_seconds",
        "Earliest time to the limit at the current rate; absent unless growth is confirmed.",
        lambda row: row.eta_s,
    ),
    _Value("minor_faults_per_second", "Minor page faults.", lambda row: row.minflt_per_s),
    _Value("major_faults_per_second", "Major page faults.", lambda row: row.majflt_per_s),
    _Value(
        "pressure_some_ratio",
        "Share of the last ten seconds in which some task of the cgroup waited for memory.",
        lambda row: None if row.psi_some_avg10 is None else row.psi_some_avg10 / 100,
    ),
)
_COUNTERS: Final = (
    _Value("oom_kills", "Processes that the OOM killer has killed since memtop started.", lambda row: row.oom_kills),
    _Value(
        "restarts", "Crashes after which the same command restarted, since memtop started.", lambda row: row.restarts
    ),
)
_SUMMED: Final = frozenset(
    ("processes", "virtual_bytes", "resident_bytes", "anonymous_bytes", "file_bytes", "shared_bytes", "swap_bytes")
)
"""What the groups without a label of their own have together, where it is known of all of them."""


class Metrics:
    """The metric families of the latest frame, and counts over all frames."""

    def __init__(self) -> None:
        self._labels = Labels()
        self._exits: Counter[str] = Counter()

    def families(self, frame: Frame) -> list[Metric]:
        """All families of one frame; take each frame once, since exits are counted."""
        self._exits.update(_cause(one) for one in frame.exits)
        return [*self._groups(frame), *self._machine(frame)]

    def _groups(self, frame: Frame) -> Iterator[Metric]:
        living = [row for row in frame.groups or () if row.gone_s is None]
        named, others = self._choose(living, frame.at_s)
        ended = self._ended(frame.groups or (), named)
        for value in _GAUGES:
            family = GaugeMetricFamily(f"memtop_group_{value.name}", value.help, labels=_LABELS)
            for row in named:
                if (found := value.read(row)) is not None:
                    family.add_metric(_labels(row), found)
            if others and value.name in _SUMMED:
                known = [found for row in others if (found := value.read(row)) is not None]
                if len(known) == len(others):
                    family.add_metric((others[0].key.by.value, OTHERS), sum(known))
            yield family
        for value in _COUNTERS:
            counter = CounterMetricFamily(f"memtop_group_{value.name}", value.help, labels=_LABELS)
            for row in (*named, *ended):
                if (found := value.read(row)) is not None:
                    counter.add_metric(_labels(row), found)
            yield counter

    def _choose(self, rows: list[GroupRow], now_s: float) -> tuple[list[GroupRow], list[GroupRow]]:
        """Groups with labels of their own, and the others. Of several with one name the largest has the label."""
        ordered = sorted(rows, key=lambda row: row.rss_bytes or 0, reverse=True)
        by_name: dict[str, GroupRow] = {}
        others = []
        for row in ordered:
            if by_name.setdefault(_labels(row)[1], row) is not row:
                others.append(row)
        chosen = self._labels.choose(list(by_name), now_s)
        others += [row for name, row in by_name.items() if name not in set(chosen)]
        return [by_name[name] for name in chosen], others

    def _ended(self, rows: Iterable[GroupRow], named: Iterable[GroupRow]) -> Iterable[GroupRow]:
        """Groups that the OOM killer has emptied, and that have a series: its counter must still rise, for the alert.

        memtop lists them for ten minutes.
        """
        taken = {_labels(row) for row in named}
        ended = {_labels(row): row for row in rows if row.gone_s is not None and row.oom_kills}
        return [row for labels, row in ended.items() if labels not in taken and self._labels.has_given(labels[1])]

    def _machine(self, frame: Frame) -> Iterator[Metric]:
        system = frame.system
        sizes: tuple[tuple[str, str, float | None], ...] = (
            ("memory_total_bytes", "MemTotal.", system.mem_total_bytes),
            ("memory_available_bytes", "MemAvailable.", system.mem_available_bytes),
            ("swap_total_bytes", "SwapTotal.", system.swap_total_bytes),
            ("swap_free_bytes", "SwapFree.", system.swap_free_bytes),
            ("processes", "Processes read.", system.processes),
            ("hidden_processes", "Processes that cannot be read (hidepid).", frame.hidden),
            ("pressure_some_ratio", f"{_SHARE} some task waited for memory.", _ratio(system.psi_memory_some_avg10)),
            ("pressure_full_ratio", f"{_SHARE} all tasks waited.", _ratio(system.psi_memory_full_avg10)),
            ("sample_timestamp_seconds", "When the machine was sampled, seconds since the epoch.", frame.at_s),
        )
        for name, text, value in sizes:
            if value is not None:
                yield GaugeMetricFamily(f"memtop_{name}", text, value=value)
        if system.oom_kills_boot is not None:
            yield CounterMetricFamily("memtop_oom_kills", "OOM kills since boot.", value=system.oom_kills_boot)
        text = "Watched processes that have ended since memtop started."
        exits = CounterMetricFamily("memtop_exits", text, labels=("cause",))
        for cause in _CAUSES:
            exits.add_metric((cause,), self._exits[cause])
        yield exits


def _labels(row: GroupRow) -> tuple[str, str]:
    return row.key.by.value, clean(row.name) or "(none)"


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _cause(one: ExitReport) -> str:
    if one.oom in (Oom.CERTAIN, Oom.PROBABLE):
        return "oom"
    if one.signal is not None:
        return "signal"
    if one.exit_code is None:
        return "unknown"
    return "error" if one.exit_code else "ok"


class Families(Collector):
    """A collector for the registry of prometheus-client: the families as they were made."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self._families
