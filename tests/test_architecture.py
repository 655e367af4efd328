"""That no name of a process ever becomes markup or code, and that tests go through public doors.

The direction of imports is checked by lint-imports, a step of ``python -m tests``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import textual

import memtop

PACKAGE = Path(memtop.__file__).parent
ROOT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))

Trees = dict[str, ast.Module]

WIDGETS = ("Static", "Label", "Button", "Option", "Checkbox", "RadioButton", "TabPane", "Collapsible", "Digits")
"""Textual reads a plain string that these are given as markup."""
TITLES = ("border_title", "border_subtitle", "tooltip")
FORBIDDEN_MODULES = ("pickle", "marshal", "shelve", "rich.markup", "textual.markup")
PUBLIC_ALL_THE_SAME = {
    *("_replace", "_asdict", "_fields", "_make"),  # of every NamedTuple
    *("_exit", "_getframe"),  # of os and sys
    *("_compositor", "_render_chops"),  # Textual gives the cells on screen nowhere else
    "_notifications",  # Textual gives its notices nowhere else
}
FORBIDDEN_CALLS = ("eval", "exec", "__import__", "from_markup", "render_markup", "system", "popen")


@pytest.fixture(scope="module")
def trees() -> Trees:
    """What is in each module of memtop."""
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def test_one_place_catches_whatever_is_raised(trees: Trees) -> None:
    """``errors.failure_of``. Elsewhere what is caught is named, unless it is raised again."""
    found = [
        f"{path}: {node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or name_of(node.type) in ("Exception", "BaseException"))
        and not isinstance(node.body[-1], ast.Raise)
    ]
    assert [one.partition(":")[0] for one in found] == ["errors.py"], found


def name_of(node: ast.expr) -> str:
    """The last part of what is called: ``Static`` of ``widgets.Static``."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def is_made(node: ast.expr | None) -> bool:
    """Whether text is put together here without going through a gate: f-string, ``%``, ``+``, ``format``, ``join``."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod | ast.Add)
    if isinstance(node, ast.IfExp):
        return is_made(node.body) or is_made(node.orelse)
    return isinstance(node, ast.Call) and name_of(node.func) in ("format", "join")


def faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what is wrong) of one module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for fault in faults_of_call(node):
                yield node.lineno, fault
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(name_of(target) in TITLES for target in targets) and is_made(node.value):
                yield node.lineno, "a title is given text that no gate has passed"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for name in set(names).intersection(FORBIDDEN_MODULES):
                yield node.lineno, f"import of {name}"


def faults_of_call(node: ast.Call) -> Iterator[str]:
    """What is wrong with one call."""
    called = name_of(node.func)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    for name in ("markup", "shell"):
        value = keywords.get(name)
        if value is not None and not (isinstance(value, ast.Constant) and value.value is False):
            yield f"{name} is not plainly False"
    if called in FORBIDDEN_CALLS:
        yield f"{called}()"
    if "markup" in keywords:
        return
    if called in WIDGETS and any(map(is_made, [*node.args, *keywords.values()])):
        yield f"{called} is given text that no gate has passed"
    if called == "notify" and not all(isinstance(value, ast.Constant) for value in node.args):
        yield "notify reads markup unless told not to"
    if called == "update" and any(isinstance(value, ast.JoinedStr) for value in node.args):
        yield "update is given text that no gate has passed"


def test_no_data_becomes_markup_or_code(trees: Trees) -> None:
    found = [(path, line, fault) for path, tree in trees.items() for line, fault in faults(tree)]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "Static(f'{name}')",
        "widgets.Label('a %s' % name)",
        "Button('a' + name)",
        "Static(name, markup=True)",
        "Static(name, markup=chosen)",
        "Label(' '.join(names))",
        "Text.from_markup(name)",
        "Content.from_markup(name)",
        "self.border_title = f'{name}'",
        "self.notify(text)",
        "label.update(f'{name}')",
        "run(line, shell=True)",
        "os.system(line)",
        "eval(line)",
        "import pickle",
        "from pickle import loads",
        "from rich.markup import escape",
    ],
)
def test_the_lint_finds(code: str) -> None:
    assert len([*faults(ast.parse(code))]) == 1


@pytest.mark.parametrize(
    "code",
    [
        "Static('Filter:')",
        "Static(Content(f'{name}'))",
        "Static(f'{name}', markup=False)",
        "self.border_title = Content(name)",
        "self.notify(text, markup=False)",
        "seen.update({1: 2})",
        "run([line], shell=False)",
    ],
)
def test_the_lint_lets_pass(code: str) -> None:
    assert [*faults(ast.parse(code))] == []


def test_an_import_that_is_not_at_the_top_of_its_module_says_why() -> None:
    """Ruff finds the import (PLC0415); what lets it pass has a reason in parentheses behind it."""
    lines = [
        (path, number, line)
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "PLC0415" in line
    ]
    assert lines
    assert [f"{path}:{number}" for path, number, line in lines if not re.search(r"PLC0415 \(.{6,}\)$", line)] == []


def private_uses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of private attributes that are read, set or replaced and are not the test's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == "self"):
            is_super = isinstance(node.value, ast.Call) and name_of(node.value.func) == "super"
            names = [] if is_super else [node.attr]
        elif isinstance(node, ast.Call) and name_of(node.func) in ("setattr", "getattr", "object"):
            names = [str(arg.value) for arg in node.args[1:2] if isinstance(arg, ast.Constant)]
        else:
            continue
        for name in names:
            if re.match("_[a-z]", name) and name not in PUBLIC_ALL_THE_SAME:
                yield node.lineno, name


def test_tests_go_through_public_doors() -> None:
    """A test that looks inside fails when the inside is improved."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for line, name in private_uses(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    ["engine._history", "len(it.screen._trail)", "monkeypatch.setattr(curves, '_plotted', f)", "self.app._x = 1"],
)
def test_a_look_inside_is_found(code: str) -> None:
    assert len([*private_uses(ast.parse(code))]) == 1


@pytest.mark.parametrize(
    "code", ["self._x", "row._replace(pid=1)", "os._exit(0)", "super()._on_message(m)", "a.__doc__"]
)
def test_what_is_no_look_inside_passes(code: str) -> None:
    assert [*private_uses(ast.parse(code))] == []


def test_every_widget_that_a_style_names_exists(trees: Trees) -> None:
    """A style of a class that was renamed is silently no style."""
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    known = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    for path in Path(textual.__file__).parent.rglob("*.py"):
        known.update(re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), flags=re.M))
    styled = [node for node in nodes if isinstance(node, ast.Assign) and name_of(node.targets[0]) == "DEFAULT_CSS"]
    sheets = [ast.literal_eval(node.value) for node in styled]
    sheets += [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.tcss")]
    selectors = [
        found for sheet in sheets for found in re.findall(r"([^{};]+)\{", re.sub(r"/\*.*?\*/", "", sheet, flags=re.S))
    ]
    named = {name for found in selectors for name in re.findall(r"(?<![\w.#$:-])[A-Z]\w*", found)}
    assert "ChartBase" in named
    assert sorted(named - known) == []
