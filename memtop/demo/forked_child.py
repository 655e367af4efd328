"""A forked child that shares its parent's memory and touches it on command; fork(2), prctl(2)."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

from memtop.demo.pacing import Pacing

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_STDIN: Final = 0

Obey = Callable[[Pacing, str, float, int, int], None]
"""Carries out (pace, verb, seconds, start, stop) in the child."""


def die_with_parent() -> None:
    """Ask for SIGKILL at the parent's death, which ends a stopped process too; prctl(2).

    The end of the parent's *thread* counts, and a parent that is dead already is not noticed. Therefore callers check a
    lifeline or getppid afterward.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def set_name(name: bytes) -> None:
    """Set the name that ps and top show, at most 15 bytes; prctl(2)."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name, 0, 0, 0)


class ForkedChild:
    """The child, as the parent sees it."""

    def __init__(self, speed: float, obey: Obey) -> None:
        """Fork. The child waits for orders. It ends with its parent, or with the watcher on standard input.

        Returns when the kernel knows that: a child that is stopped before would outlive them.
        """
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        parent_pid = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._orders)
            os.close(self._answers)
            _serve(parent_pid, orders, answers, speed, obey)
        os.close(orders)
        os.close(answers)
        os.read(self._answers, 1)  # nothing if it has ended already

    def order(self, verb: str, seconds: float, start: int, stop: int, pace: Pacing) -> bool:
        """Give the child an order and wait until it is done. Returns False if the child has ended."""
        try:
            os.write(self._orders, f"{verb} {seconds} {start} {stop}".encode())
        except BrokenPipeError:
            return False
        return pace.answer(self._answers) != b""

    def end(self) -> None:
        """Kill the child and collect its status."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._orders)
        os.close(self._answers)


def _serve(parent_pid: int, orders: int, answers: int, speed: float, obey: Obey) -> NoReturn:
    """The main loop of the child. It never returns into the parent's code."""
    try:
        die_with_parent()
        set_name(b"demo-child")
        os.write(answers, b".")
        pace = Pacing(speed, lifelines=(_STDIN, orders))
        while os.getppid() == parent_pid and (order := os.read(orders, 256)):
            verb, seconds, start, stop = order.decode().split()
            obey(pace, verb, float(seconds), int(start), int(stop))
            os.write(answers, b".")
    finally:
        os._exit(0)
