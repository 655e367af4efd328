"""/proc/PID/limits as a kernel writes it, cut off, and odd."""

from __future__ import annotations

import pytest

from memtop.procfs.cgroup import UNLIMITED
from memtop.procfs.limits import PidLimits, parse_limits

TEXT = b"""Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max data size             1048576              unlimited            bytes
Max stack size            8388608              unlimited            bytes
Max processes             63340                63340                processes
Max locked memory         67108864             67108864             bytes
Max address space         unlimited            unlimited            bytes
"""


def test_each_limit_stands_in_its_own_field() -> None:
    assert parse_limits(TEXT) == PidLimits(UNLIMITED, 1 << 20, 8 << 20, 64 << 20, 63_340)


@pytest.mark.parametrize("cut", [b"", b"Max data size   ", b"Max stack size   no   no   bytes\n"])
def test_what_is_not_there_or_odd_is_unknown(cut: bytes) -> None:
    assert parse_limits(cut) == PidLimits(None, None, None, None, None)
