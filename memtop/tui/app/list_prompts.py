"""Prompts about the process list: the column to sort by, the columns shown, what to filter by, the PID to go to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from memtop.columns import Column, columns_of
from memtop.errors import UsageError
from memtop.filter import parse_query
from memtop.model.row import ProcessRow
from memtop.tui.dialogs.column_chooser import ColumnChooser
from memtop.tui.dialogs.dialog import Choice, Menu, Prompt

if TYPE_CHECKING:
    from memtop.process_key import ProcessKey
    from memtop.tui.app.app_state import AppState

Value = TypeVar("Value")


def _unless_cancelled(use: Callable[[Value], None]) -> Callable[[Value | None], None]:
    """Call ``use`` with the answer. A dialog closed by Esc has none."""
    return lambda answer: use(answer) if answer is not None else None


def ask_sort(app: AppState, use: Callable[[Column], None]) -> None:
    """Ask which column to sort by."""
    columns = app.view.columns
    start = columns.index(app.view.sort) if app.view.sort in columns else 0
    choices = [Choice(f"{column.title:<9} ", column, says=column.says) for column in columns]
    app.push_screen(Menu("Sort by", choices, start=start), _unless_cancelled(use))


def ask_columns(app: AppState) -> None:
    """Ask which columns to show."""

    def use(columns: tuple[Column, ...]) -> None:
        app.choose(columns=columns)

    app.push_screen(
        ColumnChooser(app.view.columns, columns_of(groups=app.view.rows.lists_groups)), _unless_cancelled(use)
    )


def ask_like(app: AppState) -> None:
    """Ask what the processes to show have in common with the selected one, and filter by that."""
    row = app.row
    if row is None:
        app.say("Enter lists the processes of a group" if app.view.rows.lists_groups else "no process is selected")
        return
    detail = app.frame.detail if app.frame is not None else None
    if detail is not None and detail.row.key == row.key:
        row = detail.row  # of the process in focus more is known
    program = row.program.split() or [row.name]
    terms = [
        ("p", "program", program[0], program[0]),
        *(
            (key, name, str(value), f"{name}={value}")
            for key, name, value in (
                ("c", "container", row.container),
                ("o", "pod", row.pod),
                ("n", "unit", row.unit),
                ("g", "cgroup", row.cgroup),
                ("u", "user", row.user),
            )
            if value and not str(value).split()[1:]  # a blank would end the term
        ),
    ]
    choices = [Choice(f"{name:<10} ", text, key, says) for key, name, says, text in terms]

    def use(text: str) -> None:
        app.choose(query=parse_query(text))

    app.push_screen(Menu("Show only processes of the same", choices), _unless_cancelled(use))


def ask_pid(app: AppState) -> None:
    """Ask for a PID, and select its row."""

    def parse(text: str) -> ProcessKey:
        found = [row.key for row in app.table.rows if isinstance(row, ProcessRow) and str(row.pid) == text]
        if not found:
            raise UsageError(f"no process {text} in the list")
        return found[0]

    def use(key: ProcessKey) -> None:
        index = app.table.find(key)
        if index is None:  # it has ended since
            return
        app.table.select(index)
        if app.watched is not None:
            app.watch_process(app.selected_process)

    app.push_screen(Prompt("Go to PID", parse, says="The PID of a process in the list."), _unless_cancelled(use))


def ask_user(app: AppState) -> None:
    """Ask whose processes to show: those of one user, or all."""
    rows = app.frame.rows if app.frame is not None else ()
    users = sorted({row.user for row in rows} | ({app.view.user} if app.view.user else set()))
    choices = [Choice("all users", ""), *(Choice(user, user) for user in users)]

    def use(user: str) -> None:
        app.choose(user=user)

    app.push_screen(Menu("Show processes of", choices), _unless_cancelled(use))
