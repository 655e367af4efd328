"""Loads the texts and tables (Markdown, TOML) that lie beside this package's modules."""

from __future__ import annotations

import tomllib
from pkgutil import get_data  # importlib.resources imports zipfile and costs 0.3 MB of RES for the same bytes
from typing import Any


def text_of(name: str) -> str:
    """The text of one file, by its path below this package. Raises FileNotFoundError."""
    data = get_data(__package__, name)
    if data is None:
        raise FileNotFoundError(name)
    return data.decode()


def tables_of(name: str) -> dict[str, Any]:
    """The tables of one TOML file, by its path below this package. Raises FileNotFoundError."""
    return tomllib.loads(text_of(name))
