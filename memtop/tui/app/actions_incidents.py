"""Actions on incidents: follow what the headline names, go there, open the list."""

from __future__ import annotations

from memtop.analysis.incidents import Incident, Scope
from memtop.explain.incident_text import kills_before, unseen_clauses
from memtop.model.frame import Frame
from memtop.model.group import By, GroupKey
from memtop.tui.app.actions_panels import PanelActions
from memtop.tui.bars.headline import HeadlineBar
from memtop.tui.dialogs.incident_list import IncidentList
from memtop.units import duration

_MACHINE_PANEL = "machine"


def _group_of(incident: Incident) -> GroupKey | None:
    """The cgroup or program that an incident is about; None where it is about something else."""
    subject = incident.subject
    if subject.scope is Scope.PROGRAM and subject.program is not None:
        return GroupKey(By.PROGRAM, subject.program)
    return GroupKey(By.CGROUP, subject.path) if subject.scope is Scope.CGROUP and subject.path is not None else None


class IncidentActions(PanelActions):
    """The headline and the list of incidents."""

    def show_headline(self, frame: Frame) -> None:
        """Write the headline, and the list while it is open."""
        self.query_one(HeadlineBar).show(frame, live=not self.view.window.stands_still or frame.newest_s is not None)
        if frame.incidents is not None:
            for screen in self.screen_stack:
                if isinstance(screen, IncidentList) and screen.is_running and screen.is_current:
                    screen.show(frame.incidents, frame.at_s)

    def follow_headline(self, frame: Frame) -> None:
        """Until the user has chosen something, select the process that the headline names, and keep it in view: its row
        moves far when it ends. A user who has scrolled away from it is left there."""
        if self.has_chosen or self.watched is not None or self.view.window.stands_still or frame.incidents is None:
            return
        if len(self.screen_stack) > 1:
            return  # whoever reads the help or a dialog finds the screen as it was
        key = next((one.show for one in frame.incidents.standing[:1]), None)
        index = self.table.find(key) if key is not None else None
        if index is not None and (key != self.table.selected or self.table.led_top is None):
            self.table.select(index, by_user=False)

    def on_headline_bar_clicked(self) -> None:
        """A click on the headline is the key ``!``."""
        self.action_headline()

    def on_headline_bar_list_asked(self) -> None:
        """A click on ``! 3 more`` opens the list that has them."""
        self.action_headline(to_list=True)

    def action_headline(self, *, to_list: bool = False) -> None:
        """Go to what the headline names; open the list where the screen shows that already, or with ``to_list``."""
        report = self.frame.incidents if self.frame is not None else None
        if self.frame is None or report is None or not report.standing:
            found = ["no incidents now" if report is not None else "incidents are not known yet"]
            if report is not None and report.watched_s < report.verdict_s:
                found.append(f"slow growth takes about {duration(report.verdict_s)} to be confirmed")
            found += unseen_clauses(report.unseen) if report is not None else ["that needs a second sample"]
            found += (
                [earlier] if self.frame is not None and (earlier := kills_before(self.frame.system, report)) else []
            )
            self.say("; ".join(found))
            return
        first = report.standing[0]
        if to_list or self._shows(first) or not self.go_to(first):
            earlier = kills_before(self.frame.system, report)
            self.push_screen(IncidentList(report, self.frame.at_s, earlier), self._go_to_chosen)

    def _shows(self, incident: Incident) -> bool:
        """Whether the screen shows its subject already, or could not show it."""
        group = _group_of(incident)
        if group is not None and self.view.rows.only is None:
            return self.view.rows.inside == group
        return incident.show is None or incident.show == (self.watched or self.table.selected)

    def _go_to_chosen(self, incident: Incident | None) -> None:
        if incident is not None:
            self.go_to(incident)

    def go_to(self, incident: Incident) -> bool:
        """Show the subject of an incident: select the process, list those of the group, or open the machine's panel.

        Returns whether there was anything to go to.
        """
        group = _group_of(incident)
        if group is not None and self.view.rows.only is None:
            self.leave_process()
            self.view = self.view.grouped_by(group.by)
            self.enter_group(group)
            return True
        if incident.show is None:
            if incident.subject.scope is Scope.MACHINE and self.open_panel(_MACHINE_PANEL):
                return True
            self.say("no single process causes it")
            return False
        index = self.table.find(incident.show)
        if index is None and self.view.rows.by is not None:
            self.list_by(None)
            self.cursor.move_to(incident.show, self.frame)
            return True
        if index is None and self.frame is not None and any(one.key == incident.show for one in self.frame.ended):
            self.watch_process(incident.show)
            return True
        if index is None:
            self.say("its process has ended, or the filter hides it")
            return False
        if self.watched is not None and self.watched != incident.show:
            self.watch_process(None)
        self.table.select(index)
        return True

    def next_incident(self) -> bool:
        """Go to the incident after the one of the selected process; False where there is no other process to go to."""
        report = self.frame.incidents if self.frame is not None else None
        at = self.watched or self.table.selected
        shown = [
            one for one in (report.standing if report is not None else ()) if self.table.find(one.show) is not None
        ]
        here = next((number for number, one in enumerate(shown) if one.show == at), -1)
        others = [one for one in (*shown[here + 1 :], *shown[: here + 1]) if one.show != at]
        return bool(others) and self.go_to(others[0])
