"""Pause (the frozen screen): keeps the instant and the detail at which the user paused."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from memtop.model.request import Request
from memtop.model.row import ProcessRow, SystemRow
from memtop.process_key import ProcessKey
from memtop.procfs.status import PidStatus
from memtop.sampling.sample import ProcessSample, Sample

if TYPE_CHECKING:
    from memtop.model.assessment import Assessment
    from memtop.model.detail import Detail
else:
    Assessment = Detail = object  # see memtop.model.row


class Shown(NamedTuple):
    """Everything that a frame is made of, at one instant."""

    tick: int
    sample: Sample
    system: SystemRow
    rows: list[ProcessRow]
    """Rows of all living processes, then of departed ones."""
    elapsed_s: float | None
    outlooks: Mapping[ProcessKey, Assessment]
    """Assessments of the processes that were assessed at that instant."""

    @property
    def now_s(self) -> float:
        """On the clock of Instant.mono_s."""
        return self.sample.mono_s

    @property
    def offset_s(self) -> float:
        """Wall time minus the clock of Instant.mono_s."""
        return self.sample.wall_s - self.sample.mono_s

    def process(self, key: ProcessKey) -> ProcessSample | None:
        """The process as it was sampled; None if it had ended."""
        found = self.sample.processes.get(key.pid)
        return found if found is not None and found.key == key else None

    def status(self, key: ProcessKey) -> PidStatus | None:
        """Its status file as last read; None before that."""
        found = self.process(key)
        return found.status if found is not None else None


class FrozenView:
    """Keeps the instant of the pause, and its detail, until the display goes on."""

    def __init__(self) -> None:
        self._shown: Shown | None = None
        self._detail: tuple[Request, Detail | None] | None = None

    def shown(self, live: Callable[[], Shown], request: Request) -> Shown:
        """The instant that this request shows. ``live`` creates the current one."""
        if not request.window.stands_still:
            self._shown = self._detail = None
            return live()
        if self._shown is None:
            self._shown = live()
        return self._shown

    def detail(self, make: Callable[[], Detail | None], request: Request) -> Detail | None:
        """The detail of the instant shown, made once for each request while the display is frozen."""
        if not request.window.stands_still:
            return make()
        if self._detail is None or self._detail[0] != request:
            self._detail = request, make()
        return self._detail[1]

    def make_again(self) -> None:
        """Make the detail again after the user has set or cleared a mark, which shows on a frozen display too."""
        self._detail = None
