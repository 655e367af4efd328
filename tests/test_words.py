"""Comments and docstrings use the plain words of the field, none of the metaphors that were once in the tree."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import memtop

FORBIDDEN = re.compile(
    r"\b(anew|coroner|cook(?:ed|s)?|dear(?:er|est|ly)?|door|dossier|everybody|insights?|kitchen|lens"
    r"|memtop looks|nobody|reckon(?:ed|s)?|somebody|told|witness(?:es)?)\b",
    re.IGNORECASE,
)
TRANSLATED = re.compile(
    r"not read unasked|known all the same|kills somebody|has taken \d|alone in there|move otherwise|look will tell"
    r"|candidates this is none|shares that room|if the floor|calls for a word|worth a word|spoken of|how we know"
    r"|took it:|looks? like peace",
    re.IGNORECASE,
)
"""Turns of phrase that read as translated, which once were on the screen."""
BRITISH = re.compile(
    r"\b(afterwards|analys(?:e|ed|es|ing)|any more|behaviours?|cancell(?:ed|ing)|catalogues?|centres?|colou?rised"
    r"|colours?|favou?rites|grey|judgements?|labelled|learnt|licence|modelled|neighbours?|organis\w+|programme"
    r"|recognis\w+|signalled|spoilt|summaris\w+|towards|whilst)\b",
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


def fault_of_first_sentence(source: str) -> str:
    """What is wrong with the first paragraph of a module, which says what the module holds; empty for nothing."""
    spaces = (tokenize.COMMENT, tokenize.NL)
    first = next(token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in spaces)
    docstring = ast.literal_eval(first.string) if first.type == tokenize.STRING else ""
    text = " ".join(docstring.partition("\n\n")[0].split())
    words = [found[0] for words in (FORBIDDEN, BRITISH) for found in words.finditer(CODE.sub("", text))]
    return ", ".join(words) if words else "" if text.endswith((".", ":")) else "it does not end" if text else "none"


def test_every_module_says_first_what_it_holds_in_plain_words() -> None:
    assert fault_of_first_sentence('"""Rates\nof counters."""\n') == ""
    assert fault_of_first_sentence('"""Rates"""\n') == "it does not end"
    assert fault_of_first_sentence('"""Dear colours."""\n') == "Dear, colours"
    assert fault_of_first_sentence("x = 1\n") == "none"
    package = Path(memtop.__file__).parent
    sources = {
        path: path.read_text("utf-8") for root in (package, Path(__file__).parent) for path in root.rglob("*.py")
    }
    faults = {path: fault_of_first_sentence(source) for path, source in sources.items() if source}
    assert {str(path): fault for path, fault in faults.items() if fault} == {}


def shown_texts(path: Path) -> Iterator[str]:
    """What a file says to people: all of a text file, the string constants of a module."""
    source = path.read_text("utf-8")
    if not (TRANSLATED.search(source) or BRITISH.search(source)):
        return  # see above
    if path.suffix != ".py":
        yield source
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.isidentifier():
            yield node.value


def test_texts_are_plain_american_english() -> None:
    package = Path(memtop.__file__).parent
    files = [path for kind in ("py", "toml", "md", "j2", "html") for path in sorted(package.rglob(f"*.{kind}"))]
    files.append(package.parent / "README.md")
    found = [
        f"{path.name}: {match[0]}"
        for path in files
        for text in shown_texts(path)
        for words in (TRANSLATED, BRITISH)
        for match in words.finditer(CODE.sub("", text))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["Known all the same: 3 MiB", "It looks like peace", "Refuted if the floor stays level", "grey", "A colour"]
)
def test_translated_and_british_words_are_found(text: str) -> None:
    assert TRANSLATED.search(text) or BRITISH.search(text)
