"""proc_pid_statm(5)."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.errors import ParseError
from memtop.procfs.statm import Statm, parse_statm
from tests.children import python

PAGES = st.integers(0, 2**45)
"""As many pages as fit in the 57 bits of address that processors have."""


@given(PAGES, PAGES, PAGES, st.sampled_from([4096, 16_384, 65_536]))
def test_pages_become_bytes_of_this_machine_s_page_size(virt: int, rss: int, shr: int, page_bytes: int) -> None:
    statm = parse_statm(b"%d %d %d 1 0 8808 0\n" % (virt, rss, shr), page_bytes)
    assert statm == (virt * page_bytes, rss * page_bytes, shr * page_bytes)
    assert max(statm) < 2**63


def test_anonymous_is_what_is_resident_and_not_shared() -> None:
    assert Statm(10_000, 5_000, 2_000).anon_bytes == 3_000


def test_anonymous_is_never_negative_though_the_two_are_read_one_after_the_other() -> None:
    assert Statm(10_000, 2_000, 5_000).anon_bytes == 0


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_a_value_or_a_parse_error(data: bytes) -> None:
    try:
        assert min(parse_statm(data)) >= 0
    except ParseError as error:
        assert error.path == "statm"


@pytest.mark.parametrize("data", [b"", b"1 2", b"-1 2 3", b"1 2 x", b"9999999999999999 2 3", b"1 2 3x", b"1_0 2 3"])
def test_what_no_kernel_writes_is_refused(data: bytes) -> None:
    with pytest.raises(ParseError):
        parse_statm(data)


def test_psutil_reads_the_same_of_a_child_at_rest() -> None:
    with python("x = bytearray(30 << 20); import time; print(flush=True); time.sleep(60)") as child:
        statm = parse_statm(Path(f"/proc/{child.pid}/statm").read_bytes())
        oracle = psutil.Process(child.pid).memory_info()
        assert statm.virt_bytes == oracle.vms
        assert abs(statm.rss_bytes - oracle.rss) <= 1 << 20
        assert statm.anon_bytes > 30 << 20
