"""Delivery: a thread with room for one frame gives the newest one to a view, which may be slow or blocked for good."""

from __future__ import annotations

import threading
from collections.abc import Callable

from memtop.model.frame import Frame


class Delivery:
    """Calls ``deliver`` with frames, and other functions, in a thread of its own. All of them may block.

    Of each kind only the newest is kept until the thread is ready for it.
    """

    def __init__(self, deliver: Callable[[Frame], None]) -> None:
        self._deliver = deliver
        self._waiting: Frame | None = None
        """The frame that was made and not delivered yet."""
        self._out: dict[str, Callable[[], None]] = {}
        """Deliveries by kind, oldest first."""
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._deliver_all, name="memtop-delivery", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, without waiting for it."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def post_frame(self, frame: Frame) -> None:
        """Replace a frame that was not delivered yet. Reported ends of processes are kept."""
        with self._changed:
            if self._waiting is not None:
                frame = frame._replace(exits=self._waiting.exits + frame.exits)
            self._waiting = frame
        self.post("frame", self._deliver_waiting)

    def post(self, kind: str, function: Callable[[], None]) -> None:
        """Have a function called, in place of one of the same kind that was not called yet."""
        with self._changed:
            self._out.pop(kind, None)  # so that the new one comes last
            self._out[kind] = function
            self._changed.notify()

    def _deliver_waiting(self) -> None:
        with self._changed:
            frame, self._waiting = self._waiting, None
        if frame is not None:
            self._deliver(frame)

    def _deliver_all(self) -> None:
        while True:
            with self._changed:
                while not (self._out or self._closed):
                    self._changed.wait()
                if self._closed:
                    return
                functions, self._out = self._out, {}
            for function in functions.values():
                function()
