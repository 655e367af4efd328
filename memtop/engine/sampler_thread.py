"""The sampler thread: takes samples at planned instants, answers a changed Request between them, survives exceptions.

It knows nothing of Textual. A second thread delivers frames (:mod:`memtop.engine.delivery`). So a view that is slow, or
blocked for good, never delays a sample, and gets the newest frame when it is ready again.
"""

from __future__ import annotations

import math
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePath
from typing import Final

from memtop import units
from memtop.engine.delivery import Delivery
from memtop.errors import RecordingError, failure_of
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.sampling.commands import Command
from memtop.sanitize import clean

SHORTEST_DELAY_S: Final = 0.1
LONGEST_DELAY_S: Final = 60.0
FAILURES_BEFORE_SLOWER: Final = 3
SLOWER: Final = 10
"""Factor by which the delay grows while steps keep failing."""
STOP_S: Final = 0.5
"""How long stop() waits for a step under way."""
MESSAGE_LIMIT: Final = 200
OVERDUE_DELAYS: Final = 2
"""A sample is overdue when so many delays have passed since it was to be taken: three since the one before ..."""
OVERDUE_AT_MOST_S: Final = 3.0
"""... and at the latest after so long ..."""
OVERDUE_AT_LEAST_S: Final = 1.5
"""... but not sooner than this: the machine may be busy."""
WORK_S: Final = 0.025
"""How long a piece of other work takes: a sample may be so late."""
DRAWN_EVERY_S: Final = 0.5
"""Shortest time between frames. Faster samples are all taken, and shown together, because drawing is expensive and no
reader can follow."""


class SamplerThread:
    """Calls ``step`` at every planned instant and ``view`` whenever the Request has changed, in a separate thread.

    ``step(request, commands, late_s)`` takes a sample that is ``late_s`` seconds later than planned and makes its
    frame. None means that there is no more (the end of a recording). ``view(request, commands)`` makes a frame without
    a new sample, or None. ``take(request, commands, late_s)`` takes a sample that will not be drawn. False means that
    there is no more. Each receives the commands that came since the previous call. One thread makes these calls.
    Another one calls ``deliver``, ``deliver_problem`` (one clean line about an exception in step or view) and
    ``on_end`` (once at the end of a recording), which may block.

    ``work(request, until_s)`` does a piece of other work, such as playing the past of an instant, while nothing else is
    to be done and ``has_work`` is true. It ends soon after the monotonic time ``until_s``, and may make a frame.

    ``ready`` is called before all of these, and may block: it waits for a first sample that was begun elsewhere.
    With ``paced`` False a recording is played: its steps come one delay after another and are never late.
    """

    def __init__(
        self,
        step: Callable[[Request, Sequence[Command], float], Frame | None],
        view: Callable[[Request, Sequence[Command]], Frame | None],
        deliver: Callable[[Frame], None],
        delay_s: float,
        on_end: Callable[[], None],
        *,
        take: Callable[[Request, Sequence[Command], float], bool],
        deliver_problem: Callable[[str], None],
        request: Request | None = None,
        paced: bool = True,
        ready: Callable[[], object] = lambda: None,
        has_work: Callable[[], bool] = lambda: False,
        work: Callable[[Request, float], Frame | None] = lambda request, until_s: None,
    ) -> None:
        self._step = step
        self._view = view
        self._take = take
        self._delivery = Delivery(deliver)
        self._deliver_problem = deliver_problem
        self._on_end = on_end
        self._paced = paced
        self._ready = ready
        self._has_work = has_work
        self._work = work
        self._changed = threading.Condition()
        self._request = request if request is not None else Request()
        self._request_is_new = False
        self._commands: list[Command] = []
        """Commands that no step or view has received yet, oldest first."""
        self._delay_s = _within_limits(delay_s)
        self._due_from_s = time.monotonic() - self._delay_s  # the first step is due at once
        self._sampled_s = time.monotonic()
        """When the last sample was there, or sampling began or went on."""
        self._drawn_s = -math.inf
        self._paused = False
        self._single_steps = 0
        self._failures = 0
        self._ended = False
        self._has_more = False
        """Whether more came while a step was under way."""
        self._stopped = False
        self._sampling = threading.Thread(target=self._sample, name="memtop-sampler", daemon=True)

    def start(self) -> None:
        """Start both threads. The first sample is taken at once."""
        with self._changed:
            self._sampled_s = time.monotonic()
            self._due_from_s = self._sampled_s - self._delay_s
        self._delivery.start()
        self._sampling.start()

    def stop(self) -> None:
        """End the threads. A step under way is waited for, but not for long."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._delivery.close()
        if self._sampling.is_alive() and self._sampling is not threading.current_thread():
            self._sampling.join(STOP_S)

    @property
    def request(self) -> Request:
        """The view's Request. A changed one is answered at once, without waiting for the next sample."""
        return self._request

    @request.setter
    def request(self, request: Request) -> None:
        with self._changed:
            if request != self._request:
                self._request = request
                self._request_is_new = True
                self._changed.notify()

    def command(self, command: Command) -> None:
        """Add commands, which are carried out once, before the next sample. They keep their order, and none is lost."""
        with self._changed:
            self._commands.append(command)
            self._changed.notify()

    def nudge(self) -> None:
        """Look at once whether there is other work."""
        with self._changed:
            self._changed.notify()

    @property
    def delay_s(self) -> float:
        """Seconds between samples, 0.1 to 60; other values are limited to that. A change takes effect at once."""
        return self._delay_s

    @delay_s.setter
    def delay_s(self, delay_s: float) -> None:
        with self._changed:
            self._delay_s = _within_limits(delay_s)
            self._changed.notify()

    @property
    def pause_stepping(self) -> bool:
        """Whether no samples are taken. The Request is still answered."""
        return self._paused

    @pause_stepping.setter
    def pause_stepping(self, paused: bool) -> None:
        with self._changed:
            if self._paused and not paused:
                self._sampled_s = time.monotonic()
                self._due_from_s = self._sampled_s - self._delay_s
                self._ended = False  # the recording may have been rewound
            self._paused = paused
            self._changed.notify()

    def step_once(self) -> None:
        """Take one sample now, even while paused, or after a recording was rewound at its end."""
        with self._changed:
            self._single_steps += 1
            self._changed.notify()

    def go_on(self) -> None:
        """More has come of a recording that had ended: take it at once, unless paused."""
        with self._changed:
            self._has_more = True
            if self._ended:
                self._ended = False
                self._due_from_s = time.monotonic() - self._delay_s
            self._changed.notify()

    @property
    def overdue_s(self) -> float | None:
        """Age of the last sample in seconds, where the next one should have come long ago; None where all is well.

        Takes no lock, so that a sampler that hangs does not make its watcher hang.
        """
        if self._paused or self._ended or self._stopped:
            return None
        age_s = time.monotonic() - self._sampled_s
        return age_s if age_s >= self._overdue_age_s else None

    @property
    def overdue_in_s(self) -> float:
        """Seconds until the next sample is overdue if it does not come. Takes no lock."""
        return max(0.0, self._sampled_s + self._overdue_age_s - time.monotonic())

    @property
    def _overdue_age_s(self) -> float:
        """Age of the last sample at which the next one is overdue."""
        delay_s = self._delay_s
        return delay_s + max(OVERDUE_AT_LEAST_S - delay_s, min(OVERDUE_DELAYS * delay_s, OVERDUE_AT_MOST_S))

    @property
    def fails(self) -> bool:
        """Whether the last sample could not be taken, for an error that was delivered. Takes no lock."""
        return self._failures > 0

    # In the sampler thread

    def _due_s(self) -> float:
        slower = SLOWER if self._failures >= FAILURES_BEFORE_SLOWER else 1
        return self._due_from_s + self._delay_s * slower

    def _step_is_due(self) -> bool:
        if self._single_steps:
            return True
        return not (self._paused or self._ended) and time.monotonic() >= self._due_s()

    def _wait_s(self) -> float | None:
        """Seconds until the next step is due; None while paused or ended."""
        return None if self._paused or self._ended else max(0.0, self._due_s() - time.monotonic())

    def _sample(self) -> None:
        self._ready()
        while True:
            with self._changed:
                while not (self._stopped or self._is_wanted() or self._has_work()):
                    self._changed.wait(self._wait_s())
                if self._stopped:
                    return
                works = not self._is_wanted()
                request = self._request
                if not works:
                    self._request_is_new = False
                    commands, self._commands = self._commands, []
                    single = self._single_steps > 0
                    late_s = self._begin_step() if self._step_is_due() else None
            if works:
                error = failure_of(partial(self._do_work, request))
            else:
                drawn = single or not self._too_soon_to_draw()
                error = failure_of(partial(self._answer, request, commands, late_s, drawn=drawn))
            if error is not None:
                self._note_failure(error, stepping=not works and late_s is not None)
                del error  # its traceback holds what the step has read

    def _is_wanted(self) -> bool:
        """Whether there is something to do that is more urgent than other work."""
        return self._request_is_new or bool(self._commands) or self._step_is_due()

    def _do_work(self, request: Request) -> None:
        frame = self._work(request, time.monotonic() + WORK_S)
        if frame is not None:
            self._drawn_s = time.monotonic()
            self._delivery.post_frame(frame)

    def _too_soon_to_draw(self) -> bool:
        """Whether the last frame is too recent. False for a recording, whose last sample stays on screen."""
        return self._paced and time.monotonic() - self._drawn_s < DRAWN_EVERY_S - self._delay_s / 2

    def _begin_step(self) -> float:
        """Plan the step after this one; returns how late this one is, in seconds."""
        now_s, due_s = time.monotonic(), self._due_s()
        self._has_more = False
        if self._single_steps:
            self._single_steps -= 1
            self._ended = False
            due_s = now_s
        late_s = now_s - due_s if self._paced else 0.0
        # A late sample is taken at once. Missed samples are not repeated.
        self._due_from_s = due_s if self._paced and late_s <= self._delay_s else now_s
        return late_s

    def _answer(self, request: Request, commands: Sequence[Command], late_s: float | None, *, drawn: bool) -> None:
        """Take a sample, or only make a new frame of the last one if ``late_s`` is None.

        A sample that is not ``drawn`` is shown by the next frame.
        """
        frame, there_is_more = None, True
        if late_s is None:
            frame = self._view(request, commands)
        elif drawn:
            frame = self._step(request, commands, late_s)
            there_is_more = frame is not None
        else:
            there_is_more = self._take(request, commands, late_s)
        if late_s is not None:
            with self._changed:
                self._failures = 0
                self._sampled_s = time.monotonic()
                self._ended = not (there_is_more or self._has_more)
        if frame is not None:
            self._drawn_s = time.monotonic()
            self._delivery.post_frame(frame)
        elif not there_is_more:
            self._delivery.post("end", self._on_end)

    def _note_failure(self, error: Exception, *, stepping: bool) -> None:
        if isinstance(error, RecordingError):  # what cannot be read of it cannot be read the next time either
            with self._changed:
                self._ended = True
            self._delivery.post("problem", partial(self._deliver_problem, str(error)))
            return
        with self._changed:
            self._failures += stepping
            again_s = max(0.0, self._due_s() - time.monotonic())
        what = clean(f"{type(error).__name__}: {error}")[:MESSAGE_LIMIT]
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{PurePath(place.filename).name}:{place.lineno}"
        text = f"sampler failed ({where}): {what}; next try in {units.duration(again_s)}"
        self._delivery.post("problem", partial(self._deliver_problem, text))


def _within_limits(delay_s: float) -> float:
    return min(LONGEST_DELAY_S, max(SHORTEST_DELAY_S, delay_s))
