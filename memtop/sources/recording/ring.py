"""The last instants in memory, encoded as a recording has them, so that they can be kept after the fact."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

from memtop.sources.protocol import Instant
from memtop.sources.recording.tick import Block

RING_BYTES: Final = 1 << 20
"""Most memory for them: some minutes of 500 processes at one sample a second, and half an hour of one process."""
LEAST_S: Final = 300.0
"""So much of the past is kept where many processes come and go, ..."""
MOST_BYTES: Final = 4 << 20
"""... in at most so much memory."""
_BLOCK_BYTES: Final = 300
"""What a block costs beside its rows, until the next keyframe comes; then it is a tenth of that."""


class _Stretch:
    """A keyframe and the blocks up to the next one, in one piece.

    One by one they would lie between what each second allocates and frees, and malloc's heap would grow by the holes.
    """

    __slots__ = ("_ends", "_rows", "_times_s", "size_bytes")

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._rows = b"".join(block.rows for block in blocks)
        self._ends = array("Q", accumulate((len(block.rows) for block in blocks), initial=0))
        self._times_s = array("d", [time_s for block in blocks for time_s in block.instant])
        self.size_bytes = sum(map(_size, blocks))

    @property
    def first_mono_s(self) -> float:
        """Time of the keyframe on the clock of Instant.mono_s."""
        return next(iter(self)).instant.mono_s

    def __iter__(self) -> Iterator[Block]:
        for number, (start, end) in enumerate(pairwise(self._ends)):
            instant = Instant(*self._times_s[2 * number : 2 * number + 2])
            yield Block(instant, number == 0, self._rows[start:end])

    def __len__(self) -> int:
        return len(self._ends) - 1


class Ring:
    """Blocks, the oldest first, beginning with a keyframe.

    Beyond ``limit_bytes`` the oldest are dropped up to the next keyframe. The last LEAST_S stay up to ``most_bytes``.
    """

    def __init__(self, limit_bytes: int = RING_BYTES, most_bytes: int = MOST_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._most_bytes = most_bytes
        self._stretches: deque[_Stretch] = deque()
        self._newest: list[Block] = []
        """The last keyframe and the blocks after it."""
        self._bytes = 0

    def append(self, block: Block) -> None:
        """Add the newest block. The first one must be a keyframe."""
        if block.key and self._newest:
            self._stretches.append(_Stretch(self._newest))
            self._newest = []
        self._newest.append(block)
        self._bytes += _size(block)
        if block.key:
            while self._bytes > self._limit_bytes and self._stretches and self._may_drop(block):
                self._bytes -= self._stretches.popleft().size_bytes

    def clear(self) -> None:
        """Drop all blocks."""
        self._stretches.clear()
        self._newest.clear()
        self._bytes = 0

    def __iter__(self) -> Iterator[Block]:
        for stretch in self._stretches:
            yield from stretch
        yield from self._newest

    def __len__(self) -> int:
        return sum(map(len, self._stretches)) + len(self._newest)

    def _may_drop(self, newest: Block) -> bool:
        """Whether enough of the past stays without the blocks before the second keyframe."""
        second_s = self._stretches[1].first_mono_s if len(self._stretches) > 1 else newest.instant.mono_s
        return newest.instant.mono_s - second_s >= LEAST_S or self._bytes > self._most_bytes


def _size(block: Block) -> int:
    return _BLOCK_BYTES + len(block.rows)
