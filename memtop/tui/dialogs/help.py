"""The help dialog, generated from the bindings and the columns. There is no second list."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ClassVar, Final, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.keys import format_key
from textual.widgets import Input

from memtop.columns import COLUMNS
from memtop.explain.topic_loader import topics
from memtop.tui.bars.footer import Hint
from memtop.tui.dialogs.dialog import CLOSE_HINT, Dialog
from memtop.tui.dialogs.keys_line import KeysLine
from memtop.tui.drawing.text_lines import Line, Page, TextLines

_KEY_CELLS: Final = 14
"""Room for the keys of any action, so that their meanings begin in one column."""
_LEAST_CELLS: Final = 12
"""Width of the last column in a narrow terminal."""
_GAP_CELLS: Final = 2
"""Blanks after the longest cell of a column: a name and what it means are not read as one sentence."""
_INDENT: Final = "  "
_NAMES: Final = {
    "enter": "Enter", "escape": "Esc", "space": "Space", "tab": "Tab", "backspace": "Backspace",
    "home": "Home", "end": "End", "pageup": "PgUp", "pagedown": "PgDn",
}  # fmt: skip
"""Names of keys that Textual would show as signs or in lower case."""
_MOUSE: Final = (
    ("heading", "Click to sort by that column, again to reverse the order"),
    ("process", "Click to select, double-click to watch"),
    ("chart", "Click or drag to go to that moment; use the wheel to zoom; click a number above it to explain it"),
    ("sentence", "Click a sentence in What is going on, or a number in the first line, to explain it"),
    ("footer, help", "Click a key to run it"),
    ("outside", "Click outside of a dialog to close it"),
    ("text", "Drag over sentences, topics and this help to select; releasing the button copies"),
    ("Shift", "Hold Shift and drag to let the terminal select, inside tmux too"),
)
_OWN: Final = "In this part of the screen"
_TOPICS: Final = "Topics (Enter reads the first one)"
_FILTER: Final = (
    ("nginx", "name or command line contains the text"),
    ("!^python3", "command line matches the regular expression"),
    ("rss>500m s=D", "all terms must match: sizes, rates and counts with > < =; text with user=, s=, name=, command="),
)


class Found(NamedTuple):
    """What was chosen in the help."""

    action: str
    """The action of a key, as in its binding."""
    own: bool = False
    """Whether that is an action of the panel in focus, not of the application."""


class Help(Dialog[Found]):
    """The keys of the panel in focus first, then all keys, the mouse, the columns, the filter.

    A click on a key runs it, and a click on a topic opens it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark,h,f1", "cancel", "Close", id="help.close", tooltip="Close the help"),
        Binding("slash", "search", "Search", id="help.search", tooltip="Search the help"),
    ]

    def __init__(self, own: Iterable[Binding], parts: Mapping[str, Iterable[Binding]]) -> None:
        super().__init__()
        self._own = tuple(own)
        self._parts = ({_OWN: self._own} if self._own else {}) | dict(parts)
        self._found: dict[int, Found] = {}
        """What a click on each line of the text chooses."""

    def compose(self) -> ComposeResult:
        """The text, which the arrows scroll, over the line of the search and the keys."""
        with Vertical(classes="dialog -page") as page:
            page.border_title = "Keys, mouse, columns, filter"
            yield Page(id="help-text")
            yield Input(
                placeholder="Search keys, columns and topics; Enter reads the first topic",
                id="help-search",
                select_on_focus=False,
            )
            yield KeysLine(Hint("/", "search", "search"), Hint("↑ ↓ PgUp PgDn", "scroll", ""), CLOSE_HINT)

    def on_mount(self) -> None:
        """Give the focus to the text, so that arrows scroll it."""
        self.query_one(Input).display = False
        self.set_focus(self.query_one(TextLines))
        self.call_after_refresh(self._write)

    def on_resize(self) -> None:
        """Wrap again."""
        self.call_after_refresh(self._write)

    def action_search(self) -> None:
        """Open the line of the search."""
        line = self.query_one(Input)
        line.display = True
        self.set_focus(line)

    def action_cancel(self) -> None:
        """End the search, or close."""
        line = self.query_one(Input)
        if line.display:
            line.value, line.display = "", False
            self.set_focus(self.query_one(TextLines))
        else:
            super().action_cancel()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the lines with what was typed, from the first one on."""
        event.stop()
        self._write()
        self.query_one(TextLines).scroll_home(animate=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the first topic that was found; without one the arrows scroll again."""
        event.stop()
        found = _matching(_topic_lines(), event.value)
        if event.value.strip() and found:
            self.dismiss(_topic(found[0][0]))
        else:
            self.set_focus(self.query_one(TextLines))

    def on_click(self, event: events.Click) -> None:
        """Run the key, or open the topic, under the pointer; nothing after a selection."""
        text = self.query_one(TextLines)
        offset = event.get_content_offset(text)
        if offset is None:
            super().on_click(event)
        elif not self.get_selected_text() and (found := self._found.get(offset.y + text.scroll_offset.y)):
            self.dismiss(found)

    def _write(self) -> None:
        """Show the lines with all words of the search, and topics only while something is searched."""
        if not self.query(TextLines):
            return  # closed while it was being made
        text, shown = self.query_one(Input).value, self.query_one(TextLines)
        width = shown.scrollable_content_region.width - 1  # one blank between the text and the scroll bar
        lines: list[Line] = []
        self._found = {}
        for title, part in self.sections():
            found = _matching(part, text) if text.strip() or title != _TOPICS else []
            if not found and title != _TOPICS and _matching([(title,)], text):
                found = part  # "mouse" is only in the title
            if found:
                lines += [*([Line("")] if lines else []), Line(title, "strong")]
            for row, line in _wrapped(found, width, self.spelled):
                if (chosen := self._chosen(title, row)) is not None:
                    self._found[len(lines)] = chosen
                lines.append(line)
        shown.show(lines or [Line("No match in the help.")])

    def _chosen(self, title: str, row: tuple[str, ...]) -> Found | None:
        """What a click on this row of the part chooses; None for nothing."""
        if title == _TOPICS:
            return _topic(row[0])
        for keys, action in _keys_of(self._parts.get(title, ())).items():
            if " ".join(keys) == row[0]:
                return Found(action, title == _OWN)
        return None

    def sections(self) -> list[tuple[str, list[tuple[str, ...]]]]:
        """The whole text: titles, and lines of two or three cells."""
        return [
            *((title, _key_lines(bindings)) for title, bindings in self._parts.items()),
            ("The mouse", [*_MOUSE]),
            ("Columns, with their names for -s, -c and the filter", [(c.title, c.key, c.says) for c in COLUMNS]),
            ("Filter", [*_FILTER]),
            (_TOPICS, _topic_lines()),
        ]


def _topic(name: str) -> Found:
    return Found(f"explain_topic('{name}')")


def _topic_lines() -> list[tuple[str, ...]]:
    """Name, title and summary of every topic."""
    return [(each.name, f"{each.title}: {each.summary}") for each in topics()]


def _matching(lines: Iterable[tuple[str, ...]], text: str) -> list[tuple[str, ...]]:
    """The lines that have all words of ``text``; those with one that begins a cell first."""
    words = text.lower().split()
    found = [line for line in lines if all(any(word in cell.lower() for cell in line) for word in words)]
    return (
        sorted(found, key=lambda line: not any(cell.lower().startswith(tuple(words)) for cell in line))
        if words
        else found
    )


def _wrapped(
    lines: Iterable[tuple[str, ...]], width: int, spelled: Callable[[str], str]
) -> Iterator[tuple[tuple[str, ...], Line]]:
    """Lines of two or three cells in columns, the last one wrapped; the first one is strong; with its row."""
    of_rows = list(lines)
    rows = [tuple(map(spelled, row)) for row in of_rows]
    if not rows:
        return
    columns = [max(len(row[at]) for row in rows) + _GAP_CELLS for at in range(len(rows[0]) - 1)]
    columns[0] = max(columns[0], _KEY_CELLS)
    room = max(_LEAST_CELLS, width - len(_INDENT) - sum(columns))
    for found, row in zip(of_rows, rows, strict=True):
        ahead = _INDENT + "".join(cell.ljust(cells) for cell, cells in zip(row, columns, strict=False))
        for number, text in enumerate(textwrap.wrap(row[-1], room, break_on_hyphens=False)):
            yield found, Line((ahead if number == 0 else " " * len(ahead)) + text, "strong", len(_INDENT) + len(row[0]))


def _key_lines(bindings: Iterable[Binding]) -> list[tuple[str, ...]]:
    """One line for each action, with all its keys."""
    of_action = tuple(bindings)
    says = {binding.action: binding.tooltip or binding.description for binding in of_action}
    return [(" ".join(keys), says[action]) for keys, action in _keys_of(of_action).items()]


def _keys_of(bindings: Iterable[Binding]) -> dict[tuple[str, ...], str]:
    """The names of the keys of each action -> the action."""
    keys: dict[str, dict[str, None]] = {}
    for binding in bindings:
        keys.setdefault(binding.action, {}).update(dict.fromkeys(map(key_name, binding.key.split(","))))
    return {tuple(names): action for action, names in keys.items()}


def key_name(key: str) -> str:
    """A key as it is printed on keyboards: ``PgUp``, ``F1``, ``Ctrl+U``, ``/``."""
    if key in _NAMES:
        return _NAMES[key]
    if key.startswith("ctrl+"):
        return f"Ctrl+{key.removeprefix('ctrl+').upper()}"
    return key.upper() if key[0] == "f" and key[1:].isdecimal() else format_key(key)
