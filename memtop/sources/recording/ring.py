"""The last instants in memory, encoded as a recording has them, so that they can be kept after the fact."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

from memtop.sources.recording.tick import Block

RING_BYTES: Final = 2 << 20
"""Memory for them: some minutes of 500 processes at one sample a second, and half an hour of one process."""
LEAST_S: Final = 300.0
"""So much of the past is kept where many processes come and go, ..."""
MOST_BYTES: Final = 4 << 20
"""... in at most so much memory."""
_BLOCK_BYTES: Final = 300
"""What a block costs beside its rows."""


class Ring:
    """Blocks, the oldest first, beginning with a keyframe.

    Beyond ``limit_bytes`` the oldest are dropped up to the next keyframe. The last LEAST_S stay up to ``most_bytes``.
    """

    def __init__(self, limit_bytes: int = RING_BYTES, most_bytes: int = MOST_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._most_bytes = most_bytes
        self._blocks: deque[Block] = deque()
        self._bytes = 0

    def append(self, block: Block) -> None:
        """Add the newest block. The first one must be a keyframe."""
        self._blocks.append(block)
        self._bytes += _size(block)
        if block.key:
            while self._bytes > self._limit_bytes and self._blocks[0] is not block and self._may_drop():
                self._drop_oldest()

    def clear(self) -> None:
        """Drop all blocks."""
        self._blocks.clear()
        self._bytes = 0

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)

    def _may_drop(self) -> bool:
        """Whether enough of the past stays without the blocks before the second keyframe."""
        second = next((block for block in islice(self._blocks, 1, None) if block.key), self._blocks[-1])
        left_s = self._blocks[-1].instant.mono_s - second.instant.mono_s
        return left_s >= LEAST_S or self._bytes > self._most_bytes

    def _drop_oldest(self) -> None:
        self._bytes -= _size(self._blocks.popleft())
        while not self._blocks[0].key:
            self._bytes -= _size(self._blocks.popleft())


def _size(block: Block) -> int:
    return _BLOCK_BYTES + len(block.rows)
