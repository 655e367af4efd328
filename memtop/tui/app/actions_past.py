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
            self.say(f"only sizes are known for that moment: {lacking}", severity="warning")
        elif before_s is None and (sparse := self._sparse):
            self.say(sparse)
        self.choose_window(cursor_s=at_s)

    def lacking_at(self, at_s: float) -> str:
        """Why no more than sizes is known of an instant; empty where all is that was sampled."""
        return self.looking_back.lacking_at(at_s) if self.looking_back is not None else ""

    @property
    def _sparse(self) -> str:
        """What is said where memory does not keep every sample; empty where it does."""
        sparse_s = self.looking_back.sparse_s if self.looking_back is not None else None
        return "" if sparse_s is None else f"of so many processes, memory keeps a sample every {sparse_s:.0f} s"

    @property
    def oldest_s(self) -> float:
        """The wall time before which nothing is known of any process."""
        assert self.frame is not None
        incidents = self.frame.incidents
        watched_s = self.frame.at_s - incidents.watched_s if incidents is not None else self.frame.at_s
        kept_s = self.looking_back.first_s if self.looking_back is not None else None
        return watched_s if kept_s is None else min(watched_s, kept_s)
