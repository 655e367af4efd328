"""For all tests: hypothesis plays the same examples every time, and a busy machine is no failure.

A shell that runs the suite in the background has SIGINT and SIGQUIT ignored, nohup(1) SIGHUP. Programs that tests start
would inherit that and never end by these signals; so tests begin with the usual handling. Programs also start without
PYTHONUNBUFFERED, which hides what is lost at exit. They and pytest may keep compiled modules: memtop is started
hundreds of times, and each worker would compile all tests. Screens have all colors, whatever terminal the suite runs
on.

Python's garbage collector leaves out what the collection of the tests made, some hundred thousand objects that stay,
and looks as seldom as in memtop.
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from memtop.tui.terminal.memory_tuning import OBJECTS_BETWEEN
from tests.tui.idle_loop import IdleLoop

settings.register_profile("memtop", deadline=None, derandomize=True)
settings.load_profile("memtop")

for variable in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(variable, None)
sys.dont_write_bytecode = False

os.environ["COLORTERM"] = "truecolor"

for number in (signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """All tests are known."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of all tests of the screen."""
    return {"idle": IdleLoop}


@pytest.fixture
def only_oom_kills() -> Iterator[None]:
    """No other test, of another worker either, causes an OOM kill meanwhile. The machine counts those of all tests, so
    memtop could not tell the end of this test's process from theirs."""
    with (Path(tempfile.gettempdir()) / f"memtop-tests-oom-kills-{os.getuid()}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
