"""Actions on the process list: sort order, columns, filter, user, tree."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Input, Label

from memtop.columns import Column, columns_of
from memtop.engine.named_rows import COUNTED_SAMPLES
from memtop.errors import UsageError
from memtop.explain.name_choice import choice_sentences
from memtop.filter import parse_query
from memtop.filter_hint import filter_hint
from memtop.model.frame import Frame
from memtop.model.group import By
from memtop.model.name_choice import NameChoice
from memtop.tui.app import list_prompts
from memtop.tui.app.app_state import AppState
from memtop.tui.table.process_table import ProcessTable


class ListActions(AppState):
    """Sort, filter, tree and columns."""

    _choices: tuple[NameChoice, ...] = ()
    """What was announced last of the names on the command line."""

    def announce_choices(self, frame: Frame) -> None:
        """Show what a name on the command line stands for, once command lines had time to be read."""
        early = frame.tick + 1 < COUNTED_SAMPLES and not self.settings.replay
        if early or not frame.choices or frame.choices is self._choices:
            return
        self._choices = frame.choices
        for text in choice_sentences(frame.choices):
            self.say(text)

    def focus_list(self) -> None:
        """Give the focus to the list that a key has changed, so that the arrows move in it; not to a hidden one."""
        if self.focused is not self.table and not self.zoomed:
            self.set_focus(self.table)

    def sort_by(self, column: Column) -> None:
        """Sort by a column, and show its explanation."""
        self.view = self.view.sorted_by(column)
        self._show_order(column)

    def action_sort(self, name: str) -> None:
        column = columns_of(groups=self.view.rows.lists_groups).by_name.get(name)
        if column is None:
            self.say(f"groups have no column {name}")
            return
        self.view = self.view.in_order(column, column.descending)
        self._show_order(column)

    def _show_order(self, column: Column) -> None:
        """Show what an order was asked for: the rows at its top, and the explanation of its column."""
        self.table.show_top()
        self.focus_list()
        self.topic = column.topic
        self.show_side()

    def on_process_table_sort_chosen(self, message: ProcessTable.SortChosen) -> None:
        """A click on a heading."""
        column = columns_of(groups=self.view.rows.lists_groups).by_name.get(message.column_key)
        if column is not None:  # else the list has become another one since the click
            self.sort_by(column)

    def action_sort_menu(self) -> None:
        list_prompts.ask_sort(self, self.sort_by)

    def action_neighbor(self, step: int) -> None:
        columns = self.view.columns
        at = columns.index(self.view.sort) if self.view.sort in columns else 0
        self.action_sort(columns[(at + step) % len(columns)].key)

    def action_by(self) -> None:
        there = self.frame.groupings if self.frame is not None else frozenset({By.CGROUP})  # the key is not lost
        order = [None, *(by for by in By if by in there or by is self.view.rows.by)]
        self.focus_list()
        self.list_by(order[(order.index(self.view.rows.by) + 1) % len(order)])

    def action_reverse(self) -> None:
        self.choose_rows(descending=not self.view.rows.descending)
        self.focus_list()

    def action_tree(self) -> None:
        self.choose_rows(tree=not self.view.rows.tree)
        self.focus_list()

    def on_process_table_fold_toggled(self, message: ProcessTable.FoldToggled) -> None:
        """Fold or unfold a subtree."""
        self.choose_rows(folded=self.view.rows.folded ^ {message.key})

    def action_columns(self) -> None:
        list_prompts.ask_columns(self)

    def action_everybody(self) -> None:
        if self.asked_for == (None, ()):
            self.say("all processes are already shown")
            return
        only, names = self.asked_for if self.view.rows.only is None else (None, ())
        self.set_class(only is not None, "-one")
        self.choose_rows(only=only, names=names)

    def action_kernel_threads(self) -> None:
        shown = not self.view.rows.kernel_threads
        self.choose_rows(kernel_threads=shown)
        where = "shown (they have no memory of their own)" if shown else "hidden"
        self.say(f"kernel threads are {where}")

    def action_user(self) -> None:
        list_prompts.ask_user(self)

    def action_like(self) -> None:
        list_prompts.ask_like(self)

    def action_go_to_pid(self) -> None:
        list_prompts.ask_pid(self)

    # -- the filter

    def action_filter(self) -> None:
        self.query_one("#filter-line").add_class("-open")
        line = self.query_one("#filter", Input)
        line.value = self.view.query.text
        line.select_all()
        self.set_class(True, "-filtering")
        self.fit()
        groups = self.view.rows.lists_groups
        self.query_one("#filter-complaint", Label).update(Content(filter_hint(line.value, groups=groups)))
        self.screen.set_focus(line)  # at once: after line.focus() the next keys would still reach the table

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the user types. An incomplete filter changes nothing and shows what is missing."""
        if event.input.id != "filter":
            return
        complaint = self.query_one("#filter-complaint", Label)
        try:
            query = parse_query(event.value, groups=self.view.rows.lists_groups)
        except UsageError as error:
            complaint.add_class("-wrong").update(Content(str(error)))
            return
        complaint.remove_class("-wrong").update(Content(filter_hint(event.value, groups=self.view.rows.lists_groups)))
        self.choose(query=query)

    def action_keep_filter(self) -> None:
        """Keep the filter and go back to the list."""
        self.close_filter()

    def on_filter_bar_clear_asked(self) -> None:
        """A click on the filter that is on clears it."""
        self.choose(query=parse_query(""), user="")

    def close_filter(self) -> None:
        """Go back to the list without changing the filter."""
        self.query_one("#filter-line").remove_class("-open")
        self.set_class(False, "-filtering")
        self.fit()
        self.set_focus(self.table)
