"""Base dialogs: a line to type (Prompt) and a list to choose from (Menu)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from memtop.errors import MemtopError, UsageError
from memtop.tui.bars.footer import Hint
from memtop.tui.dialogs.answered_once import ClosedOnce
from memtop.tui.dialogs.choice_list import ChoiceList
from memtop.tui.dialogs.keys_line import ACCEPT, CANCEL, KeysLine
from memtop.tui.drawing.cell_text import to_ascii
from memtop.tui.drawing.hanging_text import HangingText, Paragraph

Value = TypeVar("Value")
LETTERS_S: Final = 1.0
"""Letters that come within this time of each other are the beginning of one line."""
_LEAST_LINES, _MOST_LINES = 3, 20
"""Height of a list that has more lines."""
CLOSE_HINT: Final = Hint("Esc", "close", CANCEL)
CANCEL_HINT: Final = Hint("Esc", "cancel", CANCEL)
_HANG_CELLS: Final = 2
"""Indent of what follows the first line of a long choice."""
NARROW_CELLS: Final = 52
"""Longest line of a list in a dialog of the ordinary width."""


@dataclass(frozen=True, slots=True)
class Choice(Generic[Value]):
    """One line of a list."""

    label: str
    value: Value
    key: str = ""
    """A key that chooses the line at once, shown before it. Harmful choices have none."""
    says: str = ""
    """What it means, beside the label. It wraps under itself."""

    @property
    def prompt(self) -> HangingText:
        """What the list shows."""
        key = f"{self.key}  " if self.key else ""
        if not self.says:
            return HangingText([Paragraph(key, self.label, hang=_HANG_CELLS)])
        return HangingText([Paragraph(key + self.label, self.says)])


class Dialog(ClosedOnce[Value | None]):
    """A box in the middle of the screen. Esc closes it without an answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Close", id="dialog.close", tooltip="Close without an answer"),
        Binding("ctrl+c", "app.quit", "Quit", id="dialog.quit", tooltip="Quit", show=False),
    ]

    def on_mount(self) -> None:
        """Keep the keys on screen in each layout: of another size, with more text, above a notice."""
        self.screen_layout_refresh_signal.subscribe(self, lambda _: self._fit_list())

    def _fit_list(self) -> None:
        """Give the list the lines that title, subject, keys and notices leave: it scrolls, they do not."""
        notices = sum(each.outer_size.height for each in self.query("Toast"))
        for box in self.query(".dialog"):
            for choices in box.query(OptionList):
                if choices.styles.height is not None and choices.styles.height.is_auto:
                    beside = sum(
                        each.outer_size.height + each.styles.margin.height
                        for each in box.children
                        if each is not choices
                    )
                    room = self.size.height - notices - box.gutter.height - beside
                    choices.styles.max_height = max(_LEAST_LINES, min(_MOST_LINES, room))

    def spelled(self, text: str) -> str:
        """``text`` with the arrow keys as words under ``--ascii``, where ``^`` would be read as Ctrl."""
        return to_ascii(text) if self.app.has_class("-ascii") else text

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def action_accept(self) -> None:
        """Do what Enter does: choose the line under the cursor, or take what is typed."""
        for choices in self.query(OptionList):
            choices.action_select()
        for line in self.query(Input):
            self.run_worker(line.action_submit())

    async def on_keys_line_clicked(self, message: KeysLine.Clicked) -> None:
        """Run the action of a key that was clicked."""
        await self.run_action(message.action)

    def on_click(self, event: events.Click) -> None:
        """Close without an answer if the click is outside of the box."""
        boxes = self.query(".dialog")
        if boxes and not any(box.region.contains(event.screen_x, event.screen_y) for box in boxes):
            self.action_cancel()


def whole_number(text: str, least: int, most: int) -> int:
    """Parse a whole number that the user typed. Raises UsageError, which says what is allowed."""
    if re.fullmatch(r"(?a)-?\d{1,9}", text) and least <= int(text) <= most:
        return int(text)
    raise UsageError(f"a whole number from {least} to {most}")


class Prompt(Dialog[Value]):
    """A line to type. ``understand`` parses it, or raises MemtopError with what is allowed.

    ``says`` explains beforehand what may be typed.
    """

    def __init__(self, title: str, understand: Callable[[str], Value], initial: str = "", *, says: str) -> None:
        super().__init__()
        self._title = title
        self._understand = understand
        self._initial = initial
        self._says = says

    def compose(self) -> ComposeResult:
        """Title, explanation, line, error message, keys."""
        with Vertical(classes="dialog"):
            yield Label(Content(self._title), classes="dialog-title")
            yield Label(Content(self._says), classes="dialog-about")
            line = Input(self._initial, select_on_focus=False)  # the focus may come behind the first keys
            line.select_all()
            yield line
            yield Label("", classes="dialog-complaint")
            yield from self.more()
            yield KeysLine(Hint("Enter", "apply", ACCEPT), CANCEL_HINT)

    def more(self) -> Iterable[Widget]:
        """What stands between the line and the keys."""
        return ()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the answer, or show what is wrong."""
        event.stop()
        try:
            answer = self._understand(event.value.strip())
        except MemtopError as error:
            self.query_one(".dialog-complaint", Label).update(Content(str(error)))
            self.query_one(Input).select_all()  # what is typed next replaces it
            return
        self.dismiss(answer)


class Menu(Dialog[Value]):
    """A list to choose one line from: with arrows or its first letters and Enter, with its key, or with the mouse."""

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice[Value]],
        says: str = "",
        start: int = 0,
        *,
        verb: str = "apply",
        one_click: bool = True,
    ) -> None:
        """``one_click``: a click on a line chooses it. Otherwise the first click moves the cursor there."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._says = says
        self._start = start
        self._verb = verb
        self._one_click = one_click
        self._typed = ""
        self._typed_at_s = 0.0

    def compose(self) -> ComposeResult:
        """Title, subject, list, keys."""
        wide = any(len(choice.label + choice.says) > NARROW_CELLS for choice in self._choices)
        with Vertical(classes="dialog -wide" if wide else "dialog"):
            yield Label(Content(self._title), classes="dialog-title")
            if self._says:
                yield Label(Content(self._says), classes="dialog-about")
            yield ChoiceList(*(Option(choice.prompt) for choice in self._choices), one_click=self._one_click)
            keys = [Hint("↑ ↓", "move", ""), Hint("key", "choose", "")]
            moves = keys if any(choice.key for choice in self._choices) else [Hint("↑ ↓ or letters", "move", "")]
            yield KeysLine(*moves, Hint("Enter", self._verb, ACCEPT), CANCEL_HINT)

    def on_mount(self) -> None:
        """Put the cursor on the safe line."""
        self.query_one(OptionList).highlighted = self._start

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the answer."""
        event.stop()
        self.dismiss(self._choices[event.option_index].value)

    def on_key(self, event: events.Key) -> None:
        """Handle the key of a line, and letters with which a line begins. They do not reach the screen below."""
        for choice in self._choices:
            if choice.key and choice.key == event.character:
                event.stop()
                event.prevent_default()
                self.dismiss(choice.value)
                return
        if event.character and event.character.isprintable() and not event.character.isspace():
            event.stop()
            event.prevent_default()
            self._go_to(event.character.lower())

    def _go_to(self, letter: str) -> None:
        """Move the cursor to the next line that begins with the letters typed without a pause."""
        now_s = time.monotonic()
        typed = self._typed if now_s - self._typed_at_s < LETTERS_S else ""
        lines = self.query_one(OptionList)
        at, count = lines.highlighted or 0, len(self._choices)
        for wanted, start in ((typed + letter, at if typed else at + 1), (letter, at + 1)):
            for number in range(start, start + count):
                if self._choices[number % count].label.lower().startswith(wanted):
                    self._typed, self._typed_at_s = wanted, now_s
                    lines.highlighted = number % count
                    return
