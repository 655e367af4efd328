"""memtop's own memory: what is left out of it, and that nothing misses it."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import gc, sys
from memtop.tui import lean
lean.prepare()
assert not gc.isenabled()
import memtop.fetch, memtop.tui.app
assert sys.modules["ssl"] is None and "_ssl" not in sys.modules
lean.settle()
assert gc.isenabled() and gc.get_freeze_count() > 10_000
"""


@pytest.mark.parametrize("allocator", ["glibc's", "one without mallopt and malloc_trim"])
def test_the_screen_does_without_openssl_and_keeps_the_collector_out_of_the_start(allocator: str) -> None:
    before = "import ctypes; ctypes.CDLL = lambda name: object()\n" if "without" in allocator else ""
    subprocess.run([sys.executable, "-c", before + CODE], check=True)
