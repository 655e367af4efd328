"""The questions that keys ask, and what their answers do."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from textual.binding import Binding

from memtop import units
from memtop.columns import Column
from memtop.errors import ActionRefused, MemtopError, UsageError
from memtop.process_control import SIGNALS, hold, renice, send
from memtop.tui.app.bindings import THEMES
from memtop.tui.dialogs.column_chooser import ColumnChooser
from memtop.tui.dialogs.dialog import Choice, Menu, Prompt
from memtop.tui.dialogs.help import Help
from memtop.tui.terminal.sampler_thread import LONGEST_DELAY_S, SHORTEST_DELAY_S

if TYPE_CHECKING:
    from memtop.process_control import Target
    from memtop.tui.app.app_state import AppState

Value = TypeVar("Value")
_NICE: Final = "From -20 (served first) to 19 (last); 0 is usual. To lower it takes root."


def show_help(app: AppState) -> None:
    """The keys of the panel in focus, then all, then the columns."""
    parts: dict[str, tuple[Binding, ...]] = {}
    focused = app.focused
    if focused is not None:
        own = tuple(binding for binding in type(focused).BINDINGS if isinstance(binding, Binding))
        if own:
            parts["Here"] = own
    app.push_screen(Help(parts | THEMES))


def _given(use: Callable[[Value], None]) -> Callable[[Value | None], None]:
    """Use an answer; a dialog left by Esc has none."""
    return lambda answer: use(answer) if answer is not None else None


def ask_sort(app: AppState, use: Callable[[Column], None]) -> None:
    """Which column to sort by."""
    columns = app.view.columns
    start = columns.index(app.view.sort) if app.view.sort in columns else 0
    choices = [Choice(f"{column.title:<9} {column.says}", column) for column in columns]
    app.push_screen(Menu("Sort by", choices, start=start), _given(use))


def ask_columns(app: AppState) -> None:
    """Which columns to show."""

    def use(columns: tuple[Column, ...]) -> None:
        app.choose(columns=columns)

    app.push_screen(ColumnChooser(app.view.columns), _given(use))


def ask_delay(app: AppState) -> None:
    """Time between samples."""

    def understand(text: str) -> float:
        try:
            delay_s = units.parse_duration(text)
        except ValueError as error:
            raise UsageError(str(error)) from error
        if not SHORTEST_DELAY_S <= delay_s <= LONGEST_DELAY_S:
            raise UsageError(f"between {SHORTEST_DELAY_S:g} and {LONGEST_DELAY_S:g} seconds")
        return delay_s

    def use(delay_s: float) -> None:
        app.choose_readings(delay_s=delay_s)

    app.push_screen(
        Prompt("Seconds between samples", understand, f"{app.view.readings.delay_s:g}", says="From 0.1 to 60."),
        _given(use),
    )


def ask_pid(app: AppState) -> None:
    """Select a process by its number."""

    def understand(text: str) -> int:
        found = [index for index, row in enumerate(app.table.rows) if str(row.pid) == text]
        if not found:
            raise UsageError(f"no process {text} in the list")
        return found[0]

    def use(index: int) -> None:
        app.table.selected = app.table.rows[index].key
        app.table.reveal()

    app.push_screen(Prompt("Go to PID", understand, says="The number of a process in the list."), _given(use))


def ask_user(app: AppState) -> None:
    """One user's processes, or all."""
    rows = app.frame.rows if app.frame is not None else ()
    users = sorted({row.user for row in rows} | ({app.view.user} if app.view.user else set()))
    choices = [Choice("everybody", ""), *(Choice(user, user) for user in users)]

    def use(user: str) -> None:
        app.choose(user=user)

    app.push_screen(Menu("Show processes of", choices), _given(use))


def _held(app: AppState) -> Target | None:
    """The selected process, held so that no other can take its place."""
    if app.settings.readonly:
        app.say("read-only: nothing is sent to processes", severity="warning")
        return None
    if app.row is None:
        return None
    try:
        return hold(app.row)
    except ActionRefused as error:
        app.say(str(error), severity="warning")
        return None


def _report(app: AppState, act: Callable[[], str]) -> None:
    try:
        app.say(act())
    except MemtopError as error:
        app.say(str(error), severity="error")


def _about(target: Target) -> str:
    return f"{target.key.pid}  RES {units.long_size(target.rss_bytes)}\n{target.command[:200]}"


def ask_signal(app: AppState) -> None:
    """Which signal, for a process that is held meanwhile."""
    target = _held(app)
    if target is None:
        return
    choices = [Choice(f"{number.name:<8} {int(number):>2}  {says}", number) for number, says in SIGNALS]

    def use(number: signal.Signals | None) -> None:
        if number is not None:
            _report(app, lambda: send(target, number))
        target.close()

    app.push_screen(Menu(f"Send a signal to {target.name}?", choices, _about(target)), use)


def ask_nice(app: AppState) -> None:
    """A nice value, for a process that is held meanwhile."""
    target = _held(app)
    if target is None:
        return

    def understand(text: str) -> int:
        if not text.lstrip("-").isdecimal() or not -20 <= int(text) <= 19:
            raise UsageError("a whole number from -20 to 19")
        return int(text)

    def use(nice: int | None) -> None:
        if nice is not None:
            _report(app, lambda: renice(target, nice))
        target.close()

    app.push_screen(Prompt(f"Nice value for {target.key.pid} {target.name}", understand, says=_NICE), use)
