"""The least that Textual can paint: the yardstick for memtop's start."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """One line of text."""

    BINDINGS = [("q", "quit", "Quit")]  # noqa: RUF012 (as Textual has it)

    def compose(self) -> ComposeResult:
        """What is there."""
        yield Static("first paint")


if __name__ == "__main__":
    Empty().run()
