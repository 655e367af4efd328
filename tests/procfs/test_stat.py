"""proc_pid_stat(5), as bytes that may be hostile."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.errors import ParseError
from memtop.procfs.stat import PidStat, parse_stat
from tests.children import python

REST = (
    b" S 1 42 42 0 -1 4194304 6646 7 2 1 5 3 9 9 20 0 4 0 260008 1234567 4242 18446744073709551615 "
    b"4198400 4200000 140722 0 0 0 0 16781318 0 0 0 0 17 0 0 0 0 0 0 11 12 13 14 15 16 17 0\n"
)


def line(comm: bytes = b"app", rest: bytes = REST) -> bytes:
    return b"42 (" + comm + b")" + rest


@pytest.mark.parametrize(
    ("stack", "size"),
    [(0xFFD3_A120, 4 << 30), (0xBFFF_F000, 3 << 30), (0x7FFD_12AB_C000, None), (140_722, None), (0, None), (1, None)],
)
def test_the_stack_lies_at_the_end_of_the_address_space_of_a_32_bit_program(stack: int, size: int | None) -> None:
    assert parse_stat(line())._replace(start_stack=stack).address_space_bytes == size


def test_every_field_comes_from_its_place_in_the_manual_page() -> None:
    assert parse_stat(line()) == PidStat(
        pid=42,
        comm=b"app",
        state="S",
        ppid=1,
        flags=4194304,
        minflt=6646,
        majflt=2,
        cpu_ticks=8,
        threads=4,
        start_ticks=260008,
        start_code=4198400,
        arg_start=14,
        start_stack=140722,
    )


@pytest.mark.parametrize(
    "comm",
    [b"a) R (b\n\xc3)", b"", b")", b"(", b") R 1 1", b" ) Z 0 ", b"[kworker/0:1]", b"\x1b[31m", b"1 (2) 3", b"x" * 63],
)
def test_a_hostile_name_moves_no_field(comm: bytes) -> None:
    assert parse_stat(line(comm)) == parse_stat(line())._replace(comm=comm)


@given(st.binary(max_size=63))
def test_any_name_comes_back_as_it_was(comm: bytes) -> None:
    assert parse_stat(line(comm)) == parse_stat(line())._replace(comm=comm)


@given(st.binary(max_size=400) | st.builds(lambda cut: line()[:cut], st.integers(0, 300)))
def test_bytes_of_any_kind_are_a_value_or_a_parse_error(data: bytes) -> None:
    try:
        stat = parse_stat(data)
    except ParseError:
        return
    assert len(stat.state) == 1 and stat.state.isalpha()
    assert 0 <= stat.minflt < 2**63 and 0 <= stat.majflt < 2**63


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b" S 1 42",
        REST.replace(b" S ", b" \x1b[2J "),
        REST.replace(b" S ", b" SS "),
        REST.replace(b"6646", b"-1"),
        REST.replace(b"6646", b"9" * 19),
        REST.replace(b"260008", b"9" * 400),
        REST.replace(b"6646", b"x"),
    ],
)
def test_fields_that_no_kernel_writes_are_refused(rest: bytes) -> None:
    with pytest.raises(ParseError):
        parse_stat(line(rest=rest))


def test_an_old_kernel_without_the_last_fields_is_understood() -> None:
    short = b" ".join(REST.split()[:30])
    assert parse_stat(line(rest=b" " + short)).arg_start == 0


@pytest.mark.parametrize(("flags", "kernel"), [(b"2129984", True), (b"69238880", True), (b"4194304", False)])
def test_kernel_threads_are_known_by_their_flag(flags: bytes, kernel: bool) -> None:
    assert parse_stat(line(rest=REST.replace(b"4194304", flags))).kernel_thread is kernel


def test_psutil_reads_the_same_of_a_live_child() -> None:
    with python() as child:
        stat = parse_stat(Path(f"/proc/{child.pid}/stat").read_bytes())
        oracle = psutil.Process(child.pid)
        assert (stat.pid, stat.ppid, stat.threads) == (child.pid, oracle.ppid(), oracle.num_threads())
        times = oracle.cpu_times()
        assert stat.cpu_ticks / 100 == pytest.approx(times.user + times.system, abs=0.05)
        assert stat.start_ticks / 100 == pytest.approx(oracle.create_time() - psutil.boot_time(), abs=0.02)
        assert stat.comm.decode() == oracle.name()[:15]


def test_a_live_name_of_the_worst_kind_is_read_whole() -> None:
    name = b"a) R (b\n\xc3)"
    code = f"import ctypes, time; ctypes.CDLL(None).prctl(15, {name!r}); print(flush=True); time.sleep(60)"
    with python(code) as child:
        stat = parse_stat(Path(f"/proc/{child.pid}/stat").read_bytes())
        assert stat.comm == name
        assert stat.state in "SRD"
        assert stat.pid == child.pid
