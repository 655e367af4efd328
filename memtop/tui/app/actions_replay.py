"""Actions on a recording that is played: go to a time, to an event, play faster or slower."""

from __future__ import annotations

import time
from typing import Final

from memtop.engine.sampler_thread import SHORTEST_DELAY_S
from memtop.time_of_day import parse_time_of_day
from memtop.tui.app.app_state import AppState
from memtop.tui.dialogs.dialog import Prompt

SPEEDS: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


class ReplayActions(AppState):
    """Where a recording is played, and how fast."""

    def action_seek(self) -> None:
        player = self.player
        if player is None:
            self.say("only a recording can be sought in; ← → look back", severity="warning")
            return
        first, last = (time.strftime("%H:%M:%S", time.localtime(at_s)) for at_s in player.span)

        def parse(text: str) -> float:
            return parse_time_of_day(text, *player.span)

        def use(at_s: float | None) -> None:
            if at_s is not None:
                player.go_to(at_s)
                self._show_other_instant()

        self.push_screen(Prompt("Go to a time", parse, says=f"Such as {last}. The recording begins at {first}."), use)

    def action_event(self, direction: int) -> None:
        if self.player is None:
            self.say("only a recording has events to go to", severity="warning")
        else:
            if direction < 0:
                self.player.go_back()
            else:
                self.player.go_on()
            self._show_other_instant()

    def action_speed(self, direction: int) -> None:
        if self.player is None:
            self.say("only a recording can be played faster or slower; d sets the delay", severity="warning")
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
        self.sampler_thread.step_once()
