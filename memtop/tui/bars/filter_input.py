"""The line in which the filter is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Input

from memtop.filter_hint import completion


class ColumnNames(Suggester):
    """Completes the names of columns; ``groups`` says whether groups are listed, which have other columns."""

    def __init__(self, groups: Callable[[], bool]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._groups = groups

    async def get_suggestion(self, value: str) -> str | None:
        """The filter with its last word completed; None if there is nothing to complete."""
        return completion(value, groups=self._groups())


class FilterInput(Input):
    """The right arrow takes what is suggested. Enter closes the line at once: keys behind it are for the list.

    Its owner selects the text when it opens the line. The focus does not: it may come behind the first keys, and the
    next key would replace them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "app.keep_filter", "Keep", show=False)]

    def __init__(self, groups: Callable[[], bool], *, id: str | None = None) -> None:
        super().__init__(
            placeholder="text, !regex, or terms: rss>500m user=app s=D",
            suggester=ColumnNames(groups),
            id=id,
            select_on_focus=False,
        )
