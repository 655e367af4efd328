"""What the machine's memory gained within the last minute, from samples however close."""

from __future__ import annotations

from memtop.engine.assessment.machine_trend import LEAST_BYTES, MOST_SAMPLES, WINDOW_S, MachineTrend
from memtop.engine.assessment.step_input import StepInput
from memtop.procfs.meminfo import parse_meminfo
from memtop.sampling.cgroup_reading import CgroupSample
from memtop.sampling.request import SamplePlan
from memtop.sampling.sample import Sample, SystemSample

TOTAL_MIB = 16_000


def fed(samples: int, every_s: float) -> MachineTrend:
    """The trend after so many samples, between which 8 MiB become unavailable."""
    trend = MachineTrend()
    for number in range(samples):
        left_kib = (TOTAL_MIB << 10) - number * (LEAST_BYTES >> 10)
        meminfo = parse_meminfo(b"MemTotal: %d kB\nMemAvailable: %d kB\n" % (TOTAL_MIB << 10, left_kib))
        system = SystemSample(meminfo, None, None)
        sample = Sample(0.0, number * every_s, system, {}, (), (), hidden=0)
        trend.take(StepInput(sample, None, SamplePlan(), CgroupSample()))
    return trend


def test_a_rise_is_that_of_the_last_minute() -> None:
    rise = fed(200, 1.0).used
    assert rise is not None and rise.since_s == 199 - WINDOW_S


def test_of_many_samples_a_second_only_so_many_are_kept() -> None:
    rise = fed(MOST_SAMPLES + 80, 0.1).used
    assert rise is not None and round(rise.since_s / 0.1) == 80
