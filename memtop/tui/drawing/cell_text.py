"""Fits text to an exact number of terminal cells, and converts it to ASCII."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size

from memtop.columns import ASCII_SPARKS, SPARKS

ELLIPSIS: Final = "…"
LOADING: Final = "Reading …"
_MOST_CODE_POINTS_A_CELL: Final = 4
"""Most code points measured per cell: a hostile text may have any number of characters without width."""
_WORD_END: Final = re.compile(r"[.:;,]?\s+(?!(?:s|min|h|d|B|[KMGT]iB|%)(?:\W|$))")
"""A number stays with its unit."""
_WEIGHTS: Final = {".": 2.0, ";": 1.6, ":": 1.2, ",": 1.2}
"""How much of the text the end of a sentence or a clause is worth, against a cut between any two words."""
ASCII_LIKE: Final = dict(
    zip("═─━│┃║·•–—…‘’“”←→↑↓●○■►▶▼▲▸▾Δ×±≈≥≤√", "=--|||.*--~''\"\"<>^v*o#>>v^+-dx+~><v", strict=True)
)
"""ASCII of the same width for characters that the screen uses."""
_ASCII: Final = str.maketrans(
    {
        **ASCII_LIKE,
        **{"←": "Left", "→": "Right", "↑": "Up", "↓": "Down"},
        **dict(zip(SPARKS, ASCII_SPARKS, strict=True)),
        **dict(zip("–►▼▲·●ΔΣ│├└─▸▾“”↗↘┘╭", '->v^.*d=||`-+-""/\\Jr', strict=True)),
        "…": "...",
    }
)


def to_ascii(text: str) -> str:
    """``text`` in ASCII: drawing characters by similar ones, foreign letters as escapes."""
    if text.isascii():
        return text
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def whole_words(text: str, width: int) -> str:
    """Prose in one line of at most ``width`` cells: the sentences, clauses or words that fit, then the ellipsis.

    A word is cut only if it is the first. A full stop stays, other marks go.
    """
    text = text.rstrip()
    if cell_len(text) <= width:
        return text
    ends = [(end.start(), end[0][0]) for end in _WORD_END.finditer(text) if end.start()]
    fitting = [(at, mark) for at, mark in ends if cell_len(text[:at]) + (mark == ".") + 2 <= width]
    if not fitting:
        return fit(text, width, left=True)
    at, mark = max(fitting, key=lambda end: end[0] * _WEIGHTS.get(end[1], 1.0))
    return f"{text[:at]}{'.' if mark == '.' else ''} {ELLIPSIS}"


def spark_lines(heights: Sequence[int], rows: int, signs: str) -> list[str]:
    """A column for each height, in ``rows`` rows with as many steps as there are ``signs``; top row first."""
    steps = len(signs)
    ladder = " " + signs
    return [
        "".join([ladder[min(steps, max(0, height - row * steps))] for height in heights])
        for row in range(rows - 1, -1, -1)
    ]


def fit(text: str, width: int, left: bool = False, ellipsis: str = ELLIPSIS) -> str:
    """``text`` in exactly ``width`` cells: padded on its free side, or cut and ended with ``ellipsis``."""
    if width <= 0:
        return ""
    if text.isascii():
        used = len(text)
    else:
        text = text[: _MOST_CODE_POINTS_A_CELL * width]
        used = cell_len(text)
    if used > width:
        return set_cell_size(text, width - 1) + ellipsis
    if used == width:
        return text
    return text + " " * (width - used) if left else " " * (width - used) + text
