"""What is built from this folder holds everything that memtop needs to run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "memtop", source / "memtop", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "-c", "from setuptools import build_meta; build_meta.build_wheel('..')"],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in ZipFile(wheel).namelist() if name.startswith("memtop/")}
    assert held == {str(file.relative_to(source)) for file in (source / "memtop").rglob("*") if file.is_file()}
    assert {"memtop/py.typed", "memtop/tui/app/app.tcss", "memtop/explain/contents.toml"} <= held
    assert wheel.name.startswith("memtop_tui-")


def test_no_text_tells_anybody_to_install_somebody_elses_package() -> None:
    texts = [ROOT / "README.md", *(ROOT / "memtop").rglob("*.md"), *(ROOT / "memtop").rglob("*.py")]
    assert [str(text) for text in texts if "pip install memtop" in text.read_text(encoding="utf-8")] == []


def test_every_path_that_the_readme_names_exists() -> None:
    """Of the tree: what begins with ``memtop/`` or ``tests/``, in code marks."""
    named = re.findall(r"`((?:memtop|tests|screenshots)/[^`*{} ]*)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readme_names_every_room() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = [path for path in (ROOT / "memtop").iterdir() if not path.name.startswith("__") and path.suffix != ".typed"]
    names = [f"`memtop/{room.name}{'/' if room.is_dir() else ''}`" for room in rooms]
    assert [name for name in names if name not in text] == []


def test_the_top_level_holds_what_it_may_and_nothing_else() -> None:
    if shutil.which("git") is None:
        pytest.skip("without git it is not known what belongs to the project")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode or not listed.stdout:
        pytest.skip("this is no git checkout")
    found = {name.split("/")[0] for name in listed.stdout.splitlines() if not name.startswith(".")}
    assert found == {"README.md", "memtop", "pyproject.toml", "screenshots", "tests"}
