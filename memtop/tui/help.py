"""The help: made from the bindings and the columns; there is no second list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.keys import format_key
from textual.widgets import Static

from memtop.columns import COLUMNS
from memtop.tui.dialogs import Dialog

_KEY_CELLS = 16


class Help(Dialog[None]):
    """Keys of the panel in focus first, then all keys, then the columns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark,h,f1", "cancel", "Close", id="help.close", tooltip="Close the help")
    ]

    def __init__(self, parts: Mapping[str, Iterable[Binding]]) -> None:
        super().__init__()
        self._parts = parts

    def compose(self) -> ComposeResult:
        """One text, scrolled with the arrows."""
        with VerticalScroll(classes="dialog -page") as page:
            page.border_title = "Keys, columns, filter"
            page.border_subtitle = "↑ ↓ scroll   Esc close"
            yield Static(self._text(), markup=False)

    def on_mount(self) -> None:
        """Arrows scroll."""
        self.query_one(VerticalScroll).focus()

    def _text(self) -> Content:
        lines: list[Content] = []
        for title, bindings in self._parts.items():
            lines += [Content.styled(title, "bold"), *_key_lines(bindings), Content("")]
        lines.append(Content.styled("Columns (name for -s, -c and the filter)", "bold"))
        lines += [
            Content.assemble((f"  {column.title:<{_KEY_CELLS - 2}}", "bold"), f"{column.key:<8} {column.says}")
            for column in COLUMNS
        ]
        lines += [
            Content(""),
            Content.styled("Filter", "bold"),
            Content("  nginx           name or command line contains it"),
            Content("  !^python3       command line matches the regular expression"),
            Content(
                "  rss>500m user=app minflt>1000 growth>1m   all of these hold; user=, s=, name=, command= are text"
            ),
        ]
        return Content("\n").join(lines)


def _key_lines(bindings: Iterable[Binding]) -> Iterable[Content]:
    """One line for each action, with all its keys."""
    keys: dict[str, list[str]] = {}
    says: dict[str, str] = {}
    for binding in bindings:
        keys.setdefault(binding.action, []).extend(format_key(key) for key in binding.key.split(","))
        says[binding.action] = binding.tooltip or binding.description
    for action, names in keys.items():
        text = " ".join(dict.fromkeys(names))
        yield Content.assemble((f"  {text:<{_KEY_CELLS - 2}}", "bold"), says[action])
