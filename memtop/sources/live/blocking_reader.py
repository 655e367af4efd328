"""Reads files that may block forever, on threads that can be abandoned.

cmdline, environ, maps and smaps take the target's mmap lock, and the target's memory may be on a network file system
that does not answer. A user's name may come from the network too. Therefore two threads read these files, and end when
nothing is left to read. A reading that takes longer than its deadline is Blocked: its thread is replaced, and its
process is not read for a while. A run of one sample needs such a thread too, but importing threading takes longer than
all its readings. So these are threads of :mod:`_thread`, which Python does not wait for at exit.
"""

from __future__ import annotations

import time
from _thread import LockType, allocate_lock, get_native_id, start_new_thread
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from memtop.errors import Blocked, MemtopError, RanOut, Unavailable, failure_of, starved
from memtop.sources.live.bounded_read import read_file
from memtop.sources.protocol import Answer, is_runtime, pid_of, without_address

DEADLINE_S: Final = 2.0
"""A reading that takes longer is blocked, if it does not come back within ``GRACE_S`` either. Time for which its thread
wants a processor does not count: then memtop is slow, not the file."""
GRACE_S: Final = 0.3
"""Counted from when memtop first sees that a reading is late: memtop itself may have been stopped, or without a
processor, until then."""
MAPPINGS_DEADLINE_S: Final = 30.0
"""The same for smaps and smaps_rollup, which may take up to 25 ms per GiB resident."""
PIECES_DEADLINE_S: Final = 150.0
"""The same for pagemap, which is read in pieces and stops by itself earlier."""
REST_S: Final = 30.0
"""Time for which a process that has blocked a reading is not read again."""
SERVING: Final = 2
"""Threads that work at the same time."""
THREADS: Final = 8
"""Threads in all, including stuck ones."""


class _Reading:
    __slots__ = (
        *("data", "done", "error", "late_since_s", "path", "size", "started_s", "stuck", "took_s", "unwanted"),
        *("thread_id", "wanted_s"),
    )

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self.size = size
        self.started_s: float | None = None
        self.late_since_s: float | None = None
        """When it was first seen to be late."""
        self.done: bool = False
        self.data: bytes = b""
        self.took_s: float = 0.0
        self.error: MemtopError | None = None
        self.stuck: bool = False
        """Abandoned. The thread ends, or works again if its read ever returns and it is needed."""
        self.unwanted = False
        """The answer is no longer wanted."""
        self.thread_id = 0
        """The thread that reads, once it has begun."""
        self.wanted_s = 0.0
        """The processor time that this thread had wanted before."""

    def waits_s(self, now_s: float) -> float:
        """For how long the kernel has not answered, in seconds."""
        if self.started_s is None:
            return 0.0
        took_s = now_s - self.started_s
        if took_s > _deadline_s(self.path) and self.thread_id:  # rarely: the answer costs a file
            took_s -= max(0.0, spent_by_s(self.thread_id) - self.wanted_s)
        return took_s

    def goes_on(self) -> bool:
        return not self.unwanted


class BlockingReader:
    """Runs ``read(path, size, goes_on)``, which raises MemtopError only, without waiting for it.

    A reading in pieces may end early if ``goes_on()`` says that the answer is no longer wanted. ``blamed`` says what is
    left alone when a reading of a path blocks: its process, if None.
    """

    def __init__(
        self,
        read: Callable[[str, int, Callable[[], bool]], bytes],
        clock: Callable[[], float] = time.monotonic,
        blamed: Callable[[str], int | str] | None = None,
    ) -> None:
        self._read = read
        self._clock = clock
        self._who = blamed or _who
        self._lock = allocate_lock()
        self._readings: dict[tuple[str, int], _Reading] = {}
        self._queue: deque[_Reading] = deque()
        self._running: set[_Reading] = set()
        self._resting: dict[int | str, float] = {}
        self._stuck: dict[int | str, int] = {}
        self._threads = 0
        self.started = 0
        """Threads that it has started so far."""
        self._settled: LockType | None = None
        """A lock that is released when no reading is under way. :meth:`settle` waits for it."""

    def ask(self, path: str, size: int) -> Answer | None:
        """See ``Source.ask``."""
        who = self._who(path)
        with self._lock:
            self._give_up_overdue()
            if who in self._resting:
                if self._clock() < self._resting[who] or who in self._stuck:
                    raise Blocked(f"{path}: an earlier read still hangs")
                del self._resting[who]
            reading = self._readings.get((path, size))
            if reading is None:
                if self._serving() == 0 and not self._can_start():
                    raise Blocked(f"{path}: {self._threads} earlier reads still hang")
                reading = self._readings[path, size] = _Reading(path, size)
                self._queue.append(reading)
                self._start_thread_if_needed()
                if self._serving() == 0:
                    self._queue.remove(reading)
                    del self._readings[path, size]
                    raise RanOut(f"{path}: no thread can be started to read it")
                return None
            if not reading.done:
                return None
            del self._readings[path, size]
            if not self._readings:
                self._readings = {}  # at the start it has had thousands, and none shrinks
        if reading.error is not None:
            raise reading.error
        return Answer(reading.data, reading.took_s)

    def settle(self, seconds: float) -> None:
        """Wait until no reading is under way, at most for this time."""
        with self._lock:
            if self._quiet():
                return
            settled = self._settled = allocate_lock()
            settled.acquire()
        settled.acquire(timeout=seconds)

    def forget(self, pids: Iterable[int]) -> None:
        """Drop requests about processes that have ended, because later processes may get their PIDs."""
        gone = set(pids)
        with self._lock:
            self._abandon([key for key in self._readings if pid_of(key[0]) in gone])
            for who in [who for who in self._resting if (pid_of(who) if isinstance(who, str) else who) in gone]:
                del self._resting[who]

    def abandon(self, path: str) -> None:
        """See ``Source.abandon``."""
        with self._lock:
            self._abandon([key for key in self._readings if key[0] == path])

    def close(self) -> None:
        """End every thread that is not stuck."""
        with self._lock:
            self._abandon(list(self._readings))

    # The methods below hold the lock.

    def _abandon(self, keys: Iterable[tuple[str, int]]) -> None:
        for key in keys:
            reading = self._readings.pop(key)
            reading.unwanted = True
            if reading.started_s is None and not reading.done:
                self._queue.remove(reading)

    def _quiet(self) -> bool:
        return not self._queue and all(reading.stuck or reading.unwanted for reading in self._running)

    def _serving(self) -> int:
        return self._threads - sum(self._stuck.values())

    def _can_start(self) -> bool:
        return self._serving() < SERVING and self._threads < THREADS

    def _start_thread_if_needed(self) -> None:
        if self._queue and self._can_start():
            self._threads += 1
            try:
                start_new_thread(self._serve, ())
                self.started += 1
            except RuntimeError:  # too little memory, or too many threads: those that run will serve, if there are any
                self._threads -= 1

    def _give_up_overdue(self) -> None:
        now_s = self._clock()
        for reading in self._running:
            if reading.stuck or reading.waits_s(now_s) <= _deadline_s(reading.path):
                continue
            if reading.late_since_s is None:
                reading.late_since_s = now_s
            if now_s - reading.late_since_s > GRACE_S:
                reading.stuck = True
                who = self._who(reading.path)
                self._stuck[who] = self._stuck.get(who, 0) + 1
                # Otherwise its process has ended meanwhile.
                if self._readings.get((reading.path, reading.size)) is reading:
                    del self._readings[reading.path, reading.size]
                    self._resting[who] = now_s + REST_S
                self._start_thread_if_needed()

    def _serve(self) -> None:
        """The loop of a thread."""
        while self._serve_next():
            pass

    def _serve_next(self) -> bool:
        """Do one reading. Returns False if the thread is to end. The result, up to 40 MB, is not kept here."""
        reading = self._next()
        if reading is None:
            return False
        data, took_s = b"", 0.0
        # Pagemap does not hold up the process.
        clock_s = time.thread_time if reading.path.endswith("/pagemap") else spent_s

        def read() -> None:
            nonlocal data, took_s
            began_s = reading.wanted_s = clock_s()
            reading.thread_id = get_native_id()
            data = self._read(reading.path, reading.size, reading.goes_on)
            took_s = clock_s() - began_s

        error = failure_of(read)
        if error is not None:
            data = b""
            if not isinstance(error, MemtopError):  # no memory, no descriptor for an import: the thread must not die
                reason = starved(error)
                kind = RanOut if reason else Unavailable
                error = kind(f"{reading.path}: {reason or type(error).__name__}")
        with self._lock:
            reading.data, reading.took_s, reading.error, reading.done = data, took_s, error, True
            self._running.discard(reading)
            if reading.stuck:
                who = self._who(reading.path)
                self._stuck[who] -= 1
                if not self._stuck[who]:
                    del self._stuck[who]
            if self._settled is not None and self._quiet():
                self._settled.release()
                self._settled = None
        return True

    def _next(self) -> _Reading | None:
        """The next reading for a thread; None if the thread is to end."""
        with self._lock:
            if not self._queue or self._serving() > SERVING:
                self._threads -= 1
                return None
            reading = self._queue.popleft()
            reading.started_s = self._clock()
            self._running.add(reading)
            return reading


def spent_s() -> float:
    """CPU time of this thread, plus the time for which it was ready to run but waited for a processor.

    A reader that waits in the middle of smaps holds the target's lock all that time. Waiting for the interpreter lock
    costs the target nothing.
    """
    return time.thread_time() + schedstat_s("thread-self")[1]


def spent_by_s(thread_id: int) -> float:
    """The same for another thread of this process, by its native ID. 0 if that is unknown."""
    return sum(schedstat_s(f"self/task/{thread_id}"))


def schedstat_s(thread: str) -> tuple[float, float]:
    """Seconds that a thread has run, in steps of the kernel's clock, and that it has waited for a processor.

    Zeros if that is unknown. proc_pid_schedstat(5), "Documentation/scheduler/sched-stats.rst".
    """
    try:
        ran_ns, waited_ns = read_file("/proc/", f"{thread}/schedstat", 256).split()[:2]
        return int(ran_ns) / 1e9, int(waited_ns) / 1e9
    except (OSError, ValueError):
        return 0.0, 0.0


def _deadline_s(path: str) -> float:
    if path.endswith("/pagemap"):
        return PIECES_DEADLINE_S
    return MAPPINGS_DEADLINE_S if path.endswith(("/smaps", "/smaps_rollup")) else DEADLINE_S


def _who(path: str) -> int | str:
    """The cause if a reading blocks: the process, or otherwise the path."""
    if is_runtime(path):  # the other files of a program that does not answer over HTTP can still be read
        return without_address(path)
    if path.endswith(("/deleted_files", "/memfds", "/held")):  # a file system that does not answer, not the process
        return path
    pid = pid_of(path)
    return path if pid is None else pid
