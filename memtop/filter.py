"""The filter language: text, ``!regex``, and terms such as ``rss>500m user=app name=api``.

Blanks separate terms, and all terms must hold. An unknown number satisfies no comparison.
"""

import operator
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from memtop.columns import BY_NAME, Column, Values
from memtop.errors import UsageError
from memtop.model.frame import ProcessRow
from memtop.sampling.request import Need
from memtop.units import parse_size

Predicate = Callable[[ProcessRow], bool]

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


class Query(NamedTuple):
    """A parsed filter."""

    text: str
    where: Predicate | None
    """None lets every process pass."""
    needs: Need
    """Readings that the filter needs of every process."""


def parse_query(text: str) -> Query:
    """Parse what the user typed. Raises UsageError, which says what is allowed."""
    stripped = text.strip()
    if stripped.startswith("!"):
        return Query(text, _matches(stripped[1:]), Need.NONE)
    predicates: list[Predicate] = []
    needs = Need.NONE
    for word in stripped.split():
        match = re.fullmatch(_TERM, word)
        column = BY_NAME.get(match[1].lower()) if match else None
        if match is None or column is None:
            predicates.append(_contains(word))
        else:
            predicates.append(_term(column, *match.groups()))
            needs |= column.needs
    if not predicates:
        return Query(text, None, needs)
    return Query(text, lambda row: all(predicate(row) for predicate in predicates), needs)


def of_user(user: str) -> Predicate:
    """Keep the processes of one user, given by login name or number."""
    return lambda row: row.user == user or str(row.uid) == user


def both(first: Predicate | None, second: Predicate) -> Predicate:
    """Keep the processes that satisfy both queries."""
    return second if first is None else lambda row: first(row) and second(row)


def _matches(pattern: str) -> Predicate:
    try:
        regex = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise UsageError(f"filter: not a regular expression: {error}") from error
    return lambda row: regex.search(row.command) is not None or regex.search(row.name) is not None


def _contains(word: str) -> Predicate:
    wanted = word.lower()
    return lambda row: wanted in row.command.lower() or wanted in row.name.lower() or wanted == str(row.pid)


def _term(column: Column, name: str, sign: str, value: str) -> Predicate:
    """Parse one term.

    ``name`` is the column's name as typed: a column has several, and the error message uses this one.
    """
    field = operator.attrgetter(column.field)
    if column.values in (Values.TEXT, Values.WORD):
        if sign not in ("=", "==", "!="):
            raise UsageError(f"filter: {name} is text; use {name}= or {name}!=")
        wanted = value.lower()
        whole = column.values is Values.WORD
        hit: Predicate = (
            (lambda row: field(row).lower() == wanted) if whole else (lambda row: wanted in field(row).lower())
        )
        return (lambda row: not hit(row)) if sign == "!=" else hit
    try:
        number = parse_size(value) if column.values is Values.SIZE else float(value)
        if not abs(number) < float("inf"):  # excludes nan as well
            raise ValueError(value)
    except ValueError as error:
        kind = "a size such as 500m or 1.5g" if column.values is Values.SIZE else "a number"
        raise UsageError(f"filter: {name}{sign} wants {kind}") from error
    compare = _COMPARE[sign]
    return lambda row: (known := field(row)) is not None and compare(known, number)
