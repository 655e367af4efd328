"""Which signals have no effect on a process."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from memtop.errors import ParseError
from memtop.procfs.signal_masks import parse_signal_masks
from tests.children import python

TERM, INT, KILL, CONT = signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGCONT


def status(threads: int = 1, ns_pid: str = "4242", *, ign: int = 0, blk: int = 0, cgt: int = 0) -> bytes:
    masks = f"SigBlk:\t{blk:016x}\nSigIgn:\t{ign:016x}\nSigCgt:\t{cgt:016x}\n"
    return f"Name:\tx\nNSpid:\t{ns_pid}\nThreads:\t{threads}\n{masks}".encode()


def test_ignored_and_blocked_signals_are_told_apart() -> None:
    masks = parse_signal_masks(status(ign=1 << TERM - 1, blk=1 << INT - 1))
    assert [masks.ignores(TERM), masks.ignores(INT)] == [True, False]
    assert [masks.blocks(TERM), masks.blocks(INT)] == [False, True]


def test_another_thread_may_take_what_the_main_thread_blocks() -> None:
    assert not parse_signal_masks(status(2, blk=1 << TERM - 1)).blocks(TERM)


def test_pid_1_of_a_container_ignores_what_it_has_no_handler_for() -> None:
    masks = parse_signal_masks(status(ns_pid="4242\t1", cgt=1 << INT - 1))
    assert [masks.ignores(each) for each in (TERM, INT, KILL, CONT)] == [True, False, False, False]
    assert not parse_signal_masks(status(ns_pid="4242\t7")).ignores(TERM)


def test_the_masks_of_a_real_process() -> None:
    code = "import signal; signal.signal(15, signal.SIG_IGN); signal.pthread_sigmask(0, [2])"
    with python(f"{code}; import time; print(flush=True); time.sleep(60)") as child:
        masks = parse_signal_masks(Path(f"/proc/{child.pid}/status").read_bytes())
    assert masks.ignores(TERM) and masks.blocks(INT) and not masks.ignores(signal.SIGHUP)


def test_a_file_without_masks_is_refused() -> None:
    with pytest.raises(ParseError):
        parse_signal_masks(b"Name:\tx\nSigIgn:\tz\n")
