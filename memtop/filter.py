"""The filter language: text, ``!regex``, and terms such as ``rss>500m user=app name=api``.

Blanks separate terms, and all terms must hold. An unknown number satisfies no comparison. ``dead`` finds processes that
have ended. Where groups are listed, text and terms that groups have select groups; all other terms select the
processes that groups are made of.
"""

import operator
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from memtop.columns import BY_NAME, Column, Values, columns_of
from memtop.errors import UsageError
from memtop.model.row import ProcessRow
from memtop.sampling.request import Need
from memtop.units import parse_size

Predicate = Callable[[ProcessRow], bool]
_AnyPredicate = Callable[[Any], bool]

_TERM: Final = r"(?s)([a-zA-Z%Δ][a-zA-Z%/_]*)(>=|<=|!=|==|=|>|<)(.*)"
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}


DEAD: Final = "dead"
"""The term that finds processes that have ended."""
_OF_PROGRAMS: Final = frozenset({"pid", "name", "command"})
"""Columns whose terms look for a program."""


class Query(NamedTuple):
    """A parsed filter."""

    text: str
    where: Predicate | None
    """None lets every process pass."""
    needs: Need
    """Readings that the filter needs of every process."""
    groups_where: Callable[[Any], bool] | None = None
    """The same for groups, where they are listed."""
    finds_dead: bool = False
    """Whether it looks for programs by name, command line or PID, so that those that have ended are found too."""

    @property
    def selects(self) -> bool:
        """Whether it leaves anything out."""
        return self.where is not None or self.groups_where is not None


def parse_query(text: str, *, groups: bool = False) -> Query:
    """Parse what the user typed, for a list of processes or of ``groups``.

    Raises UsageError, which says what is allowed.
    """
    stripped = text.strip()
    if stripped.startswith("!"):
        if groups:
            return Query(text, None, Need.NONE, _matches(stripped[1:], groups=True))
        return Query(text, _matches(stripped[1:]), Need.NONE, finds_dead=True)
    of_processes: list[_AnyPredicate] = []
    of_groups: list[_AnyPredicate] = []
    group_columns = columns_of(groups=True).by_name if groups else {}
    needs, finds_dead = Need.NONE, False
    for word in stripped.split():
        match = re.fullmatch(_TERM, word)
        name = match[1].lower() if match else ""
        column = group_columns.get(name) or BY_NAME.get(name)
        if match is None or column is None:
            (of_groups if groups else of_processes).append(_names_group(word) if groups else _contains(word))
            finds_dead = True
        else:
            (of_groups if name in group_columns else of_processes).append(_term(column, *match.groups()))
            needs |= column.needs
            finds_dead = finds_dead or column.key in _OF_PROGRAMS
    return Query(text, _all_of(of_processes), needs, _all_of(of_groups), finds_dead and not groups)


def _all_of(predicates: list[_AnyPredicate]) -> _AnyPredicate | None:
    return (lambda row: all(predicate(row) for predicate in predicates)) if predicates else None


def of_user(user: str) -> Predicate:
    """Keep the processes of one user, given by login name or number."""
    return lambda row: row.user == user or str(row.uid) == user


def both(first: Predicate | None, second: Predicate) -> Predicate:
    """Keep the processes that satisfy both queries."""
    return second if first is None else lambda row: first(row) and second(row)


def _matches(pattern: str, *, groups: bool = False) -> _AnyPredicate:
    try:
        regex = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise UsageError(f"filter: not a regular expression: {error}") from error
    if groups:
        return lambda row: regex.search(row.name) is not None
    return lambda row: regex.search(row.command) is not None or regex.search(row.name) is not None


def _contains(word: str) -> Predicate:
    wanted = word.lower()
    if wanted == DEAD:
        return lambda row: row.gone_s is not None or wanted in row.command.lower() or wanted in row.name.lower()
    return lambda row: wanted in row.command.lower() or wanted in row.name.lower() or wanted == str(row.pid)


def _names_group(word: str) -> _AnyPredicate:
    wanted = word.lower()
    return lambda row: wanted in row.name.lower() or wanted in (row.path or "").lower()


def _term(column: Column, name: str, sign: str, value: str) -> Predicate:
    """Parse one term.

    ``name`` is the column's name as typed: a column has several, and the error message uses this one.
    """
    field = operator.attrgetter(column.field)
    if column.values in (Values.TEXT, Values.WORD):
        if sign not in ("=", "==", "!="):
            raise UsageError(f"filter: {name} is text; use {name}= or {name}!=")
        wanted = value.lower()
        if column.key == "name":  # a program has several: the kernel's, its file's, that of its script
            hit: Predicate = lambda row: any(wanted in one.lower() for one in row.program_names)  # noqa: E731
        elif column.values is Values.WORD:
            hit = lambda row: field(row).lower() == wanted  # noqa: E731
        else:
            hit = lambda row: wanted in field(row).lower()  # noqa: E731
        return (lambda row: not hit(row)) if sign == "!=" else hit
    try:
        number = parse_size(value) if column.values is Values.SIZE else float(value)
        if not abs(number) < float("inf"):  # excludes nan as well
            raise ValueError(value)
    except ValueError as error:
        kind = "a size such as 500m or 1.5g" if column.values is Values.SIZE else "a number"
        raise UsageError(f"filter: {name}{sign} needs {kind}") from error
    compare = _COMPARE[sign]
    return lambda row: (known := field(row)) is not None and compare(known, number)
