"""Actions on processes that have ended: list them, show the last minute of one, follow successors."""

from __future__ import annotations

from memtop.analysis.limits.exit_cause import Oom
from memtop.explain.incident_text import kills_before
from memtop.model.frame import Frame
from memtop.process_key import ProcessKey
from memtop.tui.app.actions_incidents import IncidentActions
from memtop.tui.app.when_shown import when_shown
from memtop.tui.dialogs.ended_list import EndedList


class ExitActions(IncidentActions):
    """The list of those that ended, and successors."""

    is_following = False
    """Whether the watched process is replaced by its successor when it ends; ``--follow`` begins so."""

    def show_ended(self, frame: Frame) -> None:
        """Write the list of those that ended while it is open, and go to the successor if that was asked for."""
        for screen in self.screen_stack:
            if isinstance(screen, EndedList) and screen.is_running and screen.is_current:
                screen.show(frame.ended)
        if self.is_following and not self.view.window.stands_still and (heir := self._successor) is not None:
            self._go_to_successor(heir)

    def announce_exits(self, frame: Frame) -> None:
        """Show a notice for an OOM kill outside of the focus, unless the headline says it already: a crash loop."""
        standing = frame.incidents.standing if frame.incidents is not None else ()
        loops = {one.subject.first for one in standing if one.name == "crash_loop"}
        for report in frame.exits:
            if report.is_oom and report.key != self.view.readings.focus and report.first_life not in loops:
                how = "OOM-killed" if report.oom is Oom.CERTAIN else "probably OOM-killed"
                self.say(f"{report.shown_name} ({report.key.pid}) was {how}", severity="error")

    def action_ended(self) -> None:
        if self.frame is not None:
            report = self.frame.incidents
            is_part = report is not None and report.unseen.only is not None
            only = self.frame.total if is_part else None  # their relatives are read too, and were not asked for
            kills, earlier = self.frame.system.oom_kills, kills_before(self.frame.system, report)
            self.push_screen(EndedList(self.frame.ended, only, kills, earlier), self._show_last_minute)

    def _show_last_minute(self, key: ProcessKey | None) -> None:
        if key is None:
            return
        self.is_following = False
        if self.view.rows.by is not None:
            self.list_by(None)
        self.choose_window(frozen=False, cursor_s=None)
        self.watch_process(key)

    def action_successor(self) -> None:
        when_shown(self, self._follow_successor)

    def _follow_successor(self) -> None:
        detail = self.frame.detail if self.frame is not None else None
        if (heir := self._successor) is not None:
            self.is_following = True
            self._go_to_successor(heir)
        elif detail is not None and (detail.gone or self.is_following) and self.watched == detail.row.key:
            self.is_following = not self.is_following
            self.say("following its successor" if self.is_following else "no longer following successors")
        elif not self.next_incident():
            self.say("the process in focus has no successor, and the list of incidents (!) has no other process")

    @property
    def _successor(self) -> ProcessKey | None:
        """The process that took the place of the one in focus, which has ended."""
        outlook = self.frame.detail.outlook if self.frame is not None and self.frame.detail is not None else None
        return outlook.autopsy.successor if outlook is not None and outlook.autopsy is not None else None

    def _go_to_successor(self, heir: ProcessKey) -> None:
        if self.view.rows.only is not None:
            self.choose_rows(only=self.view.rows.only | {heir.pid})
        self.watch_process(heir)
