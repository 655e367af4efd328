"""For all tests: hypothesis plays the same examples every time, and a busy machine is no failure.

A shell that runs the suite in the background has SIGINT and SIGQUIT ignored, nohup(1) SIGHUP. Programs that tests start
would inherit that and never end by these signals; so tests begin with the usual handling. Programs also start without
PYTHONUNBUFFERED, which hides what is lost at exit, and may keep their compiled modules: memtop is started hundreds of
times. Screens have all colors, whatever terminal the suite runs on.

Python's garbage collector leaves out what the collection of the tests made, some hundred thousand objects that stay,
and looks as seldom as in memtop.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Mapping

from hypothesis import settings

from memtop.tui.terminal.memory_tuning import OBJECTS_BETWEEN
from tests.tui.idle_loop import IdleLoop

settings.register_profile("memtop", deadline=None, derandomize=True)
settings.load_profile("memtop")

for variable in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(variable, None)

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
