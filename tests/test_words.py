"""Comments and docstrings use the plain words of the field, none of the metaphors that were once in the tree."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import memtop

FORBIDDEN = re.compile(
    r"\b(anew|coroner|cook(?:ed|s)?|dear(?:er|est|ly)?|door|dossier|everybody|insights?|kitchen|lens"
    r"|memtop looks|nobody|reckon(?:ed|s)?|somebody|told|witness(?:es)?)\b",
    re.IGNORECASE,
)
CODE = re.compile(r"``[^`]*``")


def forbidden_words(source: str) -> Iterator[tuple[int, str]]:
    """(line, word) of each forbidden word in comments and docstrings; ``code`` and other strings are not checked."""
    if not FORBIDDEN.search(source):
        return  # most files; taking one apart is a hundred times the work
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    texts = [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            texts += enumerate(node.value.value.split("\n"), node.lineno)
    yield from ((line, found[0]) for line, text in texts for found in FORBIDDEN.finditer(CODE.sub("", text)))


def test_forbidden_words_are_found_in_comments_and_docstrings_only() -> None:
    source = '"""Opened anew."""\nx = "told"  # nobody\ny = 1\n"""Uses\n``inputs``, reckoned."""\n'
    assert sorted(forbidden_words(source)) == [(1, "anew"), (2, "nobody"), (5, "reckoned")]


def test_no_comment_or_docstring_uses_a_forbidden_word() -> None:
    files = sorted(Path(memtop.__file__).parent.rglob("*.py"))
    assert [f"{path}:{line}: {word}" for path in files for line, word in forbidden_words(path.read_text("utf-8"))] == []
