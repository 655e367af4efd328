"""What the filter makes of the word that is being typed: its column, its values, or that it is searched as text."""

from __future__ import annotations

import difflib
import re
from typing import Final

from memtop.columns import Column, Values, columns_of

_WORD: Final = re.compile(r"([a-zA-Z%Δ#][a-zA-Z%#/_]*)(>=|<=|!=|==|=|>|<)?(.*)")
_MOST: Final = 6
_UNKNOWN: Final = "no column"
_KINDS: Final = {
    Values.SIZE: "a size such as 500m or 1.5g; > < =",
    Values.TEXT: "part of the text; = or !=",
    Values.WORD: "the whole word; = or !=",
}


def filter_hint(text: str, *, groups: bool = False) -> str:
    """One line about the last word of a filter; empty for nothing to say."""
    if text.lstrip().startswith("!"):
        return "regular expression, to the end of the line"
    word = text.rsplit(maxsplit=1)[-1] if text.split() and not text[-1].isspace() else ""
    names = columns_of(groups=groups).by_name | columns_of(groups=False).by_name
    match = _WORD.fullmatch(word)
    if match is None:
        return "" if word or not text.strip() else "another term: all must match"
    name, sign = match[1].lower(), match[2]
    column = names.get(name)
    if sign is None:
        found = _beginning_with(name, names)
        return (
            f"text; or a column: {', '.join(_example(names[each], each) for each in found[:_MOST])}"
            if found
            else "text"
        )
    if column is not None:
        return f"{name}: {_KINDS.get(column.values, 'a number; > < =')}"
    near = difflib.get_close_matches(name, list(names), 3)
    return f"{_UNKNOWN} {name}: searched as text" + (f"; a column is {', '.join(near)}" if near else "")


def unknown_columns(text: str) -> list[str]:
    """One line about each word of a filter that looks like a term and names no column."""
    words = [] if text.lstrip().startswith("!") else text.split()
    return [f"{word}: {says}" for word in words if (says := filter_hint(word)).startswith(_UNKNOWN)]


def completion(text: str, *, groups: bool = False) -> str | None:
    """The filter with the name of a column in place of its last word; None if none begins so."""
    start = len(text) - len(text.rsplit(maxsplit=1)[-1]) if text.split() and not text[-1].isspace() else len(text)
    word, names = text[start:].lower(), columns_of(groups=groups).by_name | columns_of(groups=False).by_name
    found = _beginning_with(word, names)
    if len(word) < 2 or not word.isascii() or not found or text.lstrip().startswith("!"):
        return None
    return text[:start] + word + _example(names[found[0]], found[0])[len(word) :]


def _beginning_with(word: str, names: dict[str, Column]) -> list[str]:
    """Names of columns that begin so, the shortest first, each column once."""
    found: dict[int, str] = {}
    for each in sorted((each for each in names if each.startswith(word)), key=lambda each: (len(each), each)):
        found.setdefault(id(names[each]), each)
    return list(found.values())


def _example(column: Column, name: str) -> str:
    return f"{name}=" if column.values in (Values.TEXT, Values.WORD) else f"{name}>"
