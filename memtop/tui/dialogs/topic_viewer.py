"""Viewer of one topic over the whole screen, with the numbers of the process in focus; follows links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Label, Markdown

from memtop.explain.topic_loader import topic, topics
from memtop.tui.bars.footer import Hint
from memtop.tui.dialogs.dialog import CLOSE_HINT, Choice, Dialog, Menu
from memtop.tui.dialogs.keys_line import KeysLine
from memtop.tui.drawing.scrolling import PAGE_KEYS


class _Text(VerticalScroll, inherit_bindings=False):
    """The topic, which scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [*PAGE_KEYS]


class TopicViewer(Dialog[None]):
    """Shows a topic, follows links, goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace,left", "back", "Back", id="explain.back", tooltip="The previous topic"),
        Binding("c", "contents", "Contents", id="explain.contents", tooltip="All topics, as a short course"),
        Binding("n", "next", "Next", id="explain.next", tooltip="The next topic of the course"),
        Binding("q,e", "cancel", "Close", id="explain.close", tooltip="Close"),
    ]

    def __init__(self, name: str, facts: Mapping[str, str], sentence: str) -> None:
        super().__init__()
        self._trail = [name]
        self._facts = facts
        self._sentence = sentence

    def compose(self) -> ComposeResult:
        """The sentence about this process, the topic, the keys."""
        with Vertical(classes="dialog -page"):
            with _Text():
                yield Label(Content(self._sentence), classes="explain-sentence")
                yield Markdown(open_links=False)
            yield KeysLine(
                Hint("↑ ↓", "scroll", ""),
                Hint("Backspace", "back", "back"),
                Hint("n", "next", "next"),
                Hint("c", "contents", "contents"),
                CLOSE_HINT,
            )

    def on_mount(self) -> None:
        """Show the first topic."""
        self.call_next(self._show)

    async def _show(self) -> None:
        if not self.query(Markdown):
            return  # closed while it was being made
        await self.query_one(Markdown).update(topic(self._trail[-1]).fill(self._facts))
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self.set_focus(self.query_one(VerticalScroll))

    async def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Follow a link to another topic. There are no other links."""
        event.stop()
        if event.href.startswith("topic:"):
            await self._go(event.href.removeprefix("topic:"))

    async def _go(self, name: str | None) -> None:
        if name is not None:
            self._trail.append(name)
            await self._show()

    async def action_back(self) -> None:
        """Show the previous topic."""
        if len(self._trail) > 1:
            self._trail.pop()
            await self._show()

    async def action_next(self) -> None:
        """Show the next topic of the course."""
        names = [found.name for found in topics()]
        at = names.index(self._trail[-1]) if self._trail[-1] in names else -1
        await self._go(names[(at + 1) % len(names)])

    def action_contents(self) -> None:
        """Choose from all topics."""
        choices = [Choice(f"{found.title}: {found.summary}", found.name) for found in topics()]
        self.app.push_screen(Menu("Contents", choices, verb="read"), self._go)
