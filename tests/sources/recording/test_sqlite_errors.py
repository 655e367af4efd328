"""Each error of SQLite is reported in plain words."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from memtop.sources.recording.sqlite_errors import damage_in_words, trouble_in_words


def fill(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA max_page_count=2")
        connection.execute("CREATE TABLE t(x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")


def meet_another_writer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(path, timeout=0.0)) as other:
        one.execute("BEGIN EXCLUSIVE")
        other.execute("CREATE TABLE t(x)")


def open_what_is_none(path: Path) -> None:
    path.write_bytes(b"no database" * 100)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM sqlite_master")


def open_a_directory(path: Path) -> None:
    path.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM sqlite_master")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (fill, "the disk is full"),
        (meet_another_writer, "another program has locked it"),
        (open_a_directory, "it, or a file beside it, cannot be opened"),
        (open_what_is_none, None),
    ],
)
def test_what_prevents_reading_or_writing_is_told_from_damage(
    act: Callable[[Path], None], words: str | None, tmp_path: Path
) -> None:
    with pytest.raises(sqlite3.Error) as raised:
        act(tmp_path / "r")
    assert trouble_in_words(raised.value) == words
    assert damage_in_words(raised.value) == "pages of the file are corrupt or missing"


def test_what_is_no_error_of_sqlite_has_words_too() -> None:
    assert trouble_in_words(MemoryError()) == "not enough memory"
    assert trouble_in_words(KeyError(99)) is None
    assert damage_in_words(zlib.error("Error -3")) == "its compressed data cannot be decompressed"
    assert damage_in_words(KeyError(99)) == "a value in it makes no sense"
