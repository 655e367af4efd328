"""The last instants in memory, encoded as a recording has them, so that they can be kept after the fact."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from memtop.sources.protocol import Instant
from memtop.sources.recording.tick import Block

RING_BYTES: Final = 768 << 10
"""Most memory for them: some minutes of 500 processes at one sample a second, and a quarter of an hour of one whose
memory moves."""
LEAST_S: Final = 300.0
"""So much of the past is kept where many processes come and go, ..."""
MOST_BYTES: Final = 4 << 20
"""... in at most so much memory."""
_BLOCK_BYTES: Final = 300
"""What a block counts for beside its rows. It bounds the number of blocks where each is small."""


class _Stretch:
    """A keyframe and the blocks after it, in one piece.

    One by one they would lie between what each second allocates and frees, and malloc's heap would grow by the holes.
    """

    __slots__ = ("_ends", "_rows", "_times_s", "size_bytes")

    def __init__(self) -> None:
        self._rows: bytes | bytearray = bytearray()
        self._ends = array("Q", [0])
        self._times_s = array("d")
        self.size_bytes = 0

    def append(self, block: Block) -> None:
        """Add a block; the first one is the keyframe."""
        self._rows += block.rows
        self._ends.append(len(self._rows))
        self._times_s.extend(block.instant)
        self.size_bytes += _BLOCK_BYTES + len(block.rows)

    def close(self) -> None:
        """Free what is reserved for more blocks."""
        self._rows = bytes(self._rows)

    @property
    def first_mono_s(self) -> float:
        """Time of the keyframe on the clock of Instant.mono_s."""
        return self._times_s[1]

    def __iter__(self) -> Iterator[Block]:
        for number, (start, end) in enumerate(pairwise(self._ends)):
            instant = Instant(*self._times_s[2 * number : 2 * number + 2])
            yield Block(instant, number == 0, bytes(self._rows[start:end]))

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
        """The last one goes on."""
        self._bytes = 0

    def extend(self, blocks: Iterable[Block]) -> None:
        """Add the newest blocks."""
        for block in blocks:
            self.append(block)

    def append(self, block: Block) -> None:
        """Add the newest block. The first one must be a keyframe."""
        if block.key:
            if self._stretches:
                self._stretches[-1].close()
            self._stretches.append(_Stretch())
        newest = self._stretches[-1]
        self._bytes -= newest.size_bytes
        newest.append(block)
        self._bytes += newest.size_bytes
        if block.key:
            while self._bytes > self._limit_bytes and len(self._stretches) > 1 and self._may_drop(block):
                self._bytes -= self._stretches.popleft().size_bytes

    def __iter__(self) -> Iterator[Block]:
        for stretch in self._stretches:
            yield from stretch

    def __len__(self) -> int:
        return sum(map(len, self._stretches))

    def _may_drop(self, newest: Block) -> bool:
        """Whether enough of the past stays without the blocks before the second keyframe."""
        return newest.instant.mono_s - self._stretches[1].first_mono_s >= LEAST_S or self._bytes > self._most_bytes
