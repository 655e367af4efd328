"""What the sampler is asked to read, and which rows the engine is asked to show."""

from __future__ import annotations

from collections.abc import Callable
from enum import Flag, auto
from typing import TYPE_CHECKING, Final, NamedTuple

from memtop.process_key import ProcessKey

if TYPE_CHECKING:
    from memtop.model.frame import ProcessRow

REGIONS: Final = "regions"
SHARING: Final = "sharing"
"""Names of the panels that dear readings are made for; see :mod:`memtop.sampling.smaps`."""
RUNTIME: Final = "runtime"
"""Name of the panel that the insides of runtimes are shown in; see :mod:`memtop.introspection`."""


class Need(Flag):
    """The readings beyond statm (which is read for every process at every tick) that something on screen wants."""

    NONE = 0
    STAT = auto()
    STATUS = auto()
    OOM = auto()
    CGROUP = auto()
    VICTIM = auto()
    """oom_score_adj of every process, to reckon whom the OOM killer would take."""
    ROLLUP = auto()
    """smaps_rollup, which costs the target something: in turn; see :mod:`memtop.sampling.smaps`."""


class Ask(NamedTuple):
    """What the view wants to know next: small, immutable, the only thing that flows from a view to the engine."""

    focus: ProcessKey | None = None
    """The process whose detail is wanted."""
    visible: frozenset[ProcessKey] = frozenset()
    """Rows on screen: their needs are read at every tick, those of the others in turn."""
    needs: Need = Need.STAT
    """Readings wanted for the visible rows."""
    needs_all: Need = Need.NONE
    """Readings wanted for every row at every tick, because the order or the filter depends on them."""
    sort: str = "rss_bytes"
    """Attribute of ProcRow."""
    descending: bool = True
    where: Callable[[ProcessRow], bool] | None = None
    """The filter; None lets every process pass."""
    where_needs: Need = Need.NONE
    """Readings that the filter depends on."""
    only: frozenset[int] | None = None
    """Pids to be shown, whatever the filter says; None for all."""
    names: tuple[str, ...] = ()
    """Names to be shown beside ``only``: a process matches when its name or command contains one."""
    children: bool = False
    """Show the descendants of ``only`` and ``names`` too."""
    kernel_threads: bool = False
    tree: bool = False
    folded: frozenset[ProcessKey] = frozenset()
    frozen: bool = False
    """Show the instant at which freezing began; sampling goes on."""
    cursor_s: float | None = None
    """Wall time to look back at; None for now (or for the frozen instant)."""
    window_s: float | None = None
    """Seconds of past in the chart; None for as much as is known, between half a minute and five."""
    points: int = 120
    """Points of the chart's series."""
    panel: str = ""
    """Name of the panel on screen: what is dear is read for it only."""
    smaps: bool = True
    """Whether smaps and smaps_rollup may be read at all."""
    go_urls: tuple[tuple[int | None, str], ...] = ()
    """(pid, address) of Go programs whose metrics are to be read; None for the process asked for."""
    once: bool = False
    """There will be no later tick: what is asked for is read at this one, whatever it costs, and waited for."""
    runtimes: bool = False
    """Look into the runtimes of those asked for; otherwise of the one in focus only."""
    outlooks: bool = False
    """Judge those asked for as the one in focus is judged: limits, verdict, findings."""
    studied: tuple[ProcessKey, ...] = ()
    """Whom that means; the engine fills it in."""
    delay_s: float = 1.0
    """Planned time between samples; a much longer one is a gap (suspend, a stopped memtop)."""

    @property
    def judged(self) -> tuple[ProcessKey, ...]:
        """Those that are judged in full: the one in focus, then those asked for where that is wanted."""
        return self.studied if self.focus is None else (self.focus, *(key for key in self.studied if key != self.focus))

    @property
    def everybody(self) -> bool:
        """Whether all processes must be looked at; where not, the cost does not grow with /proc."""
        return self.only is None or bool(self.names) or self.children or self.panel == SHARING
