"""The prompt for a Go program's metrics address: it offers the program's listening sockets once they are read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from memtop.errors import UsageError
from memtop.sampling.request import Need
from memtop.sources.endpoint import parse_endpoint
from memtop.tui.dialogs.choice_list import ChoiceList
from memtop.tui.dialogs.dialog import Prompt

if TYPE_CHECKING:
    from memtop.model.frame import Frame
    from memtop.process_key import ProcessKey

MOST_SUGGESTED: Final = 8
SUGGESTED: Final = "Suggested from its listening sockets; memtop has not connected to any of them."
GO_THERE: Final = "↓ goes to them."
READING: Final = "Its listening sockets are being read …"
NONE_KNOWN: Final = "No listening sockets of this process are known."
_ADDRESS: Final = "An address on this machine, such as http://127.0.0.1:6060/debug/vars, or a port."


class AddressPrompt(Prompt[str]):
    """A line to type an address in, and a list of suggestions below it. The answer is a URL, or None after Esc.

    Suggestions never take the focus by themselves: a key that is being typed would choose one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "to_suggestions", "Suggestions", id="address.suggestions", tooltip="Go to the suggestions")
    ]
    needs: ClassVar[Need] = Need.RUNTIME
    """Readings of the process in focus while the prompt is open: its listening sockets."""

    def __init__(self, key: ProcessKey, *, reads: bool) -> None:
        """``reads``: its listening sockets are read; False for a program whose metrics are being read already."""
        super().__init__(f"Metrics of {key.pid}", _understand, "127.0.0.1:", says=_ADDRESS)
        self._key = key
        self._reads = reads
        self._suggested: tuple[str, ...] = ()

    def more(self) -> Iterable[Widget]:
        """Where the suggestions come from, and the list of them."""
        if self._reads:
            yield Label(READING, classes="dialog-says")
            suggestions = ChoiceList()
            suggestions.display = False
            yield suggestions

    def show(self, frame: Frame) -> None:
        """Take a newer frame, with the listening sockets if they have been read."""
        runtime = frame.detail.runtime if frame.detail is not None and frame.detail.row.key == self._key else None
        if not self._reads or runtime is None or runtime.waiting or runtime.suggested is None or self._suggested:
            return
        self._suggested = runtime.suggested[:MOST_SUGGESTED]
        says = self.spelled(f"{SUGGESTED} {GO_THERE}") if self._suggested else NONE_KNOWN
        self.query_one(".dialog-says", Label).update(Content(says))
        if self._suggested:
            suggestions = self.query_one(ChoiceList)
            suggestions.add_options(Option(Content(url)) for url in self._suggested)
            suggestions.highlighted = 0
            suggestions.display = True

    def action_to_suggestions(self) -> None:
        """Go from the line to the suggestions."""
        if self._suggested:
            self.query_one(ChoiceList).focus()

    def action_accept(self) -> None:
        """Do what Enter does in what has the focus."""
        if isinstance(self.focused, OptionList):
            self.focused.action_select()
        else:
            super().action_accept()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the suggestion that was chosen."""
        event.stop()
        self.dismiss(self._suggested[event.option_index])


def _understand(text: str) -> str:
    if not text:
        raise UsageError("such as http://127.0.0.1:6060/debug/vars, or a port")
    return parse_endpoint(text).url
