"""For all tests: hypothesis plays the same examples every time, and a busy machine is no failure."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("memtop", deadline=None, derandomize=True)
settings.load_profile("memtop")
