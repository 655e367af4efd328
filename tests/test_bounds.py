"""Every cache of results has a bound."""

from __future__ import annotations

import ast
from pathlib import Path

import memtop

ROOT = Path(memtop.__file__).parent
LIMITED = {"_topic"}
"""Called with names that exist only."""


def unbounded(source: str) -> list[str]:
    """The functions whose results are cached for any number of arguments."""
    found = []
    for node in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)):
        for decorator in node.decorator_list:
            said = ast.unparse(decorator)
            takes_any = said in ("cache", "functools.cache") and node.args.args and node.name not in LIMITED
            if takes_any or (said.startswith(("lru_cache", "functools.lru_cache")) and "None" in said):
                found.append(node.name)
    return found


def test_no_cache_takes_any_number_of_arguments() -> None:
    several = "@cache\ndef f(x): ...\n@lru_cache(maxsize=None)\ndef g(): ...\n@cache\ndef h(): ...\n"
    assert unbounded(several) == ["f", "g"]
    sources = [path.read_text("utf-8") for path in ROOT.rglob("*.py")]
    caching = [source for source in sources if "@cache" in source or "@lru_cache" in source]
    assert len(caching) > 10
    assert not [name for source in caching for name in unbounded(source)]
