"""Actions on one process: watch, mark, read smaps now, signal (kill), renice, copy its PID or command line."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Final, TypeVar

from memtop.errors import ActionRefused, MemtopError
from memtop.model.group import GroupRow
from memtop.process_control import MEANT_TO_END, Target, hold, renice, send, why_it_runs
from memtop.process_key import ProcessKey
from memtop.sampling.commands import ReadMappings, SignalSent, ToggleMark
from memtop.sampling.request import Need
from memtop.tui.app.actions_exits import ExitActions
from memtop.tui.app.screen_parts import NOTICE_S
from memtop.tui.app.when_shown import when_shown
from memtop.tui.dialogs.dialog import Dialog
from memtop.tui.dialogs.incident_list import IncidentList
from memtop.tui.dialogs.nice_dialog import NiceDialog
from memtop.tui.dialogs.signal_dialog import SignalDialog
from memtop.tui.side.side_panel import SidePanel
from memtop.tui.table.process_table import ProcessTable
from memtop.tui.terminal.clipboard import give_to_tmux, in_tmux
from memtop.units import counted, duration

AGAIN_S: Final = 0.1
"""Time until a report that has to wait for its instant is tried again."""
STILL_RUNS_S: Final = 5.0
"""Time after which it is said that a process still runs to which a signal was sent."""
Value = TypeVar("Value")


class ProcessActions(ExitActions):
    """Actions on the watched process, or on the selected one if none is watched."""

    _pid_copied: tuple[ProcessKey | None, float] = (None, 0.0)
    """Whose PID was copied last, and when on the monotonic clock."""

    def on_process_list_selection_moved(self) -> None:
        """Show the selected process in the chart, unless one is watched.

        Where the watched one has all of the screen, and the list no line, the cursor takes the screen along.
        """
        chosen = self.selected_process
        if self.has_class("-no-table") and chosen is not None and self.table.find(self.watched) is not None:
            self.watch_process(chosen)
        else:
            self.follow_selection()

    def on_process_list_viewport_moved(self) -> None:
        """Read the numbers of the rows that are on screen now."""
        if self.chart.is_attached:  # else the screen is being taken down
            self.follow_selection()

    def on_process_list_process_chosen(self, message: ProcessTable.ProcessChosen) -> None:
        """Watch the process (Enter), or go back to the list if it is watched already."""
        if isinstance(message.key, ProcessKey):
            if message.key != self.watched:
                self.watch_process(message.key)
            elif self.view.rows.only is None:
                self.watch_process(None)
        else:
            self.enter_group(message.key)

    def action_watch_selected(self) -> None:
        self.table.action_choose()

    def action_mark(self) -> None:
        self.is_touched = True
        if self._is_past:
            self.say("a mark is set at now, not at the moment on screen: End returns to now")
        elif (key := self.watched or self.selected_process) is not None:
            self.sampler_thread.command(ToggleMark(key))
        else:
            self._say_no_process()

    def action_read_now(self) -> None:
        if not self.view.readings.smaps:
            self.say("memtop was started with --no-smaps, so smaps is not read", severity="warning")
            return
        if self._is_past:
            self.say("mappings of the past are not kept: End returns to now")
        elif (key := self.watched or self.selected_process) is not None:
            self.sampler_thread.command(ReadMappings(key, family=Need.FAMILY in self.panel_needs))
        else:
            self._say_no_process()

    @property
    def _is_past(self) -> bool:
        """Whether the screen shows an earlier moment of what runs now."""
        return self.view.window.cursor_s is not None and not self.settings.replay

    def action_signal(self) -> None:
        def dialog(target: Target) -> Dialog[signal.Signals]:
            self.need_for_dialog(SignalDialog.needs)
            return SignalDialog(target, past=self.view.window.stands_still)

        def act(target: Target, number: signal.Signals) -> str:
            says = send(target, number)
            self.sampler_thread.command(SignalSent(target.key, number))
            if number in MEANT_TO_END:
                held = target.copy()
                self.set_timer(STILL_RUNS_S, lambda: self._say_if_it_runs(held, number))
            return says

        self._ask_and_act(dialog, act)

    def _say_if_it_runs(self, target: Target, number: signal.Signals) -> None:
        """Say that a process has not ended by a signal, and why."""
        why = why_it_runs(target, number)
        target.close()
        if why:
            after = duration(STILL_RUNS_S)
            self.say(
                f"{target.key.pid} {target.name} still runs {after} after {number.name}: {why}", severity="warning"
            )

    def action_renice(self) -> None:
        self._ask_and_act(NiceDialog, renice)

    def _ask_and_act(self, dialog: Callable[[Target], Dialog[Value]], act: Callable[[Target, Value], str]) -> None:
        """Hold the process in focus while the dialog is open, then do what the user chose and report the result."""
        if self.settings.readonly:
            why = "a recording is being played" if self.settings.replay else "read-only mode"
            self.say(f"{why}: memtop sends nothing to processes", severity="warning")
            return
        if self.row is None:
            self._say_no_process()
            return
        self.is_touched = True
        try:
            target = hold(self.row)
        except ActionRefused as error:
            self.say(str(error), severity="warning")
            return

        def use(answer: Value | None) -> None:
            try:
                if answer is not None:
                    self.say(act(target, answer))
            except MemtopError as error:
                self.say(str(error), severity="error")
            finally:
                target.close()
                self.need_for_dialog(Need.NONE)

        self.push_screen(dialog(target), use)

    def _say_no_process(self) -> None:
        """A key acts on one process; a group is none, and nothing is ever done to all its members."""
        group = isinstance(self.table.selected_row, GroupRow)
        self.say("select a process first: Enter lists those of this group" if group else "no process is selected")

    def action_report(self) -> None:
        when_shown(self, self._write_report)

    def _write_report(self) -> None:
        if self.frame is None or self.frame.detail is None:
            self.say("no process is selected", severity="warning")
            return
        if not self.frame.is_settled:
            self.set_timer(AGAIN_S, self._write_report)
            return
        from memtop.report.write import write_report  # noqa: PLC0415 (5 ms; Jinja2 is imported when a report is wanted)

        try:
            self.say(f"report written to {write_report(self.frame, replay=self.settings.replay)}")
        except MemtopError as error:
            self.say(str(error), severity="error")

    def on_side_panel_key_pressed(self, message: SidePanel.KeyPressed) -> None:
        """Run what the key means once the sentences are about the process in focus."""
        when_shown(self, message.act, in_sentences=True)

    def on_side_panel_copy_asked(self, message: SidePanel.CopyAsked) -> None:
        """Copy a command or a sentence."""
        self._copy(message.text, message.says)

    def on_incident_list_copy_asked(self, message: IncidentList.CopyAsked) -> None:
        """Copy the next step of an incident."""
        self._copy(message.text, message.text)

    def on_text_selected(self) -> None:
        """Copy what the mouse selected once its button is released, as terminals do."""
        if text := self.screen.get_selected_text():
            self._copy(text, counted(len(text), "character"))

    def action_copy_next(self) -> None:
        self.query_one(SidePanel).action_copy_next()

    def action_copy_pid(self) -> None:
        now_s = time.monotonic()
        key, copied_s = self._pid_copied
        again, self._pid_copied = key == self.table.selected and now_s - copied_s < NOTICE_S, (None, now_s)
        has_step = bool(self.query_one(SidePanel).next_step)
        if has_step and again:
            self.action_copy_next()
        elif self.row is not None:
            self._pid_copied = self.row.key, now_s
            then = "; y again copies the next step" if has_step else ""
            self._copy(str(self.row.pid), f"PID {self.row.pid}{then}")
        else:
            self._say_no_process()

    def action_copy_command(self) -> None:
        if self.row is not None:
            self._copy(self.row.command, "the command line")
        else:
            self._say_no_process()

    def _copy(self, text: str, says: str) -> None:
        """Copy a text, and say whether that is known to have worked."""
        self.copy_to_clipboard(text)
        if not in_tmux():
            self.say(f"copied {says}")
            return

        def give() -> None:
            given = give_to_tmux(text)
            self.call_from_thread(
                self.say, f"copied {says}" if given else f"tmux did not take {says}: tmux set -g set-clipboard on"
            )

        self.run_worker(give, thread=True)
