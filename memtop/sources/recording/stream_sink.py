"""Writes blocks into a pipe, for a reader that may be slow and may go away."""

from __future__ import annotations

import os
import select
from collections.abc import Sequence
from typing import Final

from memtop.sources.recording.stream_format import HEADER, encode_block, encode_end
from memtop.sources.recording.tick import Block

_POLL_MS: Final = 1000


class StreamSink:
    """A sink that waits for its reader. ``descriptor`` is not closed."""

    path = "-"
    gone = "the reader of the stream has gone"
    silent = "the reader of the stream does not read"
    waiting_bytes = 4 << 20
    """Some ten seconds of 500 processes. A connection that is gone for longer must not cost a busy machine memory."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._unsent = memoryview(HEADER)
        self._sending: Sequence[Block] | None = None
        """The blocks whose bytes are unsent."""
        self._written = 0
        self._sent_bytes = 0
        self.removed = False
        """Whether the reader has gone."""

    def write(self, blocks: Sequence[Block]) -> None:
        """Write blocks, however long that takes. After an OSError the same blocks are gone on with."""
        if blocks is not self._sending:
            self._send()
            records = [encode_block(number, block) for number, block in enumerate(blocks, self._written)]
            self._written += len(blocks)
            self._unsent, self._sending = memoryview(b"".join(records)), blocks
        self._send()
        self._sending = None

    def keep_house(self) -> None:
        """Nothing is due."""

    def look(self) -> bool:
        """Whether there is a reader, as far as was seen."""
        return not self.removed

    def finish(self, *, complete: bool) -> None:
        """Say that this is the end, if everything was written. Raises OSError."""
        if complete and not self.removed:
            self._unsent = memoryview(bytes(self._unsent) + encode_end(self._written))
            self._send()

    def size_bytes(self) -> int:
        """Bytes that were sent."""
        return self._sent_bytes

    def _send(self) -> None:
        while self._unsent:
            try:
                sent = os.write(self._descriptor, self._unsent)
            except BlockingIOError:  # the pipe may be shared with a program that made it so
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT)
                poll.poll(_POLL_MS)
                continue
            except BrokenPipeError:
                self.removed = True
                raise
            self._unsent = self._unsent[sent:]
            self._sent_bytes += sent
