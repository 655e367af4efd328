"""Styles of the parts of a widget, its COMPONENT_CLASSES: computed when they are first drawn, and kept while they hold.

Textual styles all parts of all widgets again whenever a class of the application, a focus or a size changes. With some
fifty parts beside the chart and the table alone, that took half of the time of such a change.
"""

from __future__ import annotations

from textual.css.model import Selector, SelectorType
from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.widget import Widget

from memtop.tui.drawing.changed_styles import ChangedStylesheet


class StyledParts(Widget):
    """A widget whose parts are styled when they are first asked for."""

    styled_by: object = None
    """The rules by which its parts were styled."""

    def get_component_styles(self, *names: str) -> RenderStyles:
        """As in DOMNode."""
        sheet = self.app.stylesheet
        if isinstance(sheet, PartStylesheet):
            known = self._get_component_classes()
            for name in names:
                if name in known and name not in self._component_styles:
                    sheet.style_part(self, name)
        return super().get_component_styles(*names)


class PartStylesheet(ChangedStylesheet):
    """A Stylesheet that leaves alone the parts that were not asked for, and those that cannot have changed.

    A part of a widget cannot change with the state of the widget or of its ancestors if its rules name only types.
    """

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._lasting: dict[str, bool] = {}
        """Whether a part looks the same whatever happens, by its class."""
        self._lasting_by: object = None
        """The rules of which this is true."""

    def style_part(self, node: DOMNode, name: str) -> RenderStyles:
        """Style a part as Textual does."""
        part = DOMNode(classes=name)
        part._attach(node)
        self.apply(part)
        node._component_styles[name] = part.styles
        return part.styles

    def _process_component_classes(self, node: DOMNode) -> None:
        """As in Stylesheet."""
        if not isinstance(node, StyledParts):
            super()._process_component_classes(node)
            return
        rules = self.rules_map
        if self._lasting_by is not rules:
            self._lasting_by, self._lasting = rules, {}
        same_rules, node.styled_by = node.styled_by is rules, rules
        changed = False
        for name, before in [*node._component_styles.items()]:
            if not same_rules or not self._lasts(name):
                changed |= self.style_part(node, name) != before
        if changed:
            node.refresh()

    def _lasts(self, name: str) -> bool:
        if name not in self._lasting:
            rules = [*self.rules_map.get(f".{name}", ()), *self.rules_map.get("*", ())]
            selectors = [one.selectors for rule in rules for one in rule.selector_set]
            self._lasting[name] = all(_lasts(name, one) for one in selectors)
        return self._lasting[name]


def _lasts(name: str, selectors: list[Selector]) -> bool:
    """Whether these selectors match all parts of a type of widget, or none, at any time."""
    *widgets, part = selectors
    if part.pseudo_classes:  # a part has no state
        return True
    if part.type is SelectorType.CLASS and part.name != name:
        return True
    return not any(one.pseudo_classes or one.type in (SelectorType.CLASS, SelectorType.ID) for one in widgets)
