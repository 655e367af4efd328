"""Puts the errors of SQLite, and of values that it holds, into plain words."""

from __future__ import annotations

import sqlite3
import zlib
from typing import Final

from memtop.errors import starved

_WORDS: Final = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not read or write it",
    sqlite3.SQLITE_READONLY: "it can no longer be written",
    sqlite3.SQLITE_PERM: "it may not be written",
    sqlite3.SQLITE_CANTOPEN: "it, or a file beside it, cannot be opened",
    sqlite3.SQLITE_BUSY: "another program has locked it",
    sqlite3.SQLITE_LOCKED: "another program has locked it",
    sqlite3.SQLITE_INTERRUPT: "it takes too long to read",
    sqlite3.SQLITE_NOMEM: "not enough memory",
    sqlite3.SQLITE_NOLFS: "the file system holds no file of its size",
}
"""By the primary result code: errors that are no damage."""
_PRIMARY: Final = 0xFF
_IOERR_SHORT_READ: Final = 522


def trouble_in_words(error: BaseException) -> str | None:
    """What prevents that a file is read or written; None if the file itself is damaged."""
    if (words := starved(error)) is not None:
        return words
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None or code == _IOERR_SHORT_READ else _WORDS.get(code & _PRIMARY)


def damage_in_words(error: BaseException) -> str:
    """What is damaged, where reading fails with this error."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_TOOBIG:
        return "a value in it is too large"
    if isinstance(error, (sqlite3.Error, sqlite3.Warning)):
        return "pages of the file are corrupt or missing"
    if isinstance(error, zlib.error):
        return "its compressed data cannot be decompressed"
    return "a value in it makes no sense"
