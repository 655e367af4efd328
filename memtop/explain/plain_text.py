"""Renders the topics' Markdown as text for a terminal, without any library: headings, paragraphs, lists.

Lines are wrapped before they are colored, so a line has the same width with color and without.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_SPAN: Final = re.compile(
    r"\*\*(?P<bold>.+?)\*\*|`(?P<code>[^`]+)`|\[(?P<link>[^\]]+)\]\(topic:[a-z0-9_]+\)|\\(?P<as_is>[\\`*_\[\]<>&#|~])",
    re.S,
)
_TERM: Final = re.compile(r"(\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\)): +(.+)", re.S)
_SGR: Final = {"bold": "\x1b[1m", "code": "\x1b[36m", "link": "\x1b[4m", "summary": "\x1b[3m"}
_RESET: Final = "\x1b[0m"
_MIN_WIDTH: Final = 16

_Styled = tuple[str, list[str]]
"""Text without Markdown marks, and the style of each of its characters, spaces excepted."""


def _spans(markdown: str, style: str = "") -> _Styled:
    """Remove the marks of ``markdown``."""
    text, styles, at = "", [], 0

    def add(piece: str, style: str) -> None:
        nonlocal text
        text += piece
        styles.extend([style] * len("".join(piece.split())))

    for mark in _SPAN.finditer(markdown):
        kind = str(mark.lastgroup)
        add(markdown[at : mark.start()], style)
        if kind == "bold":
            inner, inner_styles = _spans(mark[kind], "bold")
            text += inner
            styles.extend(inner_styles)
        else:
            add(mark[kind], style if kind == "as_is" else kind)
        at = mark.end()
    add(markdown[at:], style)
    return text, styles


def _colored(lines: list[str], styles: Iterator[str]) -> list[str]:
    """Put the styles back onto wrapped lines. Wrapping has moved only spaces."""
    colored = []
    for line in lines:
        out, now, spaces = "", "", ""
        for character in line:
            if character == " ":
                spaces += " "
                continue
            style = next(styles)
            if style == now:
                out += spaces
            else:  # spaces between two styles belong to neither
                out += (_RESET if now else "") + spaces + _SGR.get(style, "")
            out, now, spaces = out + character, style, ""
        colored.append(out + (_RESET if now else ""))
    return colored


def _wrapped(markdown: str, width: int, color: bool, *, first: str = "", rest: str = "", style: str = "") -> list[str]:
    """One paragraph. ``first`` and ``rest`` are its indents: spaces or the mark of a list item."""
    text, styles = _spans(markdown, style)
    lines = textwrap.wrap(
        " ".join(text.split()), width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )
    return _colored(lines, iter(["" for mark in first if mark != " "] + styles)) if color else lines


def _list(items: list[str], width: int, color: bool) -> list[str]:
    """A list. If every item starts with a short term in bold or a link, terms and texts stand in two columns."""
    terms = [match for item in items if (match := _TERM.fullmatch(item))]
    column = max((len(_spans(term[1])[0]) for term in terms), default=0) + 4
    if len(terms) < len(items) or column > width // 3:
        return [line for item in items for line in _wrapped(item, width, color, first="· ", rest="  ")]
    lines: list[str] = []
    for term in terms:
        name, *more = _wrapped(term[2], width, color, first=" " * column, rest=" " * column)
        gap = " " * (column - 2 - len(_spans(term[1])[0]))
        lines += ["  " + "".join(_wrapped(term[1], width, color)) + gap + name[column:], *more]
    return lines


def _block(block: str, width: int, color: bool) -> list[str]:
    if block.startswith("#"):
        level = len(block) - len(block.lstrip("#"))
        lines = _wrapped(block[level:], width, color, style="bold")
        return lines + (["═" * max(map(len, textwrap.wrap(block[level:].strip(), width)))] if level == 1 else [])
    if block.startswith(">"):
        return _wrapped(block.removeprefix(">"), width, color, style="summary")
    if block.startswith("- "):
        return _list(re.split(r"\n- ", block.removeprefix("- ")), width, color)
    return _wrapped(block, width, color)


@lru_cache(maxsize=64)
def _drawn(block: str, width: int, color: bool) -> str:
    """One block, cached, because most paragraphs of a topic do not change from second to second."""
    return "\n".join(_block(block, width, color))


def plain(markdown: str, width: int, color: bool = False) -> str:
    """A topic's Markdown as lines of at most ``width`` cells, at least 16. Escape sequences only with ``color``."""
    blocks = (block.strip() for block in markdown.split("\n\n"))
    return "\n\n".join(_drawn(block, max(width, _MIN_WIDTH), color) for block in blocks if block) + "\n"
