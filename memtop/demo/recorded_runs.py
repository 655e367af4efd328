"""Recordings of real Go services, shipped with memtop: nothing is started, and no Go is needed.

The programs are in the project's tests (tests/lab/go). A recording is played like any other, together with comments for
its moments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from memtop.demo.progress import Step
from memtop.errors import UsageError

GO: Final = "go"
_FOLDER: Final = Path(__file__).parent / "recordings"
_OTHERS: Final = "The others: memtop demo go leak, churn, limit, returned."


class Moment(NamedTuple):
    """A comment that is shown from one sample on."""

    sample: int
    title: str
    commentary: str
    watch: str


class Recorded(NamedTuple):
    """One recorded run."""

    name: str
    says: str
    pid: int
    """PID of the service in the recording."""
    moments: tuple[Moment, ...]
    panel: str = "runtime"
    """Name of the panel that is open at the start."""

    @property
    def path(self) -> str:
        """Path of the recording."""
        return str(_FOLDER / f"go-{self.name}.memtop")

    def step_at(self, sample: int) -> Step:
        """The comment after this many samples."""
        number = max((place for place, moment in enumerate(self.moments) if moment.sample <= sample), default=0)
        moment = self.moments[number]
        return Step(number + 1, len(self.moments), moment.title, moment.commentary, moment.watch)


_RUNS: Final = (
    Recorded(
        "leak",
        "objects that are never released",
        3734,
        (
            Moment(
                0,
                "A Go server that leaks",
                "A recorded run of a real server. It keeps a little of each request in a map and never deletes it. "
                "From outside you see only that anonymous memory grows.",
                "RES rises. HeapAlloc is a sawtooth: garbage piles up and is collected (GC marks).",
            ),
            Moment(
                12,
                "Ignore the peaks, compare the low points",
                "Each collection leaves what is alive. Between collections HeapAlloc says little. memtop waits for "
                "five collections and 20 seconds before it judges.",
                "The low points after the GC marks: each is higher than the one before.",
            ),
            Moment(
                24,
                "The verdict",
                "The low points and the number of objects rise together: a leak by objects. Bigger objects would raise "
                "HeapAlloc alone.",
                "The verdict with its evidence, and what to do next: two heap profiles, compared by inuse_objects.",
            ),
            Moment(
                42,
                "GCs become rarer, and RES is twice what is alive",
                "With GOGC=100 the heap may double before the next GC: the larger the leak, the longer the wait and "
                "the more garbage RES includes.",
                f"live heap, and garbage and new objects, in the bar. {_OTHERS}",
            ),
        ),
    ),
    Recorded(
        "churn",
        "a lot of garbage, but no leak",
        3739,
        (
            Moment(
                0,
                "A Go server under load",
                "A recorded run. It holds 64 MiB and makes 200 MiB of garbage per second. RES is far above "
                "what is alive.",
                "HeapAlloc goes up and down between two collections.",
            ),
            Moment(
                22,
                "The verdict",
                "What is left after each collection stays level: no leak, only allocation pressure. The rest of RES "
                "is mostly garbage that the next GC finds, the price of collecting rarely.",
                "The sentence about GOGC: what other values would mean for RES, and how often it would collect.",
            ),
            Moment(
                36,
                "What to do",
                "Allocate less (reuse buffers, sync.Pool). A lower GOGC saves RAM and costs CPU time.",
                f"GCs per second and their pauses. {_OTHERS}",
            ),
        ),
    ),
    Recorded(
        "limit",
        "GOMEMLIMIT below what it needs",
        6183,
        (
            Moment(
                0,
                "The same server with GOMEMLIMIT=70MiB and GOGC=off",
                "A recorded run. 64 MiB are alive, and the runtime needs some more. Almost nothing is left for "
                "garbage, so it collects almost all the time.",
                "The rate of collections, and CPU% in the table.",
            ),
            Moment(
                12,
                "A soft limit saves nothing",
                "GOMEMLIMIT is not a hard limit: Go collects harder and harder, gives pages back, faults them in "
                "again, and still holds what it needs.",
                "Page faults per second and GCs per second, both in the sentence about GOMEMLIMIT.",
            ),
            Moment(
                30,
                "What to do",
                "Raise it to about 90 % of the container's limit, minus what is outside of Go. Or keep less alive.",
                f"The least the program needs: live heap, stacks and runtime. {_OTHERS}",
            ),
        ),
    ),
    Recorded(
        "returned",
        "memory given back, and RES does not fall",
        7548,
        (
            Moment(
                0,
                "A Go program after a peak",
                "A recorded run. It wrote 300 MiB, released most of it, and collects. Its GODEBUG has "
                "madvdontneed=0, the default behavior of Go 1.12 to 1.15.",
                "HeapAlloc falls at once; RES does not.",
            ),
            Moment(
                15,
                "Given back, and still counted",
                "The scavenger returns idle spans with MADV_FREE. The kernel can reclaim these pages at any time, "
                "and while RAM is plentiful it has no reason to.",
                "returned, not reclaimed yet (LazyFree): it grows in the bar, and RES stays.",
            ),
            Moment(
                40,
                "No leak",
                "HeapReleased is what was returned, LazyFree the part that RES still counts. Under pressure RES would "
                "fall. Since Go 1.16 MADV_DONTNEED is the default, and RES falls at once.",
                f"RES minus LazyFree is what it really holds. {_OTHERS}",
            ),
        ),
    ),
)


def recorded_runs() -> tuple[Recorded, ...]:
    """All recorded runs, the default one first."""
    return _RUNS


def recorded_named(name: str) -> Recorded:
    """The run of this name; the first for an empty name. Raises UsageError, which lists the names."""
    for run in _RUNS:
        if name in ("", run.name):
            return run
    raise UsageError(f"demo go: no recorded run {name}; there are {', '.join(run.name for run in _RUNS)}")
