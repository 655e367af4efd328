"""Style sheet that styles only the widgets that a change of a class, of the focus or of a size can have changed.

Textual styles all widgets below a node again whenever a class of the node changes. Some thirty widgets are below the
application: they took a third of the time of a key that opens a panel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from textual.css.model import RuleSet, SelectorType
from textual.css.styles import RulesMap
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.widget import Widget

_Names: TypeAlias = frozenset[str]
_Kind: TypeAlias = tuple[type[Widget], str | None, _Names]
"""What decides which rules can match a widget: its type, id and classes."""


class _Candidates(NamedTuple):
    """The rules that can match a widget or its parts, and what else these ask of the widget and its ancestors."""

    rules: frozenset[RuleSet]
    classes: _Names
    states: _Names
    """Names of pseudo-classes."""


class _Reasons(NamedTuple):
    """All that the styles of a widget follow from. Types and ids of its ancestors stay as they are."""

    rules: frozenset[RuleSet]
    path: tuple[tuple[_Names, _Names], ...]
    """Classes and states of the widget and of its ancestors, of those that the rules name."""


class ChangedStylesheet(Stylesheet):
    """A Stylesheet that leaves alone the widgets whose styles cannot have changed."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._styled_for: WeakKeyDictionary[DOMNode, _Reasons] = WeakKeyDictionary()
        """Why each widget has the styles that it has."""
        self._candidates: dict[_Kind, _Candidates] = {}
        self._candidates_by: object = None
        """The rules from which these were chosen."""

    def apply(
        self, node: DOMNode, *, animate: bool = False, cache: dict[tuple[object, ...], RulesMap] | None = None
    ) -> None:
        """As in Stylesheet."""
        super().apply(node, animate=animate, cache=cache)
        if isinstance(node, Widget):
            self._styled_for[node] = self._reasons(node)

    def update_nodes(self, nodes: Iterable[DOMNode], animate: bool = False) -> None:
        """As in Stylesheet. What widgets have computed from the styles of an ancestor is computed again."""
        all_nodes = [*nodes]
        changed = [node for node in all_nodes if self._can_have_changed(node)]
        super().update_nodes(changed, animate=animate)
        above = {*changed}
        for node in all_nodes:
            if node not in above and not above.isdisjoint(node.ancestors):
                for one in (node, *_scrollbars(node)):
                    one.notify_style_update()

    def _can_have_changed(self, node: DOMNode) -> bool:
        """Whether the node, or a scrollbar of it, would be styled differently now."""
        return any(
            not isinstance(one, Widget) or self._styled_for.get(one) != self._reasons(one)
            for one in (node, *_scrollbars(node))
        )

    def _reasons(self, widget: Widget) -> _Reasons:
        rules, classes, states = self._candidates_of(widget)
        path = tuple(
            (classes & node._classes, frozenset(name for name in states if node.has_pseudo_class(name)))
            for node in widget.css_path_nodes
        )
        return _Reasons(rules, path)

    def _candidates_of(self, widget: Widget) -> _Candidates:
        rules_map = self.rules_map
        if self._candidates_by is not rules_map:
            self._candidates_by, self._candidates = rules_map, {}
        kind = type(widget), widget.id, widget.classes
        if kind not in self._candidates:
            names = widget._selector_names.union(f".{part}" for part in widget._get_component_classes())
            rules = frozenset(rule for name in names & rules_map.keys() for rule in rules_map[name])
            selectors = [one for rule in rules for group in rule.selector_set for one in group.selectors]
            self._candidates[kind] = _Candidates(
                rules,
                frozenset(one.name for one in selectors if one.type is SelectorType.CLASS),
                frozenset().union(*(rule.pseudo_classes for rule in rules)),
            )
        return self._candidates[kind]


def _scrollbars(node: DOMNode) -> Iterator[Widget]:
    for bar in (
        getattr(node, "_vertical_scrollbar", None),
        getattr(node, "_horizontal_scrollbar", None),
        getattr(node, "_scrollbar_corner", None),
    ):
        if bar is not None:
            yield bar
