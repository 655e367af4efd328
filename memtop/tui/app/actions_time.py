"""Keys that act on time: pause (kept by the engine's frozen view), look back, zoom, scale, delay."""

from __future__ import annotations

from contextlib import suppress

from textual.actions import SkipAction

from memtop import units
from memtop.engine.sampler_thread import LONGEST_DELAY_S, SHORTEST_DELAY_S
from memtop.errors import UsageError
from memtop.history.process_history import ORDINARY_WINDOW_S
from memtop.tui.app.actions_past import PastActions
from memtop.tui.chart.axes import Scale
from memtop.tui.chart.memory_chart import MemoryChart, zoomed
from memtop.tui.dialogs.dialog import Prompt
from memtop.tui.drawing.text_lines import TextLines
from memtop.tui.panels.switcher import panel_of


class TimeActions(PastActions):
    """Which time window is on screen, and how it is drawn."""

    def action_pause(self) -> None:
        if self.settings.replay:
            self.sampler_thread.pause_stepping = not self.sampler_thread.pause_stepping
            self.choose_window(cursor_s=None)
            self.show_header()
        else:
            self.choose_window(frozen=not self.view.window.frozen, cursor_s=None)

    def action_live(self) -> None:
        player = self.player
        is_behind = player is not None and player.growth is not None and not player.is_following
        stands_still = self.view.window.stands_still or self.sampler_thread.pause_stepping
        if not (stands_still or is_behind):
            self._go_to_last()
            return
        self.choose_window(frozen=False, cursor_s=None)
        if self.settings.replay:
            self.sampler_thread.pause_stepping = False
            if is_behind and player is not None:
                player.follow()
            self.show_header()

    def _go_to_last(self) -> None:
        """Go to the last line of the text or panel in focus, or to the last process."""
        focused = self.focused
        if focused is None or (panel_of(focused) is None and not isinstance(focused, TextLines)):
            self.table.action_last()
            return
        with suppress(SkipAction):  # all of it is in view
            focused.action_scroll_end()

    def action_look(self, points: int) -> None:
        if self.frame is None:
            return
        if self.settings.replay:
            self.sampler_thread.pause_stepping = True
            if self.view.window.cursor_s is None and points > 0:
                self.sampler_thread.step_once()
                return
        self._look_at((self.view.window.cursor_s or self.frame.now_s) + points * self._look_step_s, back=points < 0)

    def _look_at(self, cursor_s: float, *, back: bool) -> None:
        """Show an instant. ``back``: it is earlier than the one on screen."""
        assert self.frame is not None
        now_s, first_s = self.frame.now_s, self._first_known_s
        if self.player is not None and back and first_s is not None and cursor_s < first_s:
            self.go_to_instant(cursor_s)  # the chart begins there only because the recording was entered there
            return
        if back:
            cursor_s = max(cursor_s, self.oldest_s if first_s is None else first_s)
            if cursor_s >= now_s:
                self.say("no earlier sample yet")
        self.look_back_at(cursor_s)

    @property
    def _look_step_s(self) -> float:
        """One sample, or one point of the chart where that is more and the chart is on screen."""
        delay_s, points = self.view.readings.delay_s, self.view.window.points
        return max(delay_s, self.window_s / max(1, points)) if self.chart.size.width else delay_s

    def on_timed_chart_cursor_moved(self, message: MemoryChart.CursorMoved) -> None:
        """Look at the instant under the pointer."""
        if self.frame is None:
            return
        if self.settings.replay:
            self.sampler_thread.pause_stepping = True
        now_s = self.frame.now_s
        at_s = now_s if message.at_s is None else message.at_s
        if at_s < now_s or self.view.window.cursor_s is not None:
            self._look_at(at_s, back=at_s < (self.view.window.cursor_s or now_s))

    @property
    def _first_known_s(self) -> float | None:
        """Wall time of the first number, if the chart shows it; None if the past goes on beyond the chart."""
        detail = self.frame.detail if self.frame is not None else None
        if detail is None or detail.series.rss_bytes[0] is not None:
            return None
        known = (
            at_s for at_s, rss in zip(detail.series.times_s, detail.series.rss_bytes, strict=True) if rss is not None
        )
        first_s = next(known, None)
        return None if first_s is None else detail.window.right_edge_s + first_s

    def action_zoom_time(self, factor: float) -> None:
        self.choose_window(window_s=zoomed(self.window_s, factor) if factor else None)

    def on_timed_chart_window_zoomed(self, message: MemoryChart.WindowZoomed) -> None:
        """Show another time window."""
        self.action_zoom_time(message.factor)

    @property
    def window_s(self) -> float:
        """How much of the past the chart shows."""
        detail = self.frame.detail if self.frame is not None else None
        return self.view.window.window_s or (detail.window.window_s if detail is not None else ORDINARY_WINDOW_S)

    def action_scale(self) -> None:
        scales = list(Scale)
        self.chart.scale = scales[(scales.index(self.chart.scale) + 1) % len(scales)]

    def action_delay(self) -> None:
        def use(delay_s: float | None) -> None:
            if delay_s is not None:
                self.choose_readings(delay_s=delay_s)

        now_s = f"{self.view.readings.delay_s:g}"
        self.push_screen(Prompt("Seconds between samples", _parse_delay, now_s, says="From 0.1 to 60."), use)


def _parse_delay(text: str) -> float:
    try:
        delay_s = units.parse_duration(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if not SHORTEST_DELAY_S <= delay_s <= LONGEST_DELAY_S:
        raise UsageError(f"between {SHORTEST_DELAY_S:g} and {LONGEST_DELAY_S:g} seconds")
    return delay_s
