"""The list of processes that have ended: those that were watched, large or killed, the latest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from memtop.explain.exit_text import exit_lines, exit_severity, how
from memtop.explain.severity_signs import SIGNS
from memtop.model.assessment import ExitReport
from memtop.process_key import ProcessKey
from memtop.tui.bars.footer import Hint
from memtop.tui.colors import LOOKS
from memtop.tui.dialogs.choice_list import ChoiceList
from memtop.tui.dialogs.dialog import CLOSE_HINT, Dialog
from memtop.tui.dialogs.keys_line import ACCEPT, KeysLine
from memtop.tui.drawing.hanging_text import HangingText, Paragraph
from memtop.units import counted

_NONE: Final = "memtop has seen no watched or large process end, and none killed, since it started."
_WHICH: Final = (
    "Listed: processes that were watched, used 1 % of RAM or of their limit, were killed, or failed with 32 MiB or "
    "more."
)


class EndedList(Dialog[ProcessKey]):
    """Each end in two lines. Enter answers with the chosen process."""

    def __init__(
        self, ended: Sequence[ExitReport], only: int | None = None, kills: int | None = 0, earlier: str = ""
    ) -> None:
        """``ended`` has the latest first; ``only`` so many processes are read, None for all.

        ``kills`` is the number of OOM kills that the machine has counted since memtop started; None if it is unknown.
        ``earlier`` is what happened before, as a clause.
        """
        super().__init__()
        self._earlier = earlier
        self._only = only
        self._kills = kills
        self._ended = ended
        self._lines = _runs(ended)

    def compose(self) -> ComposeResult:
        """Title, list, keys."""
        with Vertical(classes="dialog -wide"):
            yield Label("Ended since memtop started", classes="dialog-title")
            yield ChoiceList(*self._options())
            yield Label(
                Content(words_below(self._ended, self._only, self._kills, self._earlier)), classes="dialog-says"
            )
            yield KeysLine(Hint("↑ ↓", "move", ""), Hint("Enter", "show its last minute", ACCEPT), CLOSE_HINT)

    def on_mount(self) -> None:
        """The latest is under the cursor."""
        self.query_one(OptionList).highlighted = 0 if self._ended else None

    def show(self, ended: Sequence[ExitReport]) -> None:
        """Take a newer list; the cursor stays with its process."""
        if ended is self._ended:
            return
        choices = self.query_one(OptionList)
        at = choices.highlighted
        chosen = self._lines[at][0].key if at is not None and at < len(self._lines) else None
        self._ended, self._lines = ended, _runs(ended)
        choices.set_options(self._options())
        keys = [one[0].key for one in self._lines]
        if keys:
            choices.highlighted = keys.index(chosen) if chosen in keys else min(at or 0, len(keys) - 1)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        event.stop()
        self.dismiss(self._lines[event.option_index][0].key if event.option_index < len(self._lines) else None)

    def _options(self) -> list[Option]:
        if not self._ended:
            return [Option(Content(_NONE), disabled=True)]
        return [Option(HangingText(_text(*one))) for one in self._lines]


def words_below(ended: Sequence[ExitReport], only: int | None, kills: int | None, earlier: str = "") -> str:
    """What the list does not show. The arguments are those of EndedList."""
    lines = (
        []
        if only is None
        else [
            f"Only the {counted(only, 'process')} that you asked for {'is' if only == 1 else 'are'} read; a reads all."
        ]
    )
    unseen = (kills or 0) - sum(one.is_oom for one in ended)
    if kills is None:
        lines.append("This kernel does not say how many processes the OOM killer has ended.")
    elif unseen > 0:
        lines.append(f"The kernel counted {counted(kills, 'OOM kill')}; memtop saw no end for {unseen}.")
    lines += [f"{earlier}."] if earlier else []
    return "\n".join([*lines, _WHICH])


def _runs(ended: Sequence[ExitReport]) -> list[list[ExitReport]]:
    """Small processes of one name that ended one after the other in the same way make one line."""
    runs: list[list[ExitReport]] = []
    for one in ended:
        small = not (one.large or one.is_oom or one.wanted)
        if (
            small
            and runs
            and (one.shown_name, how(one)) == (runs[-1][0].shown_name, how(runs[-1][0]))
            and not runs[-1][0].large
        ):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _text(report: ExitReport, *others: ExitReport) -> list[Paragraph]:
    first, second = exit_lines(report)
    if others:
        first = f"{first}, and {len(others)} more of that name since {exit_lines(others[-1])[0].partition(' ')[0]}"
    severity = exit_severity(report)
    return [Paragraph(f"{SIGNS[severity]} ", first, look=LOOKS[severity]), Paragraph("  ", second)]
