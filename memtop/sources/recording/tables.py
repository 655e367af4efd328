"""The tables of a recording while it is written: one transaction for some blocks, bounded if asked."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from memtop.errors import RecordingError
from memtop.sources.recording.format import APPLICATION_ID, SCHEMAS, VERSION, decode_rows
from memtop.sources.recording.sqlite_errors import damage_in_words, trouble_in_words
from memtop.sources.recording.tick import Block

WAL_LIMIT_BYTES: Final = 1 << 20


class Bounds(NamedTuple):
    """How much a recording keeps. The oldest is dropped first, from one keyframe to the next."""

    keep_s: float | None = None
    """Seconds before the newest instant that stay; None for all."""
    max_bytes: int | None = None
    """Size of the file; None for any."""


class Tables:
    """Creates the tables in an empty database and writes blocks. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection, bounds: Bounds) -> None:
        self._connection = connection
        self._bounds = bounds
        self.written = 0
        """How many blocks were written: the number of the next one."""
        self._keys: deque[tuple[int, float]] = deque()
        """Number and time of each keyframe that is there, oldest first."""
        self._since_key_bytes = self._between_bytes = 0
        """What was written since the last keyframe, and between the two before: the next one comes after as much."""
        connection.execute("BEGIN")  # also around auto_vacuum, which would write a file that nothing shows to be ours
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={VERSION}")
        for statement in SCHEMAS[VERSION]:
            connection.execute(statement)
        connection.execute("COMMIT")

    def write(self, blocks: Sequence[Block]) -> None:
        """Write blocks in one transaction. Raises RecordingError; nothing is written then."""
        keys = []
        try:
            with self._connection as connection:
                connection.execute("BEGIN")
                for number, block in enumerate(blocks, self.written):
                    if block.key:
                        keys.append((number, block.instant.mono_s))
                    connection.execute("INSERT INTO tick VALUES (?, ?, ?, ?)", (number, *block.instant, block.key))
                    connection.executemany(
                        "INSERT INTO fact VALUES (?, ?, ?, ?, ?)", ((number, *row) for row in decode_rows(block.rows))
                    )
        except (sqlite3.Error, MemoryError) as error:
            raise RecordingError(trouble_in_words(error) or damage_in_words(error)) from error
        self.written += len(blocks)
        self._keys += keys
        self._since_key_bytes += sum(len(block.rows) for block in blocks)
        if keys:
            self._between_bytes, self._since_key_bytes = self._since_key_bytes, 0
            self._drop_oldest(blocks[-1].instant.mono_s)

    def _drop_oldest(self, now_s: float) -> None:
        keep_s, keys = self._bounds.keep_s, self._keys
        before = None
        while len(keys) > 1 and (
            (keep_s is not None and keys[1][1] <= now_s - keep_s) or (before is None and self._is_too_large())
        ):
            keys.popleft()
            before = keys[0][0]
        if before is None:
            return
        with suppress(sqlite3.Error), self._connection as connection:  # the next keyframe tries again
            connection.execute("BEGIN")
            connection.execute("DELETE FROM fact WHERE tick < ?", (before,))
            connection.execute("DELETE FROM tick WHERE n < ?", (before,))
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()
        if self._is_too_large() and len(keys) > 1:
            self._drop_oldest(now_s)

    def _is_too_large(self) -> bool:
        if self._bounds.max_bytes is None:
            return False
        counts = [
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        ]
        used_bytes: int = (counts[0] - counts[1]) * counts[2]
        return used_bytes + WAL_LIMIT_BYTES + 2 * self._between_bytes > self._bounds.max_bytes
