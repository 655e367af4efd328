"""Reads again what the first Sampler reads once, for a recording that begins late."""

from __future__ import annotations

from collections.abc import Sequence

from memtop.sampling.request import SamplePlan
from memtop.sampling.sample import Sample
from memtop.sampling.sampler import Sampler
from memtop.sources.protocol import READ_LIMIT, Answer, Exit, Instant, Source


class SecondSampler:
    """Reads all files of a plan as a first sample does, at the instant of another Sampler.

    The recorder below takes what is read. What a file says once, such as a command line, is in the recording then.
    """

    def __init__(self, source: Source) -> None:
        self._source = _SameInstant(source)
        self._sampler = Sampler(self._source)
        self._sampler.prepare()

    def read(self, plan: SamplePlan, sample: Sample) -> None:
        """Read at the instant of ``sample``. Readings that may block are answered at later calls."""
        self._source.instant = Instant(sample.wall_s, sample.mono_s)
        self._sampler.sample(plan)


class _SameInstant:
    """A Source whose instant another Sampler has opened. It takes no exits away, and watches nothing."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.instant: Instant | None = None
        """The instant that is open."""

    def begin(self) -> Instant | None:
        """The instant that is open already."""
        return self.instant

    def pids(self) -> Sequence[int]:
        """See ``Source.pids``."""
        return self._source.pids()

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        """See ``Source.read``."""
        return self._source.read(path, size)

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        """See ``Source.sweep``."""
        return self._source.sweep(name, pids)

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        """See ``Source.ask``."""
        return self._source.ask(path, size)

    def tids(self, pid: int) -> Sequence[int]:
        """See ``Source.tids``."""
        return self._source.tids(pid)

    def abandon(self, path: str) -> None:
        """Leave the reading alone: the other Sampler may want it."""

    def settle(self, seconds: float) -> None:
        """Wait for nothing."""

    def watch(self, pids: Sequence[int]) -> None:
        """Leave to the other Sampler what it watches."""

    def exits(self) -> list[Exit]:
        """None: the other Sampler has them."""
        return []

    def close(self) -> None:
        """Close nothing."""
