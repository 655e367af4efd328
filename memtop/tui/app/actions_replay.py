"""Actions that go to a time or an event, and play a recording faster or slower."""

from __future__ import annotations

from typing import Final

from memtop.engine.sampler_thread import SHORTEST_DELAY_S
from memtop.errors import RecordingError
from memtop.explain.event_names import EVENT_WORDS
from memtop.explain.limit_names import short
from memtop.model.timeline import EventKind, TimelineEvent
from memtop.time_of_day import parse_instant, span_words
from memtop.tui.app.actions_past import PastActions
from memtop.tui.bars.timeline_bar import TimelineBar
from memtop.tui.dialogs.dialog import Prompt

SAME_S: Final = 0.001
"""Instants that are nearer than this are one."""
_NAMED_FIRST: Final = (
    EventKind.OOM,
    EventKind.LIMIT,
    EventKind.VERDICT,
    EventKind.MARK,
    EventKind.RESTART,
    EventKind.EXIT,
    EventKind.LOST,
)
"""Which of several events at one instant is named: whoever has set a mark looks for it, among restarts and ends too."""
SPEEDS: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


class ReplayActions(PastActions):
    """Which instant is shown, and how fast a recording is played."""

    def action_seek(self) -> None:
        span = self._span
        if span is None:
            self.say("no earlier sample yet", severity="warning")
            return
        first, last = span_words(*span)

        def parse(text: str) -> float:
            return parse_instant(text, *span) if self.player is None else self.player.instant(text)

        def use(at_s: float | None) -> None:
            if at_s is not None:
                self.go_to_instant(at_s)

        has, end = ("The recording goes", "the end") if self.player is not None else ("The kept samples go", "now")
        says = f"Such as {last}, -2m (before {end}) or +30s (after the start). {has} from {first} to {last}."
        self.push_screen(Prompt("Go to a time", parse, says=says), use)

    @property
    def _span(self) -> tuple[float, float] | None:
        """The wall times that can be gone to; None for none."""
        if self.player is not None:
            return self.player.span
        if self.frame is None or self.oldest_s >= self.frame.now_s:
            return None
        return self.oldest_s, self.frame.now_s

    def on_timeline_bar_sought(self, message: TimelineBar.Sought) -> None:
        """Show the instant that was clicked or drawn over."""
        self.go_to_instant(message.at_s)

    def go_to_instant(self, at_s: float) -> None:
        """Show the instant at a wall time: of a recording, or looking back."""
        if self.player is not None:
            self.player.go_to(at_s)
            self._show_other_instant()
        elif self.frame is not None:
            self.look_back_at(at_s)

    def action_event(self, direction: int) -> None:
        if self.frame is None:
            return
        if self.player is not None and not self.player.has_events:  # most of them are not known before they are played
            self.player.go_back() if direction < 0 else self.player.go_on()
            self._show_other_instant()
            return
        try:
            found = self._events_beside(direction)
        except RecordingError as error:  # the file that w began may have gone, or hang
            self.say(str(error), severity="warning")
            return
        if not found:
            self.say(self._no_event(direction), severity="warning")
            return
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        self.say(event_text(found[0]) + more)
        self.go_to_instant(found[0].at_s)

    def _no_event(self, direction: int) -> str:
        """Why there is none to go to."""
        if direction < 0 and self.frame is not None and (lacking := self.lacking_at(self.oldest_s)):
            return f"no earlier event is kept: {lacking}"
        return f"there is no event {'before' if direction < 0 else 'after'} this instant"

    def _events_beside(self, direction: int) -> list[TimelineEvent]:
        """The events of the nearest instant before or after the one on screen, in the order in which they are named."""
        timeline = self.frame.timeline if self.frame is not None else None
        if timeline is not None:
            here_s, events = timeline.at_s, timeline.events
        elif self.looking_back is not None and self.frame is not None:
            here_s, events = self.frame.now_s, tuple(self.looking_back.events())
        else:
            return []
        beside = [event for event in events if (event.at_s - here_s) * direction > SAME_S]
        if not beside:
            return []
        at_s = beside[0 if direction > 0 else -1].at_s
        return sorted(
            (event for event in beside if event.at_s == at_s), key=lambda event: _NAMED_FIRST.index(event.kind)
        )

    def action_speed(self, direction: int) -> None:
        if self.player is None:
            self.say("( and ) work only in a recording; d sets the delay", severity="warning")
            return
        at = SPEEDS.index(self.speed) + direction
        if 0 <= at < len(SPEEDS):
            self.speed = SPEEDS[at]
        self.play_at_speed()
        self.show_header()

    def play_at_speed(self) -> None:
        """Set the time between frames, and how many samples each stands for."""
        delay_s = self.view.readings.delay_s
        if self.player is None:
            super().play_at_speed()
            return
        frame_s = max(SHORTEST_DELAY_S, delay_s / self.speed)
        self.player.samples_per_frame = max(1, round(self.speed * frame_s / delay_s))
        self.sampler_thread.delay_s = frame_s

    def _show_other_instant(self) -> None:
        self.sampler_thread.pause_stepping = True
        self.choose_window(cursor_s=None, frozen=False)
        self.sampler_thread.nudge()

    def on_recording_ended(self) -> None:
        """Keep the last frame on screen, unless more may come."""
        growth = self.player.growth if self.player is not None else None
        if growth is not None and growth.is_open:
            self.show_header()
            return
        if growth is None or not growth.is_broken:  # that is said across the screen
            self.say(f"{growth.ended if growth is not None else 'end of the recording'}; ← → move through it, q quits")
        self.sampler_thread.pause_stepping = True
        self.show_header()


def event_text(event: TimelineEvent) -> str:
    """What an event is, in one line: of a limit with a long path, its last part."""
    words, label = EVENT_WORDS[event.kind], event.label
    if event.kind is EventKind.LIMIT:
        name, colon, percent = label.rpartition(": ")
        label = f"{short(name)}{colon}{percent}"
    return f"{words}: {label}" if label else words
