"""Runtimes without metrics: detected by the names of their files, explained by the kernel's figures."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtop.errors import ParseError
from memtop.runtimes.native.advice import SENTENCES, Advice, Observed, advise
from memtop.runtimes.native.allocators import Allocator, Arenas
from memtop.runtimes.protocol import (
    Conditions,
    Detected,
    Identity,
    ProcessContext,
    ProcessFiles,
    Reader,
    ReadingMoment,
    Tracker,
    Wanted,
)
from memtop.runtimes.small_json import member

if TYPE_CHECKING:
    from memtop.runtimes.view import FindingFacts, KernelFigures, RuntimeView, Shown


class MappedRuntime(NamedTuple):
    """A runtime that is detected by a library that it maps, or by the name of its executable."""

    name: str
    title: str
    part: str
    """Part of every name that the pattern matches. Most processes have none, so the pattern is rarely compiled."""
    pattern: str
    """Matches the name of a library or of an executable. The first group that matches is the version."""
    objects: str = ""
    """How a user can inspect its objects, which memtop cannot see; empty for nothing to say."""
    topic: str = "allocators"
    """The topic that explains its memory."""
    kept_by: Advice | None = None
    """Why it keeps freed memory; None if it has no reason of its own."""
    advise: Callable[[Observed, Sequence[str]], list[Advice]] | None = None
    """More advice, from the kernel's figures and the command line."""
    own_limit: str = ""
    """The limit of its own whose use memtop cannot see, as a clause; empty if it has none."""
    takes_address: bool = False
    readers: Mapping[str, Reader] = MappingProxyType({})

    def detect(self, files: ProcessFiles) -> Detected | None:
        """Detect by libraries wherever they are mapped, and by the executable only if it is the process's own."""
        if not self.part:
            return None
        own = files.exe_name
        for name in sorted(files.mapped | ({own} if own else set())):
            match = re.match(self.pattern, name) if self.part in name else None
            if match and (".so" in name or name == own):
                return Detected(next((group for group in match.groups() if group), None))
        return None

    def owns(self, identity: Identity) -> bool:
        """Whether detection found it."""
        return identity.runtime == self.name

    def track(self) -> Tracker:
        """A tracker of its identity."""
        return NativeTracker(self)


class NativeTracker:
    """The tracker of a MappedRuntime: its identity, and what the kernel's figures explain.

    A small runtime extends it by its own readings.
    """

    lazy_free_decides = False

    def __init__(self, runtime: MappedRuntime) -> None:
        self.runtime = runtime
        self.identity = Identity()
        self.argv: Sequence[str] = ()

    @property
    def collections_s(self) -> Iterable[float]:
        """Always empty: no collections are seen."""
        return ()

    def identified(self, identity: Identity) -> None:
        """Take the identity."""
        self.identity = identity

    def started_with(self, argv: Sequence[str]) -> None:
        """Take the command line."""
        self.argv = argv

    def wanted(self, now: Conditions) -> Sequence[Wanted]:
        """Nothing but the identity."""
        return ()

    def take(self, name: str, data: bytes, begun: ReadingMoment, context: ProcessContext) -> None:
        """Do nothing: no answer is expected. Raises ParseError."""
        raise ParseError("runtime", f"{name}: no such reading")

    def forget_figures(self) -> None:
        """Do nothing: there are no figures."""

    def view(self, shown: "Shown") -> "RuntimeView":
        """The runtime, the allocator, and what they explain."""
        from memtop.runtimes.view import RuntimeView  # noqa: PLC0415 (1.4 ms; one sample shows no panel)

        return RuntimeView(
            title=self.title(),
            trouble=shown.trouble,
            sentences=tuple(self.sentences(shown)),
            facts=tuple(self.facts().items()),
            topic=self.runtime.topic,
        )

    def title(self) -> str:
        """Runtime with its version, and allocator."""
        parts = []
        if self.runtime.title:
            parts.append(" ".join(filter(None, (self.runtime.title, self.identity.version))))
        if self.identity.allocator is not None:
            parts.append(f"malloc of {self.identity.allocator}")
        return ", ".join(parts)

    def sentences(self, shown: "Shown") -> list[str]:
        """The advice that the numbers indicate, or a sentence that there is none."""
        found = [SENTENCES[advice] for advice in self._advice(shown.kernel)]
        if shown.unreadable:
            found.append(f"Runtime unknown: {shown.unreadable}.")
        elif not found:
            found.append(
                _nothing_unusual(shown.kernel)
                if self.runtime.name or self.identity.allocator is not None
                else "No known runtime, and no known allocator among its libraries (a static program has none)."
            )
        return [*found, self.runtime.objects] if self.runtime.objects else found

    def facts(self) -> dict[str, str]:
        """Always empty: it has no numbers of its own."""
        return {}

    def finding_facts(self, kernel: "KernelFigures", now_s: float, *, fresh: bool) -> "FindingFacts | None":
        """A limit of its own whose use is not known; None if it has no such limit."""
        from memtop.runtimes.view import FindingFacts  # noqa: PLC0415 (as above)

        limit = self.runtime.own_limit
        return FindingFacts(not_looked_at=(limit,), may_end_first=True) if limit else None

    def to_json(self, *, fresh: bool) -> dict[str, Any] | None:
        """Name and version; None for a process without a runtime."""
        if not self.runtime.name:
            return None
        return {"name": self.runtime.name, "version": self.identity.version, "settings": None, "heap": None}

    def _advice(self, kernel: "KernelFigures") -> tuple[Advice, ...]:
        if kernel.rss_bytes is None:
            return ()
        observed = Observed(
            rss_bytes=kernel.rss_bytes,
            virt_bytes=kernel.virt_bytes,
            peak_rss_bytes=kernel.peak_rss_bytes,
            anon_bytes=kernel.anon_bytes,
            lazy_free_bytes=kernel.lazy_free_bytes,
            minflt_per_s=kernel.minflt_per_s,
            flat_s=kernel.flat_s,
            arenas=None if self.identity.arenas is None else Arenas(*self.identity.arenas),
            cores=kernel.cores,
        )
        own = self.runtime.advise(observed, self.argv) if self.runtime.advise is not None else []
        return advise(member(Allocator, self.identity.allocator), observed, own, self.runtime.kept_by)


def _nothing_unusual(kernel: "KernelFigures") -> str:
    """It names the figures that are not known, of which nothing can be said."""
    if kernel.rss_bytes is None:
        return "Allocator: unknown, because RES is not known."
    figures = (("LazyFree", kernel.lazy_free_bytes), ("the peak of RES", kernel.peak_rss_bytes))
    missing = [name for name, value in figures if value is None]
    return "Allocator: nothing unusual" + (f"; not known: {', '.join(missing)}." if missing else ".")


UNKNOWN: Final = MappedRuntime("", "", "", "")
"""Stands for a process without a runtime that memtop knows."""
