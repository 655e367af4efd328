"""What keys and mouse do about one process: watch it, mark it, read more of it, signal it, copy its name."""

from __future__ import annotations

from memtop.sampling.commands import ReadMappings, ToggleMark
from memtop.sampling.request import Need
from memtop.tui.app import prompts
from memtop.tui.app.app_state import AppState
from memtop.tui.table.process_table import ProcessTable


class ProcessActions(AppState):
    """They act on the process that is watched, or else selected."""

    def on_process_table_selection_moved(self) -> None:
        """The chart is of the selected process, unless one is watched."""
        self.follow_selection()

    def on_process_table_viewport_moved(self) -> None:
        """Other rows are on screen: their numbers are read from now on."""
        self.follow_selection()

    def on_process_table_process_chosen(self, message: ProcessTable.ProcessChosen) -> None:
        """Enter: watch it; Enter on the watched one: back to the list."""
        self.watch_process(None if message.key == self.watched else message.key)

    def action_watch_selected(self) -> None:
        self.table.action_choose()

    def action_successor(self) -> None:
        outlook = self.frame.detail.outlook if self.frame is not None and self.frame.detail is not None else None
        heir = outlook.autopsy.successor if outlook is not None and outlook.autopsy is not None else None
        if heir is None:
            self.say("no successor: n follows one when the process in focus has ended and another takes its place")
            return
        if self.view.rows.only is not None:
            self.choose_rows(only=self.view.rows.only | {heir.pid})
        self.watch_process(heir)

    def action_mark(self) -> None:
        if (key := self.watched or self.table.selected) is not None:
            self.pump.command(ToggleMark(key))

    def action_read_now(self) -> None:
        if not self.view.readings.smaps:
            self.say("memtop was started with --no-smaps: smaps are not read", severity="warning")
            return
        if (key := self.watched or self.table.selected) is not None:
            self.pump.command(ReadMappings(key, family=Need.FAMILY in self.panel_needs))

    def action_signal(self) -> None:
        prompts.ask_signal(self)

    def action_renice(self) -> None:
        prompts.ask_nice(self)

    def action_copy_pid(self) -> None:
        if self.row is not None:
            self.copy_to_clipboard(str(self.row.pid))
            self.say(f"copied {self.row.pid}")

    def action_copy_command(self) -> None:
        if self.row is not None:
            self.copy_to_clipboard(self.row.command)
            self.say("copied the command line")
