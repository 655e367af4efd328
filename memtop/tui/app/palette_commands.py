"""The commands of the palette: the keys of the screen that can do something now, the panels, and all topics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from textual.app import SystemCommand
from textual.command import Hit, Hits
from textual.system_commands import SystemCommandsProvider

from memtop.columns import columns_of
from memtop.explain.topic_loader import topics
from memtop.tui.app.bindings import BINDINGS
from memtop.tui.dialogs.help import key_name

if TYPE_CHECKING:
    from memtop.tui.app.app_state import AppState

_NEEDS_PROCESS = frozenset(
    {"mark", "like", "signal", "renice", "report", "copy_pid", "copy_command", "copy_next", "read_now", "go_url"}
)


_ABOUT: Final = 0.4
"""Worth of a word in what a command says of itself, beside that in its name, which is 1 ..."""
_LETTERS: Final = 0.2
"""... and of letters of the name in that order."""


class Commands(SystemCommandsProvider):
    """The commands of the palette. Words find them by their names, then by what they say of themselves."""

    async def search(self, query: str) -> Hits:
        """The commands that have all words of ``query``; where none has, those with its letters in that order."""
        matcher, words = self.matcher(query), query.lower().split()
        found = list(self.app.get_system_commands(self.screen))
        by_words = [(worth, one) for one in found if (worth := _worth(one, words))]
        by_letters = [(_LETTERS, one) for one in found if matcher.match(one.title) > 0]
        for worth, one in by_words or by_letters:
            yield Hit(worth, matcher.highlight(one.title), one.callback, help=one.help)


def _worth(command: SystemCommand, words: list[str]) -> float:
    """How well words fit a command: best where its name begins with one of them; 0 where one is missing."""
    title, about = command.title.lower(), command.help.lower()
    if not words or not all(word in title or word in about for word in words):
        return 0.0
    whole = set(re.findall(r"[\w%/.-]+", title))
    named = sum((word in title) + (word in whole) + title.startswith(word) for word in words) / len(words)
    return named if named else _ABOUT


def commands(app: AppState) -> Iterator[SystemCommand]:
    """Every command by name: keys first; topics are found by their title, their name and their column."""

    def runner(action: str) -> Callable[[], None]:
        def run() -> None:
            app.call_later(app.run_action, action)

        return run

    for binding in BINDINGS:
        if can_run(app, binding.action):
            key = key_name(binding.key.split(",")[0])
            yield SystemCommand(binding.description, f"{binding.tooltip} (key {key})", runner(binding.action))
    if can_run(app, "copy_next"):
        yield SystemCommand("Copy the next step", "Copy the command of the next step", runner("copy_next"))
    yield SystemCommand("Theme", "Change the colors", app.action_change_theme)
    for each in topics():
        yield SystemCommand(
            f"Explain: {each.title} ({each.name})",
            each.summary,
            runner(f"explain_topic('{each.name}')"),
            discover=False,
        )


def can_run(app: AppState, action: str) -> bool:
    """Whether an action of the screen can do something now."""
    name, _, rest = action.partition("(")
    if name in ("command_palette", "suspend_process"):
        return False
    if name in _NEEDS_PROCESS and (app.frame is None or app.frame.detail is None):
        return False
    if name in ("signal", "renice"):
        return not app.settings.readonly and not app.settings.replay and app.row is not None
    if name == "read_now":
        return app.view.readings.smaps and not app.settings.replay
    if name in ("go_url", "record"):
        return not app.settings.replay
    if name == "speed":
        return bool(app.settings.replay)
    if name == "look" and not rest.startswith("-"):
        return bool(app.settings.replay) or app.view.window.cursor_s is not None
    if name == "sort":
        return rest.strip("')") in columns_of(groups=app.view.rows.lists_groups).by_name
    if name in ("go_to_pid", "user"):
        return not app.view.rows.lists_groups
    if name == "everybody":
        return app.asked_for != (None, ())
    if name == "headline":
        return app.frame is not None and app.frame.incidents is not None and bool(app.frame.incidents.standing)
    return True
