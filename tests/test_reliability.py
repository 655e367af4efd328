"""Each row of the catalog of failures has a test, and the table that says which is true."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.reliability_rows import ROWS, Row

TESTS = Path(__file__).parent
ROW_COUNT = 58


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_row_is_in_the_table_once() -> None:
    assert [row.number for row in ROWS] == [*range(1, ROW_COUNT + 1)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.what}")
def test_the_tests_of_a_row_exist(row: Row) -> None:
    assert row.tests
    for name in row.tests:
        path, _, function = name.partition("::")
        assert function.startswith("test_")
        assert function in functions_of(TESTS / path), name
