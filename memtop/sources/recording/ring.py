"""The last instants in memory, encoded as a recording has them, so that they can be kept after the fact."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from memtop.sources.recording.tick import Block

RING_BYTES: Final = 2 << 20
"""Memory for them: some minutes of 500 processes at one sample a second, and half an hour of one process."""
_BLOCK_BYTES: Final = 300
"""What a block costs beside its rows."""


class Ring:
    """Blocks, the oldest first, beginning with a keyframe. The oldest are dropped up to the next keyframe."""

    def __init__(self, limit_bytes: int = RING_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._blocks: deque[Block] = deque()
        self._bytes = 0

    def append(self, block: Block) -> None:
        """Add the newest block. The first one must be a keyframe."""
        self._blocks.append(block)
        self._bytes += _size(block)
        if block.key:
            while self._bytes > self._limit_bytes and self._blocks[0] is not block:
                self._drop_oldest()

    def clear(self) -> None:
        """Drop all blocks."""
        self._blocks.clear()
        self._bytes = 0

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)

    def _drop_oldest(self) -> None:
        self._bytes -= _size(self._blocks.popleft())
        while not self._blocks[0].key:
            self._bytes -= _size(self._blocks.popleft())


def _size(block: Block) -> int:
    return _BLOCK_BYTES + len(block.rows)
