"""Turns every error that the bytes of a recording can cause into one sentence."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from memtop.errors import DamagedError, RecordingError
from memtop.sanitize import clean
from memtop.sources.recording.sqlite_errors import damage_in_words, trouble_in_words

STREAM: Final = "the stream"
"""What a stream is called in sentences."""
DAMAGE: Final = (
    sqlite3.Error,
    sqlite3.Warning,
    zlib.error,
    struct.error,
    KeyError,
    ValueError,
    IndexError,
    OverflowError,
    MemoryError,
)
"""What is raised for damaged bytes, beside RecordingError."""


@contextmanager
def one_sentence(name: str) -> Iterator[None]:
    """Turn errors into a RecordingError that begins with the name of the recording. Its bytes are cleaned."""
    try:
        yield
    except DamagedError as error:
        raise _damaged(name, clean(str(error))) from None
    except RecordingError as error:
        raise RecordingError(f"{clean(name)} cannot be played: {clean(str(error))}") from None
    except OSError as error:
        raise RecordingError(f"{clean(name)} cannot be played: {clean(error.strerror or '')}") from None
    except DAMAGE as error:
        if (words := trouble_in_words(error)) is not None:
            raise RecordingError(f"{clean(name)} cannot be played: {words}") from None
        raise _damaged(name, damage_in_words(error)) from None


def _damaged(name: str, why: str) -> RecordingError:
    rest = "" if name == STREAM else "; memtop replay --salvage OUT keeps what can be read"
    return RecordingError(f"{clean(name)} cannot be played: it is damaged ({why}){rest}")
