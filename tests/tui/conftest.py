"""For all tests of the screen: a key has had its effect when the event loop has nothing left to do.

The process of the tests keeps its docstrings, and the garbage of an application that has ended: to go through all
objects of a test run costs more than the test. Style sheets are parsed once for all applications, and what has changed
is drawn after a millisecond.
"""

from __future__ import annotations

import gc
from typing import Any, Final

import pytest
from textual.css.model import RuleSet
from textual.css.parse import parse
from textual.css.tokenize import tokenize_values

from memtop.tui.terminal import memory_tuning
from tests.tui.idle_loop import until_idle

_VARIABLES: Final[dict[object, Any]] = {}
"""The tokens of each set of variables, which a theme decides."""
_RULES: Final[dict[object, list[RuleSet]]] = {}
"""The rules of each style sheet."""


@pytest.fixture(autouse=True)
def pilots_wait_until_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot sleeps until the process uses little of the CPU: 40 ms a key, and luck on a busy machine."""
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", until_idle)


@pytest.fixture(autouse=True)
def memory_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What memtop does for its own memory once it is on screen is tested in processes of their own."""
    monkeypatch.setattr(memory_tuning, "settle", gc.freeze)
    for name in ("settle_again", "trim"):
        monkeypatch.setattr(memory_tuning, name, lambda: None)


@pytest.fixture(autouse=True)
def screens_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual parses hundreds of rules for each application, a fifth of its start, and draws every 17 ms at most."""
    monkeypatch.setattr("textual.css.stylesheet.tokenize_values", _tokens_of)
    monkeypatch.setattr("textual.css.stylesheet.parse", _rules_of)
    monkeypatch.setattr(RuleSet, "__hash__", object.__hash__)  # by identity as Textual's own, in C
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", 0.001)


def _tokens_of(variables: dict[str, str]) -> Any:
    key = tuple(variables.items())
    if key not in _VARIABLES:
        _VARIABLES[key] = tokenize_values(variables)
    return _VARIABLES[key]


def _rules_of(scope: str, css: str, read_from: Any, *, variable_tokens: Any, **how: Any) -> list[RuleSet]:
    key = scope, css, read_from, tuple(how.items()), id(variable_tokens)  # these are kept: no others have their id
    if key not in _RULES:
        _RULES[key] = [*parse(scope, css, read_from, variable_tokens=variable_tokens, **how)]
    return _RULES[key]
