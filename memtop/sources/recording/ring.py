"""The last instants in memory, encoded as a recording has them, so that they can be kept after the fact."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count, pairwise
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
PIECE_BYTES: Final = 8 << 10
_KEPT_SHARE: Final = 0.9
"""Share of the limit that is taken at the start: what the rows have where some hundred processes are on screen."""


class _Pieces:
    """Memory in pieces of one size, which are used again and again: new blocks every second, and old ones freed, would
    leave holes in malloc's heap.

    ``kept`` of them are there from the start, and stay. So memtop's RES says at once what the past will need, and where
    memory runs out, it is there already.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._free = [bytearray(b"\xff" * PIECE_BYTES) for _ in range(kept)]
        """They were written, because the kernel gives a page at the first write."""
        self._used = 0

    def take(self) -> bytearray:
        """A piece for new bytes."""
        self._used += 1
        return self._free.pop() if self._free else bytearray(PIECE_BYTES)

    def give_back(self, pieces: list[bytearray]) -> None:
        """Pieces whose bytes are no longer needed. What is more than is kept is freed."""
        self._used -= len(pieces)
        self._free += pieces
        del self._free[max(0, self._kept - self._used) :]


class _Stretch:
    """A keyframe and the blocks after it."""

    __slots__ = ("_ends", "_times_s", "pieces", "size_bytes")

    def __init__(self) -> None:
        self.pieces: list[bytearray] = []
        self._ends = array("Q", [0])
        self._times_s = array("d")
        self.size_bytes = 0

    def append(self, block: Block, free: _Pieces) -> None:
        """Add a block; the first one is the keyframe."""
        end = self._ends[-1]
        rows = memoryview(block.rows)
        while rows:
            at = end % PIECE_BYTES
            if not at:
                self.pieces.append(free.take())
            part = rows[: PIECE_BYTES - at]
            self.pieces[-1][at : at + len(part)] = part
            rows, end = rows[len(part) :], end + len(part)
        self._ends.append(end)
        self._times_s.extend(block.instant)
        self.size_bytes += _BLOCK_BYTES + len(block.rows)

    @property
    def first_mono_s(self) -> float:
        """Time of the keyframe on the clock of Instant.mono_s."""
        return self._times_s[1]

    def __iter__(self) -> Iterator[Block]:
        for number, (start, end) in enumerate(pairwise(self._ends)):
            instant = Instant(*self._times_s[2 * number : 2 * number + 2])
            yield Block(instant, number == 0, self._rows(start, end))

    def _rows(self, start: int, end: int) -> bytes:
        first = start // PIECE_BYTES
        pieces = self.pieces[first : -(-end // PIECE_BYTES)]
        return b"".join(
            [piece[max(0, start - at) : end - at] for at, piece in zip(count(first * PIECE_BYTES, PIECE_BYTES), pieces)]
        )

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
        self._pieces = _Pieces(int(limit_bytes * _KEPT_SHARE) // PIECE_BYTES)

    def extend(self, blocks: Iterable[Block]) -> None:
        """Add the newest blocks."""
        for block in blocks:
            self.append(block)

    def append(self, block: Block) -> None:
        """Add the newest block. The first one must be a keyframe."""
        if block.key:
            self._stretches.append(_Stretch())
        newest = self._stretches[-1]
        self._bytes -= newest.size_bytes
        newest.append(block, self._pieces)
        self._bytes += newest.size_bytes
        if block.key:
            while self._bytes > self._limit_bytes and len(self._stretches) > 1 and self._may_drop(block):
                oldest = self._stretches.popleft()
                self._bytes -= oldest.size_bytes
                self._pieces.give_back(oldest.pieces)

    def __iter__(self) -> Iterator[Block]:
        for stretch in self._stretches:
            yield from stretch

    def __len__(self) -> int:
        return sum(map(len, self._stretches))

    def _may_drop(self, newest: Block) -> bool:
        """Whether enough of the past stays without the blocks before the second keyframe."""
        return newest.instant.mono_s - self._stretches[1].first_mono_s >= LEAST_S or self._bytes > self._most_bytes
