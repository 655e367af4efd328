"""Writer thread: encodes ticks, keeps the last in memory, writes them to a sink; a slow disk delays no sample."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from memtop.errors import RecordingError, failure_of, starved
from memtop.sanitize import clean
from memtop.sources.recording.encoder import Encoder
from memtop.sources.recording.ring import Ring
from memtop.sources.recording.sink import Sink
from memtop.sources.recording.tick import Block, Tick
from memtop.units import counted

THREAD: Final = "memtop-recorder"
"""Name of the thread."""
QUEUE_BYTES: Final = 16 << 20
"""Most memory that ticks may use while they wait for a sink, which may allow less. One tick is always accepted."""
RETRY_S: Final = 1.0
RECENT_S: Final = 0.5
"""How long the last ticks are waited for when they are asked for."""
CLOSE_S: Final = 2.0
"""How long closing waits for the disk."""
GATHER_S: Final = 3.9
"""For so long ticks wait for others where nothing is written: several together cost less each, because to wake costs
the thread as much as a tick does ..."""
GATHER_BYTES: Final = 1 << 20
"""... unless they take more memory."""
BEHIND_S: Final = 0.5
"""Ticks that have waited for so long are reported."""
FROZEN_S: Final = 3.0
"""A write that takes longer is reported."""


class Writer:
    """Encodes ticks and hands them to a sink while there is one.

    ``ring`` keeps the last ones. A new sink first gets all of it, or begins with the first tick. ``about`` is what the
    recording says of itself.
    """

    def __init__(self, ring: Ring | None = None, about: Mapping[str, bytes] | None = None) -> None:
        self._ring = ring
        self._about = about
        self._encoder = Encoder(about)
        self._changed = threading.Condition()
        self._queue: deque[tuple[Tick, int, float]] = deque()
        """Ticks that are not written yet, their sizes, and when they came (monotonic)."""
        self._queued_bytes = 0
        self._woken_s = -math.inf
        """When the thread was woken for a tick, on the clock of Instant.mono_s."""
        self._sink: Sink | None = None
        self._next_sink: Sink | None = None
        self._ending_sink = False
        self._pending: list[Block] = []
        """Blocks of the oldest ticks, or of the ring, that are not written yet."""
        self._closing = False
        self._ended = False
        self._closed = False
        self._removed = False
        self._gone = self._silent = ""
        """Words of the sink; see there."""
        self._broken = False
        """Whether the thread has ended, so that nothing more is written."""
        self._dropped = 0
        self._failed = ""
        self._lags = False
        """Whether the sink was waited for in vain, and has not taken everything since."""
        self._one_by_one = False
        """Whether a write has failed, and ticks have waited since: there may be room for some of them only."""
        self._writing_since_s: float | None = None
        threading.Thread(target=self._run, name=THREAD, daemon=True).start()

    @property
    def problem(self) -> str | None:
        """What is wrong now, as one sentence; None if nothing is. After close: what the file lacks."""
        with self._changed:
            waiting, dropped = len(self._queue), self._dropped
            closed, failed = self._closed, self._failed
        if self._removed:
            return f"recording stopped: {self._gone}"
        if closed and waiting + dropped:
            return f"the recording is incomplete: {_missing(waiting + dropped)}{': ' * bool(failed)}{failed}"
        if why := self.why_paused:
            return f"recording paused: {why} ({counted(waiting, 'sample')} kept in memory, {dropped} dropped)"
        return f"{_missing(dropped)} from the recording" if dropped else None

    def behind(self, *, newest: int) -> str | None:
        """How many ticks are not written yet beside so many of the newest, as one sentence.

        None for none, and where the oldest has not waited for BEHIND_S.
        """
        with self._changed:
            waiting = len(self._queue) - newest
            if waiting <= 0 or (self._sink or self._next_sink) is None:
                return None
            if time.monotonic() - self._queue[0][2] < BEHIND_S:
                return None
        return (
            f"the disk is slow: {counted(waiting, 'sample')} {'is' if waiting == 1 else 'are'} not in the recording yet"
        )

    def settle(self, seconds: float) -> None:
        """Wait until all ticks are written, unless the sink takes nothing now or was waited for in vain before."""
        with self._changed:
            if not self._lags:
                self._lags = not self._changed.wait_for(
                    lambda: not self._queue or self._broken or self.why_paused, seconds
                )

    @property
    def why_paused(self) -> str:
        """Why the sink takes nothing now; empty if it does."""
        with self._changed:
            since_s, failed = self._writing_since_s, self._failed
        is_silent = since_s is not None and time.monotonic() - since_s > FROZEN_S
        return failed or (self._silent if is_silent else "")

    @property
    def removed(self) -> bool:
        """Whether the sink has gone, so that nothing is written any longer."""
        return self._removed

    @property
    def failed(self) -> str:
        """Why the last write failed; empty if it did not."""
        return self._failed

    def recent(self) -> list[Block]:
        """What was taken last, the oldest first."""
        with self._changed:
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._queue or self._broken, RECENT_S)
            return list(self._ring) if self._ring is not None else []

    def begin(self, sink: Sink) -> float | None:
        """Write to this sink from now on, beginning with what the ring holds.

        Returns the wall time of its oldest instant, None for an empty ring.
        """
        with self._changed:
            first_s = next((block.instant.wall_s for block in self._ring), None) if self._ring is not None else None
            self._next_sink = sink
            self._gone, self._silent = sink.gone, sink.silent
            self._removed, self._dropped, self._failed = False, 0, ""
            self._changed.notify_all()
        return first_s

    def end(self) -> bool:
        """Finish the sink; ticks are still taken. Returns whether everything was written in time."""
        with self._changed:
            self._ending_sink = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._sink is None and self._next_sink is None, CLOSE_S)

    def submit(self, tick: Tick, *, always: bool = False, again: bool = False) -> bool:
        """Queue a tick for writing. Returns False if the queue is full and the tick was not accepted.

        ``again``: it was not accepted before.
        """
        size = tick.size_bytes()
        with self._changed:
            if self._broken:
                self._dropped += 1
                return True
            sink = self._next_sink or self._sink
            most_bytes = QUEUE_BYTES if sink is None else min(QUEUE_BYTES, sink.waiting_bytes)
            if self._queue and self._queued_bytes + size > most_bytes and not always:
                self._dropped += 1
                return False
            self._dropped -= again
            self._queue.append((tick, size, time.monotonic()))
            self._queued_bytes += size
            if self._is_due(tick.instant.mono_s):
                self._changed.notify_all()
        return True

    def _is_due(self, mono_s: float) -> bool:
        """Whether the thread is to wake for what is queued."""
        gathers = self._sink is None and self._ring is not None and self._queued_bytes < GATHER_BYTES
        if gathers and 0.0 <= mono_s - self._woken_s < GATHER_S:
            return False
        self._woken_s = mono_s
        return True

    def close(self) -> None:
        """Write what waits, and finish the sink. Gives up after CLOSE_S."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            ended = self._changed.wait_for(lambda: self._ended, CLOSE_S)
            self._closed = True
            if not ended and not self._failed:
                self._failed = self._silent
            sink = self._sink
        if sink is not None:
            self._removed = self._removed or not sink.look()

    # In the thread

    def _run(self) -> None:
        answers: list[bool] = []
        error = failure_of(lambda: answers.append(self._take_all()))
        complete = answers == [True]
        if error is not None:
            self._failed = clean(starved(error) or f"{type(error).__name__}: {error}")
        with self._changed:
            self._broken = not complete
        self._finish(complete=complete, closing=True)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take_all(self) -> bool:
        """Take ticks until closed; whether everything was written."""
        while self._wait():
            if not self._write_pending():
                return False
            with self._changed:
                ticks = [tick for tick, _, _ in self._queue][: 1 if self._one_by_one else None]
            if ticks:
                self._take(ticks)
                if not self._write_pending():
                    return False
                with self._changed:
                    self._queued_bytes -= sum(self._queue.popleft()[1] for _ in ticks)
                    self._lags = self._lags and bool(self._queue)
                    self._one_by_one = self._one_by_one and bool(self._queue)
                    self._changed.notify_all()
            if self._sink is not None:
                self._sink.keep_house()
            if self._ending_sink and not self._queue:
                self._finish(complete=True)
        return not self._removed

    def _wait(self) -> bool:
        """Wait for something to do, and take a new sink. Returns False after the last tick."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing or self._next_sink or self._ending_sink)
            # a sink that ends is finished before the next one begins
            if self._next_sink is not None and self._sink is None:
                self._sink, self._next_sink = self._next_sink, None
                if self._ring is not None:
                    self._pending = list(self._ring)
            return bool(self._queue or self._pending or not self._closing)

    def _take(self, ticks: Iterable[Tick]) -> None:
        """Encode what waits. It is written together: a disk that needs longer for each than a sample takes keeps up."""
        blocks = [self._encoder.block(tick) for tick in ticks]
        if self._ring is not None:
            with self._changed:
                self._ring.extend(blocks)
        if self._sink is not None:
            self._pending = blocks

    def _write_pending(self) -> bool:
        """Try until the pending blocks are written or the file is gone; when closing, try only once more.

        Returns False if they could not be written.
        """
        last = False
        while self._pending and self._sink is not None and not self._write(self._sink):
            if not self._sink.look():
                self._removed = True
                self._finish(complete=False)
                break
            if last and self._closing:
                return False
            if last:
                self._dropped += len(self._pending)
                self._finish(complete=False)
                break
            with self._changed:
                self._changed.notify_all()  # what fails is not waited for
                last = self._changed.wait_for(lambda: self._closing or self._ending_sink, RETRY_S)
        self._pending = []
        if self._sink is not None and self._sink.removed:
            self._removed = True
            self._finish(complete=False)
        return True

    def _write(self, sink: Sink) -> bool:
        self._writing_since_s = time.monotonic()
        try:
            sink.write(self._pending)
        except (RecordingError, OSError) as error:
            self._failed, self._one_by_one = _in_words(error), True
            return False
        finally:
            self._writing_since_s = None
        self._failed = ""
        return True

    def _finish(self, *, complete: bool, closing: bool = False) -> None:
        sink = self._sink
        if sink is not None:
            try:
                sink.finish(complete=complete)
            except (RecordingError, OSError) as error:
                self._failed = _in_words(error)
        with self._changed:
            if not closing:
                self._sink = None
            self._ending_sink = False
            self._changed.notify_all()


def _missing(samples: int) -> str:
    return f"{counted(samples, 'sample')} {'is' if samples == 1 else 'are'} missing"


def _in_words(error: RecordingError | OSError) -> str:
    """Why something could not be written, without the number that the system gives it."""
    return clean(starved(error) or (error.strerror if isinstance(error, OSError) else None) or str(error))
