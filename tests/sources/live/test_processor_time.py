"""What threads of memtop want of a processor, and when none of them wants one."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from memtop.sources.live import blocking_reader, processor_time

WORK_S = 0.05


def raising_not_found(*_: object) -> object:
    raise FileNotFoundError


def work() -> None:
    until_s = time.thread_time() + WORK_S
    while time.thread_time() < until_s:
        pass


def test_waiting_for_a_processor_counts_and_without_schedstat_only_running_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began_s = time.thread_time()
    waited_s = int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    assert blocking_reader.spent_s() >= began_s + waited_s
    monkeypatch.setattr("os.open", raising_not_found)
    assert began_s <= blocking_reader.spent_s() <= time.thread_time()
    assert blocking_reader.spent_by_s(threading.get_native_id()) == 0


def test_what_another_thread_wants_is_seen_and_counts_for_the_process() -> None:
    begin, end = threading.Event(), threading.Event()
    worked = threading.Event()

    def thread() -> None:
        begin.wait()
        work()
        worked.set()
        end.wait()

    worker = threading.Thread(target=thread)
    worker.start()
    assert worker.native_id is not None
    before_s, all_before_s = blocking_reader.spent_by_s(worker.native_id), processor_time.process_s()
    begin.set()
    worked.wait()
    assert blocking_reader.spent_by_s(worker.native_id) >= before_s + WORK_S / 2  # the kernel counts it in ticks
    assert processor_time.process_s() >= all_before_s + WORK_S
    end.set()
    worker.join()


def test_time_in_which_no_thread_wants_a_processor_is_idle() -> None:
    starvation = processor_time.Starvation()
    idle_s = []
    for _ in range(5):  # a machine that stands still itself for a moment, as virtual ones do, looks idle
        began_s = time.monotonic()
        work()
        idle_s.append(starvation.idle_s(time.monotonic() - began_s))
    assert min(idle_s) < WORK_S / 2
    assert starvation.idle_s(10.0) > 9.0
