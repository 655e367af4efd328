"""The sampler's thread: on time, never in bursts, never waiting for a view, never dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import pytest

from memtop.engine import sampler_thread
from memtop.engine.sampler_thread import SLOWER, SamplerThread
from memtop.errors import RecordingError
from memtop.model.assessment import ExitReport
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.sampling.commands import Command, ReadMappings, ToggleMark
from tests.requests import request
from tests.tui.frames import frame
from tests.tui.terminal.pty_run import wait_for

SHORT_S = 0.1
EXACT_S = 0.125
"""A delay whose multiples are exact."""


class Clock:
    """Time that passes when the test says so, as a processor would that is as busy as the test says."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


class Engine:
    """Counts what it is asked, and does as the test says."""

    def __init__(self) -> None:
        self.now_s: Callable[[], float] = time.monotonic
        self.steps: list[tuple[float, float]] = []
        """(when, how late) of each."""
        self.step_asks: list[Request] = []
        self.views: list[Request] = []
        self.frames: list[Frame] = []
        self.problems: list[str] = []
        self.ends = 0
        self.taken = 0
        self.commands: list[Command] = []
        self.stepping: Callable[[], Frame | None] = frame
        self.viewing: Callable[[], Frame | None] = frame
        self.delivering: Callable[[], object] = lambda: None

    def step(self, ask: Request, commands: Sequence[Command], late_s: float) -> Frame | None:
        self.commands += commands
        self.steps.append((self.now_s(), late_s))
        self.step_asks.append(ask)
        made = self.stepping()
        return None if made is None else made._replace(tick=len(self.steps))

    def take(self, ask: Request, commands: Sequence[Command], late_s: float) -> bool:
        self.taken += 1
        return self.step(ask, commands, late_s) is not None

    def view(self, ask: Request, commands: Sequence[Command]) -> Frame | None:
        self.commands += commands
        self.views.append(ask)
        return self.viewing()

    def deliver(self, made: Frame) -> None:
        self.delivering()
        self.frames.append(made)

    def end(self) -> None:
        self.ends += 1

    def sampler(self, delay_s: float = SHORT_S, *, paced: bool = True) -> SamplerThread:
        return SamplerThread(
            self.step,
            self.view,
            self.deliver,
            delay_s,
            self.end,
            take=self.take,
            deliver_problem=self.problems.append,
            paced=paced,
        )


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def sampler(engine: Engine) -> Iterator[SamplerThread]:
    """Running at ten samples a second."""
    sampler = engine.sampler()
    sampler.start()
    yield sampler
    sampler.stop()


@pytest.fixture
def slow_sampler(engine: Engine) -> Iterator[SamplerThread]:
    """Running at one sample a minute; it has taken its first."""
    sampler = engine.sampler(60.0)
    sampler.start()
    wait_for(lambda: engine.frames, "the first frame")
    yield sampler
    sampler.stop()


@pytest.fixture
def clock(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """That of the samplers of this test."""
    clock = Clock()
    engine.now_s = clock.monotonic
    monkeypatch.setattr(sampler_thread, "time", clock)
    return clock


@pytest.fixture
def exact_sampler(engine: Engine, clock: Clock) -> Iterator[SamplerThread]:
    """Running at eight samples a second of the clock; its first frame was shown."""
    sampler = engine.sampler(EXACT_S)
    sampler.start()
    wait_for(lambda: engine.frames, "the first frame")
    yield sampler
    sampler.stop()


def count_reaches(count: int, seen: Callable[[], int]) -> None:
    wait_for(lambda: seen() == count, f"number {count}")


def pass_s(seconds: float, clock: Clock, sampler: SamplerThread) -> None:
    """Let time pass; the sampler notices."""
    clock.now_s += seconds
    sampler.nudge()


def raising(error: Exception) -> Callable[[], Frame | None]:
    def fail() -> Frame | None:
        raise error

    return fail


def taking(seconds: float) -> Callable[[], Frame | None]:
    def make() -> Frame | None:
        time.sleep(seconds)
        return frame()

    return make


def test_a_recording_that_is_damaged_ends_with_its_sentence(engine: Engine) -> None:
    engine.stepping = raising(RecordingError("r cannot be played: it is damaged"))
    sampler = engine.sampler(paced=False)
    sampler.start()
    wait_for(lambda: engine.problems, "the sentence")
    engine.stepping = frame
    sampler.step_once()  # the next instant may be whole
    wait_for(lambda: engine.frames, "another instant")
    assert engine.problems == ["r cannot be played: it is damaged"]
    sampler.stop()


def test_samples_come_at_planned_instants_that_do_not_drift(
    engine: Engine, exact_sampler: SamplerThread, clock: Clock
) -> None:
    for number in range(1, 7):
        pass_s(EXACT_S + EXACT_S / 8, clock, exact_sampler)
        count_reaches(1 + number, lambda: len(engine.steps))
    assert [when_s - late_s for when_s, late_s in engine.steps] == [1000.0 + EXACT_S * number for number in range(7)]


def test_samples_that_come_fast_are_all_taken_and_shown_twice_a_second(
    engine: Engine, exact_sampler: SamplerThread, clock: Clock
) -> None:
    for number in range(2, 14):
        pass_s(EXACT_S, clock, exact_sampler)
        count_reaches(number, lambda: engine.taken + len(engine.frames))
    assert [shown.tick for shown in engine.frames] == [1, 5, 9, 13]
    assert len(engine.steps) == 13


def test_every_sample_of_a_recording_is_shown(engine: Engine) -> None:
    sampler = engine.sampler(paced=False)
    sampler.start()
    wait_for(lambda: len(engine.frames) >= 5, "five frames")
    sampler.stop()
    assert engine.taken == 0


def test_who_ended_is_told_although_nobody_took_the_frame_that_said_so(
    engine: Engine, slow_sampler: SamplerThread
) -> None:
    blocked, ended = threading.Event(), (cast(ExitReport, object()),)
    engine.delivering = lambda: blocked.wait(5)
    slow_sampler.request = request(sort="pid")  # its frame keeps the delivery busy
    wait_for(lambda: engine.views, "a look")
    engine.stepping = lambda: frame()._replace(exits=ended)
    slow_sampler.step_once()
    wait_for(lambda: len(engine.steps) == 2, "the sample that has it")
    engine.stepping = frame
    slow_sampler.step_once()
    wait_for(lambda: len(engine.steps) == 3, "the sample after it")
    slow_sampler.request = request(sort="rss")
    wait_for(lambda: len(engine.views) == 2, "a view, before which that sample's frame was handed over")
    blocked.set()
    wait_for(lambda: len(engine.frames) >= 3, "the newest frame")
    assert [made.exits for made in engine.frames[1:]].count(ended) == 1


def test_a_long_stall_is_told_once_and_not_made_up_for(
    engine: Engine, exact_sampler: SamplerThread, clock: Clock
) -> None:
    def stall() -> Frame:
        engine.stepping = frame
        clock.now_s += 4 * EXACT_S
        return frame()

    engine.stepping = stall
    pass_s(EXACT_S, clock, exact_sampler)
    wait_for(lambda: len(engine.steps) == 3, "the sample after the stall")
    pass_s(EXACT_S, clock, exact_sampler)
    wait_for(lambda: len(engine.steps) == 4, "one more")
    assert [late_s for _, late_s in engine.steps] == [0.0, 0.0, 3 * EXACT_S, 0.0]
    assert engine.steps[3][0] - engine.steps[2][0] == EXACT_S, "planned for after the late one"


def test_a_new_ask_is_answered_at_once_without_a_sample(engine: Engine, slow_sampler: SamplerThread) -> None:
    slow_sampler.request = request(sort="pid")
    wait_for(lambda: len(engine.frames) == 2, "the answer")
    assert [ask.rows.sort for ask in engine.views] == ["pid"]
    assert len(engine.steps) == 1


def test_an_equal_ask_is_not_answered_again(engine: Engine, slow_sampler: SamplerThread) -> None:
    slow_sampler.request = request(sort="pid")
    slow_sampler.request = request(sort="pid")
    slow_sampler.step_once()
    wait_for(lambda: len(engine.steps) == 2, "a step")
    assert len(engine.views) <= 1


def test_asks_that_follow_each_other_quickly_are_answered_together(engine: Engine, slow_sampler: SamplerThread) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slowly() -> Frame:
        entered.set()
        assert go_on.wait(5)
        return frame()

    engine.viewing = slowly
    slow_sampler.request = request(points=1)
    assert entered.wait(5)
    for points in range(2, 100):
        slow_sampler.request = request(points=points)
    go_on.set()
    wait_for(lambda: len(engine.views) == 2, "the second answer")
    slow_sampler.stop()
    assert [ask.window.points for ask in engine.views] == [1, 99]


def test_a_step_is_given_the_newest_ask(engine: Engine, slow_sampler: SamplerThread) -> None:
    slow_sampler.request = request(points=7)
    slow_sampler.step_once()
    wait_for(lambda: len(engine.steps) == 2, "a step")
    assert engine.step_asks[-1].window.points == 7


def test_no_command_is_lost_and_none_is_given_twice(engine: Engine, sampler: SamplerThread) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slowly() -> Frame:
        entered.set()
        assert go_on.wait(5)
        return frame()

    engine.stepping = slowly
    assert entered.wait(5)
    sent = [command(ProcessKey(pid, 1)) for pid in range(50) for command in (ToggleMark, ReadMappings)]
    for command in sent:
        sampler.command(command)
    go_on.set()
    wait_for(lambda: len(engine.commands) >= len(sent), "all commands")
    done = len(engine.steps)
    wait_for(lambda: len(engine.steps) > done + 1, "more samples")
    assert engine.commands == sent


def test_a_command_is_obeyed_at_once_without_a_sample(engine: Engine, slow_sampler: SamplerThread) -> None:
    slow_sampler.command(ToggleMark(ProcessKey(1, 1)))
    wait_for(lambda: len(engine.frames) == 2, "the answer")
    assert (engine.commands, len(engine.steps)) == ([ToggleMark(ProcessKey(1, 1))], 1)


def test_an_exception_is_told_in_one_clean_line_and_sampling_goes_on(engine: Engine, sampler: SamplerThread) -> None:
    engine.stepping = raising(ValueError("bad\n\x1b[31mbytes"))
    wait_for(lambda: engine.problems, "the problem")
    engine.stepping = frame
    done = len(engine.frames)
    wait_for(lambda: len(engine.frames) > done, "the next frame")
    assert engine.problems[0].startswith("sampler failed (test_sampler_thread.py:")
    assert "^[" in engine.problems[0]
    assert engine.problems[0].isprintable()


def test_an_exception_that_says_much_is_told_in_few_words(engine: Engine, sampler: SamplerThread) -> None:
    engine.stepping = raising(ValueError("x" * 100_000))
    wait_for(lambda: engine.problems, "the problem")
    engine.stepping = frame
    assert len(engine.problems[0]) < 300


def test_an_exception_while_looking_again_does_not_stop_sampling(engine: Engine, sampler: SamplerThread) -> None:
    engine.viewing = raising(KeyError("x"))
    sampler.request = request(points=3)
    wait_for(lambda: engine.views == [] or engine.problems, "the problem, or a step that answered first")
    done = len(engine.steps)
    wait_for(lambda: len(engine.steps) > done + 1, "more samples")


def test_three_failures_in_a_row_make_it_ten_times_slower_until_one_succeeds(
    engine: Engine, exact_sampler: SamplerThread, clock: Clock
) -> None:
    engine.stepping = raising(ValueError("again"))
    for number in (1, 2, 3):
        pass_s(EXACT_S, clock, exact_sampler)
        count_reaches(number, lambda: len(engine.problems))
    engine.stepping = frame
    pass_s(SLOWER * EXACT_S + EXACT_S / 2, clock, exact_sampler)
    wait_for(lambda: len(engine.steps) == 5, "the fourth try")
    assert engine.steps[4][1] == EXACT_S / 2, "it was planned for later"
    pass_s(EXACT_S / 2, clock, exact_sampler)
    wait_for(lambda: len(engine.steps) == 6, "a sample as soon as before")


def test_a_recording_ends_once_and_is_still_looked_at(engine: Engine, sampler: SamplerThread) -> None:
    engine.stepping = lambda: None
    wait_for(lambda: engine.ends, "the end")
    steps = len(engine.steps)
    sampler.request = request(points=9)
    wait_for(lambda: engine.views, "the view")
    assert engine.ends == 1
    assert len(engine.steps) == steps
    engine.stepping = frame
    sampler.step_once()
    wait_for(lambda: len(engine.steps) > steps + 2, "sampling again after it has been wound back")


def test_a_recording_is_never_late(engine: Engine) -> None:
    sampler = engine.sampler(paced=False)
    engine.stepping = taking(0.25)
    sampler.start()
    wait_for(lambda: len(engine.steps) >= 3, "three samples")
    assert [late for _, late in engine.steps] == [0.0, 0.0, 0.0]
    sampler.stop()


def test_pausing_stops_samples_and_a_single_step_takes_one(
    engine: Engine, exact_sampler: SamplerThread, clock: Clock
) -> None:
    exact_sampler.pause_stepping = True
    pass_s(4 * EXACT_S, clock, exact_sampler)
    exact_sampler.step_once()
    wait_for(lambda: len(engine.frames) == 2, "one sample")
    pass_s(4 * EXACT_S, clock, exact_sampler)
    exact_sampler.pause_stepping = False
    wait_for(lambda: len(engine.steps) == 3, "samples again")
    assert [late_s for _, late_s in engine.steps] == [0.0, 0.0, 0.0], "the pause is no lateness"
    assert engine.steps[2][0] == clock.now_s


def test_a_shorter_delay_holds_at_once(engine: Engine, slow_sampler: SamplerThread) -> None:
    slow_sampler.delay_s = SHORT_S
    wait_for(lambda: len(engine.steps) >= 3, "two more samples")


@pytest.mark.parametrize(("asked_s", "given_s"), [(0.0, 0.1), (0.5, 0.5), (1000.0, 60.0)])
def test_the_delay_stays_within_its_limits(engine: Engine, asked_s: float, given_s: float) -> None:
    sampler = engine.sampler()
    sampler.delay_s = asked_s
    assert sampler.delay_s == given_s


def test_a_view_that_is_stuck_delays_no_sample_and_gets_the_newest_frame(engine: Engine) -> None:
    go_on = threading.Event()
    engine.delivering = lambda: go_on.wait(60)
    sampler = engine.sampler()
    sampler.start()
    wait_for(lambda: len(engine.steps) >= 6, "six samples")
    go_on.set()
    wait_for(lambda: len(engine.frames) >= 2, "two frames")
    assert engine.frames[0].tick == 1
    assert engine.frames[1].tick >= 5
    sampler.stop()


def test_stop_ends_its_threads(engine: Engine, sampler: SamplerThread) -> None:
    wait_for(lambda: engine.steps, "a sample")
    sampler.stop()
    own = {"memtop-sampler", "memtop-delivery"}
    wait_for(lambda: own.isdisjoint(thread.name for thread in threading.enumerate()), "the end of its threads")
