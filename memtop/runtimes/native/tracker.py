"""The tracker of a process whose runtime reports nothing: its identity, and what the kernel's figures explain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from memtop.errors import ParseError
from memtop.runtimes.native.advice import SENTENCES, Advice, Observed, advise
from memtop.runtimes.native.allocators import Allocator, Arenas
from memtop.runtimes.protocol import Conditions, Identity, ProcessContext, ReadingMoment, Wanted
from memtop.runtimes.small_json import member
from memtop.runtimes.view import FindingFacts, KernelFigures, RuntimeView, Shown

if TYPE_CHECKING:
    from memtop.runtimes.native.runtime import MappedRuntime


class NativeTracker:
    """See the module; a Tracker. A small runtime extends it by what it reads beside its identity."""

    def __init__(self, runtime: MappedRuntime) -> None:
        self.runtime = runtime
        self.identity = Identity()
        self.argv: Sequence[str] = ()

    @property
    def collections_s(self) -> Iterable[float]:
        """None are seen."""
        return ()

    def identified(self, identity: Identity) -> None:
        """Take the identity."""
        self.identity = identity

    def started_with(self, argv: Sequence[str]) -> None:
        """Take the command line."""
        self.argv = argv

    def wanted(self, now: Conditions) -> Sequence[Wanted]:
        """Nothing beside the identity."""
        return ()

    def take(self, name: str, data: bytes, begun: ReadingMoment, context: ProcessContext) -> None:
        """No answer is expected. Raises ParseError."""
        raise ParseError("runtime", f"{name}: no such reading")

    def forget_figures(self) -> None:
        """There are none."""

    def view(self, shown: Shown) -> RuntimeView:
        """Runtime, allocator and what they explain."""
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

    def sentences(self, shown: Shown) -> list[str]:
        """What the numbers call for, or that they call for nothing."""
        found = [SENTENCES[advice] for advice in self._advice(shown.kernel)]
        if shown.unreadable:
            found.append(f"Which runtime it has cannot be told: {shown.unreadable}.")
        elif not found:
            found.append(
                "Nothing about its allocator calls for a word."
                if self.runtime.name or self.identity.allocator is not None
                else "No runtime that memtop knows, and no allocator among its libraries (a static program shows none)."
            )
        return [*found, self.runtime.objects] if self.runtime.objects else found

    def facts(self) -> dict[str, str]:
        """No numbers of its own."""
        return {}

    def finding_facts(self, kernel: KernelFigures, now_s: float, *, fresh: bool) -> FindingFacts | None:
        """Nothing."""
        return None

    def to_json(self, *, fresh: bool) -> dict[str, Any] | None:
        """Name and version; None without a runtime."""
        if not self.runtime.name:
            return None
        return {"name": self.runtime.name, "version": self.identity.version, "settings": None, "heap": None}

    def _advice(self, kernel: KernelFigures) -> tuple[Advice, ...]:
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
        kept_by = Advice(self.runtime.kept_by) if self.runtime.kept_by else None
        return advise(member(Allocator, self.identity.allocator), observed, own, kept_by)
