"""The past that the screen can show: how far it goes back, and what it lacks."""

from __future__ import annotations

from memtop.tui.app.app_state import AppState


class PastActions(AppState):
    """Shows an earlier instant."""

    def look_back_at(self, at_s: float) -> None:
        """Show an instant of the past, or now. Says what is not known of it, once."""
        assert self.frame is not None
        if at_s >= self.frame.now_s:
            self.choose_window(cursor_s=None)
            return
        lacking, before_s = self.lacking_at(at_s), self.view.window.cursor_s
        if lacking and (before_s is None or not self.lacking_at(before_s)):
            self.say(f"only sizes are known of that moment: {lacking}", severity="warning")
        self.choose_window(cursor_s=at_s)

    def lacking_at(self, at_s: float) -> str:
        """Why no more than sizes is known of an instant; empty where all is that was sampled."""
        return self.looking_back.lacking_at(at_s) if self.looking_back is not None else ""

    @property
    def oldest_s(self) -> float:
        """The wall time before which nothing is known of any process."""
        assert self.frame is not None
        incidents = self.frame.incidents
        watched_s = self.frame.at_s - incidents.watched_s if incidents is not None else self.frame.at_s
        kept_s = self.looking_back.first_s if self.looking_back is not None else None
        return watched_s if kept_s is None else min(watched_s, kept_s)
