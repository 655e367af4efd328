"""The help dialog, generated from the bindings and the columns. There is no second list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.keys import format_key
from textual.widgets import Input, Label, Static

from memtop.columns import COLUMNS
from memtop.explain import topics
from memtop.tui.dialogs.dialog import Dialog

_KEY_CELLS: Final = 13
_NAMES: Final = {
    "enter": "Enter", "escape": "Esc", "space": "Space", "tab": "Tab", "backspace": "Backspace",
    "home": "Home", "end": "End", "pageup": "PgUp", "pagedown": "PgDn",
}  # fmt: skip
"""Names of keys that Textual would show as signs or in lower case."""
_MOUSE: Final = (
    ("heading", "Click to sort by that column, again to reverse the order"),
    ("process", "Click to select, double-click to watch"),
    ("chart", "Click to go to that moment; use the wheel to zoom"),
    ("sentence", "Click a sentence in What is going on, or a number in the first line, to explain it"),
    ("footer", "Click to run that key"),
)
_TOPICS: Final = "Topics (Enter reads the first one)"
_FILTER: Final = (
    ("nginx", "name or command line contains it"),
    ("!^python3", "command line matches the regular expression"),
    ("rss>500m s=D", "every term holds: sizes, rates and counts with > < =; user=, s=, name= and command= are text"),
)


class Help(Dialog[str]):
    """The keys of the panel in focus first, then all keys, the mouse, the columns, the filter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark,h,f1", "cancel", "Close", id="help.close", tooltip="Close the help"),
        Binding("slash", "search", "Search", id="help.search", tooltip="Search the help"),
    ]

    def __init__(self, parts: Mapping[str, Iterable[Binding]]) -> None:
        super().__init__()
        self._parts = parts

    def compose(self) -> ComposeResult:
        """A title and a table for each part, which the arrows scroll, over the line of the search."""
        with Vertical(classes="dialog -page") as page:
            page.border_title = "Keys, mouse, columns, filter"
            page.border_subtitle = "/ search   ↑ ↓ PgUp PgDn scroll   Esc close"
            with VerticalScroll():
                for title, lines in self.sections():
                    yield Label(title, classes="dialog-title", markup=False)
                    yield Static(_table(lines), classes="help-part", markup=False)
                yield Label("Nothing in the help has that.", id="help-none")
            yield Input(placeholder="Search keys, columns and topics; Enter reads the first topic", id="help-search")

    def on_mount(self) -> None:
        """Give the focus to the text, so that arrows scroll it."""
        self._find("")
        self.query_one(Input).display = False
        self.set_focus(self.query_one(VerticalScroll))

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
            self.set_focus(self.query_one(VerticalScroll))
        else:
            super().action_cancel()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the lines with what was typed."""
        event.stop()
        self._find(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the first topic that was found; without one the arrows scroll again."""
        event.stop()
        found = _matching(_topic_lines(), event.value)
        if event.value.strip() and found:
            self.dismiss(found[0][0])
        else:
            self.set_focus(self.query_one(VerticalScroll))

    def _find(self, text: str) -> None:
        """Show the lines that have all words of ``text``, and topics only while something is searched."""
        shown = False
        titles = self.query(".dialog-title").results(Label)
        for (title, lines), label, part in zip(
            self.sections(), titles, self.query(".help-part").results(Static), strict=True
        ):
            found = _matching(lines, text) if text.strip() or title != _TOPICS else []
            label.display = part.display = bool(found)
            shown = shown or bool(found)
            if found:
                part.update(_table(found))
        self.query_one("#help-none").display = not shown
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def sections(self) -> list[tuple[str, list[tuple[str, ...]]]]:
        """The whole text: titles, and lines of two or three cells."""
        return [
            *((title, _key_lines(bindings)) for title, bindings in self._parts.items()),
            ("The mouse", [*_MOUSE]),
            ("Columns, with their names for -s, -c and the filter", [(c.title, c.key, c.says) for c in COLUMNS]),
            ("Filter", [*_FILTER]),
            (_TOPICS, _topic_lines()),
        ]


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


def _table(lines: Iterable[tuple[str, ...]]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    for cells in lines:
        if not table.columns:
            table.add_column(min_width=_KEY_CELLS, style="bold", no_wrap=True)
            for _ in cells[1:]:
                table.add_column()
        table.add_row(*map(Text, cells))
    return table


def _key_lines(bindings: Iterable[Binding]) -> list[tuple[str, ...]]:
    """One line for each action, with all its keys."""
    keys: dict[str, list[str]] = {}
    says: dict[str, str] = {}
    for binding in bindings:
        keys.setdefault(binding.action, []).extend(map(key_name, binding.key.split(",")))
        says[binding.action] = binding.tooltip or binding.description
    return [(" ".join(dict.fromkeys(names)), says[action]) for action, names in keys.items()]


def key_name(key: str) -> str:
    """A key as it is printed on keyboards: ``PgUp``, ``F1``, ``Ctrl+U``, ``/``."""
    if key in _NAMES:
        return _NAMES[key]
    if key.startswith("ctrl+"):
        return f"Ctrl+{key.removeprefix('ctrl+').upper()}"
    return key.upper() if key[0] == "f" and key[1:].isdecimal() else format_key(key)
